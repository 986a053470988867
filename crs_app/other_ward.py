"""The answer to who asks for a patient of another ward: a page asks why, all else is refused."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from crs_app import error_pages
from crs_app.accounts.permissions import OtherWardError
from crs_app.error_pages import ErrorText, error_response, is_htmx

_OTHER_WARD: Final = ErrorText(
    "Another ward",
    ("This patient is not on one of your wards. Nothing was saved.",
     "Open the patient again and say why."),
)  # fmt: skip


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle 403, as Django's ``handler403``; a page of another ward's patient asks for a reason.

    What a script reads, and what is sent, is refused: nobody would see the question.
    """
    if not isinstance(exception, OtherWardError):
        return error_pages.permission_denied(request, exception)
    is_page = request.method in ("GET", "HEAD") and not request.path.endswith(".json")
    if is_page and not is_htmx(request):
        reason = reverse("patients:emergency_access", args=[exception.course.pk])
        return redirect(f"{reason}?{urlencode({'next': request.get_full_path()})}")
    return error_response(403, is_htmx=is_htmx(request), text=_OTHER_WARD)
