"""A site in use gets partitions: nothing is lost or doubled, and the database refuses as before.

Each test has a copy of the tables in a database of its own, with the three roles of a site.
"""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections import Counter
from contextlib import suppress
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from crs_app.accounts.models import Role
from crs_app.operations.partitions import convert
from crs_app.operations.partitions.tables import COPIED, TABLES
from patients.models import Entry, EntryKind
from patients.recording.inputs import NewEntry
from patients.recording.record import ReplacedAlreadyError
from tests.factories import UserFactory, admit, chart, correct, record, sending
from tests.project.partitioned_site import (
    Clients,
    at_once,
    convert_site,
    converting,
    owner_does,
    settings_of_owner,
    wait_until,
)
from tests.project.test_backup import Site, site  # noqa: F401 - a fixture

# ruff: noqa: F811, S608  (a fixture as an argument; the statements are this file's own)


@pytest.fixture
def whole(site: Site) -> Site:
    """A site that is not partitioned yet, with an entry, its correction and a retraction."""
    if os.environ.get("CRS_TEST_PARTITIONED"):
        pytest.skip("the tables are partitioned already")
    first = chart(site.course, site.nurse, "vitals", temperature_c="38.6").entries[0]
    correct(first, first.at, {"temperature_c": "37.2"}, sending(site.nurse))
    return site


@pytest.fixture
def partitioned(whole: Site) -> Site:
    convert_site()
    return whole


def test_what_is_charted_meanwhile_is_neither_lost_nor_doubled(whole: Site) -> None:
    courses = [admit(whole.nurse, mrn=uuid.uuid4().hex[:12]) for _ in range(2)]
    clients = Clients(whole, [*courses, courses[0]])
    with clients.charting():
        wait_until(lambda: all(len(each) > 1 for each in clients.saved))
        printed = convert_site()
        after = [len(each) for each in clients.saved]
        wait_until(
            lambda: all(len(each) > was + 1 for each, was in zip(clients.saved, after, strict=True))
        )
    assert "Longest lock of the tables" in printed
    stored = Counter(pk for (pk,) in owner_does(whole, "SELECT id FROM patients_entry"))
    acknowledged = {pk for each in clients.saved for pk in each}
    assert acknowledged <= set(stored)
    assert set(stored.values()) == {1}
    # What the old tables had is in the new ones, byte for byte.
    (missing,) = owner_does(
        whole,
        "SELECT count(*) FROM (SELECT * FROM before_partitions.patients_entry"
        " EXCEPT SELECT * FROM patients_entry) AS missing",
    )
    assert missing == (0,)
    for command in ("verify_grades", "verify_audit"):
        call_command(command, stdout=StringIO())


@pytest.mark.parametrize("role", [Role.WARD_CLINICIAN, Role.ICU_REVIEWER, Role.AUDITOR])
def test_every_page_of_a_course_and_the_record_opens_afterwards(
    partitioned: Site, role: Role
) -> None:
    """A statement that needs the id alone as the key of a table fails there."""
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(role=role))
    statuses = {}
    for module, namespace in (
        ("patients.urls", "patients"),
        ("crs_app.record.pages.urls", "record"),
    ):
        for name in get_resolver(module).reverse_dict:
            for named in ({"course_id": partitioned.course.pk}, {"user_id": partitioned.nurse.pk}):
                with suppress(NoReverseMatch):
                    answer = client.get(reverse(f"{namespace}:{name}", kwargs=named))
                    statuses[name, *named] = answer.status_code
                    if answer.streaming:
                        assert b"".join(answer.streaming_content)
    assert len(statuses) > 30
    assert sum(status == 200 for status in statuses.values()) > 5
    assert {key: status for key, status in statuses.items() if status >= 500} == {}


def test_the_database_refuses_what_it_refused_before(partitioned: Site) -> None:
    with partitioned.web.connect() as web:
        (counted,) = web.execute("SELECT count(*) FROM patients_entry").fetchone() or (0,)
        assert counted > 2
        for statement in BEYOND_THE_WEB_ROLE:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)
    for table in TABLES:
        for name in (table, *(f"{table}_p{number:02}" for number in range(4))):
            has_rows = bool(owner_does(partitioned, f"SELECT FROM {name} LIMIT 1"))
            for statement in BY_THE_OWNER if has_rows else BY_THE_OWNER[:1]:
                with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                    owner_does(partitioned, statement.format(name))
    for table, changes, key in SECOND_ROWS:
        assert key in refused_row(partitioned, table, changes)
    one_form_is_recorded_once_and_one_entry_replaced_once(partitioned)
    a_successor_of_another_course_is_refused(partitioned)


