"""What the page of a summary shows beside the answers: the entries behind each, and the banner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from grading.engine.entries import BaselineFacts, Weight
from grading.engine.units import format_number
from patients.display.assessment import was_assessed
from patients.display.banner import (
    Banner,
    BannerGrade,
    banner_at,
    baseline_text,
    weight_text,
)
from patients.display.text import date_time_text, entry_text, late_text, weight_at
from patients.models import FeverSource, StatedAbout, StatedAnswer
from patients.queries.entries import parse_entry
from patients.queries.summary import Statement
from patients.summary.answer import Answer
from patients.summary.read import ReadSummary

_LISTED: Final = 8
"""Entries that an answer opens; the review page has them all."""
STATED: Final = {
    "crs.fever.home": StatedAbout.FEVER_AT_HOME,
    "crs.resolved": StatedAbout.END_OF_CRS,
}
"""Items that people state, and what is asked of them."""


class EvidenceLine(NamedTuple):
    """An entry behind an answer; ``late`` is how much later it was charted."""

    at: datetime
    text: str
    author: str
    late: str


class StatedLine(NamedTuple):
    """A statement as the page lists it; ``is_replaced``: a later one corrects it."""

    text: str
    by: str
    why: str
    is_replaced: bool


class AnswerLine(NamedTuple):
    """An answer with what it opens: the first entries, how many more, and statements."""

    answer: Answer
    evidence: Sequence[EvidenceLine]
    more: int
    stated: Sequence[StatedLine]
    asked: str


def answer_lines(read: ReadSummary) -> list[tuple[str, list[AnswerLine]]]:
    """Return the answers by section, each with the entries behind it."""
    return [
        (section.value, [_line(answer, read) for answer in answers])
        for section, answers in read.summary.by_section()
        if answers
    ]


def _line(answer: Answer, read: ReadSummary) -> AnswerLine:
    weights = [one for one in read.chart.entries if isinstance(one, Weight)]
    shown = answer.evidence[:_LISTED]
    lines = [_evidence(read, entry_id, weights) for entry_id in shown if entry_id in read.rows]
    about = STATED.get(answer.key)
    stated = [] if about is None else stated_lines(read.statements, about)
    asked = "" if about is None else about.value
    return AnswerLine(answer, lines, len(answer.evidence) - len(shown), stated, asked)


def _evidence(read: ReadSummary, entry_id: str, weights: Sequence[Weight]) -> EvidenceLine:
    row = read.rows[entry_id]
    text = entry_text(parse_entry(row), weight_at(weights, row.at))
    return EvidenceLine(row.at, text, row.author, late_text(row.at, row.recorded_at))


def stated_lines(statements: Sequence[Statement], about: StatedAbout) -> list[StatedLine]:
    """Return what was stated about a question, the latest first, each with author and time."""
    found = [one for one in statements if one.about == about]
    return [
        StatedLine(
            _statement_text(one),
            f"{one.author_name}, {date_time_text(one.recorded_at)}"
            + (", by emergency access" if one.by_emergency else ""),
            one.words,
            one is not found[-1],
        )
        for one in reversed(found)
    ]


def _statement_text(one: Statement) -> str:
    if one.answer == StatedAnswer.NOT_KNOWN:
        return "Not known"
    source = f", says {FeverSource(one.source).label}" if one.source else ""
    if one.at is not None:
        return f"CRS ended {date_time_text(one.at)}"
    if one.on_day is None or one.temperature_c is None:
        return f"No{source}"
    degrees = format_number(one.temperature_c)
    return f"Yes, {one.on_day.day} {one.on_day:%b %Y}, {degrees} °C{source}"


def grade_at(read: ReadSummary) -> BannerGrade:
    """Return the grade at the time that the summary is known at, of a closed course at its end."""
    at = read.chart.until
    held = [
        one for one in read.known.periods if one.start <= at and (one.end is None or at < one.end)
    ]
    if not held:
        return BannerGrade(at, None, None, missing=False)
    grade = held[-1].grade
    missing = not was_assessed(grade, at, read.chart.assessed_since)
    return BannerGrade(at, grade, held[-1].at_most, missing)


def summary_banner(read: ReadSummary) -> Banner:
    """Return the banner at the time that ``grade_at`` has."""
    at, entries = read.chart.until, read.known.entries
    weights = [one for one in entries if isinstance(one, Weight)]
    baselines = [one for one in entries if isinstance(one, BaselineFacts)]
    weight: Decimal | None = weight_at(weights, at)
    return banner_at(
        read.known.course,
        at,
        weight_text=weight_text(weight),
        baseline_text=baseline_text(read.known.facts.baseline.with_entries(baselines)),
    )
