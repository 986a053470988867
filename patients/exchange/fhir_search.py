"""Search what is charted, as FHIR R4: small on purpose, page by page.

Resources are those of the export, under ids that stay. They are in the order in which they changed
last, so that a page after a page, and a later search by ``_lastUpdated``, misses nothing: a
resource that was entered in error changes when that is charted.
"""

from __future__ import annotations

import re
import uuid
from calendar import isleap, monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict

from patients.exchange.access.callers import SystemRequest, for_systems
from patients.exchange.access.refusals import nothing_there
from patients.exchange.fhir_answers import Json
from patients.exchange.fhir_export import fhir_bundle
from patients.exchange.fhir_http import (
    bad_request,
    base_url,
    check_accepts,
    check_method,
    check_parameters,
    fhir_answer,
    instant,
)
from patients.exchange.formats.exact_json import read_json
from patients.models import Course, Patient
from patients.models.charted_times import ONE_TICK
from patients.queries.exchange import read_patient_of
from patients.queries.export import read_latest_known
from patients.queries.identity import courses_of_patient

_COUNT_AT_MOST: Final = 500
_COUNT: Final = 100
_PREFIXES: Final = ("eq", "ge", "gt", "le", "lt")
_PARTIAL: Final = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2}))?)?", re.ASCII
)
_URN: Final = "urn:uuid:"


@dataclass(frozen=True)
class _Found:
    """A resource of the export, and when it changed last."""

    resource: Json
    changed_at: str

    @property
    def kind(self) -> str:
        return str(self.resource["resourceType"])

    @property
    def place(self) -> str:
        """Its place in the order of a search: it grows, and no two have the same."""
        return f"{self.changed_at}|{self.kind}/{self.resource['id']}"


@for_systems("system/Patient.s")
def patients(request: SystemRequest) -> HttpResponse:
    """Find the patient of a record number: ``identifier`` is ``system|number``."""
    check_method(request, "GET")
    return _patient_of(request, request.GET)


@for_systems("system/Patient.s")
def patients_posted(request: SystemRequest) -> HttpResponse:
    """Find the patient of a record number that stands in the body, and in no address."""
    check_method(request, "POST")
    request.only_reads = True
    return _patient_of(request, request.POST)


def _patient_of(request: SystemRequest, query: QueryDict) -> HttpResponse:
    check_accepts(request)
    check_parameters(query, "identifier")
    system, bar, number = query.get("identifier", "").partition("|")
    if not bar or not system or not number:
        raise bad_request("identifier: expected system|number.")
    patient = None
    if system == request.caller.system.mrn_system and (found := read_patient_of([number])):
        patient = found[0]
    resources = [] if patient is None else _resources(request, patient)
    return _page(request, [one for one in resources if one.kind == "Patient"][:1])


