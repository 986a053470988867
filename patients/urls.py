"""Addresses of the chart."""

from django.urls import path

from patients import views

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
]
