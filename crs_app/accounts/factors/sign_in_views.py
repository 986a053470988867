"""The second step of a sign-in, and the sign-in by a passkey alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from crs_app.accounts.factors.code_field import WRONG_CODE
from crs_app.accounts.factors.codes import is_right_code
from crs_app.accounts.factors.failed_keys import note_failed_key
from crs_app.accounts.factors.forms import SecondStepForm
from crs_app.accounts.factors.keys import ask_for_key, key_of_answer
from crs_app.accounts.factors.methods import methods_of
from crs_app.accounts.forms import SignInForm
from crs_app.accounts.models import User
from crs_app.accounts.sessions import delete_expired_sessions
from crs_app.accounts.signing_in import Waiting, forget_waiting, sign_in, waiting_user
from crs_app.accounts.throttle import HeldError
from crs_app.accounts.verify import held_text
from crs_app.accounts.views import SignIn

_CHALLENGE_FOR: Final = timedelta(minutes=10)


@login_not_required
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask who has entered the password for a code, or for a key."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    waiting = waiting_user(request)
    if waiting is None:
        return redirect("accounts:sign_in")
    if request.method == "POST" and "again" in request.POST:
        forget_waiting(request)
        return redirect("accounts:sign_in")
    form, wrong = SecondStepForm(request.POST if "code" in request.POST else None), ""
    if request.method == "POST":
        method, wrong = _shown(request, waiting, form)
        if method:
            method = f"{waiting.method or 'password'} and {method}"
            sign_in(request, waiting.user, method=method, has_second_factor=True)
            return redirect(waiting.next_page)
    return _second_step_page(request, waiting.user, form, wrong)


def _shown(request: HttpRequest, waiting: Waiting, form: SecondStepForm) -> tuple[str, str]:
    """Return which second factor was shown, and what was wrong beside the form; "" for none."""
    if "credential" in request.POST:
        return _shown_key(request, waiting.user)
    if not form.is_valid():
        return "", ""
    now, code = timezone.now(), form.cleaned_data["code"]
    try:
        is_right = is_right_code(request, waiting.user.username, code, now, after_password=True)
    except HeldError as held:
        return "", held_text(held.until - now)
    except ValidationError as busy:
        return "", str(busy.message)
    if not is_right:
        form.add_error("code", WRONG_CODE)
    return ("code" if is_right else ""), ""


def _shown_key(request: HttpRequest, user: User) -> tuple[str, str]:
    try:
        key_of_answer(request.POST["credential"], user).record_usage()
    except ValidationError as wrong:
        note_failed_key(request, user, why="key")
        return "", str(wrong.message)
    return "key", ""


def _second_step_page(
    request: HttpRequest, user: User, form: SecondStepForm, wrong: str
) -> HttpResponse:
    methods = methods_of([user])[user.pk]
    asked: dict[str, Any] | None = ask_for_key(user) if methods.keys else None
    shown = {"form": form, "wrong": wrong, "person": user, "methods": methods, "asked": asked}
    return render(request, "accounts/second_step.html", shown)


def passkey_challenge(request: HttpRequest) -> JsonResponse:
    """Answer the challenge with which a browser asks its device for a passkey of any user.

    Strangers must not fill the table of sessions: a new challenge deletes some that have expired.
    """
    if SESSION_KEY not in request.session:
        request.session.set_expiry(_CHALLENGE_FOR)
        delete_expired_sessions()
    return JsonResponse(ask_for_key(None))


class PasskeySignIn(SignIn):
    """Sign-in by a passkey alone: its device has verified who holds it.

    Without an answer of a browser the challenge is sent, as JSON. No earlier failure holds it: a
    signature cannot be guessed. A wrong one counts for its address, and holds passwords there.
    """

    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "credential" not in request.POST:
            return passkey_challenge(request)
        try:
            factor = key_of_answer(request.POST["credential"], None)
        except ValidationError as wrong:
            note_failed_key(request, None, why="passkey")
            form = SignInForm(request)
            return self.render_to_response(self.get_context_data(form=form, wrong=wrong.message))
        factor.record_usage()
        sign_in(request, factor.user, method="passkey", has_second_factor=True)
        return redirect(self.get_success_url())
