"""Whether a value can be charted by itself: hard limits, times, proposals.

What passes becomes a candidate of the chart; one field of a set that cannot be is held alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from grading.engine.vocabulary import AT_MOST_AHEAD
from patients.exchange.formats.chart_state import Chart
from patients.exchange.formats.context import KeyState
from patients.exchange.formats.derived import without
from patients.exchange.formats.plausible import (
    LIMITS_OF_NORMAL,
    faults_of,
    note_fault,
    rate_fault,
    time_fault,
    weight_fault,
)
from patients.exchange.formats.received import (
    Infusion,
    OxygenPart,
    Signs,
    WholeEntry,
)
from patients.exchange.formats.statements import Statement, same_value, words_of

IMPOSSIBLE: Final = "value.impossible"


def admit_value(chart: Chart, statement: Statement, *, is_proposed: bool) -> None:
    """Make a candidate, or a proposal, of what can be charted of a statement."""
    fault = time_fault(chart, statement.at)
    if fault:
        chart.set_aside(IMPOSSIBLE, statement, more=fault)
        return
    details: list[tuple[str, str]] = []
    possible = _possible(chart, _with_a_possible_note(chart, statement), details)
    if possible is None:
        return
    if is_proposed:
        chart.proposed.append((possible, "; ".join(sentence for _, sentence in details)))
        return
    chart.candidates[statement.key] = possible
    for reason, sentence in details:
        chart.hold(reason, statement, more=sentence)


def _with_a_possible_note(chart: Chart, statement: Statement) -> Statement:
    fault = note_fault(statement.note)
    if not fault:
        return statement
    chart.remark("note.left_out", statement.source.place, fault)
    return replace(statement, note="")


def _possible(
    chart: Chart, statement: Statement, details: list[tuple[str, str]]
) -> Statement | None:
    """Return what can be charted; ``details`` get reason and sentence of what is left out."""
    content = statement.content
    if isinstance(content, Signs | OxygenPart):
        return _possible_parts(chart, statement)
    if isinstance(content, Infusion):
        return _possible_infusion(chart, statement, content, details)
    return _possible_entry(chart, statement, content, details)


def _possible_parts(chart: Chart, statement: Statement) -> Statement | None:
    """Hold each field of a set that cannot be; the others stay."""
    words = words_of(statement)
    probe = {**words, "device": "nasal_cannula"} if words["kind"] == "oxygen" else words
    faults = {name: text for name, text in faults_of(probe).items() if name in words}
    for name, text in faults.items():
        chart.hold(IMPOSSIBLE, statement, name=name, more=text)
    left = without(statement, faults) if faults else statement
    if left is None:
        chart.remember(statement.source, KeyState.ASIDE, statement, why=IMPOSSIBLE)
    return left


def _possible_infusion(
    chart: Chart, statement: Statement, content: Infusion, details: list[tuple[str, str]]
) -> Statement:
    """Leave out an end that is still to come, and a rate that cannot be: the drug runs."""
    if content.end is not None and content.end - chart.received_at > AT_MOST_AHEAD:
        details.append(("time.future", "its end is still to come"))
        content = replace(content, end=None)
        statement = replace(statement, content=content)
    rate = content.fields.get("rate")
    fault = "" if rate is None or same_value(rate, 0) else rate_fault(chart, words_of(statement))
    if not fault:
        return statement
    details.append((IMPOSSIBLE, fault))
    unknown = {"drug": content.fields["drug"], "rate": None}
    return replace(statement, content=replace(content, fields=unknown))


def _possible_entry(
    chart: Chart, statement: Statement, content: WholeEntry, details: list[tuple[str, str]]
) -> Statement | None:
    words = words_of(statement)
    faults = faults_of(words)
    limits = faults.keys() & LIMITS_OF_NORMAL
    if limits and limits == faults.keys():
        chart.remark("range.ambiguous", statement.source.place, "limits of normal that cannot be")
        return _without_fields(statement, content, limits)
    if faults.keys() == {"dose_mg"}:
        details.append((IMPOSSIBLE, faults["dose_mg"]))
        return _without_fields(statement, content, faults.keys())
    if not faults and content.kind == "weight":
        fault = weight_fault(chart, words)
        faults = {"weight_kg": fault} if fault else {}
    if faults:
        chart.set_aside(IMPOSSIBLE, statement, more="; ".join(faults.values()))
        return None
    return statement


def _without_fields(statement: Statement, content: WholeEntry, names: Any) -> Statement:
    left = {name: value for name, value in content.fields.items() if name not in names}
    return replace(statement, content=replace(content, fields=left))
