"""Join two records of one person, and undo that."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_join_records, check_can_join_records
from crs_app.accounts.rights import Act
from crs_app.search_words import spelling_text
from patients.display.identity import fact_text
from patients.forms.fields import YES
from patients.identity.preview import CourseEffect, effects_of
from patients.identity.record_forms import JoinForm
from patients.identity.views import COMPARE, CONFIRM, EDIT, patient_context
from patients.models import Course, Patient, PatientJoin
from patients.queries.course_then import as_course_of
from patients.queries.identity import (
    courses_of_patient,
    joins_in_force,
    latest_course,
    patients_in_reach,
    search_patients,
)
from patients.recording.identity import (
    ChangedMeanwhileError,
    IdentityFormReusedError,
)
from patients.recording.inputs import FormReusedError
from patients.recording.join import (
    CannotJoinError,
    JoinRequest,
    ages_of,
    check_can_join,
    check_can_undo,
    join_records,
    join_token,
    undo_join,
)
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    record_other_patient,
    submission_from,
)


def _act_of(request: SignedInRequest) -> Act:
    """Return what the page needs: who may not join records reads it as part of the chart."""
    return Act.JOIN_RECORDS if can_join_records(request.user) else Act.OPEN_CHART


class Record(NamedTuple):
    """One of the two records, as the page shows it beside the other."""

    patient: Patient
    birth: str
    sex: str
    delay: str
    courses: list[Course]


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Find the other record of a person; a POST previews the join, and confirmed, records it."""
    data = posted(request)
    if data is not None:
        check_can_join_records(request.user)
    course = course_or_404(request, course_id, _act_of(request))
    query = request.GET if data is None else data
    other = _patient(request, query.get("with", ""))
    if other is None or other.pk == course.patient_id:
        return _search_page(request, course, request.GET.get("q", ""))
    kept, joined = course.patient, other
    if query.get("keep") == str(other.pk):
        kept, joined = joined, kept
    if data is None:
        return _join_page(request, course, kept, joined, JoinForm())
    form = JoinForm(data)
    if not form.is_valid() or data.get("step") == EDIT:
        status = UNPROCESSABLE if form.errors else 200
        return _join_page(request, course, kept, joined, form, status=status)
    if data.get("step") != CONFIRM:
        return _join_page(request, course, kept, joined, form, previews=True)
    return _record_join(request, course, kept, joined, form)


def _record_join(
    request: SignedInRequest, course: Course, kept: Patient, joined: Patient, form: JoinForm
) -> HttpResponse:
    cleaned = form.cleaned_data
    asked = JoinRequest(kept.pk, joined.pk, cleaned["reason"], cleaned["seen"])
    submission = submission_from(request, form)
    is_replay = PatientJoin.objects.filter(form_id=submission.form_id).exists()
    if cleaned["compared"] != YES and not is_replay:
        return _join_page(
            request, course, kept, joined, form, COMPARE, previews=True, status=UNPROCESSABLE
        )
    try:
        join_records(asked, submission)
    except ChangedMeanwhileError as error:
        return _join_page(
            request, course, kept, joined, form, error.sentence, previews=True, status=CONFLICT
        )
    except CannotJoinError as error:
        return _join_page(request, course, kept, joined, form, error.sentence, status=UNPROCESSABLE)
    except (IdentityFormReusedError, FormReusedError) as error:
        return _join_page(request, course, kept, joined, form, error.sentence, status=CONFLICT)
    return redirect("patients:join", course.pk)


def _search_page(request: SignedInRequest, course: Course, text: str) -> HttpResponse:
    reader = _reader_of(request)
    found = search_patients(text, apart_from=course.patient_id, reader=reader) if text else []
    context = {
        "q": text,
        "found": [_record(patient) for patient in found],
        "spelling": spelling_text(text, (patient.name for patient in found)),
        "joins": _joins_of(course.patient),
        "can_join": can_join_records(request.user),
        **patient_context(request.user, course),
    }
    return render(request, "identity/join_search.html", context)


def _joins_of(patient: Patient) -> list[PatientJoin]:
    """Return the joins to this record that can be undone."""
    joins = joins_in_force().filter(kept=patient)
    return list(joins.select_related("joined", "kept", "recorded_by").order_by("-pk"))


