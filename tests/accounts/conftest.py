"""A tablet that two users share."""

from __future__ import annotations

import pytest

from crs_app.accounts.models import User
from tests.accounts.tablet import OTHER_PIN, Tablet


@pytest.fixture
def tablet(nurse: User, intensivist: User) -> Tablet:
    """Both have signed in and set a PIN; the intensivist, who came last, is there."""
    shared = Tablet(REMOTE_ADDR="10.4.7.31")
    shared.sign_in(nurse)
    shared.sign_in(intensivist, OTHER_PIN)
    return shared