@for_systems("system/Patient.r", "system/Observation.r", "system/MedicationAdministration.r")
def everything(request: SystemRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Send all that is charted of a patient, page by page."""
    check_method(request, "GET")
    check_accepts(request)
    check_parameters(request.GET, "_count", "_after")
    return _page(request, _resources(request, _patient_or_404(patient_id)))


def search_observations(request: SystemRequest) -> HttpResponse:
    """Search by patient, code, date and last change."""
    request.caller.require("system/Observation.s")
    check_parameters(
        request.GET, "patient", "code", "date", "_lastUpdated", "_count", "_after",
        repeated=("date", "_lastUpdated"),
    )  # fmt: skip
    filters = [
        *(_code_filter(one) for one in request.GET.getlist("code")),
        *(_date_filter(one, "date", _effective) for one in request.GET.getlist("date")),
        *(
            _date_filter(one, "_lastUpdated", _last_changed)
            for one in request.GET.getlist("_lastUpdated")
        ),
    ]
    return _search(request, "Observation", filters)


def search_administrations(request: SystemRequest) -> HttpResponse:
    """Search by patient."""
    request.caller.require("system/MedicationAdministration.s")
    check_parameters(request.GET, "patient", "_count", "_after")
    return _search(request, "MedicationAdministration", [])


_Filter = Callable[[_Found], bool]


def _search(request: SystemRequest, kind: str, filters: Iterable[_Filter]) -> HttpResponse:
    text = request.GET.get("patient", "").removeprefix("Patient/")
    if not text:
        raise bad_request("patient: expected the id of a patient.")
    try:
        patient_id = uuid.UUID(text)
    except ValueError:
        raise bad_request("patient: expected the id of a patient.") from None
    patient = Patient.objects.filter(pk=patient_id).first()
    resources = [] if patient is None else _resources(request, patient)
    wanted = [one for one in resources if one.kind == kind and all(fits(one) for fits in filters)]
    return _page(request, wanted)


def _patient_or_404(patient_id: uuid.UUID) -> Patient:
    patient = Patient.objects.filter(pk=patient_id).first()
    if patient is None:
        raise nothing_there()
    return patient


def _resources(request: SystemRequest, patient: Patient) -> list[_Found]:
    """Return every resource of the courses of a patient, in the order of their last changes."""
    found: dict[str, _Found] = {}
    for course in courses_of_patient(patient.pk):
        request.concerned_courses.append(course.pk)
        for one in _of_course(course, request.caller.system.mrn_system):
            found.setdefault(f"{one.kind}/{one.resource['id']}", one)
    return sorted(found.values(), key=lambda one: one.place)


def _of_course(course: Course, mrn_system: str) -> Iterator[_Found]:
    known_at = max(read_latest_known(), course.admitted_at)
    bundle = read_json(fhir_bundle(course, known_at, mrn_system=mrn_system))
    resources = [entry["resource"] for entry in bundle["entry"]]
    changed = _Changes(course.admitted_at.isoformat())
    for resource in resources:
        changed.note(resource)
    types = {one["id"]: one["resourceType"] for one in resources}
    for resource in resources:
        yield _Found(_with_relative_references(resource, types), changed.of(resource))


@dataclass
class _Changes:
    """When each resource changed last: when it was charted, corrected or retracted."""

    at_first: str
    _by_id: dict[str, str] = field(default_factory=dict)

    def note(self, resource: Mapping[str, Any]) -> None:
        if resource["resourceType"] != "Provenance":
            return
        revised = [one["what"] for one in resource.get("entity", []) if one["role"] == "revision"]
        for reference in (*resource["target"], *revised):
            key = str(reference.get("reference", "")).removeprefix(_URN)
            self._by_id[key] = max(self._by_id.get(key, ""), _in_utc(resource["recorded"]))

    def of(self, resource: Mapping[str, Any]) -> str:
        known = self._by_id.get(resource["id"])
        if known is not None:
            return known
        stated = resource.get("issued") or resource.get("recorded")
        return _in_utc(str(stated or resource.get("occurrenceDateTime") or self.at_first))


def _in_utc(text: str) -> str:
    """Return an instant so that texts are in the order of the instants."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC).replace(tzinfo=None).isoformat("T", "microseconds")


def _with_relative_references(node: Any, types: Mapping[str, str]) -> Any:
    """Return a resource whose references to others of the course are ``Type/id``."""
    if isinstance(node, Mapping):
        return {
            key: _relative(value, types)
            if key == "reference" and isinstance(value, str)
            else _with_relative_references(value, types)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_with_relative_references(one, types) for one in node]
    return node


def _relative(reference: str, types: Mapping[str, str]) -> str:
    key = reference.removeprefix(_URN)
    return f"{types[key]}/{key}" if key in types else reference


def _page(request: SystemRequest, found: list[_Found]) -> HttpResponse:
    """Answer one page of a search, with the address of the next: after the last one's place."""
    count, after = _count(request), request.GET.get("_after", "")
    rest = [one for one in found if one.place > after] if after else found
    page, base = rest[:count], base_url(request)
    links = [{"relation": "self", "url": request.build_absolute_uri()}]
    if 0 < count < len(rest):
        query = [
            (name, value)
            for name, values in request.GET.lists()
            for value in values
            if name != "_after"
        ]
        address = request.build_absolute_uri(request.path)
        following = urlencode([*query, ("_after", page[-1].place)])
        links.append({"relation": "next", "url": f"{address}?{following}"})
    entries = [
        {
            "fullUrl": f"{base}/{one.kind}/{one.resource['id']}",
            "resource": one.resource,
            "search": {"mode": "match"},
        }
        for one in page
    ]
    body: Json = {
        "resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links,
    }  # fmt: skip
    return fhir_answer(body | ({"entry": entries} if entries else {}))


def _count(request: SystemRequest) -> int:
    """Return how many resources a page has; ``_count=0`` asks for their number alone (FHIR R4)."""
    text = request.GET.get("_count", str(_COUNT))
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise bad_request(f"_count: expected 0 to {_COUNT_AT_MOST}.")
    return min(int(text), _COUNT_AT_MOST)


def _code_filter(text: str) -> _Filter:
    """Return the filter of ``code``: ``system|code`` or a code, several with commas between."""
    wanted = [one.rpartition("|") for one in text.split(",")]
    if not all(code for _, _, code in wanted):
        raise bad_request("code: expected system|code.")

    def fits(found: _Found) -> bool:
        codings = _codings(found.resource)
        return any(
            code == coding.get("code") and (not bar or system == coding.get("system", ""))
            for system, bar, code in wanted
            for coding in codings
        )

    return fits


def _codings(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    concepts = [resource.get("code", {})]
    concepts += [one.get("code", {}) for one in resource.get("component", [])]
    return [coding for concept in concepts for coding in concept.get("coding", [])]


_Span = tuple[datetime, datetime]


def _effective(found: _Found) -> _Span | None:
    """Return first and last instant of what a resource is about."""
    resource = found.resource
    if text := resource.get("effectiveDateTime"):
        at = datetime.fromisoformat(text)
        return at, at
    period = resource.get("effectivePeriod")
    if not period:
        return None
    start = datetime.fromisoformat(period["start"])
    end = datetime.fromisoformat(period["end"]) if "end" in period else None
    return start, end or datetime.max.replace(tzinfo=start.tzinfo)


def _last_changed(found: _Found) -> _Span:
    at = datetime.fromisoformat(f"{found.changed_at}+00:00")
    return at, at


def _date_filter(text: str, name: str, span_of: Callable[[_Found], _Span | None]) -> _Filter:
    """Return the filter of a date or an instant, with a prefix (``ge2026-01-02``)."""
    prefix = text[:2] if text[:2] in _PREFIXES else "eq"
    first, last = _bounds(text.removeprefix(prefix) if text[:2] in _PREFIXES else text, name)

    def fits(found: _Found) -> bool:
        span = span_of(found)
        if span is None:
            return False
        start, end = span
        return {
            "eq": first <= start and end < last,
            "ge": end >= first,
            "gt": end >= last,
            "le": start < last,
            "lt": start < first,
        }[prefix]

    return fits


def _bounds(text: str, name: str) -> _Span:
    """Return the first instant that a text means, and the first after it.

    A year, a month and a day are those of UTC. The last of the calendar end with it.
    """
    found = _PARTIAL.fullmatch(text)
    if found is not None:
        year, month, day = (found[part] for part in ("year", "month", "day"))
        try:
            first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        except ValueError:
            raise bad_request(f"{name}: no such day.") from None
        return first, _after(first, timedelta(days=_days(first, month, day)))
    at = instant(text, name)
    return at, _after(at, ONE_TICK)


def _days(first: datetime, month: str | None, day: str | None) -> int:
    """Return how many days a text means that begins with ``first``: one, a month's or a year's."""
    if day is not None:
        return 1
    if month is not None:
        return monthrange(first.year, first.month)[1]
    return 366 if isleap(first.year) else 365


def _after(at: datetime, length: timedelta) -> datetime:
    try:
        return at + length
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)
