"""Results of an HL7 v2 message (segments OBX with their OBR and NTE) as statements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from grading.plain_text import LONGEST_NOTE, without_controls
from patients.exchange.formats.code_rows import LOINC, MDC, Kind
from patients.exchange.formats.codes import meaning_of
from patients.exchange.formats.context import Context, KeyState
from patients.exchange.formats.hl7_measurements import Measurement, Number, measurement
from patients.exchange.formats.hl7_message import Message, Segment
from patients.exchange.formats.hl7_tables import (
    CANCELLED,
    NO_RESULT,
    RESULT_STATUSES,
    WITHOUT_ITS_VALUE,
    WRONG,
)
from patients.exchange.formats.hl7_values import (
    UnreadTimeError,
    instant,
    number_text,
    reference_range,
)
from patients.exchange.formats.received import (
    Cancelled,
    Document,
    Held,
    Received,
    Remark,
    Source,
    Standing,
)
from patients.exchange.formats.statements import from_json
from patients.exchange.formats.units import NO_UNIT, UnitText, shown
from patients.exchange.formats.unreadable import UnreadableError

_CODING_SYSTEMS: Final = {"LN": LOINC, "MDC": MDC}
"""HL7 table 0396; any other name is the hospital's own."""
_UCUM: Final = "UCUM"
_NUMERIC: Final = "NM"
_STRUCTURED_NUMERIC: Final = "SN"
_COMPARATORS: Final = frozenset({"", "=", "<", ">", "<=", ">="})
_LONGEST_KEY: Final = 300
_LONGEST_WHAT: Final = 300
_UNREAD_LIMITS: Final = "its limits of normal are of no form that is read"
_CUT_NOTE: Final = f"its comment is longer than {LONGEST_NOTE} characters"
_WRONG: Final = "sent in error (W): look for the patient whose result it is"


@dataclass(slots=True)
class _Result:
    """An OBX with its place, its OBR and the comments (NTE) on both."""

    obx: Segment
    obr: Segment | None
    place: str
    order_notes: list[str]
    notes: list[str] = field(default_factory=list)

    def of_order(self, number: int) -> str:
        """Return a field of the OBR as it was sent, empty where there is none."""
        return "" if self.obr is None else self.obr.raw(number)

    @property
    def time(self) -> str:
        """OBX-14, and where it is empty OBR-7."""
        return self.obx.component(14) or ("" if self.obr is None else self.obr.component(7))

    @property
    def codings(self) -> list[tuple[str, str]]:
        """The codings of OBX-3: components 1 to 3, and 4 to 6."""
        parts = [*self.obx.components(self.obx.repetitions(3)[0]), *[""] * 6]
        pairs = ((parts[2], parts[0]), (parts[5], parts[3]))
        return [(_CODING_SYSTEMS.get(system, system), code) for system, code in pairs if code]

    @property
    def units(self) -> list[UnitText]:
        """What OBX-6 may name as a unit, in the order in which it is looked up."""
        parts = [*self.obx.components(self.obx.repetitions(6)[0]), *[""] * 3]
        if parts[2] == _UCUM:
            return [UnitText(parts[0], is_ucum=True)]
        both = f"{parts[0]}^{parts[1]}" if parts[0] and parts[1] else ""
        return [UnitText(text) for text in (both, parts[0], parts[1]) if text] or [NO_UNIT]

    @property
    def what(self) -> str:
        """The result in plain words: its name, value and unit as they were sent."""
        name = self.obx.component(3, 2) or self.obx.component(3)
        value = self.obx.plain(self.obx.raw(5))
        words = f"{name or 'no name'}: {value} {self.units[0].text}"
        return " ".join(without_controls(words).split())


def read_results(message: Message, context: Context) -> Document:
    """Return what the results of ``message`` say, each OBX as a statement, held item or remark."""
    results, remarks = _collected(message)
    statements: list[Received] = []
    held: list[Held] = []
    cancelled: list[Cancelled] = []
    sent_at = message.header.component(7)
    for result in results:
        read, more = _read(result, context, sent_at)
        remarks.extend(more)
        if isinstance(read, Received):
            statements.append(read)
        elif isinstance(read, Held):
            held.append(read)
        elif isinstance(read, Cancelled):
            cancelled.append(read)
    return Document(tuple(statements), tuple(held), tuple(remarks), tuple(cancelled))


