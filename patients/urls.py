"""Addresses of the chart."""

from django.urls import path

from patients.bedside import entry_views, live
from patients.bedside import guidance_views as bedside_guidance_views
from patients.bedside import views as bedside_views
from patients.guidance import views as guidance_views
from patients.policy import views as policy_views
from patients.ward import views as ward_views

app_name = "patients"

urlpatterns = [
    path("", ward_views.board, name="board"),
    path("courses/admit/", ward_views.admit, name="admit"),
    path("courses/<uuid:course_id>/", bedside_views.bedside, name="bedside"),
    path("courses/<uuid:course_id>/live/", live.live, name="live"),
    path("courses/<uuid:course_id>/timeline/", bedside_views.timeline, name="timeline"),
    path("courses/<uuid:course_id>/entries/<slug:kind>/", entry_views.entries, name="entries"),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/correct/",
        entry_views.correct,
        name="correct",
    ),
    path(
        "courses/<uuid:course_id>/entries/<uuid:entry_id>/retract/",
        entry_views.retract,
        name="retract",
    ),
    path(
        "courses/<uuid:course_id>/not-observed/",
        entry_views.not_observed,
        name="not_observed",
    ),
    path("courses/<uuid:course_id>/place/", ward_views.transfer, name="transfer"),
    path("courses/<uuid:course_id>/guidance/", bedside_guidance_views.guidance, name="guidance"),
    path(
        "courses/<uuid:course_id>/guidance/action/",
        bedside_guidance_views.quick_action,
        name="guidance_action",
    ),
    path(
        "courses/<uuid:course_id>/guidance/<str:code>/<slug:reply>/",
        bedside_guidance_views.answer,
        name="guidance_answer",
    ),
    path("guidance/answers.csv", guidance_views.answers_csv, name="answers_csv"),
    path("policy/", policy_views.policy, name="policy"),
    path("policy/courses/<uuid:course_id>/", policy_views.course_policy, name="course_policy"),
    path("sources/", guidance_views.sources, name="sources"),
]
