"""Disagreements between reviewers and the rules: lines of a page, and a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from crs_app.accounts.models import Role
from crs_app.spreadsheet import csv_line, csv_time
from grading.engine.sentences import short_name
from patients.display.sign_off import span_text
from patients.models import DisagreementReason
from patients.queries.disagreements import (
    CriterionCount,
    Disagreement,
    count_by_criterion,
    read_disagreements,
)

COLUMNS: Final = (
    "course", "mrn", "from", "until", "criterion", "computed", "stated", "reason", "words", "user",
    "role", "signed_at", "known_at", "last_entry", "ruleset_version",
)  # fmt: skip
SHOWN: Final = 100
NO_CRITERION: Final = "none"


class DisagreementLine(NamedTuple):
    """A disagreement as the page shows it."""

    row: Disagreement
    span: str
    criteria: str
    reason: str
    role: str


def criterion_counts() -> list[tuple[str, CriterionCount]]:
    """Return how often each criterion was signed and disagreed with, with its name."""
    return [(criterion_name(count.code), count) for count in count_by_criterion()]


def latest_disagreements() -> list[DisagreementLine]:
    """Return the latest disagreements for the page."""
    return [
        DisagreementLine(
            row,
            span_text(row.start, row.end),
            ", ".join(criterion_name(code) for code in row.codes) or "no criterion met",
            DisagreementReason(row.reason).label,
            Role(row.author_role).label,
        )
        for row in read_disagreements(SHOWN)
    ]


def criterion_name(code: str | None) -> str:
    """Return the short name of a criterion; of one that has none, its code."""
    if code is None:
        return "No criterion met"
    try:
        return short_name(code)
    except KeyError:
        return code


def disagreements_as_csv() -> Iterator[str]:
    """Yield the disagreements as lines of a CSV file, newest first, a line for each criterion."""
    yield csv_line(COLUMNS)
    for row in read_disagreements():
        for code in row.codes or [NO_CRITERION]:
            yield csv_line(_cells(row, code))


def _cells(row: Disagreement, code: str) -> Iterable[Any]:
    return (
        row.course_id,
        row.mrn,
        csv_time(row.start),
        csv_time(row.end),
        code,
        row.computed_grade,
        row.stated_grade,
        row.reason,
        row.words,
        row.username,
        row.author_role,
        csv_time(row.recorded_at),
        csv_time(row.known_at),
        row.entry_number,
        row.ruleset_version,
    )
