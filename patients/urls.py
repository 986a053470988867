"""Addresses of the chart."""

from django.urls import path

from patients import guidance_views as patients_guidance_views
from patients import remark_views, transfer_views, views
from patients.guidance import views as guidance_views
from patients.policy import views as policy_views

app_name = "patients"

urlpatterns = [
    path("", views.board, name="board"),
    path("courses/admit/", views.admit, name="admit"),
    path("courses/<uuid:course_id>/", views.bedside, name="bedside"),
    path("courses/<uuid:course_id>/grade/", views.grade, name="grade"),
    path("courses/<uuid:course_id>/timeline/", views.timeline, name="timeline"),
    path("courses/<uuid:course_id>/entries/<slug:kind>/", views.entries, name="entries"),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/correct/",
        views.correct,
        name="correct",
    ),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/retract/",
        views.retract,
        name="retract",
    ),
    path("courses/<uuid:course_id>/not-observed/", remark_views.not_observed, name="not_observed"),
    path("courses/<uuid:course_id>/place/", transfer_views.transfer, name="transfer"),
    path("courses/<uuid:course_id>/guidance/", patients_guidance_views.guidance, name="guidance"),
    path("courses/<uuid:course_id>/guidance/tap/", patients_guidance_views.tap, name="tap"),
    path(
        "courses/<uuid:course_id>/guidance/<str:code>/<slug:reply>/",
        patients_guidance_views.answer,
        name="answer",
    ),
    path("guidance/answers.csv", guidance_views.answers_csv, name="answers_csv"),
    path("policy/", policy_views.policy, name="policy"),
    path("policy/courses/<uuid:course_id>/", policy_views.course_policy, name="course_policy"),
    path("sources/", guidance_views.sources, name="sources"),
]
