"""Middleware: every page needs a sign-in, which ends when it is not used."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

ACTIVE_AT = "active_at"
POLL_HEADER = "CRS-Poll"
"""Header of a request that a page makes by itself, and whose refusal it shows in words."""
WRITE_AT_MOST_EVERY = timedelta(minutes=1)


class SignInRequired(LoginRequiredMiddleware):
    """Send anonymous users to the sign-in page, and sign out idle users.

    A GET by htmx is no activity: a page makes it by itself to refresh.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if request.user.is_authenticated:
            _note_activity(request)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # Django's own always redirects
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        """Answer htmx without a redirect: it would swap the sign-in page into the bedside."""
        if not request.headers.get("HX-Request"):
            return super().handle_no_permission(request, view_func)
        if request.method == "GET" and POLL_HEADER in request.headers:
            # The page says so itself, and nothing changes under the user's hands.
            return HttpResponse(status=401)
        if request.method == "GET":
            return HttpResponseClientRefresh()
        return HttpResponse(
            "Not saved: you have been signed out. Sign in again and repeat it.",
            status=401,
            content_type="text/plain",
        )


def _note_activity(request: HttpRequest) -> None:
    now = timezone.now()
    seen = request.session.get(ACTIVE_AT)
    idle = now - datetime.fromtimestamp(seen, UTC) if seen else timedelta(0)
    if idle >= settings.SIGNED_OUT_AFTER_IDLE:
        logout(request)
    elif not seen or (idle >= WRITE_AT_MOST_EVERY and not _reads_by_itself(request)):
        request.session[ACTIVE_AT] = now.timestamp()


def _reads_by_itself(request: HttpRequest) -> bool:
    return request.method == "GET" and "HX-Request" in request.headers
