"""URLs of the whole site."""

from django.urls import include, path

from crs_app.health import health

urlpatterns = [
    path("health/", health, name="health"),
    path("accounts/", include("crs_app.accounts.urls")),
    path("", include("patients.urls")),
]
