"""Middleware: what a signed-in user opens, searches and downloads is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import StreamingHttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from crs_app.proxies import client_address
from crs_app.record.current import answering
from crs_app.record.models import EventKind
from crs_app.record.openings import (
    ASKS_FOR_REASON,
    PAGE_OF_PART,
    SEARCHED_FOR,
    WRITTEN_ELSEWHERE,
    Opening,
    asked_by,
    opening_of,
    parts_of_address,
)
from crs_app.record.write import record_event

_FORBIDDEN: Final = 403
_SHOWS_NOTHING: Final = frozenset({204, 401, 403, 404, 405, 413, 415, 429})
_NOT_MODIFIED: Final = 304
_REFUSALS: Final = 400
_ERRORS_OF_THE_SERVER: Final = 500
_SEEN: Final = "seen"
"""Parameter of a poll of the board: the state that the page shows."""
_WHOLE_PAGE: Final = b"<!DOCTYPE html>"
_KEPT_AT_MOST: Final = 10
"""Pages without a course that the cookie names: those which a user has open at the same time."""
_BETWEEN: Final = "."


def record_openings(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that records before the answer leaves; what cannot be recorded is not sent."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with answering(client_address(request)):
            response = get_response(request)
            _record(request, response)
        return response

    return middleware


def _record(request: HttpRequest, response: HttpResponseBase) -> None:
    match = request.resolver_match
    if match is None or getattr(request, "is_recorded", False):
        return
    course_id = match.kwargs.get("course_id")
    opening = opening_of(match.view_name, course_id)
    if match.view_name in WRITTEN_ELSEWHERE:
        return
    if response.status_code == _FORBIDDEN and request.user.is_authenticated:
        shows = opening.shows if opening else match.view_name
        _write(request, EventKind.REFUSED, shows, course_id)
    elif opening and _shows_something(request, response) and request.user.is_authenticated:
        _record_opening(request, response, opening, course_id)


def _shows_something(request: HttpRequest, response: HttpResponseBase) -> bool:
    status = response.status_code
    if status == _NOT_MODIFIED:
        return request.method == "GET"
    is_redirect = 300 <= status < 400
    is_answer = not is_redirect and status < _ERRORS_OF_THE_SERVER
    return is_answer and status not in _SHOWS_NOTHING and request.method in ("GET", "POST")


def _record_opening(
    request: HttpRequest, response: HttpResponseBase, opening: Opening, course_id: UUID | None
) -> None:
    is_search = opening.is_searched and bool(request.GET.get(SEARCHED_FOR, "").strip())
    kind = EventKind.SEARCH if is_search else opening.kind
    if _is_opened_by(request, response, kind) or (
        _is_part_of_page(request, response) and not _was_opened(request, course_id)
    ):
        _write(request, kind, opening.shows, course_id)
        _note_opened(request, response, course_id)


def _is_opened_by(request: HttpRequest, response: HttpResponseBase, kind: EventKind) -> bool:
    """Return whether a person opened this; a search is asked by a person, unless it is a poll."""
    is_search = kind is EventKind.SEARCH and _SEEN not in request.GET
    is_opened = is_search or kind is EventKind.EXPORT or _is_whole_page(response)
    return request.method == "GET" and is_opened


def _is_part_of_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether the answer shows something of a page; a save's answer by htmx is an act.

    A refused save is none, and its form has the name and the last values of the patient.
    """
    is_save = request.method == "POST" and response.status_code < _REFUSALS
    return not is_save or _is_whole_page(response)


def _is_whole_page(response: HttpResponseBase) -> bool:
    if response.status_code == _NOT_MODIFIED or isinstance(response, StreamingHttpResponse):
        return True
    return isinstance(response, HttpResponse) and response.content.startswith(_WHOLE_PAGE)


def _write(request: HttpRequest, kind: EventKind, shows: str, course_id: UUID | None) -> None:
    user: Any = request.user
    named = {} if request.resolver_match is None else request.resolver_match.kwargs
    record_event(
        kind,
        by=user,
        # A page may show something of a course that its address does not name.
        course_id=course_id or getattr(request, "shown_course", None),
        purpose=getattr(request, "access_purpose", ""),
        details={"page": shows, **parts_of_address(named), **asked_by(request.GET)},
    )


def _cookie_name(course_id: UUID | None) -> str:
    """Return the name of the cookie; with the path of a course it cannot be one of ``__Host-``."""
    name = f"crs-opened-{'pages' if course_id is None else course_id.hex}"
    if not settings.SESSION_COOKIE_SECURE:
        return name
    return f"{'__Host-' if course_id is None else '__Secure-'}{name}"


def _proof(request: HttpRequest, course_id: UUID | None) -> str:
    """Return what the cookie holds of a page: it ends with the session.

    What stands at addresses of one course is one chart. Any other address is a page by itself.
    """
    of = f"{request.session.session_key} {course_id}"
    if course_id is None and (match := request.resolver_match) is not None:
        named = " ".join(f"{name}={value}" for name, value in sorted(match.kwargs.items()))
        of = f"{of} {PAGE_OF_PART.get(match.view_name, match.view_name)} {named}"
    return salted_hmac("crs_app.record.opened", of, algorithm="sha256").hexdigest()[:32]


def _opened(request: HttpRequest, course_id: UUID | None) -> list[str]:
    """Return the proofs of the pages that were opened last, as the browser sends them."""
    return request.COOKIES.get(_cookie_name(course_id), "").split(_BETWEEN)


def _was_opened(request: HttpRequest, course_id: UUID | None) -> bool:
    proof = _proof(request, course_id)
    return any(constant_time_compare(one, proof) for one in _opened(request, course_id))


def _note_opened(request: HttpRequest, response: HttpResponseBase, course_id: UUID | None) -> None:
    match = request.resolver_match
    if match is not None and match.view_name == ASKS_FOR_REASON:
        return  # it shows who and where: the chart behind it is not opened yet
    path = "/" if course_id is None else f"/courses/{course_id}/"
    if not request.path.startswith(path):
        return  # who has read the record of a patient has not opened the chart
    proof = _proof(request, course_id)
    opened = [proof]
    if course_id is None:
        opened += [one for one in _opened(request, None) if one and one != proof]
    response.set_cookie(
        _cookie_name(course_id),
        _BETWEEN.join(opened[:_KEPT_AT_MOST]),
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
