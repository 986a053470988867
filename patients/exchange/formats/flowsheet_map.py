"""The map of a flowsheet: what each item of a warehouse is here, as reviewed data.

A map is made and reviewed for one cohort and kept with it. Text of a flowsheet is never matched:
an item that is not in the map means nothing here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from grading.course_file import CourseFileError, Fault
from grading.engine.analytes import Analyte, lab_unit
from grading.engine.vocabulary import (
    DRUGS,
    FAHRENHEIT,
    VITAL_SIGN,
    OxygenDevice,
    TreatmentAgent,
    VasopressorDrug,
)
from grading.faults import Place
from grading.json_document import read_json
from patients.exchange.formats.mimic_iv import PRESET, TABLES
from patients.exchange.formats.observation_codes import ARTERIAL, CUFF
from patients.exchange.formats.unit_rows import UnitRow
from patients.exchange.formats.units import UnitText, unit_row, written_unit
from patients.exchange.formats.unreadable import UnreadableError

DEVICE: Final = "device"
FIO2: Final = "fio2_percent"
NUMBERS: Final = (*VITAL_SIGN, FAHRENHEIT.key, "weight_kg", "flow_l_per_min", FIO2, "volume_ml")
"""Fields of the course file that are one number."""

COLUMNS: Final = (
    "patient_id", "time", "item", "value", "unit", "low", "high", "end_time", "comment",
    "storetime", "weight_kg",
)  # fmt: skip
NEEDED: Final = frozenset({"patient_id", "time", "item", "value"})
"""The columns of the long form, and those that no file may lack."""

_OTHER_SCALE: Final = {
    "temperature_c": frozenset({"F", "f", "°F", "degF", "[degF]"}),
    FAHRENHEIT.key: frozenset({"C", "c", "°C", "degC", "Cel"}),
}
_TABLED: Final = frozenset({"weight_kg", "volume_ml"})
_AGENTS: Final = frozenset(TreatmentAgent)
_FRACTION: Final = frozenset({"1", "{fraction}"})
_KEYS: Final = {
    "field": frozenset({"field", "unit", "units", "method", "values"}),
    "analyte": frozenset({"analyte", "unit", "units"}),
    "drug": frozenset({"drug", "unit", "units", "concentration_per_ml"}),
    "agent": frozenset({"agent", "unit", "units"}),
}


@dataclass(frozen=True, slots=True)
class MappedItem:
    """What an item is: ``about`` is field, analyte, drug or agent, ``word`` its name here.

    ``units`` are the strings that its rows may have, each with the unit of the course file or, of a
    laboratory result, a weight or a volume, the row of the table of units. ``values`` are the words
    of a device by the text of its rows; without them the rows have the words.
    """

    about: str
    word: str
    units: Mapping[str, str | UnitRow] = field(default_factory=dict)
    method: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    concentration_per_ml: str | None = None


@dataclass(frozen=True, slots=True)
class FlowsheetMap:
    """The items of a flowsheet, and its columns by their names in the long form."""

    items: Mapping[str, MappedItem]
    columns: Mapping[str, str] = field(default_factory=dict)


def read_maps(document: str | bytes) -> list[FlowsheetMap]:
    """Read a map file; raises CourseFileError with every fault by its place.

    It is an object of items by name, or ``{"columns": …, "items": …}`` where the file's columns
    have other names, or ``{"preset": "mimic-iv"}``, which is a map for each of three tables.
    """
    faults: list[Fault] = []
    place = Place("map", faults)
    try:
        words = read_json(document)
    except CourseFileError as error:
        raise CourseFileError([Fault("map", fault.message) for fault in error.faults]) from None
    if not isinstance(words, Mapping):
        raise CourseFileError([Fault("map", "expected a JSON object")])
    if "preset" in words and not isinstance(words["preset"], Mapping):
        maps = _preset(words, place)
    elif isinstance(words.get("items"), Mapping) and not {*_KEYS} & {*words["items"]}:
        place.only_keys(words, ("columns", "items"))
        columns = _columns(words.get("columns"), place.at("columns"))
        maps = [FlowsheetMap(_items(words["items"], place.at("items")), columns)]
    else:
        maps = [FlowsheetMap(_items(words, place))]
    if faults:
        raise CourseFileError(faults)
    return maps


def preset_maps() -> list[FlowsheetMap]:
    """Return the maps of the tables of MIMIC-IV: chartevents, inputevents, labevents."""
    faults: list[Fault] = []
    place = Place(PRESET, faults)
    maps = [
        FlowsheetMap(_items(items, place.at(name)), columns)
        for name, (columns, items) in TABLES.items()
    ]
    if faults:
        raise CourseFileError(faults)
    return maps


def _preset(words: Mapping[str, Any], place: Place) -> list[FlowsheetMap]:
    place.only_keys(words, ("preset",))
    if words["preset"] != PRESET:
        place.at("preset").refuse(f"expected {PRESET}")
        return []
    return preset_maps()


def _columns(raw: Any, place: Place) -> Mapping[str, str]:
    words = {} if raw is None else place.mapping(raw) or {}
    place.only_keys(words, COLUMNS)
    return {key: place.at(key).text(name) for key, name in words.items() if key in COLUMNS}


def _items(words: Mapping[str, Any], place: Place) -> dict[str, MappedItem]:
    found: dict[str, MappedItem] = {}
    for name, raw in words.items():
        here = place.at(name[:60])
        item = here.mapping(raw)
        read = None if item is None else _item(item, here)
        if read is not None:
            found[plain_text(name)] = read
    return found


def _item(words: Mapping[str, Any], place: Place) -> MappedItem | None:
    about = [key for key in _KEYS if key in words]
    if len(about) != 1:
        place.refuse("expected one of " + ", ".join(_KEYS))
        return None
    place.only_keys(words, _KEYS[about[0]])
    readers = {"field": _field, "analyte": _analyte, "drug": _drug, "agent": _agent}
    return readers[about[0]](words, place)


def _word(words: Mapping[str, Any], key: str, allowed: Any, place: Place) -> str | None:
    word = words.get(key)
    if isinstance(word, str) and word in {*allowed}:
        return word
    place.at(key).refuse("expected one of " + ", ".join(allowed))
    return None


def _unit(words: Mapping[str, Any], place: Place) -> str:
    return plain_text(place.at("unit").text(words.get("unit")))


def _units(words: Mapping[str, Any], place: Place) -> dict[str, tuple[str, Place]]:
    """Return the units that rows may have, each with what it is called here and its place."""
    raw = words.get("units")
    if raw is None:
        unit = _unit(words, place)
        return {unit: (unit, place.at("unit"))}
    if "unit" in words:
        place.at("unit").refuse("units are given too")
    here = place.at("units")
    return {
        plain_text(text): (plain_text(here.at(text[:60]).text(unit)), here.at(text[:60]))
        for text, unit in (here.mapping(raw) or {}).items()
    }


def _field(words: Mapping[str, Any], place: Place) -> MappedItem | None:
    name = _word(words, "field", (*NUMBERS, DEVICE), place)
    if name is None:
        return None
    if name == DEVICE:
        return _device(words, place)
    if "values" in words:
        place.at("values").refuse("only of a device")
    method = ""
    if "method" in words:
        method = _word(words, "method", (CUFF, ARTERIAL), place) or ""
    units: dict[str, str | UnitRow] = {}
    for text, (unit, here) in _units(words, place).items():
        if {text, unit} & _OTHER_SCALE.get(name, frozenset()):
            here.refuse(f"{unit} is another scale than {name} has")
        if name == FIO2 and unit not in ("%", *_FRACTION):
            here.refuse("required: % for 21 to 100, 1 for a part of 1")
        row = _tabled(name, unit, here) if name in _TABLED else None
        units[text] = unit if row is None else row
    return MappedItem("field", name, units, method)


def _tabled(thing: str, unit: str, place: Place) -> UnitRow | None:
    """Return the row of a unit by the table; the course file's own name of it is known too."""
    is_of_course_file = thing in set(Analyte) and lab_unit(Analyte(thing), unit) is not None
    text = (written_unit(thing, unit) if is_of_course_file else None) or unit
    try:
        return unit_row(thing, UnitText(text))
    except UnreadableError:
        place.refuse(f"no unit of {thing} in the table of units")
        return None


