"""The course file: one JSON document, one course (formats crs-course/1 and crs-course/2).

The second format adds what scales other than Lee's ask; the first means what it always meant.

One reader for files, demonstration patients and charted rows alike. It refuses a document whole and
names every fault by its place; it never guesses and never corrects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Final

from grading.engine.dose_limits import converted_rates, impossible_dose
from grading.engine.entries import (
    BaselineFacts,
    Entry,
    Retraction,
    Vasopressor,
    Weight,
    in_force,
)
from grading.engine.facts import Baseline, CourseFacts, PolicyFrom
from grading.engine.policy import DEFAULT_POLICY, PARAMETERS, Policy, PolicyError, policy_from
from grading.engine.units import is_plain_number
from grading.engine.vocabulary import (
    AGE_YEARS,
    AT_MOST_AHEAD,
    TOO_FAR_FROM_INFUSION,
    WEIGHT_KG,
    RiskQuestion,
    Sex,
)
from grading.entry_reader import read_fields
from grading.faults import CourseFileError, Fault, Place
from grading.format_2 import refuse_what_is_new
from grading.json_document import read_json
from grading.plain_text import LONGEST_MRN, LONGEST_PRODUCT, without_blanks_around

__all__ = [
    "FORMAT",
    "FORMAT_2",
    "CourseDocument",
    "CourseFileError",
    "Fault",
    "PatientFacts",
    "read_course",
    "read_entry",
]

FORMAT: Final = "crs-course/1"
FORMAT_2: Final = "crs-course/2"
FORMATS: Final = (FORMAT, FORMAT_2)

_TOP_KEYS: Final = frozenset(
    {"format", "patient", "therapy", "baseline", "weight_kg", "policy", "later_policies", "entries"}
)
_PATIENT_KEYS: Final = frozenset(
    {
        "mrn",
        "name",
        "birth_date",
        "age_years",
        "sex",
        "developmental_delay",
        *(question.value for question in RiskQuestion),
    }
)
_THERAPY_KEYS: Final = frozenset({"product", "infused_at"})
_LATER_POLICY_KEYS: Final = frozenset({"from", "policy"})


@dataclass(frozen=True, slots=True)
class PatientFacts:
    mrn: str
    name: str
    birth_date: date | None
    age_years: Decimal | None
    sex: Sex
    developmental_delay: bool | None = None


@dataclass(frozen=True, slots=True)
class CourseDocument:
    """A course file as read. ``risk`` holds the patient's risk answers, None where unanswered."""

    patient: PatientFacts
    product: str
    facts: CourseFacts
    risk: Mapping[str, bool | None]
    entries: tuple[Entry, ...]


def read_course(
    document: str | bytes | Mapping[str, Any], *, charted: bool = False
) -> CourseDocument:
    """Read the course in ``document``; raises CourseFileError with every fault found.

    ``charted``: its entries are rows of the chart, which was stricter or milder when they were
    charted: texts, times and doses are read whatever they are.
    """
    faults: list[Fault] = []
    place = Place("", faults, charted=charted)
    words = read_json(document) if isinstance(document, str | bytes) else document
    if not isinstance(words, Mapping):
        place.refuse("expected a JSON object")
        raise CourseFileError(faults)
    if words.get("format") not in FORMATS:
        expected = " or ".join(f'"{name}"' for name in FORMATS)
        place.at("format").refuse(f"expected {expected}, found {_quoted(words.get('format'))}")
        raise CourseFileError(faults)
    if words["format"] == FORMAT:
        refuse_what_is_new(words, place)
    place.only_keys(words, _TOP_KEYS)
    patient, risk = _patient(words.get("patient"), place.at("patient"))
    product, infused_at = _therapy(words.get("therapy"), place.at("therapy"))
    baseline = _baseline(words.get("baseline"), place.at("baseline"))
    weight_kg = _dosing_weight(words.get("weight_kg"), place.at("weight_kg"))
    policy = _policy(words.get("policy"), place.at("policy"))
    policies = _later_policies(words.get("later_policies"), place.at("later_policies"))
    entries, places = _entries(words.get("entries"), place.at("entries"))
    if infused_at is not None and not charted:
        _check_times(entries, places, infused_at)
        _check_doses(entries, places, infused_at, weight_kg)
        _check_birth(patient, infused_at, place)
    if faults or patient is None or infused_at is None:
        raise CourseFileError(faults)
    facts = CourseFacts(
        infused_at=infused_at,
        birth_date=patient.birth_date,
        age_years=patient.age_years,
        weight_kg=weight_kg,
        baseline=baseline,
        policy=policy,
        policies=policies,
        developmental_delay=patient.developmental_delay,
    )
    return CourseDocument(patient, product, facts, risk, tuple(entries))


