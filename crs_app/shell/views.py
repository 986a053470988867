"""The shell page, the service worker that keeps it, and the manifest by which it is installed.

They name no patient and no user, and need no sign-in: a tablet fetches them by itself.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from crs_app.accounts.middleware import without_session
from crs_app.shell.files import shell_addresses, shell_page, shell_version

_PAPER: Final = "#f4f6f8"
_ACCENT: Final = "#0b5cab"


@without_session
@login_not_required
@require_safe
def shell(_request: HttpRequest) -> HttpResponse:
    """Show the page of a tablet without a network: how much is unsent, and when to open again."""
    return HttpResponse(shell_page())


@without_session
@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Send the service worker; it stands at the root, for its scope is the whole site."""
    context = {
        "version": shell_version(),
        "addresses": shell_addresses(),
        "shell": reverse("shell"),
    }
    response = render(request, "shell/worker.js", context, content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@without_session
@login_not_required
@require_safe
def manifest(_request: HttpRequest) -> HttpResponse:
    """Send the web app manifest (W3C Web Application Manifest)."""
    return JsonResponse(
        {
            "name": settings.SITE_NAME,
            "short_name": settings.SITE_NAME[:12],
            "start_url": reverse("patients:board"),
            "scope": "/",
            "display": "standalone",
            "background_color": _PAPER,
            "theme_color": _ACCENT,
            "icons": [{"src": static("crs/icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
        },
        content_type="application/manifest+json",
    )
