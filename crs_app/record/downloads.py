"""Middleware: a user downloads so many files in an hour, and no more.

Bulk downloads are slowed and seen; charts stay open, for no patient may wait.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from crs_app.error_pages import ErrorText, error_response
from crs_app.record.models import Event, EventKind
from crs_app.record.openings import OPENINGS
from crs_app.record.write import record_event

DOWNLOADS_AT_MOST: Final = 60
WINDOW: Final = timedelta(hours=1)

_READ_BY_SCRIPTS: Final = frozenset({"patients:state", "patients:summary_json"})
_SENT_BY_A_FORM: Final = frozenset({"patients:export_course", "patients:export_cohort"})
_FILES: Final = {
    name
    for name, opening in OPENINGS.items()
    if opening.kind is EventKind.EXPORT and name not in _READ_BY_SCRIPTS
}
_NOT_COUNTED: Final = [OPENINGS[name].shows for name in _READ_BY_SCRIPTS]
_TOO_MANY: Final = ErrorText(
    "Too many downloads",
    (
        f"You have downloaded {DOWNLOADS_AT_MOST} files within an hour. This one was not sent.",
        "Wait until an hour has passed since the first of them. Charts can be opened as before.",
    ),
)


class DownloadLimit:
    """Answers 429 before the view of a download runs; that it did is an event of the record."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, named: dict[str, Any]
    ) -> HttpResponse | None:
        """Return the refusal, None where the request is no download or may go on."""
        match = request.resolver_match
        if match is None or not _is_download(request.method, match.view_name):
            return None
        user = request.user
        if not user.is_authenticated or _downloads_of(user.pk) < DOWNLOADS_AT_MOST:
            return None
        record_event(
            EventKind.REFUSED,
            by=user,
            course_id=named.get("course_id"),
            details={"page": "download", "why": f"{DOWNLOADS_AT_MOST} within an hour"},
        )
        return error_response(429, is_htmx="HX-Request" in request.headers, text=_TOO_MANY)


def _is_download(method: str | None, name: str) -> bool:
    return name in _FILES or (method == "POST" and name in _SENT_BY_A_FORM)


def _downloads_of(user_id: int) -> int:
    exports = Event.objects.filter(
        by=user_id, at__gt=timezone.now() - WINDOW, kind=EventKind.EXPORT
    )
    return exports.exclude(details__page__in=_NOT_COUNTED).count()
