"""What of an answer is counted: its time, and whether it saved, refused or failed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Histogram

from crs_app.error_pages import STORED_HEADER
from crs_app.metrics import counts
from crs_app.system_doors import door_of
from patients.forms.registry import ENTRY_FORMS

SENT_AT: Final = "sent_at"
_NOWHERE: Final = "none"
_ENTRIES: Final = "patients:entries"
_METHODS: Final = frozenset({"GET", "POST"})
SAVES: Final = {
    "patients:admit": "admission",
    "patients:chart_received": "received",
    "patients:correct": "correction",
    "patients:dismiss_received": "received_set_aside",
    "patients:guidance_action": "guidance_action",
    "patients:guidance_answer": "guidance_answer",
    "patients:held_form": "received",
    "patients:identity": "identity",
    "patients:join": "joined_records",
    "patients:move_entry": "moved_entry",
    "patients:not_observed": "not_observed",
    "patients:retract": "retraction",
    "patients:sign_off": "sign_off",
    "patients:summary_state": "summary",
    "patients:transfer": "place",
    "patients:undo_join": "joined_records",
}
"""Addresses by which people chart, with the kind that is counted; of an entry it is its own."""
_BY_STATUS: Final = {
    401: "not_allowed", 403: "not_allowed", 409: "conflict", 413: "refused", 415: "refused",
    400: "refused", 422: "refused", 429: "refused",
}  # fmt: skip


def count_answer(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count one answer of the site and the ``seconds`` that it took."""
    match = request.resolver_match
    view = _NOWHERE if match is None else match.view_name
    method = request.method if request.method in _METHODS else counts.OTHER
    _time_of(view, method or counts.OTHER).observe(seconds)
    status = response.status_code
    if status in counts.REASONS:
        counts.count_refusal(status, by_system=door_of(request.path_info) is not None)
    elif status >= 500:
        counts.failures.labels(_failure(response)).inc()
    if method == "POST" and match is not None and (kind := _kind(view, match.kwargs)):
        _count_save(request, response, kind, seconds)


def outcome_of(response: HttpResponseBase) -> str:
    """Return the outcome of a save, "" for an answer that saved nothing and refused nothing."""
    status = response.status_code
    if status >= 500:
        return _failure(response)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return counts.noted_outcome()


def _count_save(
    request: HttpRequest, response: HttpResponseBase, kind: str, seconds: float
) -> None:
    outcome = outcome_of(response)
    if not outcome:
        return
    _saves_of(kind, outcome).inc()
    if outcome == "saved":
        counts.save_seconds.observe(seconds)
        if sent_at := request.POST.get(SENT_AT):
            _observe_delay(sent_at)


def _observe_delay(sent_at: str) -> None:
    """Observe how late an entry came in whose form was sent before; a form checked the time."""
    try:
        delay = datetime.now(UTC) - datetime.fromisoformat(sent_at).astimezone(UTC)
    except (ValueError, OverflowError):
        return
    counts.entry_delay_seconds.observe(max(0.0, delay.total_seconds()))


def _failure(response: HttpResponseBase) -> str:
    if response.headers.get(STORED_HEADER) == "no":
        return "waited"
    return "outage" if response.status_code == 503 else "fault"


def _kind(view: str, named: dict[str, object]) -> str:
    """Return the kind of a save, "" for other addresses and for a kind that has no form."""
    if view != _ENTRIES:
        return SAVES.get(view, "")
    kind = str(named.get("kind"))
    return kind if kind in ENTRY_FORMS else ""


@cache
def _time_of(view: str, method: str) -> Histogram:
    return counts.request_seconds.labels(view, method)


@cache
def _saves_of(kind: str, outcome: str) -> Counter:
    return counts.saves.labels(kind, outcome)


for _kind_of_save in {*ENTRY_FORMS, *SAVES.values()}:
    for _outcome in counts.OUTCOMES:
        _saves_of(str(_kind_of_save), _outcome)
