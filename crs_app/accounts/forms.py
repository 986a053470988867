"""The sign-in form, which locks a username after too many wrong passwords."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import SignInThrottle


class SignInForm(AuthenticationForm):
    """Django's form, with a lock: see ``SignInThrottle`` for how many failures and how long.

    A locked username is refused even with the right password. An unknown username is answered
    like a known one.
    """

    error_messages = {  # noqa: RUF012 - Django declares it on the instance
        **AuthenticationForm.error_messages,
        "invalid_login": "Username and password do not match. Both are case-sensitive.",
        "locked": (
            "Too many failed sign-ins under this username. "
            "Try again in %(minutes)d min, or ask an administrator."
        ),
    }

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if username is None or not password:
            return self.cleaned_data
        now = timezone.now()
        # The row stays locked while the password is verified, so that parallel guesses wait for
        # each other. The count is committed before the form refuses.
        with transaction.atomic():
            throttle = SignInThrottle.of(username)
            locked = throttle.is_locked(now)
            if not locked:
                self.user_cache = authenticate(self.request, username=username, password=password)
                if self.user_cache is None:
                    throttle.note_failure(now)
                else:
                    throttle.delete()
        if locked:
            raise forms.ValidationError(
                self.error_messages["locked"],
                code="locked",
                params={"minutes": throttle.minutes_locked(now)},
            )
        if self.user_cache is None:
            SignInThrottle.forget_old(now)
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
