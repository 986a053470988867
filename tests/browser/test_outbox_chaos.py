"""Twenty seeded schedules of cut, kill, reload and restore, of the 1,000 of `make chaos`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from chaos.network import Network
from chaos.outbox_schedule import Tablet, play
from crs_app.accounts.models import User
from tests.factories import admit
from tests.owner import rights_of_owner

SCHEDULES = 20


@pytest.fixture
def tablet(browser: Browser, live_server: Any, nurse: User) -> Iterator[Tablet]:
    """A tablet on which the nurse is signed in, behind a network that can fail."""
    client = Client()
    client.force_login(nurse)
    name = settings.SESSION_COOKIE_NAME
    network = Network(urlsplit(live_server.url).port or 0)
    context = browser.new_context()
    context.set_default_timeout(20_000)
    beds = count(1)
    made = Tablet(context, network, as_owner, lambda: admit(nurse, bed=str(next(beds))).pk)
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": made.origin}])
    yield made
    context.close()
    network.close()


def as_owner(act: Callable[[], object]) -> object:
    with rights_of_owner():
        return act()


def test_each_entry_is_recorded_exactly_once_or_shown_as_unsent(tablet: Tablet) -> None:
    faults = []
    saved = 0
    for seed in range(SCHEDULES):
        played = play(tablet, seed)
        saved += len(played.saved)
        if played.faults:
            faults.append(f"seed {seed}, {', '.join(played.steps)}: {'; '.join(played.faults)}")
    assert not faults, "\n".join(faults)
    assert saved > SCHEDULES
