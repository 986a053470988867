"""The cause of a change of grade in words, for every page, message and announcement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import VasopressorDrug
from patients.queries.grades import GradeChangeRow

Criterion = Mapping[str, Any]
"""A criterion as it is stored with a period: code, grade, explanation, params."""

_SHORT_ENDS: Final = {
    "symptom.fever": "; ",
    "hypotension.low_pressure": "; ",
    "hypotension.fluid_bolus": ", counted for",
    "vasopressor.single_low_dose": ", running",
    "vasopressor.high_dose": " by Table 3",
}
"""Where the short form of a criterion's sentence ends: before its limit, or before how long."""
_NAMED: Final = 2


def cause_of(change: GradeChangeRow) -> str:
    """Return why the grade changed: what began, or what ended and what is left.

    It is named from the findings stored with the change, never from those of now.
    """
    text = what_began(change) if change.grade > change.before else what_ended(change)
    if change.by_policy:
        return f"by a change of policy: {text}"
    return f"by the clock: {text}" if change.by_clock else text


def what_began(change: GradeChangeRow) -> str:
    """Return the criterion that decides the higher grade; "" where none is stored."""
    deciding = _deciding(change.findings["criteria"], change.grade)
    return str(deciding[0]["explanation"]) if deciding else ""


def what_ended(change: GradeChangeRow) -> str:
    """Return what no longer holds, and what decides the lower grade."""
    ended = [item for item in change.findings_before["criteria"] if item["grade"] > change.grade]
    words = list(dict.fromkeys(_ended_text(item, change) for item in ended))
    named = ", ".join(words[:_NAMED])
    if len(words) > _NAMED:
        named += f" and {len(words) - _NAMED} more"
    left = _left_text(change)
    return "; ".join(text for text in (named, left) if text) or "no criterion is met"


def _left_text(change: GradeChangeRow) -> str:
    deciding = next(iter(_deciding(change.findings["criteria"], change.grade)), None)
    if deciding is None or change.grade == 0:
        return ""
    had = {item["code"] for item in change.findings_before["criteria"]}
    return f"{'still' if deciding['code'] in had else 'now'}: {_short(deciding)}"


def _ended_text(item: Criterion, change: GradeChangeRow) -> str:
    """Return the end of a criterion; a drug that was stopped at that time is named."""
    drugs = [infusion["drug"] for infusion in item.get("params", {}).get("infusions", ())]
    stopped = [drug for drug in drugs if drug in change.stopped]
    if stopped:
        return (
            " and ".join(inside_a_sentence(VasopressorDrug(drug).label) for drug in stopped)
            + " stopped"
        )
    return f"no longer {_short(item)}"


def _deciding(criteria: Sequence[Criterion], grade: int) -> list[Criterion]:
    return [item for item in criteria if item["grade"] == grade]


def _short(item: Criterion) -> str:
    """Return the sentence of a criterion without its limit and without how long it holds."""
    text: str = item["explanation"]
    end = _SHORT_ENDS.get(item["code"])
    return text if end is None else text.split(end)[0]