def _check_birth(patient: PatientFacts | None, infused_at: datetime, place: Place) -> None:
    if patient is None or patient.birth_date is None:
        return
    here = place.at("patient").at("birth_date")
    if patient.birth_date > infused_at.date():
        here.refuse("lies after the infusion")
    elif infused_at.year - patient.birth_date.year > AGE_YEARS.highest:
        here.refuse("more than 120 years before the infusion")


def read_entry(raw: Mapping[str, Any], *, index_place: str = "") -> Entry:
    """Read one entry with the keys of the course file, or with a form's ``temperature_f``.

    Raises CourseFileError; places are relative to ``index_place``.
    """
    faults: list[Fault] = []
    entry = read_fields(raw, Place(index_place, faults, charted=True))
    if faults or entry is None:
        raise CourseFileError(faults)
    return entry


def _patient(raw: Any, place: Place) -> tuple[PatientFacts | None, dict[str, bool | None]]:
    words = place.mapping(raw)
    if words is None:
        return None, {}
    place.only_keys(words, _PATIENT_KEYS)
    birth_date = place.at("birth_date").date(words.get("birth_date"))
    age_years = place.at("age_years").number(words.get("age_years"), AGE_YEARS)
    if words.get("birth_date") is None and words.get("age_years") is None:
        place.refuse("birth_date or age_years is required: pressure limits depend on age")
    sex = place.at("sex").one_of(words.get("sex"), Sex)
    risk = {q.value: place.at(q.value).boolean(words.get(q.value)) for q in RiskQuestion}
    patient = PatientFacts(
        place.at("mrn").text(_stripped(words.get("mrn")), LONGEST_MRN),
        place.at("name").text(_stripped(words.get("name"))),
        birth_date,
        age_years,
        sex or Sex.UNKNOWN,
        place.at("developmental_delay").boolean(words.get("developmental_delay")),
    )
    return patient, risk


def _therapy(raw: Any, place: Place) -> tuple[str, datetime | None]:
    words = place.mapping(raw)
    if words is None:
        return "", None
    place.only_keys(words, _THERAPY_KEYS)
    if words.get("infused_at") is None:
        place.at("infused_at").refuse("required: nothing is graded before the infusion")
    infused_at = place.at("infused_at").time(words.get("infused_at"), keep_offset=True)
    product = place.at("product").text(_stripped(words.get("product")), LONGEST_PRODUCT)
    return product, infused_at


def _stripped(raw: Any) -> Any:
    """Return text without the blanks around it, which are no part of a number or a name."""
    return without_blanks_around(raw) if isinstance(raw, str) else raw


def _baseline(raw: Any, place: Place) -> Baseline:
    words = {} if raw is None else place.mapping(raw)
    if words is None:
        return Baseline()
    facts = read_fields(
        {"kind": "baseline", "id": "-", "at": "2000-01-01T00:00:00Z", **words}, place
    )
    taken = {"id", "at", "kind", "recorded_at", "attribution", "note", "replaces"} & set(words)
    for key in sorted(taken):
        place.at(key).refuse("no such key here")
    return Baseline().with_entries([facts]) if isinstance(facts, BaselineFacts) else Baseline()


def _dosing_weight(raw: Any, place: Place) -> Decimal | None:
    return place.number(raw, WEIGHT_KG)


def _policy(raw: Any, place: Place) -> Policy:
    words = {} if raw is None else place.mapping(raw)
    overrides: dict[str, Any] = {}
    for name, value in (words or {}).items():
        is_number = name in PARAMETERS and not PARAMETERS[name].choices
        if is_number and isinstance(value, str) and not is_plain_number(value):
            place.at(name).refuse("expected a number")
        elif isinstance(value, list | Mapping):
            place.at(name).refuse("expected a single value")
        else:
            overrides[name] = value
    try:
        return policy_from(overrides)
    except PolicyError as error:
        for name, what in error.faults.items():
            place.at(name).refuse(what)
        return DEFAULT_POLICY


