"""What other systems state, as values that are compared, stored as JSON and written as entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from grading.engine.units import is_plain_number
from patients.exchange.formats.received import (
    Content,
    Infusion,
    OxygenPart,
    Received,
    Signs,
    Source,
    WholeEntry,
)

BETWEEN_NOTES: Final = "; "
"""What stands between the notes of statements that are one entry."""

PRESSURES: Final = ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")
"""Signs of one blood pressure reading: compared and corrected together."""

TEMPERATURES: Final = ("temperature_c", "temperature_f")
"""One vital sign in its two units."""

OXYGEN_FIELDS: Final = ("device", "flow_l_per_min", "fio2_percent")
"""The fields of an entry of oxygen that other systems state."""

NEVER_TWICE: Final = {
    "lab": "analyte",
    "treatment": "agent",
    "toxicity": "term",
    "symptom": "term",
    "judgement": "about",
    "neuro_sign": "sign",
    "not_observed": "what",
}
"""Kinds of which one instant has one value, by the field that names what it is a value of."""

_CELSIUS: Final = {"temperature_f": "temperature_c"}
_ALONE: Final = {"note": "", "seizure": "", "blood_product": "product"}
"""Kinds of which one instant may have several entries, each key one of them; and the field that
names what it is."""

BY_FIELD: Final = frozenset({"baseline", "risk"})
"""Kinds of which each field is a thing of its own: an entry has some of them."""
_NOT_A_VALUE: Final = frozenset({"measured_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that has a value: of this document, or of one that came before.

    ``joined`` is a name shared by statements that were one entry of our own export; ``extra`` has
    fields of that entry that no code says (the purpose of oxygen). ``was_charted``: it came with an
    entry of our own export, about which a person was asked when it was charted.
    """

    source: Source
    at: datetime
    content: Content
    note: str = ""
    attribution: str | Mapping[str, str] | None = None
    joined: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    recorded_at: datetime | None = None
    was_charted: bool = False

    @property
    def key(self) -> str:
        return self.source.key

    def attribution_of(self, sign: str) -> str:
        """Return the attribution of one vital sign, ``crs`` where none was sent."""
        if isinstance(self.attribution, Mapping):
            return self.attribution.get(sign, "crs")
        return self.attribution or "crs"


def statement_of(received: Received) -> Statement:
    """Return what was received as a statement; it must have a content."""
    if received.content is None:
        raise ValueError(f"{received.source.place} has no content")
    return Statement(
        source=received.source,
        at=received.at,
        content=received.content,
        note=received.note,
        attribution=_simplest(received.attribution, received.content),
        recorded_at=received.recorded_at,
    )


def _simplest(
    attribution: str | Mapping[str, str] | None, content: Content
) -> str | Mapping[str, str] | None:
    """Return one attribution where all fields of a set have the same."""
    if not isinstance(attribution, Mapping):
        return attribution
    names = [_CELSIUS.get(name, name) for name in values_of(content)]
    found = {attribution.get(name, "crs") for name in names}
    return found.pop() if len(found) == 1 else attribution


def values_of(content: Content) -> dict[str, Any]:
    """Return the fields that a content has a value for, by the words of the course file."""
    if isinstance(content, Signs):
        return dict(content.values)
    if isinstance(content, OxygenPart):
        named = {
            "device": content.device,
            "flow_l_per_min": content.flow_l_per_min,
            "fio2_percent": content.fio2_percent,
        }
        return {name: value for name, value in named.items() if value is not None}
    return dict(content.fields)


def place_of(statement: Statement, name: str) -> str:
    """Return where one field of a statement stands."""
    if isinstance(statement.content, Signs | OxygenPart):
        return statement.content.places.get(name, statement.source.place)
    return statement.source.place


def thing_of(kind: str, fields: Mapping[str, Any], key: str = "") -> str:
    """Return what an entry is about: two values of one thing at one instant contradict."""
    if kind in _ALONE:
        return f"{kind}:{fields.get(_ALONE[kind], '')}:{key}"
    if kind in NEVER_TWICE:
        return f"{kind}:{fields.get(NEVER_TWICE[kind])}"
    if kind in BY_FIELD:
        names = sorted(name for name in fields if name not in _NOT_A_VALUE)
        return f"{kind}:{','.join(names)}"
    return kind


def same_value(one: Any, other: Any) -> bool:
    """Return whether two values of a field are equal: numbers by value, whatever their digits."""
    return bool(_plain(one) == _plain(other))


