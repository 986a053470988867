"""Join two records of one person, and undo that."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.contrib import messages
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
from patients.identity.views import COMPARE, patient_context, shown_token
from patients.models import Course, Patient, PatientJoin
from patients.queries.course_then import as_course_of
from patients.queries.identity import (
    courses_of_patient,
    is_join_recorded,
    joins_to_undo,
    latest_course,
    read_join,
    read_patient,
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
    courses_of_both,
    join_records,
    undo_join,
)
from patients.requests import (
    CONFIRM,
    CONFLICT,
    EDIT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    record_other_patient,
    submission_from,
)


def _act_of(request: SignedInRequest) -> Act:
    """Return the right that the page needs; to read it, the right to open the chart is enough."""
    return Act.JOIN_RECORDS if can_join_records(request.user) else Act.OPEN_CHART


class Record(NamedTuple):
    """One of the two records, as the page shows it beside the other."""

    patient: Patient
    birth: str
    sex: str
    delay: str
    courses: list[Course]


class Pair(NamedTuple):
    """The record that is kept, and the one that is joined to it."""

    kept: Patient
    joined: Patient


class Refusal(NamedTuple):
    """Why a posted form recorded nothing, and the status of the page that says so."""

    sentence: str
    status: int


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Find the other record of a person; a POST previews the join, and confirmed, records it."""
    data = posted(request)
    if data is not None:
        check_can_join_records(request.user)
    course = course_or_404(request, course_id, _act_of(request))
    query = request.GET if data is None else data
    other = _patient(request, query.get("with", ""))
    if data is not None and other is not None and other.pk == course.patient_id:
        messages.info(request, "These two records are joined already.")
        return redirect("patients:join", course.pk)
    if other is None or other.pk == course.patient_id:
        return _search_page(request, course, request.GET.get("q", ""))
    pair = Pair(course.patient, other)
    if query.get("keep") == str(other.pk):
        pair = Pair(other, course.patient)
    if data is None:
        return _join_page(request, course, pair, JoinForm())
    form = JoinForm(data)
    if not form.is_valid() or data.get("step") == EDIT:
        return _join_page(request, course, pair, form)
    if data.get("step") != CONFIRM:
        return _join_page(request, course, pair, form, previews=True)
    return _record_join(request, course, pair, form)


def _record_join(
    request: SignedInRequest, course: Course, pair: Pair, form: JoinForm
) -> HttpResponse:
    cleaned = form.cleaned_data
    asked = JoinRequest(pair.kept.pk, pair.joined.pk, cleaned["reason"], cleaned["seen"])
    submission = submission_from(request, form)
    is_replay = is_join_recorded(submission.form_id)
    if cleaned["compared"] != YES and not is_replay:
        compare = Refusal(COMPARE, UNPROCESSABLE)
        return _join_page(request, course, pair, form, compare, previews=True)
    try:
        join_records(asked, submission)
    except ChangedMeanwhileError as error:
        changed = Refusal(error.sentence, CONFLICT)
        return _join_page(request, course, pair, form, changed, previews=True)
    except CannotJoinError as error:
        return _join_page(request, course, pair, form, Refusal(error.sentence, UNPROCESSABLE))
    except (IdentityFormReusedError, FormReusedError) as error:
        return _join_page(request, course, pair, form, Refusal(error.sentence, CONFLICT))
    return redirect("patients:join", course.pk)


def _search_page(request: SignedInRequest, course: Course, text: str) -> HttpResponse:
    reader = _reader_of(request)
    found = search_patients(text, apart_from=course.patient_id, reader=reader) if text else []
    context = {
        "q": text,
        "found": [_record(patient) for patient in found],
        "spelling": spelling_text(text, (patient.name for patient in found)),
        "joins": joins_to_undo(course.patient),
        "can_join": can_join_records(request.user),
        **patient_context(request.user, course),
    }
    return render(request, "identity/join_search.html", context)


