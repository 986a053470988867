"""Answer a tablet that asks which of its sent forms are stored: a restored server may lack some."""

from __future__ import annotations

import uuid
from typing import Final

from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse
from django.views.decorators.http import require_POST

from patients.queries.acts import read_stored_forms
from patients.requests import SignedInRequest

ASKED_AT_MOST: Final = 200
"""Forms that one request may name; a nurse records fewer in 24 hours."""


@require_POST
def known(request: SignedInRequest) -> HttpResponse:
    """Return the ids of those forms of this user that no act was recorded of, as ``unknown``.

    Each value of ``form`` is the id of a course and that of a form, with a colon between.
    """
    names = request.POST.getlist("form")
    try:
        asked = {(uuid.UUID(course), uuid.UUID(form)) for course, form in map(_parts, names)}
    except ValueError:
        return HttpResponseBadRequest()
    if len(names) > ASKED_AT_MOST:
        return HttpResponseBadRequest()
    stored = read_stored_forms(asked, request.user)
    return JsonResponse({"unknown": sorted(str(form) for _, form in asked - stored)})


def _parts(name: str) -> tuple[str, str]:
    course, _, form = name.partition(":")
    return course, form