def _device(words: Mapping[str, Any], place: Place) -> MappedItem | None:
    here = place.at("values")
    if words.get("values") is None:
        return MappedItem("field", DEVICE, values={word: word for word in OxygenDevice})
    values = here.mapping(words["values"]) or {}
    for text, word in values.items():
        if word not in set(OxygenDevice):
            here.at(text[:60]).refuse("expected one of " + ", ".join(OxygenDevice))
    return MappedItem(
        "field", DEVICE, values={plain_text(text): str(word) for text, word in values.items()}
    )


def _analyte(words: Mapping[str, Any], place: Place) -> MappedItem | None:
    analyte = _word(words, "analyte", Analyte, place)
    if analyte is None:
        return None
    units: dict[str, str | UnitRow] = {}
    for text, (unit, here) in _units(words, place).items():
        row = _tabled(analyte, unit, here)
        if row is not None:
            _check_same_unit(analyte, text, row, here)
            units[text] = row
    return MappedItem("analyte", analyte, units)


def _check_same_unit(analyte: str, text: str, row: UnitRow, place: Place) -> None:
    """Refuse a unit of the table that the map calls another one."""
    try:
        known = unit_row(analyte, UnitText(text))
    except UnreadableError:
        return
    if (known.unit, known.factor) != (row.unit, row.factor):
        place.refuse(f"{text} is {known.unit}, by the table of units")


