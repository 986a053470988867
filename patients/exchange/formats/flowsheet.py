"""Read a flowsheet: rows of a data warehouse, each one item of one patient at one time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from grading.course_file import CourseFileError, read_entry
from grading.engine.units import is_plain_number
from grading.engine.vocabulary import FAHRENHEIT, VITAL_SIGN, DoseUnit
from grading.plain_text import LONGEST_NOTE, disallowed_character
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_times import check_not_long_ago
from patients.exchange.formats.flowsheet_bags import Bag, Overlap, infusions_of
from patients.exchange.formats.flowsheet_map import (
    DEVICE,
    FIO2,
    FlowsheetMap,
    MappedItem,
)
from patients.exchange.formats.flowsheet_rows import Row, instant, rows_of
from patients.exchange.formats.measured import chartable, limit_of_normal, measured
from patients.exchange.formats.received import (
    Content,
    Document,
    Held,
    OxygenPart,
    Received,
    RefusedDocumentError,
    Remark,
    Signs,
    Source,
    Standing,
    WholeEntry,
)
from patients.exchange.formats.unit_rows import BOLUS_VOLUME, UnitRow
from patients.exchange.formats.units import UnitText, converted, shown, written_unit
from patients.exchange.formats.unreadable import UnreadableError

_OTHER_PATIENT: Final = "patient.other"
_VALUE: Final = re.compile(r"(<=|>=|<|>)?\s*(\S+)")


def read_flowsheet(
    lines: Iterable[str],
    maps: Sequence[FlowsheetMap],
    context: Context,
    overlap: Overlap = Overlap.REFUSE,
) -> Document:
    """Return what the rows of the patient of the course state.

    An item that the map has not is one held item with its count; ``place`` is the line of the file.
    Raises RefusedDocumentError: no CSV, no row of the patient, and bags of a drug that overlap,
    unless ``overlap`` says what that means.
    """
    return read_rows(rows_of(lines, maps), context, overlap)


def read_rows(
    rows: Iterable[tuple[Row, FlowsheetMap]], context: Context, overlap: Overlap
) -> Document:
    """Return what rows state of the patient of the course, as ``read_flowsheet``."""
    reading = _Reading(context, overlap)
    for row, mapped in rows:
        reading.read(row, mapped)
    return reading.document()


@dataclass(slots=True)
class _Unknown:
    """A name that the map has not: where it stands first, and how often it stands."""

    place: str
    count: int = 0


@dataclass(slots=True)
class _Reading:
    """A flowsheet while it is read."""

    context: Context
    overlap: Overlap
    statements: list[Received] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    bags: list[Bag] = field(default_factory=list)
    unknown: dict[str, _Unknown] = field(default_factory=dict)
    others: int = 0
    own: int = 0

    def read(self, row: Row, mapped: FlowsheetMap) -> None:
        if row.patient != str(self.context.course["patient"].get("mrn", "")).strip():
            self.others += 1
            return
        self.own += 1
        name = row.text("item")
        item = mapped.items.get(name)
        if item is None:
            self._not_mapped(shown(name), row)
            return
        try:
            self._state(row, item)
        except UnreadableError as error:
            self.held.append(_held(error, row))

    def _not_mapped(self, what: str, row: Row) -> None:
        self.unknown.setdefault(what, _Unknown(row.place)).count += 1

    def _state(self, row: Row, item: MappedItem) -> None:
        at = instant(row.text("time"), self.context.timezone)
        check_not_long_ago(at, self.context)
        if item.about == "drug":
            self._bag(row, item, at)
            return
        if item.word == DEVICE and row.text("value") and row.text("value") not in item.values:
            self._not_mapped(f"{shown(row.text('item'))} {shown(row.text('value'))}", row)
            return
        content, key = _content(row, item), f"{row.text('item')}|{_utc(at)}"
        if item.about == "analyte" and not _has_limits_to_read(row):
            self.remarks.append(Remark("range.ambiguous", row.place, "a limit that is no number"))
        self.statements.append(
            Received(
                Source(row.place, key), Standing.FINAL, at, content, note=self._note(row),
                recorded_at=self._recorded_at(row),
            )
        )  # fmt: skip

    def _bag(self, row: Row, item: MappedItem, at: datetime) -> None:
        end = None
        if row.text("end_time"):
            end = instant(row.text("end_time"), self.context.timezone)
            if end < at:
                raise UnreadableError("invalid", "it ends before it begins")
        fields, details = _rate(row, item)
        self.bags.append(
            Bag(row.place, row.text("item"), at, end, fields, details, self._recorded_at(row),
                self._note(row))
        )  # fmt: skip

    def _recorded_at(self, row: Row) -> datetime | None:
        if not row.text("storetime"):
            return None
        return instant(row.text("storetime"), self.context.timezone)

    def _note(self, row: Row) -> str:
        note = row.text("comment")
        if len(note) <= LONGEST_NOTE and not disallowed_character(note):
            return note
        self.remarks.append(Remark("value.impossible", row.place, "its comment is left out"))
        return ""

    def document(self) -> Document:
        if not self.own:
            words = f"none of {self.others} rows is of the patient of the course"
            raise RefusedDocumentError(_OTHER_PATIENT, "document", words)
        if self.others:
            what = f"{self.others} rows of other patients"
            self.remarks.append(Remark(_OTHER_PATIENT, "document", what))
        self.held += [
            Held("code.unknown", one.place, f"{name} is not in the map", count=one.count)
            for name, one in self.unknown.items()
        ]
        infusions = infusions_of(self.bags, self.overlap)
        statements = sorted([*self.statements, *infusions], key=lambda one: one.at)
        return Document(tuple(statements), tuple(self.held), tuple(self.remarks), is_table=True)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _held(error: UnreadableError, row: Row) -> Held:
    return Held(error.reason, row.place, f"{shown(row.text('item'))}: {error.what}")


def _number(row: Row) -> tuple[str, str]:
    """Return a comparator, or "", and the number of a row as exact text."""
    text = row.text("value")
    if not text:
        raise UnreadableError("value.missing", "it has no value")
    found = _VALUE.fullmatch(text)
    if found is None or not is_plain_number(found[2]):
        raise UnreadableError("value.not_numeric", f"{shown(text)} is no number")
    return found[1] or "", found[2].removeprefix("+")


def _unit(row: Row, item: MappedItem) -> str | UnitRow:
    """Return what the unit of a row is here; an empty one is the unit of the map."""
    text = row.text("unit")
    if text in item.units:
        return item.units[text]
    if text or not item.units:
        raise UnreadableError("unit.unknown", f"its unit {shown(text)} is not that of the map")
    if len(item.units) > 1:
        raise UnreadableError("unit.missing", "it has no unit, and the map has several")
    return next(iter(item.units.values()))


_KINDS: Final = {
    "weight_kg": Kind.WEIGHT,
    "flow_l_per_min": Kind.OXYGEN_FLOW,
    FIO2: Kind.FIO2,
}


def _content(row: Row, item: MappedItem) -> Content:
    if item.about == "analyte":
        return _result(row, item)
    if item.about == "agent":
        return _treatment(row, item)
    return _device(row, item) if item.word == DEVICE else _measurement(row, item)


def _device(row: Row, item: MappedItem) -> OxygenPart:
    if not row.text("value"):
        raise UnreadableError("value.missing", "it names no device")
    return OxygenPart(device=item.values[row.text("value")])


def _measurement(row: Row, item: MappedItem) -> Content:
    comparator, number = _number(row)
    if item.word == BOLUS_VOLUME:
        return _bolus(number, comparator, _unit(row, item))
    value = _sign_value(item, number, comparator, _unit(row, item))
    if item.word == "weight_kg":
        return WholeEntry("weight", {"weight_kg": value}, "weight")
    if item.word == FIO2:
        return OxygenPart(fio2_percent=value)
    if item.word == "flow_l_per_min":
        return OxygenPart(flow_l_per_min=value)
    return Signs({item.word: value}, item.method)


def _sign_value(item: MappedItem, number: str, comparator: str, unit: str | UnitRow) -> str:
    """Return a number within the hard limits of its field; the map says in which unit it is."""
    is_fahrenheit = item.word == FAHRENHEIT.key
    word = "temperature_c" if is_fahrenheit else item.word
    kind = _KINDS.get(word, Kind.SIGN)
    if isinstance(unit, UnitRow):
        written = unit.text
    elif kind is Kind.FIO2:
        written = unit
    elif is_fahrenheit:
        written = written_unit(word, FAHRENHEIT.unit) or ""
    else:
        own = VITAL_SIGN[word].unit if word in VITAL_SIGN else "L/min"
        written = written_unit(word, own) or ""
    return measured(Meaning(kind, word), number, UnitText(written), comparator).value


def _bolus(number: str, comparator: str, unit: str | UnitRow) -> WholeEntry:
    if comparator:
        raise UnreadableError("comparator", f"a volume with {comparator} cannot be charted")
    volume = converted(number, unit) if isinstance(unit, UnitRow) else number
    return _whole("fluid_bolus", {"volume_ml": volume}, "fluid_bolus")


def _treatment(row: Row, item: MappedItem) -> WholeEntry:
    fields = {"agent": item.word}
    if row.text("value"):
        comparator, number = _number(row)
        unit = _unit(row, item)
        if comparator:
            raise UnreadableError("comparator", f"a dose with {comparator} cannot be charted")
        fields["dose_mg"] = converted(number, unit) if isinstance(unit, UnitRow) else number
    return _whole("treatment", fields, f"treatment:{item.word}")


def _result(row: Row, item: MappedItem) -> WholeEntry:
    comparator, number = _number(row)
    unit = _unit(row, item)
    text = UnitText(unit.text if isinstance(unit, UnitRow) else unit)
    found = measured(Meaning(Kind.ANALYTE, item.word, is_local=True), number, text, comparator)
    fields = {"analyte": item.word, "value": found.value, "unit": found.unit.unit}
    if comparator:
        fields["comparator"] = comparator
    limits = _limit_texts(row) if _has_limits_to_read(row) else {}
    for key, limit in limits.items():
        read = limit_of_normal(limit, found.unit, upper=key == "upper_limit")
        fields |= {} if read is None else {key: read}
    return _whole("lab", fields, f"lab:{item.word}")


def _limit_texts(row: Row) -> dict[str, str]:
    """Return the limits of normal as they were sent, without a plus."""
    columns = (("lower_limit", "low"), ("upper_limit", "high"))
    texts = {key: row.text(column).removeprefix("+") for key, column in columns}
    return {key: text for key, text in texts.items() if text}


def _has_limits_to_read(row: Row) -> bool:
    """Return whether each limit of normal is a number: one alone would stand for both."""
    return all(is_plain_number(text) for text in _limit_texts(row).values())


def _whole(kind: str, fields: Mapping[str, Any], thing: str) -> WholeEntry:
    """Return an entry that a chart can hold; raises ``value.impossible``."""
    try:
        read_entry({**fields, "kind": kind, "id": "-", "at": "2000-01-01T00:00:00Z"})
    except CourseFileError as error:
        what = error.faults[0].message
        raise UnreadableError("value.impossible", f"the chart cannot hold it: {what}") from None
    return WholeEntry(kind, fields, thing)


def _rate(row: Row, item: MappedItem) -> tuple[dict[str, Any], tuple[Held, ...]]:
    """Return the fields of an infusion; null where the rate is not known, with why as a detail."""
    fields: dict[str, Any] = {"drug": item.word, "rate": None}
    try:
        fields |= _weight(row)
        comparator, number = _number(row)
        if comparator:
            raise UnreadableError("comparator", f"a rate with {comparator} cannot be charted")
        rate = _rate_in_unit(row, item, number)
        _whole("vasopressor", fields | rate, "")
    except UnreadableError as error:
        reason = "rate.missing" if error.reason.startswith("value.missing") else error.reason
        return fields, (Held(reason, row.place, f"{shown(row.text('item'))}: {error.what}"),)
    return fields | rate, ()


def _rate_in_unit(row: Row, item: MappedItem, number: str) -> dict[str, Any]:
    """Return a rate with its unit and, of mL/h, strength; 0 is a stop, whatever its unit means."""
    is_stop = chartable(number) == 0
    try:
        rate = {"rate": number, "unit": str(_unit(row, item))}
    except UnreadableError as error:
        if is_stop and error.reason == "unit.missing":
            return {"rate": number}
        raise
    if rate["unit"] != DoseUnit.ML_PER_H or is_stop:
        return rate
    if item.concentration_per_ml is None:
        raise UnreadableError(
            "infusion.concentration_missing", "it runs in mL/h, and the map has no strength"
        )
    return rate | {"concentration_per_ml": item.concentration_per_ml}


def _weight(row: Row) -> dict[str, str]:
    weight = row.text("weight_kg")
    if not weight:
        return {}
    if not is_plain_number(weight):
        raise UnreadableError("value.not_numeric", "the weight of the pump is no number")
    return {
        "weight_kg": measured(
            Meaning(Kind.WEIGHT, "weight_kg"), weight.removeprefix("+"), UnitText("kg")
        ).value
    }
