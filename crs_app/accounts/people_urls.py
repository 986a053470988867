"""Pages for administrators."""

from django.urls import path

from crs_app.accounts import people_views as views

app_name = "people"

urlpatterns = [
    path("", views.user_list, name="list"),
    path("users.csv", views.export, name="export"),
    path("new/", views.new, name="new"),
    path("<int:user_id>/", views.person, name="person"),
    path("<int:pk>/role/", views.role, name="role"),
    path("<int:pk>/email/", views.email, name="email"),
    path("<int:pk>/wards/", views.wards, name="wards"),
    path("<int:pk>/link/", views.link, name="link"),
    path("<int:pk>/<str:act>/", views.act, name="act"),
]