def _join_page(
    request: SignedInRequest,
    course: Course,
    kept: Patient,
    joined: Patient,
    form: JoinForm,
    message: str = "",
    *,
    previews: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Show both records side by side; with ``previews`` what the join would change."""
    other = latest_course(joined.pk if kept.pk == course.patient_id else kept.pk)
    record_other_patient(request, None if other is None else other.pk, "two records of one person")
    courses = [*courses_of_patient(kept.pk), *courses_of_patient(joined.pk)]
    refusal = ""
    try:
        check_can_join(kept, joined, courses)
    except CannotJoinError as error:
        refusal, previews = error.sentence, False
    context = {
        "form": form,
        "kept": _record(kept),
        "joined": _record(joined),
        "refusal": refusal,
        "message": message if message != refusal else "",
        "previews": previews,
        "seen": join_token(kept.pk, joined.pk),
        "effects": _effects(kept, courses) if previews else [],
        "can_join": can_join_records(request.user),
        **patient_context(request.user, course),
    }
    return render(request, "identity/join.html", context, status=status)


def _effects(kept: Patient, courses: Sequence[Course]) -> list[CourseEffect]:
    joined = [as_course_of(kept, one, {}) for one in courses]
    return effects_of(courses, joined)


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: SignedInRequest, course_id: uuid.UUID, join_id: int) -> HttpResponse:
    """Show a join to undo and what that changes; a POST records it."""
    data = posted(request)
    if data is not None:
        check_can_join_records(request.user)
    course = course_or_404(request, course_id, _act_of(request))
    joining = PatientJoin.objects.select_related("kept", "joined").filter(pk=join_id).first()
    if joining is None or course.patient_id not in (joining.kept_id, joining.joined_id):
        raise Http404("No such join")
    form = JoinForm(data)
    if data is None or not form.is_valid():
        return _undo_page(request, course, joining, form, data)
    submission = submission_from(request, form)
    is_replay = PatientJoin.objects.filter(form_id=submission.form_id).exists()
    if form.cleaned_data["compared"] != YES and not is_replay:
        return _undo_page(request, course, joining, form, data, COMPARE)
    try:
        undo_join(joining, form.cleaned_data["seen"], submission)
    except ChangedMeanwhileError as error:
        return _undo_page(request, course, joining, form, data, error.sentence, CONFLICT)
    except (IdentityFormReusedError, FormReusedError) as error:
        return _undo_page(request, course, joining, form, data, error.sentence, CONFLICT)
    except CannotJoinError as error:
        return _undo_page(request, course, joining, form, data, error.sentence)
    return redirect("patients:join", course.pk)


def _undo_page(
    request: SignedInRequest,
    course: Course,
    joining: PatientJoin,
    form: JoinForm,
    data: Mapping[str, Any] | None,
    message: str = "",
    status: int | None = None,
) -> HttpResponse:
    refusal = ""
    try:
        check_can_undo(joining)
    except CannotJoinError as error:
        refusal = error.sentence
    ages = ages_of(joining)
    back = [one for one in courses_of_patient(joining.kept_id) if one.pk in ages]
    given_back = [as_course_of(joining.joined, one, {"age_years": ages[one.pk]}) for one in back]
    context = {
        "form": form,
        "joining": joining,
        "kept": _record(joining.kept),
        "joined": _record(joining.joined),
        "refusal": refusal,
        "message": message if message != refusal else "",
        "seen": join_token(joining.kept_id, joining.joined_id),
        "effects": [] if refusal else effects_of(back, given_back),
        "can_join": can_join_records(request.user),
        **patient_context(request.user, course),
    }
    if status is None:
        status = 200 if data is None else UNPROCESSABLE
    return render(request, "identity/undo_join.html", context, status=status)


def _record(patient: Patient) -> Record:
    courses = list(courses_of_patient(patient.pk))
    birth = fact_text("birth_date", patient.birth_date)
    if patient.birth_date is None and courses:
        birth = fact_text("age_years", courses[0].age_years)
    delay = fact_text("developmental_delay", patient.developmental_delay)
    return Record(patient, birth, fact_text("sex", patient.sex), delay, courses)


def _reader_of(request: SignedInRequest) -> User | None:
    """Return whose wards limit which records are found; None for who joins: all."""
    return None if can_join_records(request.user) else request.user


def _patient(request: SignedInRequest, written: str) -> Patient | None:
    try:
        known = uuid.UUID(written)
        # One that was joined has no course any more, and may be asked for by a form sent again.
        if can_join_records(request.user):
            return Patient.objects.filter(pk=known).first()
        return patients_in_reach(request.user).filter(pk=known).first()
    except ValueError:
        return None
