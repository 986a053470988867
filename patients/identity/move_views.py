"""Move an entry that was charted on the wrong patient."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crs_app.accounts.decorators import requires
from crs_app.accounts.permissions import can_admit
from crs_app.accounts.rights import Act
from crs_app.search_words import spelling_text
from grading.engine.vocabulary import Attribution
from patients.bedside.timeline import rows_of
from patients.display.text import clock_text, date_text
from patients.forms.attribution import ATTRIBUTION
from patients.forms.doses import refusals_of_a_weight
from patients.forms.registry import CORRECTION_FORMS
from patients.identity.record_forms import MoveEntryForm
from patients.identity.views import patient_context
from patients.models import CONFIRMED, REASON, Course, Entry, EntryKind
from patients.queries.entries import read_entry_to_replace
from patients.queries.identity import search_open_courses
from patients.recording.inputs import FormReusedError, ImpossibleRateError, ReplacedAlreadyError
from patients.recording.move import (
    CannotMoveError,
    OtherIdentityError,
    check_can_leave,
    check_can_receive,
    check_same_identities,
    identities_token,
    is_replay,
    move_entry,
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

_REFUSED = (
    ReplacedAlreadyError,
    FormReusedError,
    CannotMoveError,
    OtherIdentityError,
    ImpossibleRateError,
)
_GONE = "Someone else has corrected or retracted this entry. Look at the timeline."

_FILLED_IN = {
    ATTRIBUTION: Attribution.CRS.value,
    REASON: "-",
    "reason": "-",
}
"""What a form asks for and an entry of a file need not have."""


class MoveCheck(NamedTuple):
    """Whether an entry can be moved to another course: why not, and what is unusual about it there.

    ``digest`` is what the form sends to answer all ``questions`` with yes.
    """

    refusals: list[str]
    questions: list[str]
    digest: str


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.CHART)
def move(request: SignedInRequest, course_id: uuid.UUID, entry_id: uuid.UUID) -> HttpResponse:
    """Find the other patient and show both; a POST retracts the entry here and charts it there.

    Of a closed course the page says that it is closed, and asks for no other patient.
    """
    course, data = course_or_404(request, course_id, Act.CHART), posted(request)
    try:
        entry = read_entry_to_replace(course_id, entry_id)
    except Entry.DoesNotExist:
        raise Http404("No such entry") from None
    query: Mapping[str, Any] = request.GET if data is None else data
    target = _course(request, query.get("to", ""))
    if target is None or (course.ended_at is not None and data is None):
        return _search_page(request, course, entry)
    form = MoveEntryForm(data)
    if data is None or not form.is_valid():
        return _both_page(request, entry, target, form)
    return _move(request, entry, target, form)


def _move(
    request: SignedInRequest, entry: Entry, target: Course, form: MoveEntryForm
) -> HttpResponse:
    submission = submission_from(request, form)
    confirmed: dict[str, Any] = {}
    if not is_replay(entry, submission):
        if hasattr(entry, "replaced_by"):
            return _both_page(request, entry, target, form, _GONE, CONFLICT)
        try:
            check_same_identities(entry.course, target, form.cleaned_data["seen"])
        except OtherIdentityError as error:
            return _both_page(request, entry, target, form, error.sentence, CONFLICT)
        check = check_move(entry, target)
        asked = bool(check.questions) and form.cleaned_data["confirmed"] != check.digest
        if check.refusals or asked:
            return _both_page(request, entry, target, form)
        if check.questions:
            confirmed[CONFIRMED] = [[0, sentence] for sentence in check.questions]
    try:
        move_entry(entry, target, submission, confirmed, seen=form.cleaned_data["seen"])
    except _REFUSED as error:
        return _both_page(request, entry, target, form, error.sentence, CONFLICT)
    messages.info(
        request, f"Moved to {target.patient.name}, MRN {target.patient.mrn}. It is retracted here."
    )
    return redirect("patients:bedside", entry.course_id)


def check_move(entry: Entry, target: Course) -> MoveCheck:
    """Check ``entry`` by the form of its kind, as if it were typed on ``target``.

    A weight is checked on its own course too, as a retraction of it would be.
    """
    try:
        check_can_leave(entry.course)
        check_can_receive(entry, target)
    except CannotMoveError as error:
        return MoveCheck([error.sentence], [], "")
    form_class = CORRECTION_FORMS[entry.kind]
    now = timezone.now()
    shown = form_class(course=target, now=now, correcting=entry)
    values = {name: shown[name].value() for name in shown.fields}
    data = {name: value for name, value in values.items() if value not in (None, "")}
    form = form_class(_FILLED_IN | data, course=target, now=now, correcting=entry)
    form.is_valid()
    faults = [str(text) for texts in form.errors.values() for text in texts]
    if entry.kind == EntryKind.WEIGHT:
        # Without it another weight converts the rates that stay here.
        faults += refusals_of_a_weight(entry.course, now, replaced=entry.pk, weight=None)
    return MoveCheck(
        list(dict.fromkeys(faults)),
        [question.sentence for question in form.questions],
        form.questions_digest,
    )


def _search_page(request: SignedInRequest, course: Course, entry: Entry) -> HttpResponse:
    text = request.GET.get("q", "") if course.ended_at is None else ""
    found = search_open_courses(text, apart_from=course.pk, reader=request.user)
    context = {
        "q": text,
        "found": found,
        "spelling": spelling_text(text, (one.patient.name for one in found)),
        **_entry_context(request, course, entry),
    }
    return render(request, "identity/move_search.html", context)


def _both_page(
    request: SignedInRequest,
    entry: Entry,
    target: Course,
    form: MoveEntryForm,
    message: str = "",
    status: int | None = None,
) -> HttpResponse:
    """Show both patients side by side, and whether the entry can be moved."""
    record_other_patient(request, target.pk, "entry on the wrong patient")
    is_gone = hasattr(entry, "replaced_by")
    check = MoveCheck([_GONE], [], "") if is_gone else check_move(entry, target)
    context = {
        "form": form,
        "target": target,
        "seen": identities_token(entry.course, target),
        "there": patient_context(request.user, target),
        "born": [
            date_text(one.patient.birth_date) if one.patient.birth_date else ""
            for one in (entry.course, target)
        ],
        "check": check,
        "message": message if message not in check.refusals else "",
        **_entry_context(request, entry.course, entry),
    }
    if status is None:
        status = 200 if request.method != "POST" else UNPROCESSABLE
    return render(request, "identity/move.html", context, status=status)


def _entry_context(request: SignedInRequest, course: Course, entry: Entry) -> dict[str, Any]:
    return {
        "entry": rows_of(course.pk, [entry], can_correct=True)[0],
        "entry_id": entry.pk,
        "at_text": clock_text(entry.at, timezone.now()),
        "may_reopen": can_admit(request.user, course),
        **patient_context(request.user, course),
    }


def _course(request: SignedInRequest, written: str) -> Course | None:
    """Return the course to move to, on which the user may chart; None for none."""
    try:
        return course_or_404(request, uuid.UUID(written), Act.CHART)
    except (ValueError, Http404):
        return None
