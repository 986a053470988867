"""Pages by which a user sets up, names and removes the own second factors and passkeys."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from crs_app.accounts.factors import changes
from crs_app.accounts.factors.codes import forget_secret, in_groups, new_secret, qr_image
from crs_app.accounts.factors.forms import CodeAppForm, KeyNameForm, NewKeyForm
from crs_app.accounts.factors.keys import ask_new_key, new_key_of
from crs_app.accounts.factors.methods import Key, Methods, methods_of
from crs_app.accounts.factors.middleware import is_missing, open_without_second_factor
from crs_app.accounts.factors.shown import SHOWN
from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.own_sessions import has_fresh_password, keep_this_session
from crs_app.accounts.requests import SignedInRequest
from crs_app.proxies import client_address

UNPROCESSABLE: Final = 422
View = Callable[..., HttpResponse]


def _after_own_password(view: View) -> View:
    """Decorate a view that opens where the user has entered the own password lately."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if has_fresh_password(request):
            return view(request, *args, **kwargs)
        form = ConfirmedForm(request, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            return redirect(request.path)
        status = UNPROCESSABLE if form.is_bound else 200
        return render(request, "accounts/own_password.html", {"form": form}, status=status)

    return guarded


@open_without_second_factor
@require_safe
def second_factor(request: SignedInRequest) -> HttpResponse:
    """Say that the user's role needs a second factor, and how one is set up."""
    methods = _methods(request)
    if not is_missing(request):
        return redirect("accounts:me")
    return render(request, "accounts/second_factor.html", {"methods": methods})


@open_without_second_factor
@sensitive_post_parameters("code", "your_password")
@require_http_methods(["GET", "HEAD", "POST"])
@_after_own_password
def code_app(request: SignedInRequest) -> HttpResponse:
    """Show the secret for a code app, and store it once the app shows the right code."""
    if _methods(request).code_app_since is not None:
        messages.info(request, "A code app is set up. Remove it before you set up another.")
        return redirect("accounts:me")
    secret = new_secret(request)
    form = CodeAppForm(secret, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = changes.add_code_app(_own(request), secret, form.cleaned_data["code"])
        except changes.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            forget_secret(request)
            return _is_set_up(request, codes, "Your code app is set up.")
    shown = {"form": form, "secret": in_groups(secret), "qr": qr_image(request.user, secret)}
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "accounts/code_app.html", shown, status=status)


@open_without_second_factor
@sensitive_post_parameters("credential", "your_password")
@require_http_methods(["GET", "HEAD", "POST"])
@_after_own_password
def new_key(request: SignedInRequest) -> HttpResponse:
    """Add a passkey or a security key; the script asks for the challenge first, by ``ask``."""
    if request.method == "POST" and "ask" in request.POST:
        return JsonResponse(ask_new_key(request.user, opens_alone=request.POST["ask"] == "passkey"))
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            credential, opens_alone = new_key_of(form.cleaned_data["credential"], request.user)
            codes = changes.add_new_key(_own(request), name, credential, opens_alone=opens_alone)
        except ValidationError as wrong:
            form.add_error(None, wrong)
        else:
            kind = "passkey" if opens_alone else "security key"
            return _is_set_up(request, codes, f"Your {kind} “{name}” is added.")
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "accounts/new_key.html", {"form": form}, status=status)


@sensitive_post_parameters("your_password")
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: SignedInRequest) -> HttpResponse:
    """Make new recovery codes, and show them this once."""
    form = ConfirmedForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = changes.new_recovery_codes(_own(request))
        except changes.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            return _is_set_up(request, codes, "The earlier recovery codes do not work any more.")
    asked = {
        "title": "New recovery codes",
        "sentence": "The earlier codes stop working. All your other sessions end.",
        "button": "Make new codes",
    }
    return _ask(request, form, asked)


@sensitive_post_parameters("your_password")
@require_http_methods(["GET", "HEAD", "POST"])
def remove_code_app(request: SignedInRequest) -> HttpResponse:
    """Remove the own code app."""
    if _methods(request).code_app_since is None and request.method != "POST":
        return redirect("accounts:me")
    asked = {
        "title": "Remove the code app",
        "sentence": "Its codes stop working. All your other sessions end.",
        "button": "Remove",
    }
    return _remove(request, asked, changes.remove_code_app)


@sensitive_post_parameters("your_password")
@require_http_methods(["GET", "HEAD", "POST"])
def rename_key(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a passkey or a security key of one's own another name."""
    return _rename(request, _own_key(request, pk))


@_after_own_password
def _rename(request: SignedInRequest, key: Key) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = KeyNameForm(posted, initial={"name": key.name})
    if request.method == "POST" and form.is_valid():
        try:
            changes.rename_key(_own(request), key.pk, form.cleaned_data["name"])
        except changes.RefusedError as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"The key is now “{form.cleaned_data['name']}”.")
            return redirect("accounts:me")
    status = UNPROCESSABLE if form.is_bound else 200
    shown = {"form": form, "key": key}
    return render(request, "accounts/rename_key.html", shown, status=status)


@sensitive_post_parameters("your_password")
@require_http_methods(["GET", "HEAD", "POST"])
def remove_key(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a passkey or a security key of one's own."""
    key = _own_key(request, pk)
    asked = {
        "title": f"Remove “{key.name}”",
        "sentence": "This key does not sign you in any more. All your other sessions end.",
        "button": "Remove",
    }
    return _remove(request, asked, lambda own: changes.remove_key(own, pk))


def _own_key(request: SignedInRequest, pk: int) -> Key:
    key = next((key for key in _methods(request).keys if key.pk == pk), None)
    if key is None:
        raise Http404
    return key


def _remove(
    request: SignedInRequest, asked: dict[str, str], remove: Callable[[changes.Own], None]
) -> HttpResponse:
    form = ConfirmedForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            remove(_own(request))
        except changes.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            _go_on(request, _methods(request).has_second_factor)
            messages.success(request, "Removed. All other sessions have ended.")
            return redirect("accounts:me")
    return _ask(request, form, asked)


def _ask(request: SignedInRequest, form: ConfirmedForm, asked: dict[str, str]) -> HttpResponse:
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "accounts/ask.html", {"form": form, "asked": asked}, status=status)


def _is_set_up(request: SignedInRequest, codes: list[str], done: str) -> HttpResponse:
    """Go on with a session that has shown a second factor; show new recovery codes this once."""
    _go_on(request, True)
    if not codes:
        messages.success(request, f"{done} All other sessions have ended.")
        return redirect("accounts:me")
    shown = {"codes": codes, "done": done, "now": timezone.now()}
    return render(request, "accounts/recovery_codes.html", shown)


def _go_on(request: SignedInRequest, has_second_factor: bool) -> None:
    keep_this_session(request, request.user)
    request.session[SHOWN] = has_second_factor


def _own(request: SignedInRequest) -> changes.Own:
    return changes.Own(request.user, client_address(request), timezone.now())


def _methods(request: SignedInRequest) -> Methods:
    return methods_of([request.user])[request.user.pk]
