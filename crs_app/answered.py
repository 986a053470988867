"""Middleware: each answer has the id of its request, is counted, and with CRS_LOG=json logged.

An answer to a script of a page has the time too, and the version of the page that is served now.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from crs_app.logs import REQUESTS
from crs_app.metrics.answers import count_answer
from crs_app.metrics.counts import begin_request
from crs_app.page_version import page_version
from crs_app.proxies import is_trusted_sender
from crs_app.request_ids import HEADER, begin

TIME_HEADER: Final = "CRS-Time"
"""Header of an answer: when it was given, by the clock that a page is made by."""
VERSION_HEADER: Final = "CRS-Version"
"""Header of an answer: the version of the pages that are served now."""

_LOG: Final = logging.getLogger(REQUESTS)
_OF_LINK: Final = "secret"
"""Name of the part of an address that signs somebody in (a one-time link): no log keeps it."""


def number_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that stands before all others, so that each of their answers has an id too."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        begun = time.perf_counter()
        request_id = begin(request.META, is_trusted=is_trusted_sender(request.META))
        begin_request()
        response = get_response(request)
        response.headers[HEADER] = request_id
        if "HTTP_HX_REQUEST" in request.META:
            response.headers[TIME_HEADER] = timezone.now().isoformat(timespec="milliseconds")
            response.headers[VERSION_HEADER] = page_version()
        seconds = time.perf_counter() - begun
        count_answer(request, response, seconds)
        if _LOG.isEnabledFor(logging.INFO):
            _LOG.info("answered", extra={"answered": _line(request, response, seconds)})
        return response

    return middleware


def _line(request: HttpRequest, response: HttpResponseBase, seconds: float) -> dict[str, Any]:
    return {
        "user_id": _user_id(request),
        "method": request.method,
        "path": _path(request),
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
    }


def _user_id(request: HttpRequest) -> int | None:
    """Return the id of the user that the request has read; none is read for the log."""
    user = request.__dict__.get("user")
    if user is None or "_wrapped" in getattr(user, "__dict__", {}):
        return None
    return user.pk if user.is_authenticated else None


def _path(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:  # an address of no page can hold anything, a name too
        return "-"
    secret = match.kwargs.get(_OF_LINK)
    return request.path.replace(str(secret), "…") if secret else request.path
