"""What every view of the chart asks of a request: who sends it, what, and about which course."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django_htmx.middleware import HtmxDetails

from crs_app.accounts.models import User
from crs_app.accounts.permissions import check_can_chart
from patients.forms.base import SubmittedForm
from patients.models import Course, EntryKind
from patients.queries.courses import read_course
from patients.recording.inputs import NewEntry, Submission

UNPROCESSABLE: Final = 422
CONFLICT: Final = 409
_NOT_CONTENTS: Final = frozenset(
    {"csrfmiddlewaretoken", "form_id", "opened_at", "begun_at", "sent_at", "confirmed"}
)


class SignedInRequest(HttpRequest):
    """A request that the middleware let pass."""

    user: User
    htmx: HtmxDetails


View = Callable[..., HttpResponse]


def requires_charting(view: View) -> View:
    """Lets only those chart who may."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_can_chart(request.user)
        return view(request, *args, **kwargs)

    return guarded


def submission_from(request: SignedInRequest, form: SubmittedForm) -> Submission:
    """The form's own id, and what was sent under it."""
    return Submission(
        by=request.user,
        form_id=form.cleaned_data["form_id"],
        request_digest=_digest(request.POST),
        answers=form.submission_answers(),
        limits=form.reported_limits(),
    )


def recorded_before(
    request: SignedInRequest, course: Course, form: SubmittedForm
) -> list[NewEntry]:
    """What this very form recorded when it was sent before; nothing where it is new.

    The chart has gone on since: what was right then may be refused or asked about now.
    """
    form_id = form.cleaned_data.get("form_id")
    if form_id is None:
        return []
    acts = course.acts.filter(form_id=form_id, request_digest=_digest(request.POST))
    return [
        NewEntry(EntryKind(entry.kind), entry.at, entry.body, entry.replaces_id)
        for act in acts
        for entry in act.entries.order_by("place")
    ]


def _digest(typed: QueryDict) -> str:
    """What a form says, whenever and however often it is sent; what is empty says nothing."""
    said = sorted(
        (key, values) for key, values in typed.lists() if key not in _NOT_CONTENTS and any(values)
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def posted(request: SignedInRequest) -> Mapping[str, Any] | None:
    """What was sent, None where nothing was."""
    return request.POST if request.method == "POST" else None


def course_or_404(course_id: uuid.UUID) -> Course:
    """The course; answers 404 where there is none."""
    try:
        return read_course(course_id)
    except Course.DoesNotExist:
        raise Http404("No such course") from None
