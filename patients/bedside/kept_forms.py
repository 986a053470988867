"""Send the forms of every kind to an open page, which shows them while there is no network."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from crs_app.accounts.rights import Act
from patients.bedside.page import (
    RARE,
    TABS,
    empty_form,
    form_context,
    may_do,
    read_bedside_data,
    rights_context,
    shared_context,
)
from patients.queries.courses import now_for
from patients.requests import SignedInRequest, course_or_404


@require_safe
def kept_forms(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Return the empty form of each kind as ``forms``; none where the reader may not chart.

    A death is not among them: it is asked about by the server before it is saved.
    """
    course = course_or_404(request, course_id, Act.OPEN_CHART)
    may = may_do(request.user, course)
    if not may.chart:
        return JsonResponse({"forms": {}})
    data = read_bedside_data(course, now_for(course))
    shared = {
        "previous": data.previous,
        "running": data.running,
        "course": course,
        **shared_context(course, may),
        **rights_context(request.user, course),
    }
    rare = {tab.kind for tab in RARE}
    return JsonResponse(
        {
            "forms": {
                kind: render_to_string(
                    "forms/entry_form.html",
                    shared | form_context(empty_form(kind, data), kind),
                    request,
                )
                for kind in TABS
                if kind not in rare
            }
        }
    )
