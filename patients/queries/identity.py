"""Find patients by number, name or bed, and read how identities were corrected and joined."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Q, QuerySet

from crs_app.accounts.models import User
from crs_app.search_words import Place, found_by, loosely_spelled, search_words
from patients.models import Course, Entry, EntryKind, IdentityCorrection, Patient, PatientJoin
from patients.models.identifiers import mrn_key, mrn_look, name_key
from patients.queries.access import in_reach_of
from patients.queries.entries import not_replaced

LISTED_AT_MOST: Final = 3
"""How many similar patients a question names."""
_NOT_PLAIN: Final = "[^0-9a-z]"


def read_patient_by_mrn(mrn: str) -> Patient | None:
    """Read the patient whose record number is ``mrn`` in any way of writing it.

    No number has a character that the database cannot hold: it cannot be asked for one either.
    """
    if "\0" in mrn:
        return None
    key = mrn_key(mrn)
    patients = Patient.objects.all()
    # Older patients may share a key: then the one whose number is written exactly so is meant.
    return patients.filter(mrn=mrn).first() or patients.filter(mrn_key=key).first()


def read_kept_record(patient: Patient) -> Patient:
    """Read the record that ``patient`` was joined to, over every join; itself for none."""
    kept_id = _joined_in_turn(patient)[-1]
    return patient if kept_id == patient.pk else Patient.objects.get(pk=kept_id)


def lock_kept_record(mrn: str) -> Patient | None:
    """Read the record that has ``mrn`` or that the one with it was joined to; None for no record.

    It is locked until the transaction ends, with every record between, in the order in which a
    join locks them.
    """
    found = read_patient_by_mrn(mrn)
    while found is not None:
        ids = _joined_in_turn(found)
        rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        locked = {row.pk: row for row in rows}
        found = read_patient_by_mrn(mrn)
        if found is not None and _joined_in_turn(found) == ids:
            return locked[ids[-1]]
    return None


def _joined_in_turn(patient: Patient) -> list[uuid.UUID]:
    """Return the ids of ``patient`` and of each record that the one before it was joined to."""
    ids = [patient.pk]
    while (joining := joins_in_force().filter(joined=ids[-1]).first()) is not None:
        ids.append(joining.kept_id)
    return ids


def joins_in_force() -> QuerySet[PatientJoin]:
    """Query the joins that were not undone."""
    return PatientJoin.objects.filter(undoes=None, undone_by=None)


def joins_to_undo(patient: Patient) -> list[PatientJoin]:
    """Read the joins to the record of ``patient`` that were not undone, newest first."""
    joins = joins_in_force().filter(kept=patient)
    return list(joins.select_related("joined", "kept", "recorded_by").order_by("-pk"))


def read_join(join_id: int) -> PatientJoin | None:
    """Read a join, or the undoing of one, with both records; None where there is none."""
    return PatientJoin.objects.select_related("kept", "joined").filter(pk=join_id).first()


def is_join_recorded(form_id: uuid.UUID) -> bool:
    """Return whether the form ``form_id`` recorded a join, or the undoing of one."""
    return PatientJoin.objects.filter(form_id=form_id).exists()


def read_look_alikes(mrn: str, *, apart_from: Iterable[uuid.UUID] = ()) -> list[Patient]:
    """Read the patients whose record number looks like ``mrn`` and is another.

    What a number with other letters than plain ones looks like is worked out again: accents once
    counted, and the column of such a patient has them still.
    """
    look, others = mrn_look(mrn), Patient.objects.exclude(mrn_key=mrn_key(mrn))
    accented = others.filter(mrn_look__regex=_NOT_PLAIN).values_list("pk", "mrn")
    alike = [pk for pk, number in accented if mrn_look(number) == look]
    return _kept(others.filter(Q(mrn_look=look) | Q(pk__in=alike)).order_by("mrn"), apart_from)


def read_namesakes(
    name: str, birth_date: date | None, *, apart_from: Iterable[uuid.UUID] = ()
) -> list[Patient]:
    """Read the patients of the same name and birth date; one that is not known may be the same.

    Of those born on that day another spelling of the name, or order of its words, is the same.
    """
    patients = Patient.objects.order_by("mrn")
    if birth_date is None:
        return _kept(patients.filter(name_key=name_key(name)), apart_from)
    born_then = patients.filter(birth_date=birth_date).values_list("pk", "name")
    spelled = loosely_spelled(name)
    alike = [pk for pk, other in born_then if loosely_spelled(other) == spelled]
    undated = Q(birth_date=None, name_key=name_key(name))
    return _kept(patients.filter(undated | Q(pk__in=alike)), apart_from)


def _kept(patients: Iterable[Patient], apart_from: Iterable[uuid.UUID]) -> list[Patient]:
    """Return the first of ``patients``, each as the record it was joined to, and each once."""
    found: dict[uuid.UUID, Patient] = {}
    excluded = set(apart_from)
    for patient in patients:
        kept = read_kept_record(patient)
        if kept.pk not in excluded:
            found[kept.pk] = kept
        if len(found) == LISTED_AT_MOST:
            break
    return list(found.values())


def read_former_owner(mrn: str) -> Patient | None:
    """Read the patient whose record number was ``mrn`` until it was corrected."""
    key = mrn_key(mrn)
    corrected = IdentityCorrection.objects.filter(fact="mrn").select_related("patient")
    for one in corrected.order_by("-pk"):
        if mrn_key(one.before["mrn"]) == key:
            return read_kept_record(one.patient)
    return None


def courses_of_patient(patient_id: uuid.UUID) -> QuerySet[Course]:
    """Query the courses of a patient, open and ended, in the order in which they are locked."""
    courses = Course.objects.filter(patient_id=patient_id)
    return courses.select_related("patient", "policy", "admitted_by").order_by("pk")


def latest_course(patient_id: uuid.UUID) -> Course | None:
    """Read the course of a patient that is open, else the one that ended last."""
    courses = courses_of_patient(patient_id).order_by("-ended_at", "-infused_at")
    return next((one for one in courses if one.ended_at is None), None) or courses.first()


def read_state_of_courses(courses: Sequence[Course]) -> list[Any]:
    """Read what a preview rests on: for each course its identity version, end and latest act."""
    states = (
        Course.objects.filter(pk__in=[course.pk for course in courses])
        .annotate(last_act=Max("acts__recorded_at"))
        .order_by("pk")
        .values_list("pk", "identity_version", "ended_at", "last_act")
    )
    return list(states)


def read_clock() -> datetime:
    """Read the clock of the database, by which everything is recorded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]


