"""A code app, and a browser that signs in with its codes."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth import SESSION_KEY
from django.test import Client

SIGN_IN, SECOND_STEP = "/accounts/sign-in/", "/accounts/sign-in/second-step/"
CODE_APP, RECOVERY_CODES = "/accounts/me/code-app/", "/accounts/me/recovery-codes/"
PASSWORD = "correct horse 1"
TABLET, ELSEWHERE = "10.4.7.31", "203.0.113.9"
STEP_S = 30


def code_of(secret: str, steps_away: int = 0) -> str:
    """The code that an app shows, or will show, or has shown."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // STEP_S + steps_away))


def with_password(
    username: str = "nurse", password: str = PASSWORD, address: str = TABLET, **more: str
) -> tuple[Client, Any]:
    """A browser that has sent name and password, and the answer."""
    client = Client(REMOTE_ADDR=address)
    sent = {"username": username, "password": password, **more}
    return client, client.post(SIGN_IN, sent)


def enters(client: Client) -> bool:
    return SESSION_KEY in client.session


def set_up(client: Client) -> tuple[str, list[str]]:
    """Set up a code app on its page; return its secret and the recovery codes."""
    page = client.get(CODE_APP).content.decode()
    secret = "".join(re.findall(r"data-secret>([A-Z2-7 ]+)<", page)[0].split())
    done = client.post(CODE_APP, {"code": code_of(secret)}).content.decode()
    codes = re.findall(r"^(\d{4} \d{4})$", done, re.MULTILINE)
    assert len(codes) == 10
    return secret, codes


def second_step(client: Client, code: str) -> Any:
    return client.post(SECOND_STEP, {"code": code})
