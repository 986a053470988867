"""Addresses for those who watch the site: /livez, /readyz, and /health/ in words.

They need no sign-in, read no session and use no connection of the site.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from crs_app.accounts.middleware import without_session
from crs_app.error_pages import TRY_AGAIN_AFTER_SECONDS
from crs_app.readiness import Readiness, look


@without_session
@login_not_required
@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """Answer 200: the process answers. Nothing else is looked at."""
    return HttpResponse("ok\n", content_type="text/plain")


@without_session
@login_not_required
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer with every check; 503 only while the database is away, starting or not migrated."""
    found = look()
    return _with_status(JsonResponse(found.as_json()), found)


@without_session
@login_not_required
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Answer as ``readyz``, in words: "ok" or why not, and a line for a clock that is wrong."""
    found = look()
    lines = [found.failure] if found.failure else ["ok", *found.wrong_clocks]
    text = "".join(f"{line}\n" for line in lines)
    return _with_status(HttpResponse(text, content_type="text/plain"), found)


def _with_status(response: HttpResponse, found: Readiness) -> HttpResponse:
    if found.failure:
        response.status_code = 503
        response["Retry-After"] = str(TRY_AGAIN_AFTER_SECONDS)
    return response