def corrections_of(patient_id: uuid.UUID, courses: Sequence[Course]) -> list[IdentityCorrection]:
    """Read every correction of a patient and of these courses, newest first."""
    about = Q(patient_id=patient_id, course=None) | Q(course__in=[one.pk for one in courses])
    corrections = IdentityCorrection.objects.filter(about)
    return list(corrections.select_related("recorded_by", "course").order_by("-pk"))


def joins_of(patient_id: uuid.UUID) -> list[PatientJoin]:
    """Read every join, and undoing of one, of a patient's record, newest first."""
    joins = PatientJoin.objects.filter(Q(kept_id=patient_id) | Q(joined_id=patient_id))
    return list(joins.select_related("recorded_by", "kept", "joined", "undoes").order_by("-pk"))


def read_correction(patient: Patient, correction_id: int) -> IdentityCorrection | None:
    """Read one correction of ``patient`` or of a course of it, with its author."""
    corrections = IdentityCorrection.objects.filter(patient=patient, pk=correction_id)
    return corrections.select_related("recorded_by").first()


def read_correction_of_form(
    patient: Patient, form_id: uuid.UUID, request_digest: str, by: User
) -> IdentityCorrection | None:
    """Read the first correction that a form of ``by`` with these contents recorded."""
    return IdentityCorrection.objects.filter(
        patient=patient, form_id=form_id, request_digest=request_digest, recorded_by=by
    ).first()


def earlier_facts_of(course: Course, fact: str, column: str) -> list[Any]:
    """Read the earlier values of a column of ``course``, as its corrections have them."""
    corrected = IdentityCorrection.objects.filter(course=course, fact=fact)
    return [one.before[column] for one in corrected]


