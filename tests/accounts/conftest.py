"""The code app of a user, and a tablet that two users share."""

from __future__ import annotations

import pytest
from time_machine import TimeMachineFixture

from crs_app.accounts.models import User
from tests.accounts.code_app import set_up, with_password
from tests.accounts.tablet import OTHER_PIN, Tablet


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
