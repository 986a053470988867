"""Answer what the grade of a course was."""

from __future__ import annotations

import uuid

from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from patients.requests import SignedInRequest, course_or_404
from patients.review.state import BadInstantError, parse_instants, state_json

_BAD_REQUEST = 400


@require_safe
def state(request: SignedInRequest, course_id: uuid.UUID) -> JsonResponse:
    """Answer grade, bound and codes ``at`` an instant as ``known_at`` another, as JSON."""
    course = course_or_404(course_id)
    try:
        instants = parse_instants(request.GET.dict(), timezone.now())
    except BadInstantError as error:
        return JsonResponse({"errors": {error.field: str(error)}}, status=_BAD_REQUEST)
    return JsonResponse(state_json(course, instants))
