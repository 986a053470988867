"""What views of the chart read of a request: the course, the sent form, and its submission."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from crs_app.accounts.models import User
from crs_app.accounts.permissions import check, is_own_ward, right_to
from crs_app.accounts.rights import Act
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.forms.base import SubmittedForm
from patients.models import Course, EntryKind, Patient
from patients.queries.access import emergency_until
from patients.queries.acts import read_entries_of_form
from patients.queries.courses import read_course
from patients.queries.identity import latest_course
from patients.recording.inputs import NewEntry, Submission

BAD_REQUEST: Final = 400
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
CONFIRM: Final = "confirm"
EDIT: Final = "edit"
"""Values of the button ``step`` on a preview: record it, or go back to the form."""
EMERGENCY: Final = "emergency access"
_NOT_CONTENTS: Final = frozenset(
    {"csrfmiddlewaretoken", "form_id", "opened_at", "begun_at", "sent_at", "confirmed"}
)


class SignedInRequest(HttpRequest):
    """A request of a signed-in user: the middleware lets no other through.

    ``uses_emergency_access`` is set where ``course_or_404`` found a course open by it, and
    ``access_purpose``, which the record keeps; ``is_recorded`` where the view recorded what it
    sends by itself; ``shown_course`` is whose chart it shows where its address does not name one.
    ``opened_course`` is the course that ``course_or_404`` found.
    """

    user: User
    htmx: HtmxDetails
    uses_emergency_access: bool
    access_purpose: str
    is_recorded: bool
    shown_course: uuid.UUID | None
    opened_course: Course


def record_named(
    request: SignedInRequest, patients: Iterable[Patient], page: str, searched: str
) -> None:
    """Record that an answer names ``patients`` whom its address does not: a search found them.

    ``searched`` is what was typed about them.
    """
    for patient in {patient.pk: patient for patient in patients}.values():
        course = latest_course(patient.pk)
        record_event(
            EventKind.SEARCH,
            by=request.user,
            course_id=None if course is None else course.pk,
            details={"page": page, "q": searched},
        )


def record_other_patient(request: SignedInRequest, course_id: uuid.UUID | None, page: str) -> None:
    """Record that an answer shows another patient than that of its address.

    ``course_id`` is None for a record without a course.
    """
    record_event(EventKind.VIEW, by=request.user, course_id=course_id, details={"page": page})


def submission_from(request: SignedInRequest, form: SubmittedForm) -> Submission:
    """Return the submission of a valid form, with its idempotency key."""
    return Submission(
        by=request.user,
        form_id=form.cleaned_data["form_id"],
        request_digest=_digest(request),
        answers=form.submission_answers(),
        limits=form.reported_limits(),
        by_emergency=getattr(request, "uses_emergency_access", False),
    )


def recorded_before(
    request: SignedInRequest, course: Course, form: SubmittedForm
) -> list[NewEntry]:
    """Return what this form of this user recorded when it was sent before; nothing if it is new.

    A replay must succeed although the chart has changed since and the form may not be valid now.
    """
    form_id = form.cleaned_data.get("form_id")
    if form_id is None:
        return []
    entries = read_entries_of_form(course, form_id, _digest(request), request.user)
    return [
        NewEntry(EntryKind(entry.kind), entry.at, entry.body, entry.replaces_id)
        for entry in entries
    ]


def _digest(request: SignedInRequest) -> str:
    """Return a hash of what was sent: the address, and the fields that are not empty.

    Fields that change when a form is sent again are left out.
    """
    fields = request.POST.lists()
    contents = sorted(
        (key, values) for key, values in fields if key not in _NOT_CONTENTS and any(values)
    )
    return hashlib.sha256(repr((request.get_full_path(), contents)).encode()).hexdigest()


def posted(request: SignedInRequest) -> Mapping[str, Any] | None:
    """Return the posted fields, None where the request is no POST."""
    return request.POST if request.method == "POST" else None


def posted_by_button(request: SignedInRequest) -> Mapping[str, Any]:
    """Return the posted fields with those that the pressed button has in its address.

    The buttons of a panel send one form. So that each is recorded once, the idempotency key of a
    button is made of the form's id and of what the button sends.
    """
    if not request.GET:
        return request.POST
    data = request.POST.copy()
    for name in request.GET:
        data.setdefault(name, request.GET[name])
    with suppress(ValueError):
        data["form_id"] = str(uuid.uuid5(uuid.UUID(data.get("form_id", "")), _digest(request)))
    return data


def course_or_404(
    request: SignedInRequest, course_id: uuid.UUID, act: Act = Act.OPEN_CHART
) -> Course:
    """Return the course, which the user may open, and do ``act`` with; raise Http404 for none.

    Raises OtherWardError where a reason would allow it, PermissionDenied where nothing would.
    """
    try:
        course = read_course(course_id)
    except Course.DoesNotExist:
        raise Http404("No such course") from None
    check_course(request.user, course, act)
    request.opened_course = course
    if course.emergency_until is not None:
        request.uses_emergency_access = True
        request.access_purpose = EMERGENCY
    return course


def check_course(user: User, course: Course, act: Act) -> None:
    """Raise PermissionDenied unless ``user`` may do ``act`` with ``course``.

    Emergency access is read where the ward is not an own one, and kept with the course.
    """
    if not is_own_ward(user, course) and right_to(user, Act.CHART).is_allowed:
        course.emergency_until = emergency_until(user, course)
    check(user, act, course)
