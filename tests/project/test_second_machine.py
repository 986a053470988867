"""A save that the second machine must confirm: by two real servers, one of them frozen or ended."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoDbBlocker, Settings

from crs_app.confirmed_commit import base
from crs_app.local_postgres import OWNER, USER
from crs_app.outages import SecondMachineAwayError
from crs_app.record.models import Event, EventKind
from crs_app.second_machine import SQL_NEEDED
from patients.models import ExternalSystem
from patients.queries.exchange import lock_control_id
from tests.entry_forms import url
from tests.project.two_machines import STANDBY, Machines, two_machines, wait_until

pytestmark = pytest.mark.xdist_group("two machines")
AT_ONCE_S = 2.0


@pytest.fixture(scope="module")
def pair(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Machines]:
    with django_db_blocker.unblock(), two_machines() as machines:
        yield machines


@pytest.fixture
def machines(pair: Machines) -> Iterator[Machines]:
    """Each test begins with a standby that must confirm, and ends with none that must."""
    pair.need_standby()
    yield pair
    pair.need_nothing()


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def reads_go_on(machines: Machines) -> None:
    """The page, its poll, the board and a sign-in are answered while no save is."""
    begun = time.monotonic()
    for address in (
        url("bedside", machines.course),
        url("live", machines.course),
        url("review", machines.course),
        reverse("patients:board"),
    ):
        assert machines.client.get(address).status_code == 200, address
    machines.client.force_login(machines.nurse)
    assert time.monotonic() - begun < AT_ONCE_S * 2


def is_refused(answer: HttpResponse) -> None:
    assert answer.status_code == 503
    assert answer["CRS-Stored"] == "no"
    assert int(answer["Retry-After"]) > 0
    assert answer["CRS-Because"] == "second-machine"
    assert text(answer).startswith("Nothing was saved by this step. The second machine does not")
    assert "is kept" in text(answer)


def is_not_confirmed(answer: HttpResponse) -> None:
    assert answer.status_code == 503
    assert not answer.has_header("CRS-Stored")
    assert int(answer["Retry-After"]) > 0
    assert answer["CRS-Because"] == "second-machine"
    assert text(answer).startswith("The database or its second machine has not confirmed your last")
    assert "Nothing was saved" not in text(answer)


@pytest.mark.django_db
def test_where_no_standby_is_named_a_save_needs_none() -> None:
    """It is the only test here that uses the database of the tests, which the others copy."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SQL_NEEDED}, second_machine_state()")
        assert cursor.fetchone() == (True, "not needed")


def test_a_save_is_on_both_machines_when_it_is_answered(machines: Machines) -> None:
    for rate in range(60, 64):
        assert machines.save(heart_rate=str(rate)).status_code == 200
        assert machines.rates(machines.standby)[-1] == str(rate)


def test_without_a_standby_a_save_is_refused_at_once_and_reading_goes_on(
    machines: Machines,
) -> None:
    before = machines.rates(machines.primary)
    with machines.stopped_standby():
        wait_until(lambda: machines.state() == "away")
        begun = time.monotonic()
        is_refused(machines.save(heart_rate="71"))
        answer = machines.client.post(url("entries", machines.course, "vitals"), {
            "form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c",
            "heart_rate": "71",
        })  # fmt: skip
        assert "<html" in text(answer)
        assert "The second machine does not answer" in text(answer)
        assert time.monotonic() - begun < AT_ONCE_S
        with pytest.raises(SecondMachineAwayError), transaction.atomic():
            lock_control_id(ExternalSystem(pk=1), "a message of another system")
        reads_go_on(machines)
        call_command("verify_grades", stdout=StringIO())
    assert machines.rates(machines.primary) == before
    assert machines.save(heart_rate="72").status_code == 200