def _join_page(
    request: SignedInRequest,
    course: Course,
    pair: Pair,
    form: JoinForm,
    refused: Refusal | None = None,
    *,
    previews: bool = False,
) -> HttpResponse:
    """Show both records side by side; with ``previews`` what the join would change."""
    kept, joined = pair
    other = latest_course(joined.pk if kept.pk == course.patient_id else kept.pk)
    record_other_patient(request, None if other is None else other.pk, "two records of one person")
    of_kept = kept.pk
    courses = courses_of_both(of_kept, joined.pk)
    courses = sorted(courses, key=lambda one: one.patient_id != of_kept)
    kept, joined = (_as_read_with(courses, one) for one in pair)
    seen = shown_token(course, courses)
    cannot = ""
    try:
        check_can_join(kept, joined, courses)
    except CannotJoinError as error:
        cannot, previews = error.sentence, False
    context = {
        "form": form,
        "kept": _record(kept),
        "joined": _record(joined),
        "refusal": cannot,
        "message": _message(refused, cannot),
        "previews": previews,
        "seen": seen,
        "effects": _effects(kept, courses) if previews else [],
        "can_join": can_join_records(request.user),
        **patient_context(request.user, course),
    }
    status = UNPROCESSABLE if form.errors else 200
    status = status if refused is None else refused.status
    return render(request, "identity/join.html", context, status=status)


def _message(refused: Refusal | None, cannot: str) -> str:
    """Return why nothing was recorded; "" where the page says it already by ``cannot``."""
    return "" if refused is None or refused.sentence == cannot else refused.sentence


def _as_read_with(courses: Sequence[Course], patient: Patient) -> Patient:
    """Return the record as it was read with its courses, by whose versions the token is made."""
    return next((one.patient for one in courses if one.patient_id == patient.pk), patient)


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
    joining = read_join(join_id)
    if joining is None or course.patient_id not in (joining.kept_id, joining.joined_id):
        raise Http404("No such join")
    form = JoinForm(data)
    if data is None or not form.is_valid():
        return _undo_page(request, course, joining, form)
    submission = submission_from(request, form)
    is_replay = is_join_recorded(submission.form_id)
    if form.cleaned_data["compared"] != YES and not is_replay:
        return _undo_page(request, course, joining, form, Refusal(COMPARE, UNPROCESSABLE))
    try:
        undo_join(joining, form.cleaned_data["seen"], submission)
    except (ChangedMeanwhileError, IdentityFormReusedError, FormReusedError) as error:
        return _undo_page(request, course, joining, form, Refusal(error.sentence, CONFLICT))
    except CannotJoinError as error:
        return _undo_page(request, course, joining, form, Refusal(error.sentence, UNPROCESSABLE))
    return redirect("patients:join", course.pk)


def _undo_page(
    request: SignedInRequest,
    course: Course,
    joining: PatientJoin,
    form: JoinForm,
    refused: Refusal | None = None,
) -> HttpResponse:
    """Show both records as they would be parted, and what that changes, or why it cannot be."""
    cannot = ""
    try:
        check_can_undo(joining)
    except CannotJoinError as error:
        cannot = error.sentence
    courses = courses_of_both(joining.kept_id, joining.joined_id)
    kept, joined = (_as_read_with(courses, one) for one in (joining.kept, joining.joined))
    seen = shown_token(course, courses)
    ages = ages_of(joining)
    back = [one for one in courses if one.pk in ages and one.patient_id == kept.pk]
    given_back = [as_course_of(joined, one, {"age_years": ages[one.pk]}) for one in back]
    context = {
        "form": form,
        "joining": joining,
        "kept": _record(kept),
        "joined": _record(joined),
        "refusal": cannot,
        "message": _message(refused, cannot),
        "seen": seen,
        "effects": [] if cannot else effects_of(back, given_back),
        "can_join": can_join_records(request.user),
        **patient_context(request.user, course),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    status = status if refused is None else refused.status
    return render(request, "identity/undo_join.html", context, status=status)


def _record(patient: Patient) -> Record:
    courses = list(courses_of_patient(patient.pk))
    birth = fact_text("birth_date", patient.birth_date)
    if patient.birth_date is None and courses:
        birth = fact_text("age_years", courses[0].age_years)
    delay = fact_text("developmental_delay", patient.developmental_delay)
    return Record(patient, birth, fact_text("sex", patient.sex), delay, courses)


def _reader_of(request: SignedInRequest) -> User | None:
    """Return the user whose wards limit the search; None for one who joins records: no limit."""
    return None if can_join_records(request.user) else request.user


def _patient(request: SignedInRequest, written: str) -> Patient | None:
    try:
        # Also a record that was joined since, and has no course: a form sent again may name it.
        return read_patient(uuid.UUID(written), _reader_of(request))
    except ValueError:
        return None
