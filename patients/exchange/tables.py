"""The rows of CSV exports: an entry of one course, or one course of a cohort.

Both are made of ``ExportedCourse``, identified or not; a de-identified one has fewer columns. An
empty cell is *not charted*, which is not *no*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from crs_app.spreadsheet import csv_line
from grading.course_file import read_entry
from grading.engine.algorithm.tree import CORTICOSTEROIDS
from grading.engine.vocabulary import DRUGS, OxygenDevice, TreatmentAgent, VasopressorDrug
from grading.entry_reader import FIELDS
from grading.format_2 import NEW_FIELDS, NEW_KINDS
from patients.display.assessment import first_assessed_at, was_assessed
from patients.exchange.deidentified import OLDER, OLDEST_SHOWN, completed_years
from patients.exchange.exported import ExportedCourse, in_utc
from patients.queries.export import GradeSpan

GRADES: Final = tuple(range(6))
_NOT_KNOWN, _NOT_ASSESSED = "not known", "not assessed"
_ASSESSING: Final = frozenset({"vitals", "oxygen"})
_HOUR: Final = timedelta(hours=1)


def _fields() -> tuple[str, ...]:
    """Return every key that an entry can have, each once, kind after kind.

    Those that crs-course/2 has added are the last: an older column keeps its place.
    """
    keys = [(kind, name) for kind, names in FIELDS.items() for name in sorted(names)]
    new_kinds = {kind.kind for kind in NEW_KINDS}
    before = [name for kind, name in keys if kind not in new_kinds and NEW_FIELDS.get(kind) != name]
    return tuple(dict.fromkeys([*before, *(name for _, name in keys)]))


_NAMES_OF_FIELDS: Final = {name: name for name in _fields()} | {
    "grade": "ctcae_grade",
    "product": "blood_product",
}
_OF_ENTRY: Final = (
    "course", "entry", "at", "recorded_at", "kind", "status", "replaces", "attribution",
    *_NAMES_OF_FIELDS.values(), "scale", "ruleset_version", "crs_grade", "crs_could_be",
)  # fmt: skip
_OF_ENTRY_IDENTIFIED: Final = ("note", "author", "role")
_OF_COURSE: Final = (
    "course", "patient", "age_years", "sex", "product", "infused_at", "closed_at", "entries",
    "scale", "ruleset_version", "assessed_since", "graded_until", "peak_grade", "peak_at",
    "hours_to_peak", "could_have_been", *(f"first_grade_{grade}_at" for grade in GRADES[1:]),
    *(f"hours_at_grade_{grade}" for grade in GRADES), "hours_not_assessed", "first_oxygen_at",
    "first_vasopressor_at", "first_tocilizumab_at", "tocilizumab_doses",
    "first_corticosteroid_at", "died_at", "developmental_delay",
)  # fmt: skip
_COLUMNS_OF_GRADES: Final = _OF_COURSE.index("first_oxygen_at") - _OF_COURSE.index("scale")
_OF_COURSE_IDENTIFIED: Final = ("mrn", "name", "birth_date", "ward", "bed")


def entry_lines(course: ExportedCourse, *, is_identified: bool) -> Iterator[str]:
    """Yield the lines of a CSV file of one course: an entry each, in the order of their times."""
    yield csv_line((*_OF_ENTRY, *(_OF_ENTRY_IDENTIFIED if is_identified else ())))
    replaced_by = {
        words["replaces"]: words["kind"] for words in course.document["entries"]
        if words.get("replaces")
    }  # fmt: skip
    assessed_since = _assessed_since(course)
    for words in course.document["entries"]:
        cells = [course.id, words["id"], words["at"], words["recorded_at"], words["kind"]]
        cells += [_status(words, replaced_by), words.get("replaces", ""), _attribution(words)]
        cells += [_cell(words, name) for name in _NAMES_OF_FIELDS]
        cells += _grade_cells(course, datetime.fromisoformat(words["at"]), assessed_since)
        if is_identified:
            author = course.authors[words["id"]]
            cells += [words.get("note", ""), author.name, author.role]
        yield csv_line(cells)


def cohort_head(*, is_identified: bool) -> str:
    """Return the first line of a CSV file of a cohort."""
    return csv_line((*_OF_COURSE, *(_OF_COURSE_IDENTIFIED if is_identified else ())))


def cohort_line(course: ExportedCourse, *, is_identified: bool) -> str:
    """Return the line of one course."""
    patient, therapy = course.document["patient"], course.document["therapy"]
    age = completed_years(course.document)
    cells: list[Any] = [
        course.id,
        course.patient_id,
        age if is_identified or age <= OLDEST_SHOWN else f"{OLDER}+",
        patient["sex"],
        therapy["product"],
        therapy["infused_at"],
        _time(course.ended_at),
        len(_in_force(course)),
        *_summary_of_grades(course),
        *_first_times(course),
        _cell(patient, "developmental_delay"),
    ]
    if is_identified:
        birth_date = patient.get("birth_date", "")
        cells += [patient["mrn"], patient["name"], birth_date, course.ward, course.bed]
    return csv_line(cells)


def _status(words: Mapping[str, Any], replaced_by: Mapping[str, str]) -> str:
    if words["kind"] == "retraction":
        return "marks an error"
    if words["id"] not in replaced_by:
        return "in force"
    return "entered in error" if replaced_by[words["id"]] == "retraction" else "corrected"


def _attribution(words: Mapping[str, Any]) -> str:
    attribution = words.get("attribution", "")
    if isinstance(attribution, Mapping):
        return " ".join(f"{name}={cause}" for name, cause in sorted(attribution.items()))
    return str(attribution)


def _cell(words: Mapping[str, Any], name: str) -> str:
    if name not in words:
        return ""
    value = words[name]
    if value is None:  # an infusion that runs at an unknown rate
        return _NOT_KNOWN if name == "rate" else ""
    if isinstance(value, list):
        return " ".join(value) or "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _grade_cells(
    course: ExportedCourse, at: datetime, assessed_since: datetime | None
) -> list[Any]:
    """Return scale, version, grade and bound at an instant; empty where nothing is graded."""
    for span in course.grades:
        if span.start <= at and (span.end is None or at < span.end):
            is_known = was_assessed(span.grade, at, assessed_since)
            grade = span.grade if is_known else _NOT_ASSESSED
            return [course.system, span.ruleset_version, grade, span.at_most]
    return ["", "", "", ""]


def _assessed_since(course: ExportedCourse) -> datetime | None:
    """Return from when on a grade 0 is known; before that too little was charted."""
    charted = [read_entry(one) for one in _in_force(course) if one["kind"] in _ASSESSING]
    return first_assessed_at(charted, _infused_at(course))


def _summary_of_grades(course: ExportedCourse) -> list[Any]:
    until, assessed_since = course.graded_until, _assessed_since(course)
    spans = [span for span in course.grades if span.start <= until]
    if not spans:
        return [course.system, *[""] * (_COLUMNS_OF_GRADES - 1)]
    highest = max(spans, key=lambda span: span.grade)  # the first of the highest
    is_known = was_assessed(highest.grade, until, assessed_since)
    peak_at = highest.start if highest.grade else assessed_since
    first: dict[int, datetime] = {}
    hours = dict.fromkeys(GRADES, timedelta(0))
    not_assessed = timedelta(0)
    for span in spans:
        first.setdefault(span.grade, span.start)
        lasted = _within(span, until)
        unknown = _before(span, until, assessed_since) if span.grade == 0 else timedelta(0)
        hours[span.grade] += lasted - unknown
        not_assessed += unknown
    return [
        course.system,
        spans[-1].ruleset_version,
        _time(assessed_since),
        in_utc(until),
        highest.grade if is_known else _NOT_ASSESSED,
        _time(peak_at) if is_known else "",
        "" if peak_at is None or not is_known else _hours(peak_at - _infused_at(course)),
        max(span.at_most for span in spans),
        *(_time(first.get(grade)) for grade in GRADES[1:]),
        *(_hours(hours[grade]) for grade in GRADES),
        _hours(not_assessed),
    ]


def _before(span: GradeSpan, until: datetime, assessed_since: datetime | None) -> timedelta:
    """Return how much of a span at grade 0 lies before its course was assessed."""
    end = span.start + _within(span, until)
    unknown_until = end if assessed_since is None else min(end, assessed_since)
    return max(unknown_until - span.start, timedelta(0))


def _within(span: GradeSpan, until: datetime) -> timedelta:
    return (until if span.end is None else min(span.end, until)) - span.start


def _hours(duration: timedelta) -> str:
    """Return a duration in hours, to the hundredth."""
    microseconds = Decimal(duration // timedelta(microseconds=1))
    return f"{microseconds / (_HOUR // timedelta(microseconds=1)):.2f}"


def _first_times(course: ExportedCourse) -> list[Any]:
    entries = _in_force(course)
    infused_at = _infused_at(course)
    since = [words for words in entries if datetime.fromisoformat(words["at"]) >= infused_at]
    oxygen = _times(since, "oxygen", lambda words: words["device"] != OxygenDevice.ROOM_AIR)
    pressor = _times(since, "vasopressor", _runs)
    tocilizumab = _times(since, "treatment", lambda one: one["agent"] == TreatmentAgent.TOCILIZUMAB)
    corticosteroid = _times(since, "treatment", lambda one: one["agent"] in CORTICOSTEROIDS)
    return [
        *(times[0] if times else "" for times in (oxygen, pressor, tocilizumab)),
        len(tocilizumab) or "",
        corticosteroid[0] if corticosteroid else "",
        next(iter(_times(since, "death", lambda _: True)), ""),
    ]


def _runs(words: Mapping[str, Any]) -> bool:
    """Return whether an infusion of a drug that counts as a vasopressor runs, at any dose."""
    is_counted = DRUGS[VasopressorDrug(words["drug"])].counted
    return is_counted and (words["rate"] is None or Decimal(words["rate"]) != 0)


def _times(
    entries: Sequence[Mapping[str, Any]], kind: str, holds: Callable[[Mapping[str, Any]], bool]
) -> list[str]:
    return [words["at"] for words in entries if words["kind"] == kind and holds(words)]


def _in_force(course: ExportedCourse) -> list[Mapping[str, Any]]:
    """Return the entries that nothing replaces, in the order of their times."""
    entries = course.document["entries"]
    replaced = {words.get("replaces") for words in entries}
    return [
        words for words in entries if words["id"] not in replaced and words["kind"] != "retraction"
    ]


def _infused_at(course: ExportedCourse) -> datetime:
    return datetime.fromisoformat(course.document["therapy"]["infused_at"])


def _time(instant: datetime | None) -> str:
    return "" if instant is None else in_utc(instant)
