"""Words for sign-offs: the period, the grade that was stated, and why."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from patients.display.assessment import NONE_MET, met_text
from patients.display.site_times import at_site
from patients.display.text import day_of
from patients.models import DisagreementReason
from patients.queries.reviews import SignOff


class SignedNow(NamedTuple):
    """A sign-off beside the grade computed now: its mark, the mark in words, and a sentence.

    ``key`` is that by which a page draws the mark.
    """

    key: str
    mark: str
    words: str
    text: str


def time_text(at: datetime) -> str:
    """Return a time with its day: "27 Nov 14:00"."""
    return at_site(at).dated


def span_text(start: datetime, end: datetime, *, is_open: bool = False) -> str:
    """Return a period: "27 Nov 11:55 – 20:40", "27 Nov 20:40 – now"."""
    if is_open:
        return f"{time_text(start)} – now"
    last = at_site(end).clock if day_of(start) == day_of(end) else time_text(end)
    return f"{time_text(start)} – {last}"


def signed_text(sign_off: SignOff) -> str:
    """Return what was signed: "signed 3", "stated 3, computed then 2".

    A computed 0 is called what it is, no criterion met: it may not have been assessed.
    """
    if sign_off.disagrees:
        return f"stated {sign_off.stated_grade}, {computed_text(sign_off.computed_grade, 'then')}"
    return f"signed {sign_off.stated_grade}" if sign_off.stated_grade else f"signed, {NONE_MET}"


def stated_text(sign_off: SignOff) -> str:
    """Return the grade that was stated: "grade 3"; for 0 "no criterion met"."""
    return met_text(sign_off.stated_grade)


def computed_text(grade: int | None, when: str, *, is_assessed: bool | None = None) -> str:
    """Return what the rules say: "computed now 2", "no criterion met now", "not graded now".

    ``is_assessed`` says whether a grade 0 is known; None: the page has not read it.
    """
    if grade is None:
        return f"not graded {when}"
    if grade == 0 and not is_assessed:
        return f"{NONE_MET if is_assessed is None else 'not assessed'} {when}"
    return f"computed {when} {grade}"


def reason_text(sign_off: SignOff) -> str:
    """Return why another grade was stated: "Sicker than the rules show: mottled skin"."""
    if not sign_off.reason:
        return ""
    label = DisagreementReason(sign_off.reason).label
    return f"{label}: {sign_off.words}" if sign_off.words else label
