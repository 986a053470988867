"""Answer what was recorded on a course since a page was made, for its poll."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from patients.queries.latest import read_recorded_since
from patients.requests import SignedInRequest, course_or_404
from patients.review.address import BadAddressError, parse_instants
from patients.review.bad_address import bad_address_json


@require_safe
def latest(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer how many entries were recorded after ``since``, and when the last of them."""
    course = course_or_404(request, course_id)
    try:
        since = parse_instants(_at(request), timezone.now()).at
    except BadAddressError as error:
        return bad_address_json(error, field="since")
    recorded = read_recorded_since(course.pk, since)
    return JsonResponse(
        {
            "entries": recorded.entries,
            "last_at": recorded.last_at.isoformat() if recorded.last_at else None,
        }
    )


def _at(request: SignedInRequest) -> dict[str, str]:
    since = request.GET.get("since")
    return {} if since is None else {"at": since}
