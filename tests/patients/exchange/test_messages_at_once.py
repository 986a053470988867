"""Messages that come at once, and a save at the bedside meanwhile, with real transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from crs_app.accounts.models import User
from patients.exchange import file
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.incoming import Receipt
from patients.exchange.register import register_system
from patients.models import Course, Entry, EntryKind, ExternalSystem, InboundMessage, SystemKind
from patients.recording.verify import differences
from tests.factories import UserFactory, admit, ago, chart
from tests.patients.exchange.fhir_documents import MRN_SYSTEM, bundle, observation, patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nurse_there() -> User:
    return UserFactory()


@pytest.fixture
def there(nurse_there: User) -> Course:
    return admit(nurse_there, baseline={"systolic_mmhg": "126"})


@pytest.fixture
def system() -> ExternalSystem:
    return register_system("ehr-1", SystemKind.EHR, by=None, mrn_system=MRN_SYSTEM)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """What each act returns, or the error that it raises; each has a thread and a connection."""
    results: list[Any] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(30)
            results[number] = act()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def sending(
    system: ExternalSystem, course: Course, at: datetime, value: str, **changes: Any
) -> Callable[[], Receipt]:
    raw = bundle(patient(course), observation(at, value=value, **changes))
    return lambda: receive(system, fhir_message(raw, MRN_SYSTEM))


def vitals(course: Course) -> list[Entry]:
    return list(Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("recorded_at"))


def test_one_message_that_comes_four_times_at_once_is_charted_once(
    there: Course, system: ExternalSystem
) -> None:
    act = sending(system, there, ago(20), "38.2")
    receipts = together(act, act, act, act)
    assert sorted(one.is_replay for one in receipts) == [False, True, True, True]
    assert all(one.answer == receipts[0].answer for one in receipts)
    assert (len(vitals(there)), InboundMessage.objects.count()) == (1, 1)


def test_messages_of_one_course_are_charted_one_after_another(
    there: Course, system: ExternalSystem
) -> None:
    acts = [
        sending(system, there, ago(10 + number), f"38.{number}", id=f"o{number}")
        for number in range(4)
    ]
    receipts = together(*acts)
    assert [one.message.filed for one in receipts] == [1] * 4
    entries = vitals(there)
    assert len({one.recorded_at for one in entries}) == 4
    assert differences(there) == []


def test_a_save_at_the_bedside_beside_a_message_loses_neither(
    there: Course, nurse_there: User, system: ExternalSystem
) -> None:
    at = ago(10)
    results = together(
        sending(system, there, at, "38.2"),
        lambda: chart(there, nurse_there, "vitals", ago(9), temperature_c="37.5"),
        sending(system, there, ago(30), "38.4", id="o2"),
        lambda: chart(there, nurse_there, "oxygen", ago(8), device="room_air"),
    )
    assert not [one for one in results if isinstance(one, Exception)], results
    assert sorted(one.body["temperature_c"] for one in vitals(there)) == ["37.5", "38.2", "38.4"]
    assert differences(there) == []


def test_a_nurse_who_charts_the_same_minute_first_is_not_overruled(
    there: Course,
    nurse_there: User,
    system: ExternalSystem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The nurse's save commits after the message was read, and before it has the lock."""
    at = ago(10).replace(second=0, microsecond=0)
    lock = file.lock_course

    def after_the_nurse(course: Course) -> Any:
        def save() -> None:
            chart(course, nurse_there, "vitals", at, temperature_c="37.1")

        together(save)
        return lock(course)

    monkeypatch.setattr(file, "course_queue", lambda _: threading.Lock())
    monkeypatch.setattr(file, "lock_course", after_the_nurse)
    receipt = sending(system, there, at, "38.2")()
    assert (receipt.message.filed, receipt.message.held) == (0, 1)
    assert [one.body["temperature_c"] for one in vitals(there)] == ["37.1"]
