"""Two people, or a person and a system, decide about the same held items at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.register import register_system
from patients.models import Course, Decided, Entry, EntryKind, HeldDecision, HeldItem, SystemKind
from patients.recording.verify import differences
from tests.entry_forms import HTMX, url
from tests.factories import UserFactory, admit, ago, end
from tests.patients.exchange.fhir_documents import MRN_SYSTEM, bundle, observation, patient
from tests.patients.exchange.test_messages_at_once import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nurses() -> list[User]:
    return [UserFactory(), UserFactory()]


@pytest.fixture
def there(nurses: list[User]) -> Course:
    return admit(nurses[0], baseline={"systolic_mmhg": "126"})


@pytest.fixture
def sends(there: Course) -> Callable[..., Any]:
    """Send the temperature of a monitor, which is proposed; with changes, again."""
    system = register_system("mon-1", SystemKind.MONITOR, by=None, mrn_system=MRN_SYSTEM)
    at = ago(20).replace(second=0, microsecond=0)

    def send(**changes: Any) -> Any:
        raw = bundle(patient(there), observation(at, id="o1", **changes))
        return receive(system, fhir_message(raw, MRN_SYSTEM))

    send()
    return send


def tap(user: User, course: Course, name: str, **more: str) -> Callable[[], int]:
    """What a user sends about all that is held of the course now; it returns the status."""
    items = [str(pk) for pk in HeldItem.objects.filter(course=course).values_list("pk", flat=True)]
    client = Client()
    client.force_login(user)
    sent = {"form_id": str(uuid.uuid4()), "item": items, **more}
    return lambda: client.post(url(name, course), sent, **HTMX).status_code


def charted(course: Course) -> int:
    return Entry.objects.filter(course=course, kind=EntryKind.VITALS).count()


def decided() -> list[str]:
    return list(HeldDecision.objects.values_list("what", flat=True))


def test_two_nurses_who_tap_at_once_chart_it_once(
    there: Course, nurses: list[User], sends: Callable[..., Any]
) -> None:
    taps = [tap(nurse, there, "chart_received") for nurse in (*nurses, *nurses)]
    assert together(*taps) == [200] * 4
    assert charted(there) == 1
    assert decided() == [Decided.CHARTED]
    assert not differences(there)


def test_charting_and_setting_aside_at_once_is_one_of_both(
    there: Course, nurses: list[User], sends: Callable[..., Any]
) -> None:
    chart = tap(nurses[0], there, "chart_received")
    aside = tap(nurses[1], there, "dismiss_received", why="Artefact, or a test")
    assert together(chart, aside) == [200, 200]
    (what,) = decided()
    assert charted(there) == (1 if what == Decided.CHARTED else 0)


def test_what_its_sender_retracts_meanwhile_is_charted_before_or_not_at_all(
    there: Course, nurses: list[User], sends: Callable[..., Any]
) -> None:
    chart = tap(nurses[0], there, "chart_received")
    status, _ = together(chart, lambda: sends(status="entered-in-error"))
    assert status == 200
    what = HeldDecision.objects.order_by("pk").first()
    assert what is not None
    assert charted(there) == (1 if what.what == Decided.CHARTED else 0)
    assert chart() == 200
    assert charted(there) <= 1


def test_nothing_is_charted_after_the_course_was_closed(
    there: Course, nurses: list[User], sends: Callable[..., Any]
) -> None:
    chart = tap(nurses[0], there, "chart_received")
    assert together(chart, lambda: end(there, nurses[1])) == [200, None]
    before = charted(there)
    assert chart() == 200
    assert charted(there) == before
    assert len(decided()) == before


def test_a_retraction_of_what_a_nurse_charted_by_a_tap_is_held_and_takes_it_back_by_another(
    there: Course, nurses: list[User], sends: Callable[..., Any]
) -> None:
    tap(nurses[0], there, "chart_received")()
    assert charted(there) == 1
    assert sends(status="entered-in-error").message.held == 1
    (item,) = HeldItem.objects.filter(decision=None)
    (entry,) = Entry.objects.filter(course=there, kind=EntryKind.VITALS)
    assert (item.what, item.proposal["replaces"]) == ("retracted by its sender", str(entry.pk))
    client = Client()
    client.force_login(nurses[1])
    sent = {"form_id": str(uuid.uuid4()), "item": str(item.pk)}
    assert client.post(url("chart_received", there), sent, **HTMX).status_code == 200
    retraction = Entry.objects.get(course=there, replaces=entry)
    assert (retraction.kind, retraction.recorded_by) == (EntryKind.RETRACTION, nurses[1])
    assert not sends(status="entered-in-error", note=[{"text": "again"}]).message.held


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_retraction_after_a_correction_by_taps_takes_back_the_one_entry_that_is_left(
    there: Course, nurses: list[User], sends: Callable[..., Any], is_moved: bool
) -> None:
    """A correction takes the place of what a tap charted, at another time too."""
    tap(nurses[0], there, "chart_received")()
    (first,) = Entry.objects.filter(course=there, kind=EntryKind.VITALS)
    moved = {"effectiveDateTime": (first.at + timedelta(minutes=5)).isoformat()}
    sends(value="37.9", status="corrected", **(moved if is_moved else {}))
    (item,) = HeldItem.objects.filter(decision=None)
    client = Client()
    client.force_login(nurses[0])
    sent = {"form_id": str(uuid.uuid4()), "item": str(item.pk)}
    assert client.post(url("chart_received", there), sent, **HTMX).status_code == 200
    assert charted(there) == 2
    second = Entry.objects.exclude(pk=first.pk).get(course=there, kind=EntryKind.VITALS)
    assert second.replaces == first
    assert sends(status="entered-in-error").message.held == 1
    (item,) = HeldItem.objects.filter(decision=None)
    assert item.what == "retracted by its sender"
    assert item.proposal["replaces"] == str(second.pk)
