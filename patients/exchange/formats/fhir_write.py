"""Write a course as a FHIR R4 Bundle: every entry, who charted it, and its grades.

The Bundle is of type ``collection``: it has what the chart knew at one recording time, replaced
entries too, each with its status. The same course and times give the same text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from grading.course_file import CourseDocument, read_course
from grading.course_result import grade_course
from grading.engine.entries import Death, Entry, Retraction, Vasopressor
from grading.json_document import read_json
from grading.systems import HEADLINE
from patients.exchange.formats.charted import NOTHING_MORE, ChartRecord
from patients.exchange.formats.fhir_acts import People, acts_of, provenances
from patients.exchange.formats.fhir_charted import Charted, Standing
from patients.exchange.formats.fhir_course import course_resources, patient_resource
from patients.exchange.formats.fhir_entries import resources_of
from patients.exchange.formats.fhir_grades import grade_observation, guidance_responses, periods_of
from patients.exchange.formats.fhir_infusions import RatePeriod, administration_of, rate_periods
from patients.exchange.formats.fhir_ties import Written, settle_infusions, settle_ties
from patients.exchange.formats.fhir_written_parts import (
    Ids,
    Json,
    in_a_bundle,
    json_text,
    reference,
    time_text,
)

DEFAULT_MRN_SYSTEM: Final = "urn:crs:mrn"


def bundle_of(
    document: str | bytes | Mapping[str, Any],
    *,
    mrn_system: str = DEFAULT_MRN_SYSTEM,
    now: datetime | None = None,
    known_at: datetime | None = None,
    current: bool = False,
    record: ChartRecord = NOTHING_MORE,
) -> str:
    """Return a course file as the text of a Bundle; raises CourseFileError.

    The course is graded up to ``now`` and written as it was known at ``known_at``. Without ``now``
    it is the later of the last clinical and the last recording time, without ``known_at`` it is
    ``now``. ``current`` leaves out what was replaced. ``record`` is what the chart knows beyond the
    course file.
    """
    words = read_json(document) if isinstance(document, str | bytes) else document
    course = read_course(words, charted=record is not NOTHING_MORE)
    if now is None:
        now = _latest_time(course)
    export = _Export(course, words, mrn_system, now, known_at or now, current, record)
    return json_text(export.bundle())


def _latest_time(course: CourseDocument) -> datetime:
    times = [time for entry in course.entries for time in (entry.at, entry.recorded_at)]
    return max(times, default=course.facts.infused_at)


class _Export:
    """One Bundle on its way."""

    def __init__(
        self,
        course: CourseDocument,
        words: Mapping[str, Any],
        mrn_system: str,
        now: datetime,
        known_at: datetime,
        current: bool,
        record: ChartRecord,
    ) -> None:
        self.course, self.words, self.mrn_system, self.record = course, words, mrn_system, record
        self.now, self.known_at, self.current = now, known_at, current
        self.ids = Ids(course.patient.mrn)
        self.people = People(self.ids)
        self.patient_id = self.ids.own(record.patient_id, "patient")
        self.device_id = self.ids.of("device", HEADLINE.key, HEADLINE.version)
        pairs = [
            (entry, raw)
            for entry, raw in zip(course.entries, words["entries"], strict=True)
            if entry.recorded_at <= known_at
        ]
        # In the order of charting: what is equal in its times keeps its place when it is read.
        self.pairs = sorted(pairs, key=lambda pair: pair[0].recorded_at)
        self.replacements = {
            entry.replaces: entry for entry, _ in self.pairs if entry.replaces is not None
        }
        self.acts = acts_of(record, [entry for entry, _ in self.pairs])
        self.authors = {entry_id: act.author for act in self.acts for entry_id in act.entries}
        self.resources: dict[str, list[str]] = {}
        self.replaced: dict[str, list[str]] = {}

    def bundle(self) -> Json:
        charted = [
            self._charted(entry, raw)
            for entry, raw in self.pairs
            if not isinstance(entry, Retraction)
        ]
        if self.current:
            charted = list(filter(_is_in_force, charted))
        entries = self._entries(charted)
        grades = self._grades()
        made = [
            patient_resource(self.course, self.patient_id, self.mrn_system, self._death()),
            self._device(),
            *self._course(),
            *entries,
            *self._provenances(),
            *grades,
            *guidance_responses(
                self.record.answers, self._patient(), reference(self.device_id), self.ids
            ),
        ]
        return {
            "resourceType": "Bundle",
            "identifier": {"system": "urn:crs:export", "value": self._name()},
            "type": "collection",
            "timestamp": time_text(self.known_at),
            "entry": in_a_bundle([*made, *self.people.resources()]),
        }

    def _name(self) -> str:
        course_id = self.record.course_id or self.ids.of("course", self._infused_at())
        return f"{course_id}|{time_text(self.known_at)}"

    def _infused_at(self) -> str:
        return time_text(self.course.facts.infused_at)

    def _patient(self) -> Json:
        return reference(self.patient_id)

    def _charted(self, entry: Entry, raw: Mapping[str, Any]) -> Charted:
        successor = self.replacements.get(entry.id)
        standing = Standing.FINAL if entry.replaces is None else Standing.CORRECTION
        error_note = ""
        if successor is not None:
            standing = Standing.IN_ERROR
            what = "retracted" if isinstance(successor, Retraction) else "replaced"
            error_note = f"Entered in error; {what} at {time_text(successor.recorded_at)}."
        return Charted(
            entry=entry,
            words={"id": entry.id, **raw},
            standing=standing,
            error_note=error_note,
            patient=self._patient(),
            ids=self.ids,
            performer=self.people.performer(self.authors.get(entry.id)),
        )

    def _entries(self, charted: Sequence[Charted]) -> list[Json]:
        """Return the resources of all entries, in the order of their charting."""
        infusions = [one for one in charted if isinstance(one.entry, Vasopressor)]
        settled, self.replaced = settle_infusions(filter(_is_in_force, infusions))
        now_as = {one.entry.id: one for one in settled}
        charted = [now_as.get(one.entry.id, one) for one in charted]
        periods = {one.rate.entry.id: one for one in rate_periods(filter(_is_in_force, settled))}
        made: list[Written] = []
        for one in charted:
            if one.entry.id in periods:
                found = [administration_of(periods[one.entry.id])]
            elif not isinstance(one.entry, Vasopressor):
                found = resources_of(one)
            elif one.standing is Standing.IN_ERROR:
                found = [administration_of(_alone(one))]
            else:
                found = []  # a stop, which is the end of a period
            self.resources[one.entry.id] = [resource["id"] for resource in found]
            made += [Written(one, resource) for resource in found]
        for period in periods.values():
            if period.has_own_stop and period.next_one is not None:
                self.resources[period.next_one.entry.id] = [period.resource_id]
        self.replaced |= settle_ties([one for one in made if _is_in_force(one.charted)])
        return [one.resource for one in made]

    def _course(self) -> Iterator[Json]:
        return course_resources(
            self.course, self.words, self.record, self._patient(), self.ids, self.now
        )

    def _death(self) -> datetime | None:
        deaths = [
            datetime.fromisoformat(raw["at"])
            for entry, raw in self.pairs
            if isinstance(entry, Death) and entry.id not in self.replacements
        ]
        return min(deaths, default=None)

    def _device(self) -> Json:
        return {
            "resourceType": "Device",
            "id": self.device_id,
            "deviceName": [{"name": "CRS bedside", "type": "user-friendly-name"}],
            "version": [{"value": f"{HEADLINE.key}/{HEADLINE.version}"}],
        }

    def _provenances(self) -> list[Json]:
        entries = {entry.id: entry for entry, _ in self.pairs}
        return list(
            provenances(self.acts, entries, self.resources, self.replaced, self.people, self.ids)
        )

    def _grades(self) -> list[Json]:
        periods = self.record.periods
        if periods is None:
            result = grade_course(self.course, self.now, self.known_at)
            periods = periods_of(result, self.known_at)
        first = {entry_id: found[0] for entry_id, found in self.resources.items() if found}
        return [
            grade_observation(one, self._patient(), reference(self.device_id), self.ids, first)
            for one in periods
        ]


def _is_in_force(charted: Charted) -> bool:
    return charted.standing is not Standing.IN_ERROR


def _alone(charted: Charted) -> RatePeriod:
    """Return the period of a rate that was entered in error: it began, and nothing ends it."""
    runs = charted.as_a(Vasopressor).runs
    return RatePeriod(charted, None if runs else charted, has_own_stop=False)
