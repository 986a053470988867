"""The page on which the user of a shared tablet is switched, and the page of the own PIN."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from crs_app.accounts import throttle
from crs_app.accounts.events import note
from crs_app.accounts.factors.sign_in_views import passkey_challenge
from crs_app.accounts.middleware import lock_session
from crs_app.accounts.models import TabletSignIn, User
from crs_app.accounts.own_sessions import signed_in_at
from crs_app.accounts.pin_forms import PinForm, SwitchForm
from crs_app.accounts.requests import SignedInRequest
from crs_app.accounts.switch import (
    note_refused,
    page_of_this_site,
    page_that_opens,
    switch_by_passkey,
    switch_by_pin,
)
from crs_app.accounts.tablets import end_pin, set_pin, sign_ins_here, tablet_of, takes_pin
from crs_app.accounts.verify import BUSY as BUSY_CODE
from crs_app.accounts.verify import RETRY_AFTER_S
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

UNPROCESSABLE: Final = 422
BUSY: Final = 503


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest) -> HttpResponse:
    """Ask who works now; a name and its PIN begin a session of that user on the page before."""
    if request.method != "POST":
        chosen = request.session.get(SESSION_KEY) if not request.user.is_authenticated else None
        return _switch_page(request, request.GET.get("next", ""), chosen=chosen)
    page = request.POST.get("next", "")
    if "full" in request.POST:
        return _lead_to_full_sign_in(request, page)
    if "ask" in request.POST:
        return passkey_challenge(request)
    if "credential" in request.POST:
        return _switch_by_passkey(request, page)
    return _switch_by_pin(request, page)


def _switch_by_pin(request: HttpRequest, page: str) -> HttpResponse:
    form = SwitchForm(request.POST)
    if not form.is_valid():
        chosen, (faults, *_) = form.cleaned_data.get("who"), form.errors.values()
        return _switch_page(request, page, chosen=chosen, fault=str(faults[0]))
    who, pin = form.cleaned_data["who"], form.cleaned_data["pin"]
    here = {one.user_id: one for one in sign_ins_here(request, timezone.now())}
    if who not in here:
        note_refused(request, User.objects.filter(pk=who).first())
        throttle.count_of_address(client_address(request), timezone.now())
        unknown = "This user has not signed in on this tablet today: a full sign-in is needed."
        return _switch_page(request, page, fault=unknown)
    try:
        switch_by_pin(request, here[who], pin)
    except ValidationError as refused:
        answer = _switch_page(request, page, chosen=who, fault=str(refused.message))
        if refused.code == BUSY_CODE:
            answer.status_code, answer.headers["Retry-After"] = BUSY, str(RETRY_AFTER_S)
        return answer
    return redirect(page_that_opens(request, page))


def _switch_by_passkey(request: HttpRequest, page: str) -> HttpResponse:
    try:
        switch_by_passkey(request, request.POST["credential"])
    except ValidationError as refused:
        return _switch_page(request, page, fault=str(refused.message))
    return redirect(page_that_opens(request, page))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def pin(request: SignedInRequest) -> HttpResponse:
    """Set or end one's own PIN for this tablet."""
    page = page_of_this_site(request, request.POST.get("next") or request.GET.get("next", ""))
    after = page or reverse("accounts:me")
    if request.method == "POST" and "end" in request.POST:
        if end_pin(request.user, tablet_of(request)):
            _note_pin(request, "ended")
        messages.success(request, "Your PIN on this tablet has ended.")
        return redirect(after)
    form = PinForm(request, request.POST if request.method == "POST" else None)
    began = signed_in_at(request)
    if request.method == "POST" and form.is_valid():
        set_pin(request, form.cleaned_data["pin"], began)
        _note_pin(request, "set")
        messages.success(request, "Your PIN is set on this tablet.")
        return redirect(after)
    status = UNPROCESSABLE if form.is_bound else 200
    context = {"form": form, "next": page, "after": after, "ends": _end_of(began)}
    return render(request, "accounts/pin.html", context, status=status)


def _switch_page(
    request: HttpRequest, page: str, *, chosen: object = None, fault: str = ""
) -> HttpResponse:
    """Answer the page; htmx, which puts it on a locked page, gets nothing where nobody is named."""
    here = sign_ins_here(request, timezone.now())
    if not here and "HX-Request" in request.headers:
        return HttpResponse(status=204)
    page = page_of_this_site(request, page)
    context = {
        "names": [_name(one, request) for one in here],
        "chosen": int(chosen) if isinstance(chosen, int | str) else None,
        "fault": fault,
        "next": page,
        "course_id": resolve(urlsplit(page).path).kwargs.get("course_id") if page else None,
    }
    status = UNPROCESSABLE if fault else 200
    return render(request, "accounts/switch.html", context, status=status)


def _name(one: TabletSignIn, request: HttpRequest) -> dict[str, Any]:
    return {
        "user": one.user,
        "takes_pin": takes_pin(one),
        "was_here": str(one.user_id) == request.session.get(SESSION_KEY),
        "ends": _end_of(one.signed_in_at),
    }


def _end_of(began: datetime) -> datetime:
    return began + settings.SIGNED_OUT_AFTER


def _lead_to_full_sign_in(request: HttpRequest, page: str) -> HttpResponse:
    """Lock the session of the user before, and lead to the sign-in page, for anybody else."""
    if request.user.is_authenticated:
        lock_session(request)
    asked = page_of_this_site(request, page)
    address = reverse("accounts:sign_in")
    return redirect(f"{address}?{urlencode({'next': asked})}" if asked else address)


def _note_pin(request: SignedInRequest, pin: str) -> None:
    event, address = EventKind.SIGN_IN_METHODS_CHANGED, client_address(request)
    note(event, by=request.user, address=address, pin=pin)