def read_deaths(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Read when a death is charted, by course."""
    deaths = Entry.objects.filter(not_replaced(), course__in=list(course_ids))
    return dict(deaths.filter(kind=EntryKind.DEATH).values_list("course_id", "at"))


def search_open_courses(text: str, *, apart_from: uuid.UUID, reader: User) -> list[Course]:
    """Read the open courses in reach of ``reader`` that ``text`` finds; see ``search_courses``."""
    courses = Course.objects.filter(in_reach_of(reader), ended_at=None)
    return search_courses(text, courses.exclude(pk=apart_from))


def search_all_courses(text: str, *, only_open: bool) -> list[Course]:
    """Read the courses of all wards that ``text`` finds; see ``search_courses``."""
    courses = Course.objects.filter(ended_at=None) if only_open else Course.objects.all()
    return search_courses(text, courses)


def search_courses(text: str, courses: QuerySet[Course]) -> list[Course]:
    """Read those of ``courses`` that ``text`` finds by name, record number or bed, by place.

    An earlier record number, from before a join or a correction, finds its patient too.
    """
    words = search_words(text)
    if not words:
        return []
    former = former_mrns()
    return found_by(
        words,
        courses.select_related("patient").order_by("ward", "bed", "pk"),
        lambda course: _place(course.patient, former, course.ward, course.bed),
    )


def _place(
    patient: Patient, former: Mapping[str, Sequence[str]], ward: str = "", bed: str = ""
) -> Place:
    return Place(patient.name, (patient.mrn, *former.get(patient.mrn, ())), ward, bed)


def read_patient(patient_id: uuid.UUID, reader: User | None) -> Patient | None:
    """Read a patient with a course that ``reader`` may open.

    ``reader`` None reads any patient, also one without a course, as after a join.
    """
    patients = Patient.objects.all() if reader is None else patients_in_reach(reader)
    return patients.filter(pk=patient_id).first()


def patients_in_reach(reader: User | None) -> QuerySet[Patient]:
    """Query the patients with a course that ``reader`` may open; None may open all."""
    return Patient.objects.filter(courses__in=Course.objects.filter(in_reach_of(reader))).distinct()


def search_patients(
    text: str, *, apart_from: uuid.UUID, reader: User | None = None
) -> list[Patient]:
    """Read the patients in reach of ``reader`` whom ``text`` finds by name or record number."""
    words = search_words(text)
    if not words:
        return []
    former = former_mrns()
    patients = patients_in_reach(reader).exclude(pk=apart_from)
    in_order = patients.order_by("name", "mrn")
    return found_by(words, in_order, lambda patient: _place(patient, former))[:20]


# ``lead`` follows each record over every join, up to the one that is joined to no other.
SQL_FORMER_MRNS: Final = """
WITH RECURSIVE joined AS (
    SELECT joined_id, kept_id FROM patients_patientjoin AS joining
    WHERE undoes_id IS NULL
        AND NOT EXISTS (SELECT FROM patients_patientjoin WHERE undoes_id = joining.id)
), former AS (
    SELECT patient_id, before ->> 'mrn' AS mrn FROM patients_identitycorrection
    WHERE fact = 'mrn'
    UNION
    SELECT joined_id, patient.mrn FROM joined JOIN patients_patient AS patient
        ON patient.id = joined.joined_id
), lead AS (
    SELECT patient_id, patient_id AS kept_id FROM former
    UNION
    SELECT lead.patient_id, joined.kept_id FROM lead JOIN joined
        ON joined.joined_id = lead.kept_id
)
SELECT kept.mrn, former.mrn
FROM former JOIN lead ON lead.patient_id = former.patient_id
    JOIN patients_patient AS kept ON kept.id = lead.kept_id
WHERE NOT EXISTS (SELECT FROM joined WHERE joined.joined_id = kept.id)
"""


def former_mrns() -> dict[str, list[str]]:
    """Read the record numbers that lead to another one now, by the number that they lead to."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_FORMER_MRNS)
        rows = cursor.fetchall()
    found: dict[str, list[str]] = {}
    for present, former in rows:
        found.setdefault(present, []).append(former)
    return found
