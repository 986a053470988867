"""An edit, a reorder, a cut tail and a cut whole are each found by ``manage.py verify_audit``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from crs_app.accounts.models import User
from crs_app.record.models import MAIN_CHAIN, Chain, Event, EventKind
from crs_app.record.write import canonical, record_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_owner")]
A, B = UUID(int=0xA), UUID(int=0xB)


@contextmanager
def owner_without_triggers() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture(autouse=True)
def events(nurse: User) -> None:
    for course in (A, B):
        for page in ("chart", "review", "flowsheet"):
            record_event(EventKind.VIEW, by=nurse, course_id=course, details={"page": page})
    record_event(EventKind.SIGN_IN, by=nurse, address="10.4.7.31", details={'ä\\"': "€\u2028<"})


def verify(*arguments: str) -> tuple[str, str]:
    """Return what the command prints, and the faults that it names."""
    out, err = StringIO(), StringIO()
    failed = None
    with suppress(CommandError):
        failed = True
        call_command("verify_audit", *arguments, stdout=out, stderr=err)
        failed = False
    assert failed == bool(err.getvalue())
    return out.getvalue(), err.getvalue()


def test_a_whole_record_has_no_fault_and_prints_its_heads() -> None:
    expected = [
        f"{head.chain} {head.number} {bytes(head.hash).hex()}"
        for head in Chain.objects.order_by("chain")
    ]
    printed, faults = verify()
    assert faults == ""
    assert printed.splitlines() == expected
    assert len(expected) == 3


CUT_WHOLE = (
    "DELETE FROM record_event WHERE chain = %(a)s; DELETE FROM record_chain WHERE chain = %(a)s"
)
CUT_FROM_MAIN = "DELETE FROM record_event WHERE kind = 'chain_started' AND course_id = %(a)s"
TAMPERED = {
    "name": "UPDATE record_event SET by_name = 'X. Other' WHERE chain = %(a)s AND number = 2",
    "user": "UPDATE record_event SET by_id = NULL WHERE chain = %(a)s AND number = 2",
    "time": (
        "UPDATE record_event SET at = at + interval '1 microsecond' "
        "WHERE chain = %(a)s AND number = 3"
    ),
    "details": "UPDATE record_event SET details = '{}' WHERE chain = %(a)s AND number = 1",
    "kind": "UPDATE record_event SET kind = 'search' WHERE chain = %(a)s AND number = 1",
    "address": "UPDATE record_event SET address = '' WHERE kind = 'sign_in'",
    "purpose": "UPDATE record_event SET purpose = 'x' WHERE chain = %(a)s AND number = 1",
    "course": "UPDATE record_event SET course_id = %(b)s WHERE chain = %(a)s AND number = 1",
    "reordered": (
        "UPDATE record_event SET number = 5 - number WHERE chain = %(a)s AND number IN (2, 3)"
    ),
    "moved to another chain": (
        "UPDATE record_event SET chain = %(b)s, number = 4 WHERE chain = %(a)s AND number = 3"
    ),
    "cut in the middle": "DELETE FROM record_event WHERE chain = %(a)s AND number = 2",
    "cut at the start": "DELETE FROM record_event WHERE chain = %(a)s AND number = 1",
    "cut tail": "DELETE FROM record_event WHERE chain = %(a)s AND number = 3",
    "all events cut": "DELETE FROM record_event WHERE chain = %(a)s",
    "head cut": "DELETE FROM record_chain WHERE chain = %(a)s",
    "time of the head": (
        "UPDATE record_chain SET at = at + interval '1 day' WHERE chain = %(a)s"
    ),
    "no time of the head": "UPDATE record_chain SET at = '-infinity' WHERE chain = %(a)s",
    "tail cut, head put back": (
        "DELETE FROM record_event WHERE chain = %(a)s AND number = 3; "
        "UPDATE record_chain SET number = 2 WHERE chain = %(a)s"
    ),
    "cut whole, head too": CUT_WHOLE,
    "cut whole, from the main chain too": f"{CUT_WHOLE}; {CUT_FROM_MAIN}",
    "the main chain cut whole": (
        "DELETE FROM record_event WHERE chain = %(main)s; "
        "DELETE FROM record_chain WHERE chain = %(main)s"
    ),
    "everything cut": "TRUNCATE record_event, record_chain",
    "an event put in": (
        "INSERT INTO record_event SELECT chain, 4, at, kind, by_id, by_name, by_role, address, "
        "course_id, purpose, details, hash FROM record_event WHERE chain = %(a)s AND number = 3"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found(how: str) -> None:
    with owner_without_triggers(), connection.cursor() as cursor:
        for statement in TAMPERED[how].split("; "):
            wanted = {"a": A, "b": B, "main": MAIN_CHAIN}
            cursor.execute(statement, {k: v for k, v in wanted.items() if f"%({k})s" in statement})
            assert cursor.rowcount
    assert verify()[1]


ACROSS_A_BORDER = {
    "whole": "",
    "cut after it": "DELETE FROM record_event WHERE chain = %s AND number = 3",
    "moved over it": (
        "UPDATE record_event SET at = at + interval '31 days' WHERE chain = %s AND number = 1"
    ),
    "a second one of its number": (
        "INSERT INTO record_event SELECT chain, number, at - interval '31 days', kind, by_id, "
        "by_name, by_role, address, course_id, purpose, details, hash FROM record_event "
        "WHERE chain = %s AND number = 2"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", ACROSS_A_BORDER)
def test_a_chain_is_followed_across_the_border_of_two_months(how: str) -> None:
    with owner_without_triggers(), connection.cursor() as cursor:
        before = bytes(Event.objects.get(chain=A, number=1).hash)
        for number in (2, 3):
            event = Event.objects.get(chain=A, number=number)
            event.at += timedelta(days=31)
            row = canonical(
                event.kind, event.by_id, event.by_name, event.by_role, event.address,
                event.course_id, event.purpose, event.details,
            )  # fmt: skip
            microseconds = (event.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
                microseconds=1
            )
            text = f"{A} {number} {microseconds} {row}"
            before = hashlib.sha256(before + text.encode()).digest()
            cursor.execute(
                "UPDATE record_event SET at = %s, hash = %s WHERE chain = %s AND number = %s",
                [event.at, before, A, number],
            )
        cursor.execute(
            "UPDATE record_chain SET at = %s, hash = %s WHERE chain = %s", [event.at, before, A]
        )
        cursor.execute("SELECT DISTINCT tableoid FROM record_event WHERE chain = %s", [A])
        assert len(cursor.fetchall()) == 2
        if how != "whole":
            cursor.execute(ACROSS_A_BORDER[how], [A])
    assert (verify()[1] == "") == (how == "whole")


def test_a_chain_that_was_shortened_and_goes_on_is_found_by_kept_heads(
    nurse: User, tmp_path: Path
) -> None:
    """Who may change tail and head alike leaves a record that is right in itself."""
    kept = tmp_path / "heads"
    kept.write_text("\n")
    with pytest.raises(CommandError, match="has no heads: nothing would be compared"):
        call_command("verify_audit", "--kept", str(kept))
    kept.write_text(verify()[0])
    assert verify("--kept", str(kept))[1] == ""
    with owner_without_triggers(), connection.cursor() as cursor:
        cursor.execute("SELECT hash, at FROM record_event WHERE chain = %s AND number = 2", [A])
        ((digest, at),) = cursor.fetchall()
        cursor.execute("DELETE FROM record_event WHERE chain = %s AND number = 3", [A])
        cursor.execute(
            "UPDATE record_chain SET number = 2, hash = %s, at = %s WHERE chain = %s",
            [digest, at, A],
        )
    assert verify()[1] == ""
    assert f"Chain {A}: event 3, which was kept, is missing." in verify("--kept", str(kept))[1]
    record_event(EventKind.VIEW, by=nurse, course_id=A)
    assert f"Chain {A}: event 3 is not the one" in verify("--kept", str(kept))[1]