BEYOND_THE_WEB_ROLE = (
    "DELETE FROM patients_entry",
    "UPDATE patients_entry SET body = '{}'",
    "TRUNCATE patients_chartingact CASCADE",
    "SELECT FROM patients_entry_p00",
    "INSERT INTO patients_entry_p00 SELECT * FROM patients_entry LIMIT 0",
    "SELECT FROM before_partitions.patients_entry",
)
BY_THE_OWNER = ("TRUNCATE {} CASCADE", "DELETE FROM {}", "UPDATE {} SET recorded_at = now()")
# What is other in the row than in one that is there, and the key that refuses it.
SECOND_ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("patients_chartingact", {"id": "new", "recorded_at": "earlier"}, "form_id"),
    ("patients_chartingact", {"id": "new", "form_id": "new"}, "recorded_at"),
    ("patients_entry", {"id": "new", "place": 9}, "replaces_id"),
    ("patients_entry", {"id": "new", "at": "earlier", "replaces_id": None}, "act_id"),
    ("patients_entry", {"place": 9, "at": "earlier", "replaces_id": None}, "pkey"),
]


def refused_row(site: Site, table: str, changes: dict[str, Any]) -> str:
    """Why the database refuses a second row like one that is there, but for ``changes``."""
    ((values,),) = owner_does(
        site,
        f"SELECT to_jsonb(t) FROM {table} AS t"
        " ORDER BY to_jsonb(t) ->> 'replaces_id' NULLS LAST, recorded_at DESC LIMIT 1",
    )
    made = {"new": str(uuid.uuid4()), "earlier": "2020-01-01T00:00:00Z"}
    values |= {name: made.get(str(value), value) for name, value in changes.items()}
    with site.owner.connect() as there, pytest.raises(psycopg.errors.UniqueViolation) as no:
        there.execute(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)",
            [json.dumps(values)],
        )
    return str(no.value)


_RULES = """
SELECT c.conrelid::regclass::text, c.conname, c.contype::text, c.convalidated
FROM pg_constraint AS c WHERE c.connamespace = 'public'::regnamespace AND c.conparentid = 0
    AND c.conrelid IN (SELECT oid FROM pg_class WHERE NOT relispartition)
UNION ALL
SELECT tgrelid::regclass::text, tgname, 'trigger', tgenabled = 'O'
FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid
WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
UNION ALL
SELECT tablename, indexname, 'index', true FROM pg_indexes JOIN pg_class AS c
    ON c.relname = tablename AND c.relnamespace = 'public'::regnamespace
WHERE schemaname = 'public' AND NOT c.relispartition
"""


def test_every_rule_is_there_afterwards_and_a_later_migration_applies(whole: Site) -> None:
    before = set(owner_does(whole, _RULES))
    convert_site()
    after = set(owner_does(whole, _RULES))
    gone = {row[:3] for row in before - after}
    assert gone == {
        # The primary key of an entry has its course now, and the key to the replaced one as well.
        ("patients_entry", "entry_known_in_its_course", "u"),
        ("patients_entry", "entry_known_in_its_course", "index"),
        ("patients_entry", "patients_entry_replaces_id_79e6bbde_fk_patients_entry_id", "f"),
        # Rows without a course: a trigger asks for their act.
        ("patients_laboratorylimits", "patients_laboratoryl_act_id_aabf19e0_fk_patients_", "f"),
        ("patients_helddecision", "patients_helddecisio_act_id_1129c426_fk_patients_", "f"),
    }
    assert {row[:3] for row in after - before} == {
        ("patients_laboratorylimits", "act_id_is_there", "trigger"),
        ("patients_laboratorylimits", "act_id_is_there", "t"),
        ("patients_helddecision", "act_id_is_there", "trigger"),
        ("patients_helddecision", "act_id_is_there", "t"),
    }
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner_does(
            whole,
            "INSERT INTO patients_laboratorylimits (act_id, laboratory, analyte, unit, sex,"
            " is_child, age_years, lower, upper, recorded_at, recorded_by_id) VALUES"
            " (gen_random_uuid(), 'L', 'crp', 'mg/L', 'female', false, 40, '', '5', now(), %s)",
            [whole.nurse.pk],
        )
    later_migrations_apply(whole)


def one_form_is_recorded_once_and_one_entry_replaced_once(partitioned: Site) -> None:
    course, nurse, form = partitioned.course, partitioned.nurse, uuid.uuid4()
    at = timezone.now()

    def send() -> Any:
        drafts = [NewEntry(EntryKind.VITALS, at, {"temperature_c": "38.5"})]
        return record(course, nurse, drafts, form_id=form, request_digest="same")

    acts = {result.act.pk for result in at_once(*[send] * 4)}
    assert len(acts) == 1
    entry = Entry.objects.get(act_id=acts.pop())

    def replace() -> Any:
        return correct(entry, at, {"temperature_c": "37.0"}, sending(nurse))

    answers = at_once(*[replace] * 3)
    assert sum(isinstance(one, ReplacedAlreadyError) for one in answers) == 2
    assert Entry.objects.filter(replaces=entry).count() == 1


