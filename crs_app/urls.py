"""URLs of the whole site."""

from django.urls import include, path

from crs_app.accounts.roles_views import roles
from crs_app.health import health, livez, readyz
from crs_app.help.views import help_page, own_help
from crs_app.metrics.views import metrics
from crs_app.shell.views import manifest, service_worker, shell

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("health/", health, name="health"),
    path("shell/", shell, name="shell"),
    path("worker.js", service_worker, name="service_worker"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("help/", own_help, name="help"),
    path("help/<slug:key>/", help_page, name="help_page"),
    path("roles/", roles, name="roles"),
    path("accounts/", include("crs_app.accounts.urls")),
    path("people/", include("crs_app.accounts.people_urls")),
    path("record/", include("crs_app.record.pages.urls")),
    path("", include("patients.urls")),
]

handler400 = "crs_app.error_pages.bad_request"
handler403 = "crs_app.error_pages.permission_denied"
handler404 = "crs_app.error_pages.not_found"
handler500 = "crs_app.error_pages.server_error"
