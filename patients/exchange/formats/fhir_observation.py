"""Read a FHIR R4 Observation: vital signs, oxygen, results, weight, baselines, our own kinds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from grading.engine.vocabulary import FAHRENHEIT, Attribution
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_baseline import baseline_of, is_baseline
from patients.exchange.formats.fhir_bundle import Item
from patients.exchange.formats.fhir_check import EFFECTIVE, check_observation, is_absent
from patients.exchange.formats.fhir_entry import (
    Entry,
    attribution_of,
    check_attribution,
    check_chartable,
    check_entry,
    course_entry,
    note_of,
)
from patients.exchange.formats.fhir_modifiers import reason_not_to_read
from patients.exchange.formats.fhir_own import NEVER_CHARTED, OwnCode, own_code, read_own
from patients.exchange.formats.fhir_parts import Parts, Value, Whole, attributions, parts_of
from patients.exchange.formats.fhir_results import Head, Results, detail, head_of
from patients.exchange.formats.fhir_retraction import (
    cancel_observation,
    retract_observation,
    retract_parts,
)
from patients.exchange.formats.fhir_sent import with_what_was_sent
from patients.exchange.formats.fhir_times import time_or_reason
from patients.exchange.formats.fhir_tree import NOTHING, Tree, an_object, codings, objects
from patients.exchange.formats.fhir_values import known_meaning
from patients.exchange.formats.received import Held, OxygenPart, Signs, Standing, WholeEntry
from patients.exchange.formats.statements import OXYGEN_FIELDS, PRESSURES, TEMPERATURES
from patients.exchange.formats.unreadable import UnreadableError

STANDINGS: Final[dict[str, Standing | None]] = {
    "registered": Standing.PRELIMINARY,
    "preliminary": Standing.PRELIMINARY,
    "unknown": Standing.PRELIMINARY,
    "final": Standing.FINAL,
    "amended": Standing.CORRECTED,
    "corrected": Standing.CORRECTED,
    "cancelled": None,
    "entered-in-error": Standing.RETRACTED,
}
"""FHIR R4 value set observation-status."""


def read_observation(item: Item, context: Context, results: Results) -> None:
    """Collect what an Observation states; never raises."""
    node = item.resource
    try:
        codes = codings(an_object(node, "code"))
        if any(system in NEVER_CHARTED for system, _ in codes):
            return
        head = head_of(node, item.place, STANDINGS)
        check_observation(node)
    except UnreadableError as error:
        results.hold(with_what_was_sent(error, node), item.place)
        return
    not_read = reason_not_to_read(item.modifier, item.doubt)
    if not_read is not None:
        not_read = with_what_was_sent(not_read, node)
        at, _ = time_or_reason(node, "effective", EFFECTIVE, context)
        results.hold(not_read, item.place, head, at)
    elif head.standing is None:
        cancel_observation(node, head, context, results)
    elif head.is_retracted:
        retract_observation(node, head, context, results)
    else:
        _read(node, head, context, results)


def _check_focus(node: Tree) -> None:
    """Raise ``code.unknown`` where it is about another than its subject: a fetus, a donor."""
    subject = an_object(node, "subject") or NOTHING
    names = [(name, subject.get(name)) for name in ("reference", "identifier")]
    for focus in objects(node, "focus"):
        if not any(value and focus.get(name) == value for name, value in names):
            raise UnreadableError("code.unknown", "its focus is not the patient")


def _read(node: Tree, head: Head, context: Context, results: Results) -> None:
    at, untimed = time_or_reason(node, "effective", EFFECTIVE, context)
    own = own_code(codings(an_object(node, "code")))
    try:
        _check_focus(node)
        entry = course_entry(node)
        if own is not None:
            _read_own(node, own, head, at or untimed, entry, results)
        else:
            _read_parts(node, head, at or untimed, entry, context, results)
    except UnreadableError as error:
        results.hold(with_what_was_sent(error, node), head.place, head, at)


Time = datetime | UnreadableError | None
"""When a statement was so, or why that is not known."""


def _known(at: Time) -> datetime:
    if isinstance(at, datetime):
        return at
    raise at or UnreadableError("time.missing", "it has no time")


def _read_own(
    node: Tree, own: OwnCode, head: Head, time: Time, entry: Entry | None, results: Results
) -> None:
    if is_absent(node) and own.kind != "not_observed":
        results.remark("data.absent", head.place)
        return
    found = read_own(node, own, entry, head.key)
    at, attribution = _known(time), attribution_of(node)
    if entry is not None:
        check_entry(entry, found.kind, at, found.fields)
        check_attribution(entry, attribution)
    content = WholeEntry(found.kind, found.fields, found.thing)
    _state_whole(content, head, at, found.note, attribution, entry, results)


def _read_parts(
    node: Tree, head: Head, time: Time, entry: Entry | None, context: Context, results: Results
) -> None:
    at = time if isinstance(time, datetime) else None
    parts = parts_of(node, head.place, at, context)
    if not parts.is_empty:
        at = _known(time)
    for reason, place in parts.remarks:
        results.remark(reason, place)
    if at is None or parts.is_empty:
        for failure in parts.failures:
            results.hold(failure.error, failure.place, head, at)
    elif is_baseline(node):
        _state_baseline(node, parts, head, at, entry, results)
    else:
        is_panel = known_meaning(an_object(node, "code"), context).kind is Kind.PRESSURES
        stated = _Statement(node, head, at, entry, parts, results, is_panel=is_panel).state()
        if head.standing is not Standing.PRELIMINARY:
            retract_parts(head, at, stated, context, results)


def _state_baseline(
    node: Tree, parts: Parts, head: Head, at: datetime, entry: Entry | None, results: Results
) -> None:
    if parts.failures:
        raise parts.failures[0].error
    found = baseline_of(parts, at, entry)
    _state_whole(found.content, head, found.at, "", attribution_of(node), entry, results)


def _state_whole(
    content: WholeEntry, head: Head, at: datetime, note: str, attribution: str,
    entry: Entry | None, results: Results, *, suffix: str = "", details: tuple[Held, ...] = (),
    place: str = "",
) -> None:  # fmt: skip
    text = note_of(entry, note)
    check_chartable(content.kind, content.fields, text, attribution)
    results.state(
        head, at, content, suffix=suffix, place=place, details=details, note=text,
        attribution=_stated(attribution), entry=entry,
    )  # fmt: skip


def _stated(attribution: str) -> str | None:
    """Return an attribution that differs from the one that is meant where none is written."""
    return None if attribution in ("", Attribution.CRS) else attribution


class _Statement:
    """The statements that one Observation with its components makes, under keys of their own."""

    def __init__(
        self, node: Tree, head: Head, at: datetime, entry: Entry | None, parts: Parts,
        results: Results, *, is_panel: bool,
    ) -> None:  # fmt: skip
        self.head, self.at, self.entry, self.parts, self.results = head, at, entry, parts, results
        self.is_panel = is_panel
        self.whole = attribution_of(node)
        self.details = tuple(detail(error, place, at) for error, place in parts.failures)

    def state(self) -> set[str]:
        """Collect the statements; returns the suffixes of their keys, of the first none."""
        suffixes: set[str] = set()
        for method, signs in self.parts.signs.items():
            if signs:
                suffix = f"#{method or 'signs'}" if suffixes else ""
                self._state_signs(method, signs, suffix)
                suffixes.add(suffix)
        if self.parts.oxygen:
            suffix = "#oxygen" if suffixes else ""
            self._state_oxygen(suffix)
            suffixes.add(suffix)
        for whole in self.parts.wholes:
            suffix = f"#{whole.entry.thing}" if suffixes else ""
            self._state_whole(whole, suffix)
            suffixes.add(suffix)
        return suffixes

    def _details(self) -> tuple[Held, ...]:
        """Return the details that are held, for the first statement alone."""
        details, self.details = self.details, ()
        return details

    def _state_signs(self, method: str, signs: dict[str, Value], suffix: str) -> None:
        by_field = {_charted(name): word for name, word in attributions(signs, self.whole)}
        values = {name: value.text for name, value in signs.items()}
        note = ""
        if self.entry is not None:
            check_entry(self.entry, "vitals", self.at, self._coded_signs(values))
            for name, word in by_field.items():
                check_attribution(self.entry, word, name)
            note = note_of(self.entry, "")
        self.results.state(
            self.head, self.at,
            Signs(values, method, self._places(signs)),
            suffix=suffix, details=self._details(), note=note,
            attribution={name: word for name, word in by_field.items() if _stated(word)},
            entry=self.entry,
        )  # fmt: skip

    def _coded_signs(self, values: dict[str, str]) -> dict[str, Any]:
        names = set(values)
        for alternatives in (TEMPERATURES, PRESSURES if self.is_panel else ()):
            names |= set(alternatives) if names & set(alternatives) else set()
        return {name: values.get(name) for name in names}

    def _places(self, values: dict[str, Value]) -> dict[str, str]:
        return {
            name: value.place for name, value in values.items() if value.place != self.head.place
        }

    def _state_oxygen(self, suffix: str) -> None:
        values = self.parts.oxygen
        fields = {name: values[name].text if name in values else None for name in OXYGEN_FIELDS}
        attribution = next((word for _, word in attributions(values, self.whole) if word), "")
        note = ""
        if self.entry is not None:
            check_entry(self.entry, "oxygen", self.at, fields)
            check_attribution(self.entry, attribution)
            note = note_of(self.entry, "")
        self.results.state(
            self.head, self.at,
            OxygenPart(**fields, places=self._places(values)),
            suffix=suffix, details=self._details(), note=note,
            attribution=_stated(attribution), entry=self.entry,
        )  # fmt: skip

    def _state_whole(self, whole: Whole, suffix: str) -> None:
        content, attribution = whole.entry, whole.attribution or self.whole
        if self.entry is not None:
            optional = dict.fromkeys(("upper_limit", "lower_limit", "comparator"))
            coded = (optional if content.kind == "lab" else {}) | dict(content.fields)
            check_entry(self.entry, content.kind, self.at, coded)
            check_attribution(self.entry, attribution)
        _state_whole(
            content, self.head, self.at, whole.note, attribution, self.entry, self.results,
            suffix=suffix, details=self._details(), place=whole.place if suffix else "",
        )  # fmt: skip


def _charted(name: str) -> str:
    """Return the field that an attribution names: a temperature is one thing in both units."""
    return "temperature_c" if name == FAHRENHEIT.key else name