def _drug(words: Mapping[str, Any], place: Place) -> MappedItem | None:
    if words.get("drug") in _AGENTS:
        return _agent(
            {"agent" if key == "drug" else key: word for key, word in words.items()}, place
        )
    drug = _word(words, "drug", (*VasopressorDrug, *TreatmentAgent), place)
    if drug is None:
        return None
    raw = words.get("units")
    units = {} if raw is None else place.at("units").mapping(raw) or {}
    if "unit" in words:
        units = {**units, str(words["unit"]): words["unit"]}
    allowed = [unit.value for unit in DRUGS[VasopressorDrug(drug)].units]
    for text, unit in units.items():
        if unit not in allowed:
            place.at("units").at(text[:60]).refuse("expected one of " + ", ".join(allowed))
    strength = place.at("concentration_per_ml").number(
        words.get("concentration_per_ml"), above_zero=True
    )
    return MappedItem(
        "drug",
        drug,
        {plain_text(text): str(unit) for text, unit in units.items()},
        concentration_per_ml=None if strength is None else _digits(strength),
    )


def _digits(number: Decimal) -> str:
    return f"{number:f}"


def _agent(words: Mapping[str, Any], place: Place) -> MappedItem | None:
    agent = _word(words, "agent", TreatmentAgent, place)
    if agent is None:
        return None
    if "concentration_per_ml" in words:
        place.at("concentration_per_ml").refuse("only of a drug that runs")
    units: dict[str, str | UnitRow] = {}
    for text, (unit, here) in _units(words, place).items():
        row = _tabled(agent, unit or "mg", here)
        if row is not None:
            units[text or "mg"] = row
    return MappedItem("agent", agent, units)


def plain_text(text: str) -> str:
    """Return a name, unit or value of a flowsheet as it is compared: composed, without blanks."""
    return unicodedata.normalize("NFC", text).strip()
