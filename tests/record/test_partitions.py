"""Partitions by month are made ahead, and an event of any other time is not lost."""

from __future__ import annotations

from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from crs_app.record.management.commands import make_record_partitions
from crs_app.record.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_owner")]


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent = 'record_event'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def made(months: int) -> str:
    out = StringIO()
    call_command("make_record_partitions", months=months, stdout=out)
    return out.getvalue()


def test_a_year_ahead_is_there_and_more_can_be_made_any_time() -> None:
    before = partitions()
    assert f"record_event_{timezone.now():%Y_%m}" in before
    assert len(before) == 1 + 13
    assert "none, all are there" in made(12)
    assert made(14).count(",") == 1
    assert len(partitions()) == len(before) + 2


def test_a_partition_gives_way_to_who_reads_the_record_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A backup or a verification: every save would wait behind the lock of a new partition."""
    monkeypatch.setattr(make_record_partitions, "_LOCK_WITHIN", "100ms")
    monkeypatch.setattr(make_record_partitions, "_PAUSE_S", 0)
    before = partitions()
    with psycopg.connect(**connection.get_connection_params()) as reading:
        reading.execute("SELECT FROM record_event LIMIT 1")
        with pytest.raises(CommandError, match="something reads or writes the record for long"):
            made(13)
    assert partitions() == before
    assert made(13).count("-") == 1


def test_events_of_a_month_without_a_partition_go_to_the_default_one_and_stay() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO record_event VALUES (gen_random_uuid(), 1, now() + interval '14 months', "
            "'view', NULL, '', '', '', NULL, '', '{}', '')"
        )
        cursor.execute("SELECT count(*) FROM record_event_default")
        assert cursor.fetchone() == (1,)
    made(20)
    assert Event.objects.filter(kind="view").count() == 1
    assert len(partitions()) == 1 + 13 + 7
