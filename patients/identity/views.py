"""Correct who a patient is, and what was infused when, in three steps."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crs_app.accounts.models import User
from crs_app.accounts.permissions import (
    can_correct_identity,
    can_join_records,
    can_open_chart,
    check_can_correct_identity,
)
from crs_app.accounts.rights import Act
from patients.display.banner import banner_at
from patients.display.identity import change_texts
from patients.forms.fields import YES
from patients.identity.forms import FORMS, IdentityForm
from patients.identity.history import HistoryRow, identity_history, present_texts
from patients.identity.preview import differences_since, effects_of, grade_of
from patients.models import Course, Fact, IdentityCorrection
from patients.queries.courses import now_for
from patients.queries.identity import (
    courses_of_patient,
    latest_course,
    read_correction,
    read_correction_of_form,
)
from patients.recording.identity import (
    ChangedMeanwhileError,
    IdentityFormReusedError,
    MrnInUseError,
    SameCourseError,
    check_free,
    correct_identity,
    identity_token,
    with_change,
)
from patients.recording.inputs import FormReusedError
from patients.requests import (
    CONFIRM,
    CONFLICT,
    EDIT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    record_named,
    submission_from,
)

REDIRECTS: Final = range(300, 400)
COMPARE: Final = "First compare name, birth date and MRN with the wristband, then tick the box."


@require_http_methods(["GET", "HEAD", "POST"])
def identity(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the identity and its history; a POST previews a correction, then records it."""
    data = posted(request)
    if data is not None:
        check_can_correct_identity(request.user)
    act = Act.OPEN_CHART if data is None else Act.CORRECT_IDENTITY
    course, now = course_or_404(request, course_id, act), timezone.now()
    if data is None:
        courses = list(courses_of_patient(course.patient_id))
        return _page(request, course, courses, _opened(request, course, courses, now))
    form_class = FORMS.get(data.get("what", ""))
    if form_class is None:
        return redirect("patients:identity", course.pk)
    form = _posted_form(form_class, data, course, now)
    if data.get("step") == CONFIRM and (saved := _replay(request, course, form)):
        return _done(course, saved)
    answer = _answer(request, course, form.courses, form)
    if answer.status_code not in REDIRECTS:
        record_named(request, form.named, "identity form", form.searched())
    return answer


def _posted_form(
    form_class: type[IdentityForm], data: Mapping[str, Any], course: Course, now: datetime
) -> IdentityForm:
    """Bind the posted form; the token of its preview is read before the form reads the chart."""
    courses = list(courses_of_patient(course.patient_id))
    form = form_class(data, course=course, courses=courses, now=now)
    form.token = shown_token(course, courses)
    return form


def shown_token(course: Course, courses: Sequence[Course]) -> str:
    """Return the token of a page that shows ``course``, which was read before ``courses``."""
    return identity_token([course if one.pk == course.pk else one for one in courses])


def _answer(
    request: SignedInRequest, course: Course, courses: Sequence[Course], form: IdentityForm
) -> HttpResponse:
    """Answer the next step of a form: typed, previewed or confirmed."""
    form.is_valid()
    step = form.data.get("step")
    if form.errors and step == CONFIRM and form.data.get("seen") != form.token:
        # What was previewed could be saved then: say why it cannot be now.
        form.add_error(None, ChangedMeanwhileError().sentence)
    if form.errors or step == EDIT:
        return _page(request, course, courses, form, UNPROCESSABLE if form.errors else 200)
    if step != CONFIRM:
        return _preview(request, course, courses, form)
    return _confirmed(request, course, courses, form)


def _opened(
    request: SignedInRequest, course: Course, courses: Sequence[Course], now: datetime
) -> IdentityForm | None:
    """Return the empty form of the fact in the address; None where none is chosen."""
    form_class = FORMS.get(request.GET.get("what", ""))
    if form_class is None or not can_correct_identity(request.user, course):
        return None
    return form_class(course=course, courses=courses, now=now)


def _replay(
    request: SignedInRequest, course: Course, form: IdentityForm
) -> IdentityCorrection | None:
    """Return what this form recorded when it was sent before; None where it is new."""
    form.is_valid()
    form_id = form.cleaned_data.get("form_id")
    if form_id is None:
        return None
    sent = submission_from(request, form)
    return read_correction_of_form(course.patient, form_id, sent.request_digest, request.user)


