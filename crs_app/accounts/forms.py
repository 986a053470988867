"""The sign-in form, which locks a username after too many wrong passwords."""

from __future__ import annotations

import threading
from typing import Any, Final

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import SignInThrottle

VERIFIED_AT_ONCE: Final = 2
"""Passwords that one process verifies at the same time: each takes one of its four threads."""
_verifying: Final = threading.BoundedSemaphore(VERIFIED_AT_ONCE)


class SignInForm(AuthenticationForm):
    """Django's form, with a lock: see ``SignInThrottle`` for how many failures and how long.

    A locked username is refused even with the right password. An unknown username is answered
    like a known one. Where ``VERIFIED_AT_ONCE`` passwords are being verified, another is refused
    at once and not counted: those who only read must not wait for those who guess.
    """

    BUSY: Final = "busy"
    RETRY_AFTER_S: Final = 5

    error_messages = {  # noqa: RUF012 - Django declares it on the instance
        **AuthenticationForm.error_messages,
        "invalid_login": "Username and password do not match. Both are case-sensitive.",
        "locked": (
            "Too many failed sign-ins under this username. "
            "Try again in %(minutes)d min, or ask an administrator."
        ),
        BUSY: "Many people are signing in at this moment. Try again in a few seconds.",
    }

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if username is None or not password:
            return self.cleaned_data
        if not _verifying.acquire(blocking=False):
            raise forms.ValidationError(self.error_messages[self.BUSY], code=self.BUSY)
        try:
            self._verify(username, password)
        finally:
            _verifying.release()
        return self.cleaned_data

    def _verify(self, username: str, password: str) -> None:
        """Count the attempt, then verify the password, with no transaction and no lock held.

        The attempt counts as a failure until the password is found right, so that parallel guesses
        are never more than a lock allows.
        """
        now = timezone.now()
        with transaction.atomic():
            throttle = SignInThrottle.of(username)
            locked = throttle.is_locked(now)
            if not locked:
                throttle.note_failure(now)
        if locked:
            raise forms.ValidationError(
                self.error_messages["locked"],
                code="locked",
                params={"minutes": throttle.minutes_locked(now)},
            )
        self.user_cache = authenticate(self.request, username=username, password=password)
        if self.user_cache is None:
            SignInThrottle.forget_old(now)
            raise self.get_invalid_login_error()
        throttle.delete()
        self.confirm_login_allowed(self.user_cache)