def _collected(message: Message) -> tuple[list[_Result], list[Remark]]:
    """Return each OBX with its OBR and comments; a comment on neither is remarked."""
    results: list[_Result] = []
    remarks: list[Remark] = []
    obr: Segment | None = None
    order_notes: list[str] = []
    notes: list[str] | None = None
    comments = 0
    for segment in message.segments:
        match segment.name:
            case "OBR":
                obr, order_notes = segment, []
                notes = order_notes
            case "OBX":
                place = f"OBX[{len(results) + 1}]"
                results.append(_Result(segment, obr, place, order_notes))
                notes = results[-1].notes
            case "NTE":
                comments += 1
                if notes is None:
                    words = "a comment that is on no result and no order"
                    remarks.append(Remark("note.unplaced", f"NTE[{comments}]", words))
                else:
                    notes.extend(_comments(segment))
            case _:
                notes = None
                obr = None if segment.name == "PID" else obr
    return results, remarks


def _comments(segment: Segment) -> Iterator[str]:
    for repetition in segment.repetitions(3):
        text = " ".join(segment.plain(repetition).split())
        if text:
            yield without_controls(text)


def _read(
    result: _Result, context: Context, sent_at: str
) -> tuple[Received | Held | Cancelled | None, list[Remark]]:
    """Return the statement of a result, or why it is held, or that it is cancelled; and remarks."""
    status = result.obx.component(11)
    if status in NO_RESULT:
        remarks = [Remark("result.none", result.place, NO_RESULT[status])]
        return (_cancelled(result, context) if status == CANCELLED else None), remarks
    try:
        at = instant(result.time, context.timezone)
    except UnreadTimeError as error:
        return _held(result, error.reason, "its time names no instant"), []
    key = _key(result, at)
    standing = RESULT_STATUSES.get(status)
    if standing is None:
        reason = "invalid" if status else "status.missing"
        return _held(result, reason, "its status is no word of HL7 table 0085", key, at), []
    if standing is Standing.RETRACTED:
        wrong = [Remark("status.wrong", result.place, _WRONG)] if status == WRONG else []
        return _retraction(result, context, key, at), wrong
    if standing is Standing.PRELIMINARY and context.kind.is_device:
        standing = Standing.UNVALIDATED
    issued = _issued(result, context, sent_at)
    received = Received(Source(result.place, key), standing, at, None, issued=issued)
    if _is_empty(result.obx) and standing is not Standing.CORRECTED:
        if status == WITHOUT_ITS_VALUE:
            why = "it became final, and its value never came"
            return _before(received, context) or _held(result, "value.missing", why, key, at), []
        return None, [Remark("value.none", result.place, "it has no value")]
    return _statement(result, context, received)


def _statement(
    result: _Result, context: Context, received: Received
) -> tuple[Received | Held, list[Remark]]:
    """Return ``received`` with what the result says, or why it is held, and remarks."""
    key, at = received.source.key, received.at
    try:
        found, limits_are_read = _measurement(result, context)
    except UnreadableError as error:
        return _held(result, error.reason, error.what, key, at), []
    missing = found.missing
    details = () if missing is None else (_held(result, missing.reason, missing.what, key, at),)
    remarks = []
    if not limits_are_read:
        remarks.append(Remark("range.ambiguous", result.place, _UNREAD_LIMITS))
    note, is_cut = _note(result, found.note)
    if is_cut:
        remarks.append(Remark("note.cut", result.place, _CUT_NOTE))
    return replace(received, content=found.content, details=details, note=note), remarks


def _before(received: Received, context: Context) -> Received | None:
    """Return ``received`` with the value that came last under its key, None where none did."""
    for known in reversed(context.known):
        if known.key == received.source.key:
            stored = known.statement or {}
            if known.state is KeyState.RETRACTED or not stored.get("values"):
                return None
            statement = from_json(stored.get("sent") or stored, known.key, known.version)
            return replace(received, content=statement.content, note=statement.note)
    return None


def _retraction(result: _Result, context: Context, key: str, at: datetime) -> Received:
    try:
        content = _measurement(result, context)[0].content
    except UnreadableError:
        content = None  # what was charted is found by its key
    return Received(Source(result.place, key), Standing.RETRACTED, at, content)