def a_successor_of_another_course_is_refused(partitioned: Site) -> None:
    other = admit(partitioned.nurse, mrn=uuid.uuid4().hex[:12])
    entry = chart(partitioned.course, partitioned.nurse, "vitals", temperature_c="38").entries[0]
    draft = NewEntry(EntryKind.VITALS, entry.at, {"temperature_c": "37"}, replaces=entry.pk)
    (answer,) = at_once(lambda: record(other, partitioned.nurse, [draft]))
    assert "entry_replaces_within_course" in str(answer)


def test_a_killed_conversion_goes_on_and_a_begun_one_can_be_undone(whole: Site) -> None:
    others = [admit(whole.nurse, mrn=uuid.uuid4().hex[:12]) for _ in range(3)]
    *_, last = sorted([whole.course, *others], key=lambda course: course.pk)
    with whole.owner.connect() as keeper, keeper.transaction():
        keeper.execute("SELECT FROM patients_course WHERE id = %s FOR NO KEY UPDATE", [last.pk])
        with converting(whole) as running:
            wait_until(lambda: _copied(whole) == len(others))
            running.send_signal(signal.SIGKILL)
    chart(others[0], whole.nurse, "vitals", temperature_c="38.9")
    with pytest.raises(CommandError, match="has begun"):
        call_command("migrate", verbosity=0)
    _free(whole)
    call_command("partition_charts", abandon=True, stdout=StringIO())
    assert owner_does(whole, "SELECT to_regnamespace('chart_partitions')") == [(None,)]

    # Again: copied, and killed while it waits for the tables, which a long export reads.
    with whole.owner.connect() as export, export.transaction():
        export.execute("SELECT FROM patients_entry")
        with converting(whole) as running:
            wait_until(lambda: _copied(whole) == len(others) + 1)
            time.sleep(0.5)
            running.send_signal(signal.SIGKILL)
    chart(last, whole.nurse, "vitals", temperature_c="38.4")
    before = owner_does(whole, "SELECT to_jsonb(e) FROM patients_entry AS e ORDER BY 1")
    _free(whole)
    convert_site()
    assert before == owner_does(whole, "SELECT to_jsonb(e) FROM patients_entry AS e ORDER BY 1")
    assert "0 courses copied" in convert_site()
    call_command("verify_grades", stdout=StringIO())
    call_command("partition_charts", drop_old=True, stdout=StringIO())
    assert owner_does(whole, "SELECT to_regnamespace('before_partitions')") == [(None,)]


def test_a_copy_that_differs_is_not_taken(whole: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = convert.compare_courses

    def spoil_first(database: psycopg.Connection[Any]) -> int:
        database.execute("ALTER TABLE chart_partitions.patients_entry DISABLE TRIGGER append_only")
        database.execute("UPDATE chart_partitions.patients_entry SET body = '{}'")
        return compare(database)

    monkeypatch.setattr(convert, "compare_courses", spoil_first)
    with pytest.raises(CommandError, match="differs"):
        convert_site()
    assert owner_does(
        whole,
        "SELECT relkind FROM pg_class WHERE relname = 'patients_entry'"
        " AND relnamespace = 'public'::regnamespace",
    ) == [("r",)]


def later_migrations_apply(partitioned: Site) -> None:
    with settings_of_owner(partitioned), connection.schema_editor() as editor:
        field = models.CharField(max_length=10, default="", db_default="")
        field.set_attributes_from_name("ward_then")
        field.model = Entry
        editor.add_field(Entry, field)
        editor.add_index(Entry, models.Index(name="entry_at_later", fields=("course", "at")))
        editor.add_constraint(
            Entry, models.CheckConstraint(name="entry_places", condition=models.Q(place__lt=999))
        )
        editor.remove_field(Entry, field)


def test_no_later_migration_needs_a_table_that_is_not_partitioned() -> None:
    """A key to acts or entries has the course, and their indexes are not made concurrently."""
    found = {
        (name, type(operation).__name__)
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app == "patients"
        for operation in migration.operations
        if _needs_whole_table(operation)
    }
    assert ("0033_exchange", "AddField") in found, "the test finds none of those from before"
    assert {one for one in found if one[0] > "0038"} == set()


def _needs_whole_table(operation: Any) -> bool:
    if isinstance(operation, AddIndexConcurrently):
        return str(operation.model_name).lower() in ("entry", "chartingact")
    fields = [
        field for _, field in getattr(operation, "fields", ()) if hasattr(field, "deconstruct")
    ]
    for field in (*fields, getattr(operation, "field", None)):
        target = getattr(getattr(field, "remote_field", None), "model", None)
        if str(target).lower() in ("patients.entry", "patients.chartingact"):
            return bool(field.db_constraint)
    return False


def _copied(site: Site) -> int:
    with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return int(owner_does(site, f"SELECT count(*) FROM {COPIED}")[0][0])
    return 0


def _free(site: Site) -> None:
    """Wait until the database has noticed that the killed command is gone."""
    wait_until(
        lambda: (
            not owner_does(
                site,
                "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
        )
    )
