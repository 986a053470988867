"""A shared tablet over HTTP: one browser with one jar of cookies, at which users take turns."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpResponse
from django.test import Client

from crs_app.accounts.models import User

PASSWORD, PIN, OTHER_PIN = "correct horse 1", "4071", "8350"
SWITCH, SET_PIN = "/accounts/switch/", "/accounts/pin/"


class Tablet(Client):
    """A tablet of the ward; ``sign_in`` is a full sign-in, ``switch`` one by PIN."""

    def sign_in(self, user: User, pin: str | None = PIN) -> None:
        """Sign in in full, by way of the page on which another user gives the tablet away."""
        self.post(SWITCH, {"full": "yes"})
        sent = {"username": user.username, "password": PASSWORD}
        assert self.post("/accounts/sign-in/", sent).status_code == 302
        if pin is not None:
            assert self.set_pin(pin).status_code == 302

    def set_pin(self, pin: str, again: str | None = None, **more: str) -> Any:
        sent = {"pin": pin, "pin_again": pin if again is None else again, **more}
        return self.post(SET_PIN, sent)

    def switch(self, user: User, pin: str = PIN, page: str = "") -> HttpResponse:
        return self.post(SWITCH, {"who": user.pk, "pin": pin, "next": page})

    @property
    def user_id(self) -> str | None:
        """Whose session it is, signed in or locked."""
        return self.session.get(SESSION_KEY)

    def is_used_by(self, user: User) -> bool:
        """Whether pages are answered, to this user."""
        answer = self.get("/accounts/me/")
        return answer.status_code == 200 and self.user_id == str(user.pk)

    def lock(self) -> None:
        assert self.post("/accounts/active/", {"lock": "yes"}).status_code == 204
