"""The page of one's own account, and the page behind a one-time link."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crs_app.accounts import throttle
from crs_app.accounts.events import note, note_failed
from crs_app.accounts.factors.changes import last_changes
from crs_app.accounts.factors.methods import methods_of
from crs_app.accounts.forms import ChangePasswordForm, NewPasswordForm
from crs_app.accounts.links import LinkGoneError, end_links, use_link, user_of_link
from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import (
    end_all_sessions,
    end_session,
    keep_this_session,
    note_password,
    sessions_of,
)
from crs_app.accounts.requests import SignedInRequest
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

UNPROCESSABLE: Final = 422
GONE: Final = 404


@require_safe
def me(request: SignedInRequest) -> HttpResponse:
    """Answer the page of one's own account."""
    sessions = sessions_of(request.user, request.session.session_key)
    methods = methods_of([request.user])[request.user.pk]
    shown = {"sessions": sessions, "methods": methods, "changes": last_changes(request.user)}
    return render(request, "accounts/me.html", shown)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: SignedInRequest) -> HttpResponse:
    """Set another password after the present one was typed; other sessions and links end."""
    user = request.user
    if not user.has_usable_password():
        return redirect("accounts:me")
    form = ChangePasswordForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            user.set_password(form.cleaned_data["new_password1"])
            user.save(update_fields=["password"])
            end_all_sessions(user)
            end_links(user, timezone.now())
            note(EventKind.PASSWORD_CHANGED, by=user, address=client_address(request))
        keep_this_session(request, user)
        note_password(request)
        messages.success(request, "Your password is changed. All other sessions have ended.")
        return redirect("accounts:me")
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "accounts/password.html", {"form": form}, status=status)


@require_POST
def end_one(request: SignedInRequest, code: str) -> HttpResponse:
    """End one of one's own sessions; this one like any other."""
    user = request.user
    if end_session(user, code):
        note(EventKind.SIGNED_OUT, by=user, address=client_address(request), sessions="1")
        messages.success(request, "The session has ended.")
    return redirect("accounts:me")


@require_POST
def end_others(request: SignedInRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    user = request.user
    with transaction.atomic():
        ended = end_all_sessions(user) - 1
        note(EventKind.SIGNED_OUT, by=user, address=client_address(request), sessions=str(ended))
    keep_this_session(request, user)
    messages.success(request, "All other sessions have ended.")
    return redirect("accounts:me")


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, secret: str) -> HttpResponse:
    """Let the person of a one-time link set a password; opening the page uses nothing up."""
    now = timezone.now()
    try:
        person = user_of_link(secret, now)
        form = NewPasswordForm(person, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            password = form.cleaned_data["new_password1"]
            use_link(secret, password, client_address(request), now)
            logout(request)
            messages.success(request, "Your password is set. Sign in with it now.")
            return redirect("accounts:sign_in")
    except LinkGoneError as gone:
        _note_gone(gone.user, client_address(request), now)
        return render(request, "accounts/link_gone.html", status=GONE)
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "accounts/start.html", {"form": form, "person": person}, status=status)


def _note_gone(user: User | None, address: str, now: datetime) -> None:
    """Record a link that does not work; ``user`` is whose it was, None where nobody had it.

    One that nobody had counts as a failure of the address. A link that works waits for no count:
    it cannot be guessed, and an administrator gave it.
    """
    if user is None:
        throttle.count_of_address(address, now)
        throttle.delete_forgotten(now)
    note_failed(user, address, now, why="link")
