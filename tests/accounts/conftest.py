"""The code app of a user, a tablet that two users share, and the hospital's provider."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from crs_app.accounts.models import User
from crs_app.hospital_sign_in import HospitalSignIn
from tests.accounts.code_app import set_up, with_password
from tests.accounts.tablet import OTHER_PIN, Tablet
from tests.hospital_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, running_provider

EMAIL = "j.ruiz@hospital.example"


@pytest.fixture
def clock(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to("2026-03-01 10:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def app(nurse: User, clock: TimeMachineFixture) -> tuple[str, list[str]]:
    """The secret and the recovery codes of the nurse's code app, set up ten minutes ago."""
    client, _ = with_password()
    made = set_up(client)
    clock.shift(600)
    return made


@pytest.fixture
def tablet(nurse: User, intensivist: User) -> Tablet:
    """Both have signed in and set a PIN; the intensivist, who came last, is there."""
    shared = Tablet(REMOTE_ADDR="10.4.7.31")
    shared.sign_in(nurse)
    shared.sign_in(intensivist, OTHER_PIN)
    return shared


@pytest.fixture(scope="session")
def server() -> Iterator[FakeProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def hospital(server: FakeProvider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider, which knows a verified address; the settings name it."""
    monkeypatch.setitem(os.environ, "NO_PROXY", "127.0.0.1")
    settings.HOSPITAL_SIGN_IN = HospitalSignIn(server.issuer, CLIENT_ID, CLIENT_SECRET)
    fresh = FakeProvider(server.issuer, {"email": EMAIL, "email_verified": True})
    server.__dict__.update(fresh.__dict__)
    return server