def same_values(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two entries, or parts of entries, have equal fields."""
    return same_value(one, other)


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    text = str(value)
    if is_plain_number(text) or isinstance(value, int | Decimal):
        number = Decimal(text)
        return number if number else Decimal(0)
    return _instant(text) or text


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if instant.tzinfo is None else instant.astimezone(UTC)


_TYPES: Final[dict[str, type[Content]]] = {
    "signs": Signs,
    "oxygen": OxygenPart,
    "whole": WholeEntry,
    "infusion": Infusion,
}


def to_json(statement: Statement) -> dict[str, Any]:
    """Return a statement as JSON; ``from_json`` reads it back, without its place."""
    content = statement.content
    words: dict[str, Any] = {
        "type": next(name for name, one in _TYPES.items() if isinstance(content, one)),
        "at": statement.at.isoformat(),
        "values": values_of(content),
    }
    if isinstance(content, Signs):
        words["method"] = content.method
    elif isinstance(content, WholeEntry):
        words |= {"kind": content.kind, "thing": content.thing}
    elif isinstance(content, Infusion):
        words["end"] = None if content.end is None else content.end.isoformat()
        words["is_over"] = content.is_over
        words["stop_entry"] = content.stop_entry
    attribution = statement.attribution
    words["attribution"] = dict(attribution) if isinstance(attribution, Mapping) else attribution
    words |= {"note": statement.note, "joined": statement.joined, "extra": dict(statement.extra)}
    return words


def from_json(words: Mapping[str, Any], key: str, version: str | None) -> Statement:
    """Return the statement that ``to_json`` wrote; the input is trusted."""
    return Statement(
        source=Source("", key, version),
        at=datetime.fromisoformat(words["at"]),
        content=_content(words),
        note=words["note"],
        attribution=words["attribution"],
        joined=words["joined"],
        extra=words["extra"],
    )


def _content(words: Mapping[str, Any]) -> Content:
    values = words["values"]
    match words["type"]:
        case "signs":
            return Signs(values, words["method"])
        case "oxygen":
            return OxygenPart(**values)
        case "whole":
            return WholeEntry(words["kind"], values, words["thing"])
    end = words["end"]
    return Infusion(
        values,
        None if end is None else datetime.fromisoformat(end),
        is_over=words["is_over"],
        stop_entry=words["stop_entry"],
    )


def words_of(statement: Statement) -> dict[str, Any]:
    """Return the entry that a statement alone would be, without id and time of recording."""
    content = statement.content
    words: dict[str, Any] = {"kind": kind_of(content), "at": statement.at.isoformat()}
    words |= values_of(content)
    words |= statement.extra
    return words | annotations_of([statement], values_of(content))


def kind_of(content: Content) -> str:
    """Return the kind of entry that a content is charted in."""
    if isinstance(content, WholeEntry):
        return content.kind
    return {Signs: "vitals", OxygenPart: "oxygen", Infusion: "vasopressor"}[type(content)]


def annotations_of(statements: Sequence[Statement], names: Iterable[str]) -> dict[str, Any]:
    """Return ``note`` and ``attribution`` of the entry that ``statements`` make together.

    The attribution is by field where the vital signs ``names`` differ in it; of other kinds it is
    that of the first statement.
    """
    words: dict[str, Any] = {}
    attribution = _attribution(statements, set(names))
    if attribution is not None:
        words["attribution"] = attribution
    notes = dict.fromkeys(statement.note for statement in statements if statement.note)
    if notes:
        words["note"] = BETWEEN_NOTES.join(notes)
    return words


def _attribution(statements: Sequence[Statement], names: set[str]) -> str | dict[str, str] | None:
    by_name: dict[str, str] = {}
    stated: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement.content, Signs):
            signs = {_CELSIUS.get(name, name) for name in statement.content.values.keys() & names}
            of_each = {sign: statement.attribution_of(sign) for sign in sorted(signs)}
            by_name |= of_each
            if isinstance(statement.attribution, Mapping):
                stated |= {sign: of_each[sign] for sign in signs & statement.attribution.keys()}
    if not by_name:
        return _unless_crs(statements[0].attribution_of(""))
    if stated or len(set(by_name.values())) > 1:
        return {sign: word for sign, word in by_name.items() if sign in stated or word != "crs"}
    return _unless_crs(next(iter(by_name.values())))


def _unless_crs(attribution: str) -> str | None:
    """Leave out what holds where nothing is stated."""
    return None if attribution == "crs" else attribution


def same_statement(one: Statement, other: Statement) -> bool:
    """Return whether two statements of one key would be charted alike."""
    return same_values(to_json(one), to_json(other))
