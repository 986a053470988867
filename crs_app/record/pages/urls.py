"""Addresses of the record."""

from django.urls import path

from crs_app.record.pages import views

app_name = "record"

urlpatterns = [
    path("", views.events, name="events"),
    path("printed/", views.printed, name="printed"),
    path("events.csv", views.events_csv, name="events_csv"),
    path("people/<int:user_id>/", views.person, name="person"),
    path("people/<int:user_id>/week/", views.person_week, name="person_week"),
    path("people/<int:user_id>/events.csv", views.person_csv, name="person_csv"),
    path("courses/<uuid:course_id>/", views.course, name="course"),
    path("courses/<uuid:course_id>/events.csv", views.course_csv, name="course_csv"),
]
