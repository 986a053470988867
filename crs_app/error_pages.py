"""Pages of errors in plain words; they need no database, no session and no CSRF token.

A page is a fixed text for its status, so that it can be sent whatever has failed. A request of htmx
gets the same sentences as plain text, which the scripts of the page show, and another system the
words of its door.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse

from crs_app.accounts.refusals import OtherWardError
from crs_app.metrics.counts import note_refusal
from crs_app.outages import (
    NotConfirmedError,
    SecondMachineAwayError,
    WaitedTooLongError,
    find_in_chain,
    may_be_repeated,
)
from crs_app.request_ids import current_request_id
from crs_app.system_doors import door_of

TRY_AGAIN_AFTER_SECONDS: Final = 10


_REQUEST_ID: Final = "{request id}"


class ErrorText(NamedTuple):
    """Title and sentences of an error page."""

    title: str
    sentences: tuple[str, ...]


_PERHAPS_SAVED: Final = (
    "Your last step may not be saved. Look at the timeline of the patient before you repeat it."
)
TEXTS: Final[dict[int, ErrorText]] = {
    400: ErrorText(
        "Request not understood",
        ("This site cannot read what the browser sent. Nothing was saved.",
         "Go back, reload the page and try again."),
    ),
    403: ErrorText(
        "Not allowed",
        ("Your role does not allow this. Nothing was saved.",
         "If you need it for your work, ask an administrator."),
    ),
    404: ErrorText(
        "Not found",
        ("There is nothing at this address. The link may be old or mistyped.",),
    ),
    405: ErrorText(
        "Not possible here",
        ("This address cannot be used in this way. Nothing was saved.",
         "Open the page from the ward board and try again."),
    ),
    409: ErrorText(
        "Changed by someone else",
        ("Someone else was first. Nothing was saved.",
         "Reload the page, check the chart and try again."),
    ),
    413: ErrorText(
        "Too large",
        ("The browser sent more than this site accepts. Nothing was saved.",
         "Shorten the text and try again."),
    ),
    415: ErrorText(
        "Format not accepted",
        ("This site accepts forms as text in UTF-8, and no files. Nothing was saved.",
         "Reload the page and try again with an up-to-date browser."),
    ),
    422: ErrorText(
        "Not saved",
        ("Something in the form is not right. Nothing was saved.",
         "Go back, correct it and save again."),
    ),
    429: ErrorText(
        "Too many requests",
        ("Too many requests came at once. Nothing was saved.",
         "Wait a minute and try again."),
    ),
    500: ErrorText(
        "Error",
        (_PERHAPS_SAVED, "If it happens again, call the help desk."),
    ),
    503: ErrorText(
        "Database does not answer",
        (_PERHAPS_SAVED,
         "Wait a minute and try again. If it lasts, chart on paper and call the help desk."),
    ),
}  # fmt: skip
_PAGE_OUT_OF_DATE: Final = ErrorText(
    "Page out of date",
    ("Nothing was saved. The page was open too long, or someone has signed in again in this "
     "browser.",
     "Go back and reload the page, then save again. What you typed in an entry form is kept."),
)  # fmt: skip

_WAITED_TOO_LONG: Final = ErrorText(
    "Not saved",
    ("Nothing was saved. Something else writes to the chart of this patient for too long.",
     "Go back, wait some seconds and save again. What you typed in an entry form is kept."),
)  # fmt: skip
_SECOND_MACHINE_AWAY: Final = ErrorText(
    "Not saved",
    ("Nothing was saved by this step. The second machine does not answer, and a save needs it.",
     "What you see is up to date. Wait a minute and save again; what you typed in an entry form is "
     "kept. If it lasts, chart on paper and call the help desk."),
)  # fmt: skip
_NOT_CONFIRMED: Final = ErrorText(
    "Not confirmed",
    ("The database or its second machine has not confirmed your last step. It may be saved, and it "
     "may be missing from the timeline for some minutes.",
     "Save the same form again after a minute: it is never recorded twice. What you typed in an "
     "entry form is kept. If it lasts, chart on paper and call the help desk."),
)  # fmt: skip
STORED_HEADER: Final = "CRS-Stored"
"""Header of an answer that knows what was stored: "no" for nothing, "yes" for all that was sent."""
PAGE_HEADER: Final = "CRS-Page"
"""Header of an answer to a page that must be loaded again first; its value is then "old"."""
BECAUSE_HEADER: Final = "CRS-Because"
"""Header of an answer to a save that failed for the second machine; its value is as here."""
_BECAUSE_OF_SECOND_MACHINE: Final = "second-machine"
_SAVES_THAT_FAILED: Final[dict[type[Exception], ErrorText]] = {
    WaitedTooLongError: _WAITED_TOO_LONG,
    SecondMachineAwayError: _SECOND_MACHINE_AWAY,
    NotConfirmedError: _NOT_CONFIRMED,
}

_OTHER_WARD: Final = ErrorText(
    "Another ward",
    ("This patient is not on one of your wards. Nothing was saved.",
     "Open the patient again and say why."),
)  # fmt: skip


@cache
def page_html(text: ErrorText) -> str:
    """Return the page of ``text``; it is rendered once, with a mark for the id of the request."""
    return render_to_string("error.html", {**text._asdict(), "request_id": _REQUEST_ID})


def error_response(
    status: int, *, is_htmx: bool = False, text: ErrorText | None = None
) -> HttpResponse:
    """Return the page of ``status``; for htmx its sentences as plain text."""
    text = text or TEXTS[status]
    if is_htmx:
        sentences = " ".join(text.sentences)
        response = HttpResponse(sentences, status=status, content_type="text/plain; charset=utf-8")
    else:
        page = page_html(text).replace(_REQUEST_ID, current_request_id() or "none")
        response = HttpResponse(page, status=status)
    if status in (429, 503):
        response["Retry-After"] = str(TRY_AGAIN_AFTER_SECONDS)
    return response


def _answer(request: HttpRequest, status: int, text: ErrorText | None = None) -> HttpResponse:
    """Return the page of ``status``, or what the door of a program that asks answers."""
    door = door_of(request.path)
    if door is None or "text/html" in request.headers.get("Accept", ""):
        return error_response(status, is_htmx="HX-Request" in request.headers, text=text)
    return HttpResponse(door.words(status), status=status, content_type=door.media_type)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle 400, as Django's ``handler400``."""
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle 403, as Django's ``handler403``; a page of another ward's patient asks for a reason.

    What a script reads, and what is sent, is refused: nobody would see the question.
    """
    if isinstance(exception, OtherWardError):
        is_page = request.method in ("GET", "HEAD") and not request.path.endswith(".json")
        if is_page and "HX-Request" not in request.headers:
            reason = reverse("patients:emergency_access", args=[exception.course.pk])
            return redirect(f"{reason}?{urlencode({'next': request.get_full_path()})}")
        note_refusal("other_ward")
        return _answer(request, 403, _OTHER_WARD)
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle 404, as Django's ``handler404``."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handle 500, as Django's ``handler500``; 503 where the database does not answer."""
    error = sys.exc_info()[1]
    return failure_response(
        error,
        request.path,
        is_htmx="HX-Request" in request.headers,
        is_page="text/html" in request.headers.get("Accept", ""),
    )


