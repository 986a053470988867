"""What the bedside page shows of held items: the newest set of a monitor, and what would count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_chart
from grading.engine import entries
from grading.engine.vocabulary import VITAL_SIGN
from patients.display.text import entry_text, vital_sign_number
from patients.exchange.held_sets import HeldSet, sets_of
from patients.exchange.inbox_cards import KEEP, LATER_SET, REASONS_TO_SET_ASIDE, Card, cards_of
from patients.models import Course
from patients.queries.courses import now_for
from patients.queries.held import WAITS_FOR_A_PERSON, undecided_of
from patients.queries.status import read_course_status, status_with

LINES_AT_MOST: Final = 2
_COMPUTED_AT_MOST: Final = 40
"""Sets of which it is computed whether they would count: the newest."""
_WOULD_COUNT: Final = WAITS_FOR_A_PERSON | {
    "conflict.same_minute",
    "conflict.corrected",
    "status.preliminary",
}
"""Reasons of what is whole and clear, and waits for a person."""
_SIGNS: Final = {
    "constitutional.fever": ("temperature_c",),
    "hypotension.": ("systolic_mmhg", "mean_arterial_pressure_mmhg"),
}
_SHORT: Final = {"systolic_mmhg": "SBP", "mean_arterial_pressure_mmhg": "MAP"}


class WouldCount(NamedTuple):
    """A proposal that a criterion would rest on if it were charted."""

    system: str
    at: datetime
    text: str
    grade: int


def monitor_context(
    reader: User,
    course: Course,
    *,
    card: Card | None = None,
    saved: str = "",
    wrong: str = "",
) -> dict[str, Any]:
    """Build the context of the parts of the bedside page.

    ``card`` is the row as it was sent, with questions; ``saved`` and ``wrong`` say what a tap did.
    """
    now = now_for(course)
    items = undecided_of(course.pk) if course.ended_at is None else []
    cards = cards_of(items)
    newest = next((one for one in cards if one.shown.held.is_of_device), None)
    may_chart = can_chart(reader, course) and course.ended_at is None
    return {
        "course_id": course.pk,
        "patient": course.patient,
        "card": (card or newest) if may_chart else None,
        "others": len(cards) - (newest is not None),
        "would_count": would_count(course, sets_of(items), now),
        "may_chart": may_chart,
        "saved": saved,
        "wrong": wrong,
        "now": now,
        "reasons": REASONS_TO_SET_ASIDE,
        "keep": KEEP,
        "later_set": LATER_SET,
    }


def would_count(course: Course, sets: Sequence[HeldSet], now: datetime) -> list[WouldCount]:
    """Return the proposals that a criterion at ``now`` would rest on if they were charted.

    Only criteria that are not met without them. The grade is computed with all of them in memory;
    nothing of it is stored. What is held because its meaning is not known is left out.
    """
    proposed = {
        one.parsed.id: (held, replace(one.parsed, recorded_at=now))
        for held in sets[:_COMPUTED_AT_MOST]
        for one in held.proposed
        if held.reason in _WOULD_COUNT and one.new.at <= now
    }
    if not proposed or course.infused_at > now:
        return []
    status = status_with(course, now, [entry for _, entry in proposed.values()])
    met = {one.code for one in read_course_status(course, now).current.criteria}
    found: dict[str, WouldCount] = {}
    for criterion in status.criteria:
        if criterion.code in met:
            continue
        for entry_id in criterion.evidence:
            if entry_id in proposed and entry_id not in found:
                held, entry = proposed[entry_id]
                text = _text(criterion.code, entry)
                found[entry_id] = WouldCount(held.system.name, entry.at, text, criterion.grade)
    return sorted(found.values(), key=lambda one: (-one.grade, one.at))[:LINES_AT_MOST]


def _text(code: str, entry: entries.Entry) -> str:
    """Return the value that a criterion rests on: one sign of a set, else the whole entry."""
    if not isinstance(entry, entries.Vitals):
        return entry_text(entry)
    for begins, keys in _SIGNS.items():
        shown = [key for key in keys if entry.value_of(key) is not None]
        if code.startswith(begins) and shown:
            return ", ".join(f"{_short(key)} {vital_sign_number(key, entry, 1)}" for key in shown)
    return entry_text(entry)


def _short(key: str) -> str:
    return _SHORT.get(key) or VITAL_SIGN[key].short