def _later_policies(raw: Any, place: Place) -> tuple[PolicyFrom, ...]:
    """Return the policies that followed during the course, each whole and from its time on."""
    if not isinstance(raw, list | tuple | NoneType):
        place.refuse("expected a list of policies")
        return ()
    later: list[PolicyFrom] = []
    for index, item in enumerate(raw or ()):
        here = place.item(index)
        words = here.mapping(item)
        if words is None:
            continue
        here.only_keys(words, _LATER_POLICY_KEYS)
        if words.get("from") is None:
            here.at("from").refuse("required: the time from which this policy holds")
        policy = _policy(words.get("policy"), here.at("policy"))
        begins = here.at("from").time(words.get("from"))
        if begins is None:
            continue
        if later and begins <= later[-1].at:
            here.at("from").refuse("expected a time after the policy before")
        else:
            later.append(PolicyFrom(begins, policy))
    return tuple(later)


_Placed = tuple[list[Entry], dict[str, Place]]


def _entries(raw: Any, place: Place) -> _Placed:
    """Return the entries in the order of the file, and the place of each by its id."""
    if not isinstance(raw, list | tuple):
        place.refuse("expected a list of entries")
        return [], {}
    entries: list[Entry] = []
    places: dict[str, Place] = {}
    taken = {words["id"] for words in raw if isinstance(words, Mapping) and _is_text(words, "id")}
    for index, words in enumerate(raw):
        here = place.item(index)
        entry = read_fields(words, here, default_id=_fresh_id(index, taken))
        if entry is None:
            continue
        if entry.id in places:
            here.at("id").refuse(f'"{entry.id}" is the id of another entry too')
            continue
        places[entry.id] = here
        entries.append(entry)
        if entry.at - entry.recorded_at > AT_MOST_AHEAD:
            here.at("at").refuse("more than 5 min after its recorded_at")
    _check_replacements(entries, places)
    return entries, places


def _fresh_id(index: int, taken: set[str]) -> str:
    fresh = f"entry-{index}"
    while fresh in taken:
        fresh += "'"
    return fresh


def _check_replacements(entries: list[Entry], places: Mapping[str, Place]) -> None:
    by_id = {entry.id: entry for entry in entries}
    replaced: set[str] = set()
    for entry in entries:
        here = places[entry.id].at("replaces")
        if entry.replaces is None:
            if isinstance(entry, Retraction):
                here.refuse("required: which entry was entered in error?")
        elif entry.replaces not in by_id:
            here.refuse(f'no entry has the id "{entry.replaces}"')
        elif entry.replaces == entry.id:
            here.refuse("an entry cannot replace itself")
        elif entry.replaces in replaced:
            here.refuse(f'"{entry.replaces}" is already replaced by another entry')
        else:
            replaced.add(entry.replaces)


def _check_times(entries: list[Entry], places: Mapping[str, Place], infused_at: datetime) -> None:
    for entry in entries:
        if abs(entry.at - infused_at) > TOO_FAR_FROM_INFUSION:
            where = "before" if entry.at < infused_at else "after"
            places[entry.id].at("at").refuse(f"more than 5 years {where} the infusion")


def _check_doses(
    entries: list[Entry],
    places: Mapping[str, Place],
    infused_at: datetime,
    weight_kg: Decimal | None,
) -> None:
    """Hold doses to their hard limits; a rate with whatever weight converts it.

    Corrected rates too: the form would have refused them.
    """
    for entry in entries:
        if not isinstance(entry, Vasopressor):
            _refuse_dose(entry, None, places)
    in_order = sorted(entries, key=lambda entry: (entry.at, entry.recorded_at))
    holding = in_force(in_order)
    valid = {entry.id for entry in holding}
    corrected = [
        entry
        for entry in in_order
        if (isinstance(entry, Weight) and entry.id in valid)
        or (isinstance(entry, Vasopressor) and entry.id not in valid)
    ]
    for listed in (holding, corrected):
        for rate in converted_rates(listed, infused_at, weight_kg):
            if rate.weight_kg is not None:
                _refuse_dose(rate.entry, rate.weight_kg, places)


def _refuse_dose(entry: Entry, weight_kg: Decimal | None, places: Mapping[str, Place]) -> None:
    impossible = impossible_dose(entry, weight_kg)
    if impossible is not None:
        places[entry.id].at(impossible.place).refuse(impossible.sentence)


def _quoted(value: Any) -> str:
    if isinstance(value, str | int | Decimal):
        return f'"{str(value)[:60]}"'
    return "nothing" if value is None else "something else"


def _is_text(words: Mapping[str, Any], key: str) -> bool:
    return isinstance(words.get(key), str)
