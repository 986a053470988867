"""The next change of the grade by the clock alone, in one sentence with its condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from grading.engine.evidence import TABLE_3_MONOTHERAPY
from grading.engine.sentences import inside_a_sentence, minutes_text
from grading.engine.units import format_number
from grading.engine.vocabulary import DRUGS, VasopressorDrug
from patients.display.grade_changes import what_began, what_ended
from patients.display.text import clock_text
from patients.queries.grades import GradeChangeRow


@dataclass(frozen=True, slots=True)
class NextChange:
    """Change of the grade that comes with time alone, if nothing more is charted.

    ``direction`` is "up", "down" or "same".
    """

    at: datetime
    grade: int
    at_most: int
    text: str
    direction: str


class GradeAt(NamedTuple):
    """A grade and its bound, with the findings of their period as they are stored."""

    grade: int
    at_most: int
    findings: Mapping[str, Any]


def next_change(at: datetime, before: GradeAt, after: GradeAt, now: datetime) -> NextChange:
    """Describe a change by time alone: "Grade 3 at 14:20 if norepinephrine stays at …"."""
    was, becomes = before[:2], after[:2]
    direction = "up" if becomes > was else "down" if becomes < was else "same"
    bound = f", could be {after.at_most}" if after.at_most > after.grade else ""
    text = f"Grade {after.grade}{bound} at {clock_text(at, now)} {_condition(at, before, after)}"
    return NextChange(at, after.grade, after.at_most, text, direction)


def _condition(at: datetime, before: GradeAt, after: GradeAt) -> str:
    """Return under which condition the clock brings the change."""
    if after.grade != before.grade:
        known = _of_a_rise(after) if after.grade > before.grade else _of_a_fall(before, after)
    else:
        known = _of_a_question(before, after)
    why = "" if known else _why_by_clock(at, before, after)
    return known or (f"if nothing changes: {why}" if why else "if nothing changes")


def _of_a_rise(after: GradeAt) -> str:
    criteria = after.findings["criteria"]
    deciding = {
        item["code"]: item.get("params") for item in criteria if item["grade"] == after.grade
    }
    params = deciding.get(HIGH_DOSE)
    return _if_dose_stays_high(params) if params and params["high"] else ""


def _of_a_fall(before: GradeAt, after: GradeAt) -> str:
    criteria = before.findings["criteria"]
    ended = {item["code"]: item.get("params") for item in criteria if item["grade"] > after.grade}
    if len(ended) != 1:
        return ""
    ((code, params),) = ended.items()
    if code == HIGH_DOSE and params and not params["high"]:
        gap = minutes_text(int(params["gap_minutes"]))
        return f"if the dose stays below the limit of Table 3 ({gap} rule)"
    if code == FLUID_BOLUS and params:
        held = minutes_text(int(params["hold_minutes"]))
        return f"if the pressure stays normal (a fluid bolus counts for {held})"
    return ""


def _of_a_question(before: GradeAt, after: GradeAt) -> str:
    had = {item["code"] for item in before.findings["unknown"]}
    asked = {item["code"] for item in after.findings["unknown"]} - had
    if after.at_most > before.at_most and LIFE_THREATENING in asked:
        return "if the pressure stays low on high-dose vasopressors"
    return ""


HIGH_DOSE: Final = "vasopressor.high_dose"
FLUID_BOLUS: Final = "hypotension.fluid_bolus"
LIFE_THREATENING: Final = "life_threatening"
"""Codes, as stored with a finding, of what the clock alone can begin or end."""


def _if_dose_stays_high(params: Mapping[str, Any]) -> str:
    rule = f"({minutes_text(int(params['credited_minutes']))} rule)"
    infusions = params["infusions"]
    if len(infusions) > 1:
        return f"if the vasopressors stay at these doses or more {rule}"
    drug = VasopressorDrug(infusions[0]["drug"])
    limit, unit = TABLE_3_MONOTHERAPY[drug].value, DRUGS[drug].canonical
    amount = f"{format_number(limit)} {unit.label if unit else ''}"
    base = " base" if infusions[0].get("salt") else ""
    return f"if {inside_a_sentence(drug.label)} stays at {amount}{base} or more {rule}"


def _why_by_clock(at: datetime, before: GradeAt, after: GradeAt) -> str:
    if after.grade != before.grade:
        change = GradeChangeRow(
            at,
            before.grade,
            after.grade,
            after.at_most,
            after.findings,
            before.findings,
            charted=(),
            same_policy=True,
        )
        return what_began(change) if after.grade > before.grade else what_ended(change)
    unknown = after.findings["unknown"]
    return str(unknown[0]["why"]) if after.at_most > after.grade and unknown else ""