def failure_response(
    error: BaseException | None, path: str, *, is_htmx: bool = False, is_page: bool = False
) -> HttpResponse:
    """Return the answer to a request that ``error`` ended: 503 where it may be sent again.

    At the address of a door for other systems it is in the words of the door, unless a browser
    asks for a page.
    """
    failed = find_in_chain(error, tuple(_SAVES_THAT_FAILED))
    status = HTTPStatus(503 if may_be_repeated(error) else 500)
    door = door_of(path)
    if door is None or is_page:
        text = None if failed is None else _SAVES_THAT_FAILED[type(failed)]
        response = error_response(status, is_htmx=is_htmx, text=text)
    else:
        response = HttpResponse(door.words(status), status=status, content_type=door.media_type)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response["Retry-After"] = str(TRY_AGAIN_AFTER_SECONDS)
    if isinstance(failed, WaitedTooLongError | SecondMachineAwayError):
        response[STORED_HEADER] = "no"
    if isinstance(failed, SecondMachineAwayError | NotConfirmedError):
        response[BECAUSE_HEADER] = _BECAUSE_OF_SECOND_MACHINE
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is missing or old; the setting CSRF_FAILURE_VIEW."""
    note_refusal("old_page")
    response = _answer(request, 403, _PAGE_OUT_OF_DATE)
    response[PAGE_HEADER] = "old"
    return response


def explain_errors(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that gives a refusal without words, like 405, the page of its status."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code not in TEXTS or response.streaming or response.content:
            return response
        page = _answer(request, response.status_code)
        response.content = page.content
        response["Content-Type"] = page["Content-Type"]
        response["Content-Length"] = str(len(page.content))
        return response

    return middleware