def test_a_save_that_a_frozen_standby_keeps_waiting_is_not_confirmed_and_never_doubled(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sees it until the standby has it; sent again, it is answered as saved once."""
    monkeypatch.setattr(base, "CONFIRMED_WITHIN_S", 0.3)
    before, form_id = machines.rates(machines.primary), str(uuid.uuid4())
    with machines.frozen_standby():
        is_not_confirmed(machines.save(heart_rate="81", form_id=form_id))
        assert machines.rates(machines.primary) == before
        wait_until(lambda: machines.state() == "silent", 5)
        begun = time.monotonic()
        is_refused(machines.save(heart_rate="82"))
        is_refused(machines.save(heart_rate="81", form_id=form_id))
        assert time.monotonic() - begun < AT_ONCE_S
        reads_go_on(machines)
    wait_until(lambda: machines.rates(machines.standby) == [*before, "81"])
    monkeypatch.undo()
    again = machines.save(heart_rate="81", form_id=form_id)
    assert (again.status_code, "message-saved" in text(again)) == (200, True)
    assert machines.rates(machines.primary) == [*before, "81"]


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def save_in_a_thread(
    machines: Machines, rate: str, answers: list[HttpResponse]
) -> Callable[[], None]:
    def save() -> None:
        answers.append(machines.save(heart_rate=rate))
        connection.close()

    return save


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_wait_that_somebody_ends_is_no_confirmation(machines: Machines, end: str) -> None:
    """PostgreSQL keeps the save on the first machine alone, and answers a cancelled one as done."""
    before, answers = machines.rates(machines.primary), []
    rate = {"pg_cancel_backend": "91", "pg_terminate_backend": "92"}[end]
    with machines.frozen_standby():
        saving = threading.Thread(target=save_in_a_thread(machines, rate, answers))
        saving.start()
        wait_until(lambda: bool(machines.ask(machines.primary, WAITING)))
        ((pid,),) = machines.ask(machines.primary, WAITING)
        machines.ask(machines.primary, f"SELECT {end}(%s)", pid)
        saving.join(5)
        assert machines.rates(machines.primary) == [*before, rate]
        assert machines.rates(machines.standby) == before
    (answer,) = answers
    assert answer.status_code == 503
    assert not answer.has_header("CRS-Stored")
    if end == "pg_cancel_backend":
        is_not_confirmed(answer)


def standby(*arguments: str) -> str:
    printed = StringIO()
    call_command("standby", *arguments, stdout=printed)
    return printed.getvalue()


def check(machines: Machines) -> tuple[str, str]:
    found = machines.client.get("/readyz")
    assert found.status_code == 200
    of_standby = found.json()["checks"]["second_machine"]
    return of_standby["status"], of_standby["words"]


def test_one_command_takes_the_standby_out_and_puts_it_back(
    machines: Machines, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SYNCHRONOUS_STANDBY = STANDBY
    assert check(machines) == ("ok", "the second machine confirms each save")
    with machines.stopped_standby():
        wait_until(lambda: machines.state() == "away")
        assert check(machines) == (
            "attention", "the second machine does not answer: every save is refused",
        )  # fmt: skip
        is_refused(machines.save(heart_rate="101"))
        with pytest.raises(CommandError, match="Say why"):
            standby("--without")
        assert "standby was taken out. Saves go on" in standby("--without", "--reason", "its disk")
        assert machines.save(heart_rate="102").status_code == 200
        assert check(machines) == (
            "attention", "standby is taken out: what is saved is on this machine alone",
        )  # fmt: skip
        with pytest.raises(CommandError, match=r"No standby of standby follows.*none"):
            standby("--with", "--reason", "new disk")
        with pytest.raises(CommandError, match="Nothing was changed"):
            standby("--without", "--reason", "again")
    assert "Saves wait for: standby." in standby("--with", "--reason", "new disk")
    assert machines.save(heart_rate="103").status_code == 200
    assert machines.rates(machines.standby)[-2:] == ["102", "103"]
    recorded = Event.objects.filter(kind=EventKind.SECOND_MACHINE).order_by("number")
    assert [(one.details["was"], one.purpose) for one in recorded] == [
        ("taken out", "its disk"), ("put back", "new disk"),
    ]  # fmt: skip
    assert "The second machine (standby) was taken out by" in caplog.text


def test_where_the_owner_may_not_see_the_standby_saves_go_on_and_still_wait(
    machines: Machines,
) -> None:
    function = "FUNCTION second_machine_state() OWNER TO"
    machines.ask(machines.primary, f"REVOKE pg_read_all_stats FROM {OWNER}")
    machines.ask(machines.primary, f"ALTER {function} {OWNER}")
    try:
        assert check(machines) == (
            "attention", "the owner of the tables needs the role pg_read_all_stats",
        )  # fmt: skip
        assert machines.save(heart_rate="121").status_code == 200
        assert machines.rates(machines.standby)[-1] == "121"
        machines.ask(machines.primary, f"GRANT pg_read_all_stats TO {OWNER}")
        assert machines.state() == "confirms"
    finally:
        machines.ask(machines.primary, f"ALTER {function} {USER}")


def test_what_waits_is_saved_when_the_standby_is_taken_out(machines: Machines) -> None:
    answers: list[HttpResponse] = []
    with machines.frozen_standby():
        saving = threading.Thread(target=save_in_a_thread(machines, "111", answers))
        saving.start()
        wait_until(lambda: bool(machines.ask(machines.primary, WAITING)))
        standby("--without", "--reason", "it hangs")
        saving.join(5)
        assert [answer.status_code for answer in answers] == [200]
        assert machines.rates(machines.primary)[-1] == "111"


def test_no_timeout_of_the_database_ends_the_wait(machines: Machines) -> None:
    """Therefore the site bounds it itself; another version of PostgreSQL might differ."""
    with machines.frozen_standby(), closing(machines.primary.connect()) as there:
        for name in ("statement_timeout", "transaction_timeout", "lock_timeout"):
            there.execute(f"SET {name} = '100ms'")
        there.execute("SET synchronous_commit = remote_apply")
        pid = there.info.backend_pid
        there.pgconn.send_query(b"BEGIN; CREATE ROLE waits; COMMIT")
        there.pgconn.flush()
        time.sleep(0.6)
        found = machines.ask(
            machines.primary, "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", pid
        )
        assert found == [("SyncRep",)]
