"""Parts of FHIR R4 resources as plain JSON values: codes, quantities, times, references, ids.

Numbers are the text of the chart. Source: HL7 FHIR R4 (4.0.1), data types.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from patients.exchange.formats.code_rows import (
    COURSE_FILE_1,
    COURSE_FILE_2,
    MDC,
    UCUM,
    Amount,
    CodeRow,
    Kind,
)
from patients.exchange.formats.codes import written_codes
from patients.exchange.formats.units import written_unit

Json = dict[str, Any]

ENTRY: Final = "urn:crs:entry"
ENTRY_OF_STOP: Final = "urn:crs:entry-of-stop"
ATTRIBUTION: Final = "urn:crs:attribution"
DOSING_WEIGHT: Final = "urn:crs:dosing-weight"
AGE_YEARS: Final = "urn:crs:age-years"
COURSE: Final = "urn:crs:course"
GRADE: Final = f"{COURSE_FILE_1}grade"

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_NUMBER: Final = "\x00"
_WRITTEN_NUMBER: Final = re.compile(r'"\\u0000([-0-9.]+)"')
_NAMESPACE: Final = uuid.UUID("3f7c1f0e-8f5b-5c47-9d0b-6a1f5f3d2c11")
_FARTHEST_OFFSET: Final = timedelta(hours=14)
_SHOWN_UNITS: Final = {"mm[Hg]": "mmHg", "ug/min": "mcg/min", "ug/kg/min": "mcg/kg/min"}
"""Units that people read otherwise than UCUM writes them."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of resources, the same in every export of a course.

    The id of an entry that is a UUID stays; from another one, and for each further resource of an
    entry, a UUID is made of MRN, entry and field.
    """

    mrn: str

    def of_entry(self, entry_id: str, field: str = "") -> str:
        if field:
            return self.of("entry", entry_id, field)
        return self.own(entry_id, "entry", entry_id)

    def own(self, chart_id: str, *what: str) -> str:
        """Return an id of the chart where it is a UUID, else one made of ``what`` it is of."""
        return chart_id if _is_uuid(chart_id) else self.of(*what)

    def of(self, *what: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, json.dumps([self.mrn, *what])))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def reference(resource_id: str) -> Json:
    return {"reference": f"urn:uuid:{resource_id}"}


def number(raw: Any) -> str:
    """Return a number of the course file for ``json_text``: its own digits, no exponent."""
    return f"{_NUMBER}{Decimal(str(raw)):f}"


def json_text(tree: Any) -> str:
    """Return ``tree`` as JSON in one line, each ``number`` with its own digits.

    The standard encoder would write numbers through a binary float. It gets them as text with a
    mark that no text of a chart has, and the quotes are taken off afterwards, which is much faster
    than an encoder in Python.
    """
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    return _WRITTEN_NUMBER.sub(r"\1", text)


def words_text(words: Mapping[str, Any]) -> str:
    """Return a part of a course file as JSON, each number with its own digits."""
    return json_text(_exactly(words))


def _exactly(value: Any) -> Any:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return {key: _exactly(item) for key, item in value.items()}
    return [_exactly(item) for item in value] if isinstance(value, list | tuple) else value


def time_text(instant: datetime) -> str:
    """Return an instant with its offset; in UTC where FHIR has no such offset."""
    offset = instant.utcoffset() or timedelta()
    if abs(offset) > _FARTHEST_OFFSET or offset % timedelta(minutes=1):
        instant = instant.astimezone(UTC)
    return instant.isoformat()


def period(start: datetime, end: datetime | None) -> Json:
    """Return a Period, both ends in one offset, so that they compare rightly as text too."""
    if end is None:
        return {"start": time_text(start)}
    return {"start": time_text(start), "end": time_text(end.astimezone(start.tzinfo))}


def coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def local(kind: str, code: str, display: str = "") -> Json:
    """Return a code of the course file, of the format that had its kind or field first."""
    return coding(f"{COURSE_FILE_1}{kind}", code, display)


def local_2(kind: str, code: str, display: str = "") -> Json:
    """Return a code that only crs-course/2 has."""
    return coding(f"{COURSE_FILE_2}{kind}", code, display)


def concept(*codings: Json, text: str = "") -> Json:
    return ({"coding": list(codings)} if codings else {}) | ({"text": text} if text else {})


def codes_of(kind: Kind, word: str, amount: Amount | None = None) -> list[Json]:
    """Return the codings of a word by the closed tables, those of monitors (MDC) left out.

    They say by which device a value was measured, which a chart does not know.
    """
    rows = written_codes(kind, word, amount)
    return [_coding_of(row) for row in rows if row.system != MDC]


def _coding_of(row: CodeRow) -> Json:
    return coding(row.system, row.code, row.meaning)


def codes_of_part(part: Json) -> list[str]:
    """Return the codes of a resource or a component."""
    return [one["code"] for one in part["code"].get("coding", ())]


def category(code: str) -> Json:
    return concept(coding(f"{_TERMINOLOGY}/observation-category", code))


def absent(code: str, text: str = "") -> Json:
    """Return a reason why a value is absent (``not-performed``)."""
    return concept(coding(f"{_TERMINOLOGY}/data-absent-reason", code), text=text)


def identifier_type(code: str) -> Json:
    return concept(coding(f"{_TERMINOLOGY}/v2-0203", code))


def data_operation(code: str) -> Json:
    return concept(coding(f"{_TERMINOLOGY}/v3-DataOperation", code))


def participant(code: str) -> Json:
    return concept(coding(f"{_TERMINOLOGY}/provenance-participant-type", code))


def quantity(raw: Any, thing: str, unit: str) -> Json:
    """Return an amount of ``thing`` in a unit of the course file, in UCUM.

    A unit that the table of units does not write is text without a code.
    """
    written = written_unit(thing, unit)
    if not written:
        return {"value": number(raw)} | ({"unit": unit} if unit else {})
    shown = _SHOWN_UNITS.get(written, written)
    return {"value": number(raw), "unit": shown, "system": UCUM, "code": written}


def extension(url: str, kind: str, value: Any) -> Json:
    return {"url": url, f"value{kind}": value}


def without_empty(resource: Mapping[str, Any]) -> Json:
    """Return a resource without empty lists and absent values, which FHIR forbids."""
    return {key: value for key, value in resource.items() if value not in (None, [], "", {})}


def texts(*notes: str) -> list[Json]:
    """Return annotations."""
    return [{"text": note} for note in notes if note]


def in_a_bundle(resources: Iterable[Json]) -> list[Json]:
    """Return the entries of a Bundle."""
    return [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in resources]