def _confirmed(
    request: SignedInRequest, course: Course, courses: Sequence[Course], form: IdentityForm
) -> HttpResponse:
    if form.unconfirmed:
        return _preview(request, course, courses, form, status=UNPROCESSABLE)
    if form.cleaned_data["compared"] != YES:
        return _preview(request, course, courses, form, COMPARE, UNPROCESSABLE)
    try:
        saved = correct_identity(course.patient_id, form.change(), submission_from(request, form))
    except ChangedMeanwhileError as error:
        current = course_or_404(request, course.pk)
        again = _posted_form(type(form), request.POST, current, form.now)
        form.named = again.named
        if not again.is_valid() and again.errors:
            again.add_error(None, error.sentence)
            return _page(request, current, again.courses, again, UNPROCESSABLE)
        return _preview(request, current, again.courses, again, error.sentence, CONFLICT)
    except (MrnInUseError, SameCourseError) as error:
        return _refused(request, course, courses, form, error)
    except (IdentityFormReusedError, FormReusedError) as error:
        form.add_error(None, error.sentence)
        return _page(request, course, courses, form, CONFLICT)
    return _done(course, saved[0])


def _done(course: Course, saved: IdentityCorrection) -> HttpResponse:
    return redirect(f"{reverse('patients:identity', args=[course.pk])}?saved={saved.pk}")


def _preview(
    request: SignedInRequest,
    course: Course,
    courses: Sequence[Course],
    form: IdentityForm,
    message: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show every consequence of a valid form; nothing is stored."""
    change = form.change()
    try:
        check_free(course.patient, courses, change)
    except (MrnInUseError, SameCourseError) as error:
        return _refused(request, course, courses, form, error)
    changed = with_change(course.patient, courses, change)
    own = next(one for one in changed if one.pk == course.pk)
    context = {
        "form": form,
        "hidden": _hidden_fields(form),
        "seen": form.token,
        "message": message,
        "texts": (present_texts(course)[form.fact], present_texts(own)[form.fact]),
        "effects": sorted(effects_of(courses, changed), key=lambda one: one.course.pk != course.pk),
        **_shared(request, course, courses),
    }
    return render(request, "identity/preview.html", context, status=status)


def _hidden_fields(form: IdentityForm) -> list[Any]:
    """Return the fields that the preview sends again as they were typed."""
    return [field for field in form if field.name not in ("seen", "compared")]


def _refused(
    request: SignedInRequest,
    course: Course,
    courses: Sequence[Course],
    form: IdentityForm,
    error: MrnInUseError | SameCourseError,
) -> HttpResponse:
    """Show the form again, with a link to the record or the course that has the value."""
    form.add_error(form.first_field, error.sentence)
    join = reverse("patients:join", args=[course.pk])
    context: dict[str, Any] = {"join_address": join}
    if isinstance(error, MrnInUseError):
        form.named.append(error.patient)
        context["join_address"] = f"{join}?with={error.patient.pk}"
        context["other_course"] = latest_course(error.patient.pk)
    else:
        context["other_course"] = error.course
    return _page(request, course, courses, form, UNPROCESSABLE, context)


def _page(
    request: SignedInRequest,
    course: Course,
    courses: Sequence[Course],
    form: IdentityForm | None,
    status: int = 200,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    history = identity_history(course, courses)
    context = {
        "form": form,
        "facts": [(fact.value, fact.label) for fact in Fact],
        "present": present_texts(course),
        "present_row": None if form is None else _present_row(form, history),
        "saved": _saved(request, course, courses),
        "history": history,
        "can_correct": can_correct_identity(request.user, course),
        "join_address": "",
        "other_course": None,
        **_shared(request, course, courses),
    }
    return render(request, "identity/page.html", context | (more or {}), status=status)


def _present_row(form: IdentityForm, history: Sequence[HistoryRow]) -> HistoryRow | None:
    """Return the line of the history that has the present value of the fact."""
    value = present_texts(form.course)[form.fact]
    return next((row for row in history if row.is_present and row.value == value), None)


def _saved(
    request: SignedInRequest, course: Course, courses: Sequence[Course]
) -> dict[str, Any] | None:
    """Return the correction that the address names, for the page after it was recorded."""
    number = request.GET.get("saved", "")
    if request.method == "POST" or not (number.isascii() and number.isdecimal()):
        return None
    if len(number) > 18:
        return None
    row = read_correction(course.patient, int(number))
    if row is None:
        return None
    return {
        "row": row,
        "label": row.get_fact_display(),
        "texts": change_texts(row.before, row.after)[0],
        "changes": sum(
            difference.changes_grade
            for one in courses
            for difference in differences_since(one, row.recorded_at)
        ),
        "grade": grade_of(course, now_for(course)),
    }


def _shared(request: SignedInRequest, course: Course, courses: Sequence[Course]) -> dict[str, Any]:
    """Return the context that every page about an identity needs."""
    return patient_context(request.user, course) | {
        "courses": courses,
        "can_join": can_join_records(request.user),
    }


def patient_context(reader: User, course: Course) -> dict[str, Any]:
    """Return the context of the bar that says whose page this is."""
    return {
        "can_open_chart": can_open_chart(reader, course),
        "course": course,
        "patient": course.patient,
        "banner": banner_at(course, timezone.now()),
    }
