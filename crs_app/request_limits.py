"""What a request may be before Django sees it: its size, its type, its charset, and how slow it is.

``BoundedRequests`` wraps the WSGI application. A refused request costs no database statement and
writes no file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpResponse

from crs_app.error_pages import error_response, failure_response
from crs_app.metrics import counts
from crs_app.proxies import is_trusted_sender
from crs_app.request_ids import HEADER, begin, current_request_id
from crs_app.security_headers import PROTECTING_HEADERS
from crs_app.system_doors import Door, door_of

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

QUERY_AT_MOST: Final = 6000
"""Characters of the query of an address: a poll names the fields of its page."""
BODY_SILENT_AT_MOST_SECONDS: Final = 5
"""How long a body may stop on its way; a proxy that buffers bodies waits for slow ones."""

_IN_UTF_8: Final = re.compile(r"""[^;]*;\s*charset\s*=\s*(utf-?8|"utf-?8")\s*""", re.IGNORECASE)
_FORM: Final = "application/x-www-form-urlencoded"
_LOG: Final = logging.getLogger("crs_app.requests")


def refusal_of(environ: WSGIEnvironment) -> int | None:
    """Return the status that refuses a request by its headers, None for one that is accepted."""
    length = environ.get("CONTENT_LENGTH") or "0"
    content_type = environ.get("CONTENT_TYPE") or ""
    if not (length.isascii() and length.isdigit()) or not content_type.isascii():
        return 400
    if len(environ.get("QUERY_STRING") or "") > QUERY_AT_MOST:
        return 400
    door = _door_of(environ)
    if len(length) > 12 or int(length) > _body_at_most(door):
        return 413
    if "charset" in content_type.lower() and not _IN_UTF_8.fullmatch(content_type):
        return 415
    has_body = length.strip("0") or _is_chunked(environ)
    taken = frozenset({_FORM}) if door is None else door.media_types
    if has_body and content_type.partition(";")[0].strip().lower() not in taken:
        return 415
    return None


def _door_of(environ: WSGIEnvironment) -> Door | None:
    return door_of(environ.get("PATH_INFO") or "")


def _body_at_most(door: Door | None) -> int:
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0 if door is None else door.at_most


def _is_chunked(environ: WSGIEnvironment) -> bool:
    return bool(environ.get("HTTP_TRANSFER_ENCODING"))


class BoundedRequests:
    """WSGI application that refuses what is too large, too slow or not text in UTF-8.

    The others go to ``application`` with their whole body in memory. Nothing that it raises leaves
    this class: it becomes the page of an error.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begin(environ, is_trusted=is_trusted_sender(environ))
        status = refusal_of(environ) or _read_body(environ)
        if status is not None:
            counts.begin_request()
            counts.count_refusal(status, by_system=_door_of(environ) is not None)
            return _answer(environ, start_response, lambda: _refusal(environ, status))
        try:
            return self._application(environ, start_response)
        except Exception as error:
            failure = error
            _LOG.exception("A request failed outside Django's own handling")
        return _answer(environ, start_response, lambda: _failure(environ, failure))


def _read_body(environ: WSGIEnvironment) -> int | None:
    """Read the body into memory; return the status that refuses it, None where it is accepted."""
    is_chunked, door = _is_chunked(environ), _door_of(environ)
    at_most = _body_at_most(door)
    length = int(environ.get("CONTENT_LENGTH") or "0")
    if not is_chunked and not length:
        return None
    stream, connection = environ["wsgi.input"], environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(BODY_SILENT_AT_MOST_SECONDS)
    try:
        body = stream.read(at_most + 1 if is_chunked else length)
    except Exception as error:  # of the connection, or of a malformed chunk
        _LOG.warning("The body of a request could not be read: %s", type(error).__name__)
        return 400
    finally:
        if connection is not None:
            connection.settimeout(None)
    if len(body) > at_most:
        return 413
    if not is_chunked and len(body) < length:
        return 400
    if door is None and body.count(b"&") >= (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS or 0):
        return 400
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = BytesIO(body)
    return None


def _answer(
    environ: WSGIEnvironment,
    start_response: Callable[..., Any],
    make: Callable[[], HttpResponse],
) -> list[bytes]:
    """Answer with the page that ``make`` returns and the headers that protect a page."""
    try:
        response = make()
    except Exception:  # the page itself cannot be rendered
        _LOG.exception("An error page failed")
        media = "text/plain; charset=utf-8"
        response = HttpResponse("Error. Call the help desk.\n", content_type=media, status=500)
    headers = {**response.headers, **PROTECTING_HEADERS, HEADER: current_request_id()}
    headers["Content-Length"] = str(len(response.content))
    status = f"{response.status_code} {response.reason_phrase}"
    start_response(status, list(headers.items()))
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.content]


def _failure(environ: WSGIEnvironment, error: BaseException) -> HttpResponse:
    path, is_htmx = environ.get("PATH_INFO") or "", "HTTP_HX_REQUEST" in environ
    response = failure_response(error, path, is_htmx=is_htmx)
    counts.failures.labels("outage" if response.status_code == 503 else "fault").inc()
    return response


def _refusal(environ: WSGIEnvironment, status: int) -> HttpResponse:
    """Return the page of an error, or what the door for another system answers."""
    door = _door_of(environ)
    if door is None:
        return error_response(status, is_htmx="HTTP_HX_REQUEST" in environ)
    return HttpResponse(door.words(status), status=status, content_type=door.media_type)
