"""The page of wards: administrators add, rename, close and open them."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from crs_app.accounts.models import Ward
from crs_app.accounts.permissions import check_can_manage_wards
from patients.queries.wards import read_ward
from patients.recording.inputs import ConflictError
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    posted,
    submission_from,
)
from patients.ward.ward_forms import WardForm
from patients.ward.wards import add_ward, close_ward, open_ward, rename_ward, ward_rows

CLOSE: Final = "close"
OPEN: Final = "open"
"""Values of the button ``step`` on the page of one ward; without it the ward is renamed."""


@require_http_methods(["GET", "HEAD", "POST"])
def wards(request: SignedInRequest) -> HttpResponse:
    """List the wards; a POST adds one."""
    check_can_manage_wards(request.user)
    form = WardForm(posted(request))
    status = 200
    if form.is_bound and form.is_valid():
        try:
            made = add_ward(form.cleaned_data["name"], request.user)
        except ConflictError as error:
            form.add_error("name", error.sentence)
        else:
            messages.info(request, f"Ward {made.name} was added. Choose who works there: Users.")
            return redirect("patients:wards")
    if form.errors:
        status = UNPROCESSABLE
    return render(request, "ward/wards.html", {"form": form, "rows": ward_rows()}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def ward(request: SignedInRequest, ward_id: int) -> HttpResponse:
    """Show the form that renames a ward; a POST renames, closes or opens it."""
    check_can_manage_wards(request.user)
    found = read_ward(ward_id)
    if found is None:
        raise Http404("No such ward")
    step = request.POST.get("step", "")
    if request.method == "POST" and step in (CLOSE, OPEN):
        return _closed_or_opened(request, found, step)
    form = WardForm(posted(request), initial={"name": found.name})
    if form.is_bound and form.is_valid():
        seen = request.POST.get("seen", "")
        before = found.name
        try:
            submission = submission_from(request, form)
            renamed = rename_ward(found, form.cleaned_data["name"], submission, seen=seen)
        except ConflictError as error:
            form.add_error("name", error.sentence)
        else:
            which = "The ward" if before == renamed.name else f"Ward {before}"
            messages.info(request, f"{which} is named {renamed.name} now.")
            return redirect("patients:wards")
    return _ward_page(request, found, form, UNPROCESSABLE if form.errors else 200)


def _closed_or_opened(request: SignedInRequest, found: Ward, step: str) -> HttpResponse:
    if step == OPEN:
        open_ward(found, request.user)
        messages.info(request, f"Ward {found.name} is open.")
        return redirect("patients:wards")
    try:
        close_ward(found, request.user)
    except ConflictError as error:
        form = WardForm(initial={"name": found.name})
        return _ward_page(request, found, form, CONFLICT, error.sentence)
    messages.info(request, f"Ward {found.name} is closed. It can be opened again.")
    return redirect("patients:wards")


def _ward_page(
    request: SignedInRequest, found: Ward, form: WardForm, status: int, refusal: str = ""
) -> HttpResponse:
    row = next(one for one in ward_rows() if one.ward.pk == found.pk)
    context = {"form": form, "row": row, "refusal": refusal}
    return render(request, "ward/ward.html", context, status=status)
