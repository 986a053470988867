"""An event is written once, in its chain, and the database refuses every change of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from crs_app.accounts.models import User
from crs_app.record.models import MAIN_CHAIN, Chain, Event, EventKind
from crs_app.record.verify import faults
from crs_app.record.write import LONGEST_TEXT, record_event

pytestmark = pytest.mark.django_db


def test_an_event_says_who_what_where_and_why(nurse: User) -> None:
    course = uuid4()
    record_event(
        EventKind.EMERGENCY_ACCESS,
        by=nurse,
        address="10.4.7.31",
        course_id=course,
        purpose="covering for 7B",
        details={"ward": "7B"},
    )
    event = Event.objects.get(chain=course)
    assert (event.number, event.kind, event.by) == (1, "emergency_access", nurse)
    assert (event.by_name, event.by_role) == ("J. Ruiz", "ward_clinician")
    assert (event.address, event.course_id) == ("10.4.7.31", course)
    assert (event.purpose, event.details) == ("covering for 7B", {"ward": "7B"})


def test_events_without_a_course_stand_in_the_main_chain_and_name_new_chains() -> None:
    course = uuid4()
    record_event(EventKind.SIGN_IN_FAILED, by=None, address="10.4.7.31")
    record_event(EventKind.VIEW, by=None, course_id=course)
    record_event(EventKind.VIEW, by=None, course_id=course)
    main = Event.objects.filter(chain=MAIN_CHAIN).order_by("number")
    assert [(event.kind, event.course_id) for event in main][-2:] == [
        ("sign_in_failed", None),
        ("chain_started", course),
    ]
    assert [event.number for event in Event.objects.filter(chain=course)] == [1, 2]
    assert Chain.objects.get(chain=course).number == 2


def test_an_event_is_one_statement(nurse: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        record_event(EventKind.VIEW, by=nurse, course_id=uuid4())
    assert len(queries) == 1


def test_whatever_was_typed_can_be_recorded(nurse: User) -> None:
    record_event(
        EventKind.SEARCH, by=nurse, purpose="x" * 10_000, details={"for": "a\0b \ud800 {%s} ␀"}
    )
    event = Event.objects.get(kind="search")
    assert len(event.purpose) == LONGEST_TEXT
    assert event.details == {"for": "a\ufffdb ? {%s} ␀"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record_event SET by_name = 'X. Other'",
        "DELETE FROM record_event",
        "TRUNCATE record_event",
        "TRUNCATE record_event_default",
        "UPDATE record_chain SET number = number - 1",
        "UPDATE record_chain SET hash = ''",
        "DELETE FROM record_chain",
        "TRUNCATE record_chain",
    ],
)
@pytest.mark.usefixtures("as_owner")
def test_the_database_refuses_to_change_it(nurse: User, statement: str) -> None:
    record_event(EventKind.VIEW, by=nurse, course_id=uuid4())
    before = list(Event.objects.values_list()), list(Chain.objects.values_list())
    with (
        pytest.raises(IntegrityError, match=r"append-only|only moves"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert (list(Event.objects.values_list()), list(Chain.objects.values_list())) == before


@pytest.mark.usefixtures("as_owner")
def test_a_single_month_cannot_be_emptied_either(nurse: User) -> None:
    record_event(EventKind.VIEW, by=nurse)
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM record_event")
        ((month,),) = cursor.fetchall()
    assert month != "record_event_default"
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {month}")


@pytest.mark.django_db(transaction=True)
def test_events_of_one_moment_stand_in_one_order() -> None:
    """Four connections start the chain of a course together, and go on."""
    course = uuid4()

    def write() -> None:
        for _ in range(5):
            record_event(EventKind.VIEW, by=None, course_id=course)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        for written in [pool.submit(write) for _ in range(4)]:
            written.result()
    rows = list(Event.objects.filter(chain=course).order_by("number").values_list("number", "at"))
    assert [number for number, _ in rows] == list(range(1, 21))
    assert [at for _, at in rows] == sorted(at for _, at in rows)
    assert Event.objects.filter(kind="chain_started").count() == 1
    assert list(faults()) == []