def _cancelled(result: _Result, context: Context) -> Cancelled | None:
    """Return which result will not come, None where its time, and so its key, is not known."""
    try:
        at = instant(result.time, context.timezone)
    except UnreadTimeError:
        return None
    return Cancelled(Source(result.place, _key(result, at)), at)


def _measurement(result: _Result, context: Context) -> tuple[Measurement, bool]:
    """Return what is charted of a result, and whether its limits of normal could be read."""
    comparator, number = _number(result.obx)
    meaning = meaning_of(result.codings, context.local_codes)
    if meaning is None:
        raise UnreadableError("code.unknown", "its code is not in the tables")
    lower, upper, are_read = None, None, True
    if meaning.kind is Kind.ANALYTE:
        lower, upper, are_read = _limits(result.obx)
    for unit in result.units:
        try:
            sent = Number(number, unit, comparator, lower, upper)
            return measurement(meaning, sent), are_read
        except UnreadableError as error:
            if error.reason != "unit.unknown":
                raise
            unknown = error
    raise unknown


def _is_empty(obx: Segment) -> bool:
    """Return whether OBX-5 has no value: nothing, a null, or separators with nothing between."""
    return not any(part for repetition in obx.repetitions(5) for part in obx.components(repetition))


def _number(obx: Segment) -> tuple[str, str]:
    """Return comparator and number of OBX-5, by its type (OBX-2)."""
    kind = obx.component(2)
    raw = obx.raw(5).strip(" ")
    comparator = ""
    if _is_empty(obx):
        raise UnreadableError("value.missing", "it was corrected to no value")
    if kind == _STRUCTURED_NUMERIC:
        comparator, raw = _structured(raw, obx)
    elif kind != _NUMERIC:
        raise UnreadableError("value.not_numeric", f"its type {shown(kind)} is not read")
    number = number_text(raw)
    if number is None or comparator not in _COMPARATORS:
        raise UnreadableError("value.not_numeric", "its value is not one number")
    return comparator.removeprefix("=") if comparator == "=" else comparator, number


def _structured(raw: str, obx: Segment) -> tuple[str, str]:
    """Return comparator and first number of type SN; a ratio or a range has no one number."""
    parts = [*obx.components(raw), "", "", ""]
    if any(parts[2:]):
        return "", ""
    return parts[0], parts[1]


def _limits(obx: Segment) -> tuple[str | None, str | None, bool]:
    """Return lower and upper limit of normal, and whether OBX-7 could be read."""
    text = obx.component(7)
    if not text:
        return None, None, True
    limits = reference_range(text) if len(obx.repetitions(7)) == 1 else None
    if limits is None:
        return None, None, False
    lower, upper = limits
    if lower is not None and upper is not None and Decimal(lower) > Decimal(upper):
        return None, None, False
    return lower, upper, True


def _key(result: _Result, at: datetime) -> str:
    """Return the lasting name of a result: order, code, sub-id and instant."""
    order = result.of_order(3) or result.of_order(2)
    code = result.obx.repetitions(3)[0].split(result.obx.separators.component)[0]
    instant_text = at.astimezone(UTC).isoformat()
    key = "|".join((order, code, result.obx.raw(4), instant_text))
    if len(key) > _LONGEST_KEY or not key.isprintable():
        return f"{hashlib.sha256(key.encode()).hexdigest()}|{instant_text}"
    return key


def _issued(result: _Result, context: Context, sent_at: str) -> datetime | None:
    """Return when the sender had the result: OBX-19, else when it sent the message."""
    for text in (result.obx.component(19), sent_at):
        try:
            return instant(text, context.timezone)
        except UnreadTimeError:
            continue
    return None


def _note(result: _Result, of_code: str) -> tuple[str, bool]:
    """Return the note of a result, and whether it had to be cut."""
    comments = " ".join([*result.order_notes, *result.notes])
    note = "; ".join(text for text in (of_code, comments) if text)
    if len(note) <= LONGEST_NOTE:
        return note, False
    return note[: LONGEST_NOTE - 1] + "…", True


def _held(
    result: _Result, reason: str, why: str, key: str = "", at: datetime | None = None
) -> Held:
    what = f"{result.what}; {why}"
    return Held(reason, result.place, _cut(what), key=key, at=at)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_WHAT else text[: _LONGEST_WHAT - 1] + "…"
