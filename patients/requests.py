"""Read a request of the chart: its user, its submission and its course."""

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
    """Request of a user who is signed in, as the middleware ensures."""

    user: User
    htmx: HtmxDetails


View = Callable[..., HttpResponse]


def requires_charting(view: View) -> View:
    """Decorate a view: raise PermissionDenied for a user who may not chart."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_can_chart(request.user)
        return view(request, *args, **kwargs)

    return guarded


def submission_from(request: SignedInRequest, form: SubmittedForm) -> Submission:
    """Return the submission of a valid form: its idempotency key, and what was sent with it."""
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
    """Return the entries that a replayed form recorded the first time; none where it is new.

    A replay may not be valid any more, because the chart has changed since.
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
    """Return the digest of the contents of a form: equal for each replay, without empty fields."""
    contents = sorted(
        (key, values) for key, values in typed.lists() if key not in _NOT_CONTENTS and any(values)
    )
    return hashlib.sha256(repr(contents).encode()).hexdigest()


def posted(request: SignedInRequest) -> Mapping[str, Any] | None:
    """Return the posted data; None where the request is no POST."""
    return request.POST if request.method == "POST" else None


def course_or_404(course_id: uuid.UUID) -> Course:
    """Read the course; raise Http404 where there is none."""
    try:
        return read_course(course_id)
    except Course.DoesNotExist:
        raise Http404("No such course") from None
