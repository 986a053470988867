"""Show and send the grades that reviewers stated beside the computed ones."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crs_app.accounts.permissions import check_can_read_disagreements
from crs_app.replica import may_read_replica
from patients.requests import SignedInRequest
from patients.review.disagreements import (
    SHOWN,
    criterion_counts,
    disagreements_as_csv,
    latest_disagreements,
)


@require_safe
@may_read_replica
def disagreements(request: SignedInRequest) -> HttpResponse:
    """Show how often each criterion was disagreed with, and the latest disagreements."""
    check_can_read_disagreements(request.user)
    context = {"counts": criterion_counts(), "lines": latest_disagreements(), "most_shown": SHOWN}
    return render(request, "review/disagreements.html", context)


@require_safe
def disagreements_csv(request: SignedInRequest) -> HttpResponseBase:
    """Send every disagreement as a CSV file."""
    check_can_read_disagreements(request.user)
    response = StreamingHttpResponse(disagreements_as_csv(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="disagreements.csv"'
    response["Cache-Control"] = "no-store"
    return response
