"""Whether a course was assessed: grade 0 is shown only where enough was charted to know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from grading.engine.entries import Entry, Oxygen, Vitals

NONE_MET: Final = "no criterion met"
"""What is true of a grade 0 whether or not enough was charted to know it."""
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "temperature": ("temperature_c",),
    "blood pressure": ("systolic_mmhg", "mean_arterial_pressure_mmhg"),
    "oxygen": ("oxygen",),
}


def missing_for_grade_0(status: Any) -> tuple[str, ...]:
    """Return what must be charted before ``status`` can be called grade 0; empty where it can.

    A grade above 0 needs nothing: a criterion is met.
    """
    return never_assessed(status.latest) if status.grade == 0 else ()


def never_assessed(latest: Mapping[str, Entry]) -> tuple[str, ...]:
    """Return what a grade 0 of CRS needs and ``latest`` lacks: the latest entries by their keys."""
    return tuple(label for label, keys in _NEEDED.items() if not any(key in latest for key in keys))


def missing_text(missing: tuple[str, ...]) -> str:
    """Return what is missing as a sentence: "Not yet assessed: no temperature, no oxygen"."""
    return "Not yet assessed: " + ", ".join(f"no {label}" for label in missing)


def first_assessed_at(entries: Iterable[Entry], infused_at: datetime) -> datetime | None:
    """Return from when on ``entries`` tell that a grade is 0; None where they never do.

    That is once a temperature, a pressure and the oxygen were charted after the infusion.
    """
    first: dict[str, datetime] = {}
    for entry in entries:
        if entry.at < infused_at:
            continue
        for label in _charted(entry):
            first[label] = min(first.get(label, entry.at), entry.at)
    return max(first.values()) if len(first) == len(_NEEDED) else None


def _charted(entry: Entry) -> Iterable[str]:
    """Yield the things needed for a grade 0 that ``entry`` charts."""
    if isinstance(entry, Oxygen):
        yield "oxygen"
    elif isinstance(entry, Vitals):
        for label, keys in _NEEDED.items():
            if any(key != "oxygen" and entry.value_of(key) is not None for key in keys):
                yield label


def was_assessed(grade: int | None, at: datetime, assessed_since: datetime | None) -> bool:
    """Return whether ``grade`` was known at ``at``: above 0, or 0 after everything was charted."""
    return grade != 0 or (assessed_since is not None and assessed_since <= at)


def met_text(grade: int | None) -> str:
    """Return "grade 2"; for 0 what is true of it whether or not it was assessed."""
    return NONE_MET if grade == 0 else grade_words(grade)


def met_change_text(before: int | None, after: int | None) -> str:
    """Return "grade 2 → 3", "no criterion met → grade 2", "grade 1 → not graded"."""
    if before and after:
        return f"grade {before} → {after}"
    return f"{met_text(before)} → {met_text(after)}"


def grade_number(grade: int | None, *, assessed: bool = True) -> str:
    """Return a grade as a number; "–" where there is none or it was not assessed."""
    return str(grade) if grade is not None and assessed else "–"


def grade_words(grade: int | None, *, assessed: bool = True) -> str:
    """Return a grade in words: "grade 2", "not assessed", "not graded"."""
    if grade is None:
        return "not graded"
    return f"grade {grade}" if assessed else "not assessed"
