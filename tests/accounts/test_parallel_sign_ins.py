"""Guesses sent at once are counted like guesses one after the other, and hold nobody up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections, transaction
from django.test import Client

from crs_app.accounts.models import SignInThrottle, User
from crs_app.accounts.verify import RETRY_AFTER_S, VERIFIED_AT_ONCE

pytestmark = pytest.mark.django_db(transaction=True)
GUESSES = 24


def sign_in(password: str) -> Any:
    try:
        sent = {"username": "nurse", "password": password}
        return Client().post("/accounts/sign-in/", sent)
    finally:
        connections.close_all()


def guess_until_answered(password: str) -> str:
    """Sends the guess again while too many are verified at once; returns how it was answered."""
    while (answer := sign_in(password)).status_code == 503:
        assert int(answer.headers["Retry-After"]) == RETRY_AFTER_S
    if answer.status_code == 302:
        return "in"
    return "locked" if "Too many failed sign-ins" in answer.content.decode() else "verified"


def test_five_of_twenty_four_guesses_at_once_are_verified(nurse: User) -> None:
    with ThreadPoolExecutor(GUESSES) as pool:
        answers = Counter(pool.map(guess_until_answered, [f"wrong {n}" for n in range(GUESSES)]))
    assert answers == {"verified": 5, "locked": 19}
    assert guess_until_answered("correct horse 1") == "locked"


class SlowHasher(MD5PasswordHasher):
    """Verifies a password only when the test lets it."""

    algorithm = "slow_md5"
    begun = threading.Semaphore(0)
    may_end = threading.Event()

    def encode(self, password: str, salt: str) -> str:
        self.begun.release()
        assert self.may_end.wait(30)
        return super().encode(password, salt)


@pytest.fixture
def slow(settings: Any) -> Iterator[type[SlowHasher]]:
    settings.PASSWORD_HASHERS = [f"{__name__}.SlowHasher", *settings.PASSWORD_HASHERS]
    SlowHasher.may_end.set()
    User.objects.create_user("nurse", password="correct horse 1")
    while SlowHasher.begun.acquire(blocking=False):
        pass
    SlowHasher.may_end.clear()
    yield SlowHasher
    SlowHasher.may_end.set()


def test_while_passwords_are_verified_nothing_is_locked_and_others_are_refused_with_words(
    slow: type[SlowHasher],
) -> None:
    with ThreadPoolExecutor(VERIFIED_AT_ONCE) as pool:
        first = [pool.submit(sign_in, "correct horse 1") for _ in range(VERIFIED_AT_ONCE)]
        for _ in range(VERIFIED_AT_ONCE):
            assert slow.begun.acquire(timeout=10)
        refused = sign_in("correct horse 1")
        assert refused.status_code == 503
        assert "Try again in a few seconds" in refused.content.decode()
        assert 'value="nurse"' in refused.content.decode()
        assert Client().get("/health/").status_code == 200
        # Both attempts are counted and committed, and no row is held.
        with transaction.atomic():
            counted = list(SignInThrottle.objects.select_for_update(nowait=True))
        assert [len(one.failed_at) for one in counted] == [VERIFIED_AT_ONCE] * 2
        slow.may_end.set()
        assert [one.result().status_code for one in first] == [302] * VERIFIED_AT_ONCE
    assert not SignInThrottle.objects.exists()
