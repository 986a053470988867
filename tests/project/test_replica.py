"""Board, wall and lists read from a standby: current, or with the words how old they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from crs_app import replica
from crs_app.accounts.models import Role, Ward
from crs_app.local_postgres import socket_address
from crs_app.record.models import Event
from patients.ward.wall_screens import start_screen
from tests.factories import UserFactory
from tests.project.two_machines import Machines, two_machines, wait_until

pytestmark = pytest.mark.xdist_group("two machines")


@pytest.mark.django_db
def test_without_a_replica_nothing_is_asked_and_nothing_noted(nurse_client: Client) -> None:
    """It is the only test here that uses the database of the tests, which the others copy."""
    assert replica.REPLICA not in connections
    answer = nurse_client.get(reverse("patients:board"))
    assert b"data-as-of" not in answer.content
    assert replica.SAVED not in nurse_client.post(reverse("patients:board")).cookies


@pytest.fixture(scope="module")
def pair(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Machines]:
    """The standby is the replica; it has the web role as the first machine has it."""
    with django_db_blocker.unblock(), two_machines() as machines:
        there = socket_address(machines.standby)
        connections.databases[replica.REPLICA] = {**connection.settings_dict, **there}
        yield machines
        connections[replica.REPLICA].close()
        del connections.databases[replica.REPLICA]
        del connections[replica.REPLICA]


@pytest.fixture
def machines(pair: Machines, monkeypatch: pytest.MonkeyPatch) -> Machines:
    monkeypatch.setattr(replica, "_positions", replica._Positions())
    monkeypatch.setattr(replica, "_away_until", [0.0])
    pair.client.cookies.pop(replica.SAVED, None)
    wait_until(lambda: pair.rates(pair.standby) == pair.rates(pair.primary))
    return pair


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which server answered each statement about the board."""
    servers: list[str] = []
    from patients.ward import seen

    def read(*arguments: object, **more: object) -> object:
        servers.append(connection.alias)
        return read_board_state(*arguments, **more)  # type: ignore[arg-type]

    read_board_state = seen.read_board_state
    monkeypatch.setattr(seen, "read_board_state", read)
    return servers


def board(machines: Machines, **more: str) -> str:
    answer = machines.client.get(reverse("patients:board"), more)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_replica_that_has_everything_is_read_without_a_word(
    machines: Machines, asked: list[str]
) -> None:
    before = Event.objects.count()
    assert "data-as-of" not in board(machines)
    assert asked == ["replica"]
    assert Event.objects.count() == before + 1  # who looked is written to the first machine
    assert machines.save(heart_rate="61").status_code == 200
    machines.client.get(reverse("patients:bedside", args=[machines.course.pk]))
    assert asked == ["replica"]


def test_an_older_replica_says_how_old_and_is_asked_again_by_each_poll(
    machines: Machines, asked: list[str]
) -> None:
    address = reverse("patients:board")
    machines.client.get(address)
    with machines.frozen_standby():
        machines.save(heart_rate="62")
        machines.client.cookies.pop(replica.SAVED)
        answer = machines.client.get(address)
        assert asked == ["replica", "replica"]
        assert "s old.</b> What was charted since is not shown here." in answer.content.decode()
        as_of = answer.wsgi_request.as_of
        assert (timezone.now() - as_of.at).total_seconds() < 30
        seen = {"seen": answer.context["signature"]}
        polled = machines.client.get(address, seen, headers={"HX-Request": "true"})
        assert (polled.status_code, b"data-as-of" in polled.content) == (200, True)
        auditor = Client()
        auditor.force_login(UserFactory(role=Role.AUDITOR))
        reviewer = Client()
        reviewer.force_login(UserFactory(role=Role.ICU_REVIEWER))
        assert b"data-as-of" in auditor.get(reverse("patients:disagreements")).content
        assert b"data-as-of" in reviewer.get(reverse("patients:reviews")).content
    wait_until(lambda: machines.rates(machines.standby)[-1] == "62")
    polled = machines.client.get(address, seen, headers={"HX-Request": "true"})
    assert (polled.status_code, b"data-as-of" in polled.content) == (200, False)


def test_the_wall_says_how_old_it_is(machines: Machines) -> None:
    key = start_screen(Ward.objects.all(), machines.nurse, timezone.now())
    screen = Client()
    screen.cookies["crs-wall"] = key
    wall = reverse("patients:wall")
    assert b"data-as-of" not in screen.get(wall).content
    with machines.frozen_standby():
        machines.save(heart_rate="63")
        assert b"data-as-of" in screen.get(wall).content


def test_who_has_just_saved_and_who_would_see_what_is_too_old_reads_the_first_machine(
    machines: Machines, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with machines.frozen_standby():
        assert machines.save(heart_rate="64").cookies[replica.SAVED]["max-age"] == 60
        assert "data-as-of" not in board(machines)
        assert asked == ["default"]
        machines.client.cookies.pop(replica.SAVED)
        monkeypatch.setattr(replica, "AT_MOST_OLD", timedelta(0))
        assert "data-as-of" not in board(machines)
        assert asked == ["default", "default"]


def test_a_replica_that_is_away_follows_nobody_or_fails_is_left_for_a_while(
    machines: Machines,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with machines.stopped_standby():
        for _ in range(2):
            assert "data-as-of" not in board(machines)
    assert asked == ["default", "default"]
    assert caplog.text.count("The replica is not read for 10 s") == 1
    monkeypatch.setattr(replica, "_away_until", [0.0])
    monkeypatch.setattr(replica, "_REPLAYED", replica._REPLAYED.replace("EXISTS", "NOT EXISTS"))
    board(machines)
    assert asked[2:] == ["default"]
    assert "it follows no first machine" in caplog.text


def test_the_setting_makes_a_second_database_of_the_same_kind() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _SHOW],
        env={**os.environ, "CRS_REPLICA_DATABASE_URL": "postgresql://crs_web@second/crs"},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == ["second", "crs", "crs_web", "True", "True", "2"]


_SHOW = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "crs_app.settings"
from django.conf import settings
there, first = settings.DATABASES["replica"], settings.DATABASES["default"]
print(there["HOST"], there["NAME"], there["USER"], there["ENGINE"] == first["ENGINE"],
    there["OPTIONS"]["server_side_binding"], there["OPTIONS"]["connect_timeout"])
"""
