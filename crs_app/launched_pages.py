"""Pages of a session that a health record launched: of one patient alone, framed where registered.

Two middlewares. ``LaunchedSession`` stands behind the session and before everything that could
answer; ``framed_pages`` stands before the session, so that it sees every cookie that is set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import ResolverMatch
from django.utils.deprecation import MiddlewareMixin

from crs_app.accounts.launched import Launch, launch_of
from crs_app.security_headers import CONTENT_SECURITY_POLICY

OPEN: Final = frozenset(
    {
        "accounts:active",
        "accounts:sign_out",
        "health",
        "help",
        "help_page",
        "patients:smart_ended",
        "patients:smart_keys",
        "patients:smart_launch",
        "patients:smart_return",
        "record:printed",
        "roles",
    }
)
"""Pages without a patient that a launched session opens; every other one is closed to it."""
OF_THE_COURSE_NAMED: Final = "patients:sources"
"""Page without a patient in its address; the parameter ``course`` may name one."""
OF_OTHER_PATIENTS_TOO: Final = frozenset(
    {"patients:join", "patients:move_entry", "patients:undo_join"}
)
"""Addresses of a course that show or change another patient as well."""
_FORBIDDEN: Final = 403
_OTHER_PATIENT: Final = (
    "Another patient was opened from the health record in this browser since. Nothing was saved.",
    "Open this patient again from there.",
)
_ONE_PATIENT: Final = (
    "The health record opened this application for one patient alone. Nothing was saved.",
    "For all others, open the ward board in a browser of its own and sign in.",
)


class LaunchedSession(MiddlewareMixin):
    """Refuse everything but the patient that the session was launched for."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if getattr(view_func, "without_session", False):
            return None
        launch = launch_of(request)
        if launch is None or request.resolver_match is None:
            return None
        request.launch = launch  # type: ignore[attr-defined]
        request.frame_origins = launch.frame_origins  # type: ignore[attr-defined]
        sentences = _refusal(launch, request.resolver_match, request.GET.get("course", ""))
        return None if sentences is None else _answer(request, launch, sentences)


def _refusal(launch: Launch, match: ResolverMatch, named: str) -> tuple[str, ...] | None:
    """Return why an address is closed; None where it is open. ``named``: the course it asks for."""
    course_id = match.kwargs.get("course_id")
    if match.view_name == OF_THE_COURSE_NAMED:
        return None if named in ("", str(launch.course_id)) else _OTHER_PATIENT
    if course_id is None:
        return None if match.view_name in OPEN else _ONE_PATIENT
    if course_id != launch.course_id:
        return _OTHER_PATIENT
    return _ONE_PATIENT if match.view_name in OF_OTHER_PATIENTS_TOO else None


def _answer(request: HttpRequest, launch: Launch, sentences: tuple[str, ...]) -> HttpResponse:
    if "HX-Request" in request.headers:
        text = f"Not saved: {' '.join(sentences)}"
        return HttpResponse(text, status=_FORBIDDEN, content_type="text/plain; charset=utf-8")
    page = render_to_string(
        "launched_refusal.html", {"sentences": sentences, "course_id": launch.course_id}
    )
    return HttpResponse(page, status=_FORBIDDEN)


def framed_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that lets the registered pages of a launch show ours in a frame.

    Only there do cookies go with requests from another site's page, and each site that frames has
    its own (CHIPS). Everything else keeps ``frame-ancestors 'none'``.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        origins: tuple[str, ...] = getattr(request, "frame_origins", ())
        if origins:
            response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
                "frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}"
            )
            response.headers.pop("X-Frame-Options", None)
            for cookie in response.cookies.values():
                cookie["secure"] = True
                # Python knows no attribute Partitioned before 3.14.
                cookie["samesite"] = "None; Partitioned"
        return response

    return middleware
