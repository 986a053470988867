"""What cannot be and what is unusual, by the limits and the questions of the chart itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from grading.course_file import CourseFileError, read_entry
from grading.engine.dose_limits import converted_rates, impossible_dose, newly_impossible
from grading.engine.entries import Entry, Lab, Treatment, Vasopressor, Vitals, Weight
from grading.engine.facts import CourseFacts
from grading.engine.plausibility import Circumstances, pressure_contradiction, questions
from grading.engine.times import can_be_charted
from grading.engine.vasopressors import charted_dose
from grading.engine.vocabulary import TOO_FAR_FROM_INFUSION
from grading.plain_text import LONGEST_NOTE, disallowed_character
from patients.exchange.formats.chart_state import Chart, Words
from patients.exchange.formats.statements import kind_of, words_of

LIMITS_OF_NORMAL: Final = frozenset({"upper_limit", "lower_limit"})
LAB_JUMP: Final = 5
"""A result that is this many times the one before, or its part, may be in another unit."""


def read_words(words: Words, identity: str = "-") -> Entry:
    """Return an entry in the words of the course file as grading reads it."""
    return read_entry({"id": identity, **words})


def faults_of(words: Words) -> dict[str, str]:
    """Return what is impossible in an entry, by field; empty where it can be charted."""
    try:
        entry = read_words(words)
    except CourseFileError as error:
        return {fault.place: fault.message for fault in error.faults}
    impossible = impossible_dose(entry)
    return {} if impossible is None else {impossible.place: impossible.sentence}


def time_fault(chart: Chart, at: datetime) -> str:
    """Return why nothing can be charted at this time, "" where something can."""
    if not can_be_charted(at.astimezone(UTC)):
        return "no time of this course"
    if abs(at - chart.facts.infused_at) > TOO_FAR_FROM_INFUSION:
        return "more than 5 years from the infusion"
    return ""


def note_fault(note: str) -> str:
    """Return why a note cannot stand in the chart, "" where it can."""
    if disallowed_character(note) is not None:
        return "a note with control characters"
    return f"a note of more than {LONGEST_NOTE} characters" if len(note) > LONGEST_NOTE else ""


def unusual(chart: Chart, words: Words, replaced: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return field and sentence of all that a form would ask about an entry before charting it.

    ``replaced`` are the entries in whose place it would stand: it is not compared with them.
    """
    entry = read_words(words)
    asked = questions(entry, _circumstances(chart, entry, replaced))
    found = [(place, sentence) for place, sentence in asked]
    if isinstance(entry, Vitals):
        contradiction = pressure_contradiction(
            entry.systolic_mmhg, entry.diastolic_mmhg, entry.mean_arterial_pressure_mmhg
        )
        found += [] if contradiction is None else [(contradiction.place, contradiction.sentence)]
        found = [
            ("temperature_f" if place == "temperature_c" and place not in words else place, text)
            for place, text in found
        ]
    if isinstance(entry, Lab):
        found += _lab_jump(chart, entry)
    return found


def _circumstances(chart: Chart, entry: Entry, replaced: Collection[str]) -> Circumstances:
    facts = chart.facts
    weights = [one for one in _weights(chart, facts) if one.id not in replaced]
    before = [weight for weight in weights if weight.at <= entry.at]
    weight_kg = before[-1].weight_kg if before else (weights[0].weight_kg if weights else None)
    return Circumstances(
        age_years=facts.age_in_completed_years,
        is_neonate=facts.is_neonate,
        weight_kg=weight_kg,
        infused_at=facts.infused_at,
        weights=tuple(weights) if isinstance(entry, Weight) else (),
        dose_before=_dose_before(chart, entry, weight_kg),
        given_at=tuple(
            other.at
            for other in _charted(chart, "treatment")
            if other.id not in replaced
            and isinstance(entry, Treatment)
            and isinstance(other, Treatment)
            and other.agent is entry.agent
        ),
    )


def _charted(chart: Chart, kind: str) -> list[Entry]:
    """Return the entries of a kind that count, in the order of their times."""
    entries = [read_words(words, identity) for identity, words in _own_ids(chart, kind)]
    return sorted(entries, key=lambda entry: (entry.at, entry.recorded_at))


def _own_ids(chart: Chart, kind: str) -> list[tuple[str, Words]]:
    return [
        (identity, {name: value for name, value in words.items() if name != "id"})
        for identity, words in chart.entries_in_force(kind)
    ]


def _weights(chart: Chart, facts: CourseFacts) -> list[Weight]:
    """Return the charted weights in order, that at the start too."""
    at = facts.infused_at
    start = (
        []
        if facts.weight_kg is None
        else [Weight(id="", at=at, recorded_at=at, weight_kg=facts.weight_kg)]
    )
    charted = [entry for entry in _charted(chart, "weight") if isinstance(entry, Weight)]
    return sorted((*start, *charted), key=lambda weight: weight.at)


def _weights_sent(chart: Chart) -> list[Entry]:
    """Return the weights of the message, which convert the rates of the same message."""
    return [
        read_words(words_of(one))
        for one in chart.candidates.values()
        if kind_of(one.content) == Weight.kind
    ]


def _dose_before(chart: Chart, entry: Entry, weight_kg: Decimal | None) -> Fraction | None:
    if not isinstance(entry, Vasopressor):
        return None
    earlier = [
        other
        for other in _charted(chart, "vasopressor")
        if isinstance(other, Vasopressor) and other.drug is entry.drug and other.at < entry.at
    ]
    return charted_dose(earlier[-1], earlier[-1].weight_kg or weight_kg) if earlier else None


def _lab_jump(chart: Chart, entry: Lab) -> list[tuple[str, str]]:
    earlier = [
        other.value
        for other in _charted(chart, "lab")
        if isinstance(other, Lab)
        and (other.analyte, other.unit) == (entry.analyte, entry.unit)
        and other.at < entry.at
    ]
    if not earlier or not earlier[-1]:
        return []
    before, now = Fraction(earlier[-1]), Fraction(entry.value)
    if LAB_JUMP * before > now and LAB_JUMP * now > before:
        return []
    how = "five times the result before or more" if now > before else "a fifth of it or less"
    return [("value", f"{entry.analyte.label}: {how}; that was {earlier[-1]:f} {entry.unit}.")]


def rate_fault(chart: Chart, words: Words) -> str:
    """Return why a rate cannot be, with the charted weight that converts it; "" where it can."""
    try:
        rate = read_words(words)
    except CourseFileError as error:
        return error.faults[0].message
    facts = chart.facts
    weights = _weights(chart, facts)
    for converted in converted_rates(
        _in_order([*weights, *_weights_sent(chart), rate]), facts.infused_at
    ):
        if converted.entry is rate and converted.impossible is not None:
            return converted.impossible.sentence
    return ""


def weight_fault(chart: Chart, words: Words) -> str:
    """Return which charted rate a new weight would make impossible; "" where none."""
    facts = chart.facts
    charted = [*_charted(chart, "vasopressor"), *_charted(chart, "weight")]
    before = list(converted_rates(_in_order(charted), facts.infused_at, facts.weight_kg))
    with_it = _in_order([*charted, read_words(words)])
    found = newly_impossible(before, converted_rates(with_it, facts.infused_at, facts.weight_kg))
    impossible = found[0].impossible if found else None
    return "" if impossible is None else impossible.sentence


def _in_order(entries: list[Any]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.at, entry.recorded_at))
