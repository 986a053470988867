"""/metrics: what is counted and looked at, who may read it, and that it waits for nothing."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import URLResolver, get_resolver
from prometheus_client import generate_latest
from prometheus_client.mmap_dict import mmap_key
from pytest_django import Settings

from crs_app import settings as project_settings
from crs_app.metrics import gauges
from crs_app.metrics.counts import COUNTED
from crs_app.metrics.gauges import Gauges, Looked, look_within
from crs_app.metrics.shared import RESERVED
from crs_app.metrics.views import registry_of
from crs_app.outages import WaitedTooLongError
from crs_app.readiness import Check, Readiness, Status
from patients.bedside import entry_views
from patients.models import Course, Verdict
from patients.queries.watched import SQL_SYSTEMS, SQL_WAITING
from tests.entry_forms import HTMX, form, url, vitals
from tests.project.served import wait_until
from tests.received import a_message, a_system, held

pytestmark = pytest.mark.django_db
TOKEN = "a token that nobody guesses"


@pytest.fixture
def read(client: Client, settings: Settings) -> Callable[[], str]:
    """The text of /metrics, for who has the token."""
    settings.METRICS_TOKEN = TOKEN

    def text() -> str:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.content.decode()

    return text


def counted(name: str, **labels: str) -> float:
    """The present value of one count of this process."""
    return COUNTED.get_sample_value(name, labels) or 0.0


def test_only_who_sends_the_token_reads_them(client: Client, settings: Settings) -> None:
    assert settings.METRICS_TOKEN == ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for sent in ("", "Bearer ", TOKEN, f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"):
        refused = client.get("/metrics", headers={"Authorization": sent})
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer"), sent
        assert b"crs_" not in refused.content


def test_a_token_that_could_be_guessed_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("CRS_METRICS_TOKEN_FILE", str(tmp_path / "token"))
    assert project_settings._metrics_token() == TOKEN
    monkeypatch.setenv("CRS_METRICS_TOKEN", "short")
    with pytest.raises(ValueError, match="fewer than 20"):
        project_settings._metrics_token()


@contextmanager
def counts_of(
    kind: str, outcome: str, labels: dict[str, str] | None = None, **rises: float
) -> Iterator[None]:
    """Within it one save of that kind and outcome is counted, none other, and what ``rises``."""
    before, others = _all_saves(), {name: _sum(name, labels) for name in rises}
    yield
    after = _all_saves()
    assert {one: after[one] - before[one] for one in after if after[one] != before[one]} == {
        (kind, outcome): 1.0
    }
    for name, by in rises.items():
        assert _sum(name, labels) - others[name] == by, name


def _sum(name: str, labels: dict[str, str] | None) -> float:
    return counted(name, **(labels or {}))


def _all_saves() -> defaultdict[tuple[str, str], float]:
    """Each count of saves that is not 0."""
    return defaultdict(
        float,
        {
            (one.labels["kind"], one.labels["outcome"]): one.value
            for family in COUNTED.collect()
            if family.name == "crs_saves"
            for one in family.samples
            if one.value
        },
    )


class TestSaves:
    def test_each_outcome_is_counted_once(
        self, nurse_client: Client, auditor_client: Client, course: Course,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        nurse_client.raise_request_exception = False
        sent = vitals(heart_rate="80")
        refused = {"crs_refusals_total": 1.0}
        failed = {"crs_failures_total": 1.0}

        def save(fields: dict[str, Any], by: Client = nurse_client) -> Any:
            return by.post(url("entries", course, "vitals"), fields, **HTMX)

        with counts_of("vitals", "saved", crs_save_seconds_count=1.0):
            assert save(sent).status_code == 200
        with counts_of("vitals", "repeated"):
            assert save(sent).status_code == 200
        with counts_of("vitals", "refused", {"status": "422", "reason": "form"}, **refused):
            assert save(vitals(heart_rate="9999")).status_code == 422
        with counts_of("vitals", "conflict", {"status": "409", "reason": "form_reused"}, **refused):
            assert save(sent | {"heart_rate": "90"}).status_code == 409
        with counts_of(
            "vitals", "not_allowed", {"status": "403", "reason": "not_allowed"}, **refused
        ):
            assert save(vitals(heart_rate="80"), auditor_client).status_code == 403
        for error, kind in (
            (OperationalError("Jane Doe"), "outage"),
            (ValueError("Jane Doe"), "fault"),
            (WaitedTooLongError(), "waited"),
        ):
            monkeypatch.setattr(entry_views, "record_entries", _raising(error))
            with counts_of("vitals", kind, {"kind": kind}, **failed):
                save(vitals(heart_rate="80"))

    def test_other_ways_to_chart_are_kinds_of_their_own(
        self, nurse_client: Client, course: Course
    ) -> None:
        entry = course.entries.earliest("recorded_at")
        with counts_of("retraction", "saved"):
            nurse_client.post(url("retract", course, entry.pk), form(reason="misread"))
        with counts_of("place", "saved"):
            nurse_client.post(
                url("transfer", course), _shown(nurse_client, course) | {"bed": "9-9"}
            )

    def test_a_page_that_only_asks_is_no_save(self, nurse_client: Client, course: Course) -> None:
        before = _all_saves()
        nurse_client.get(url("entries", course, "vitals"))
        assert nurse_client.post(url("identity", course), {"fact": "name"}).status_code == 302
        assert _all_saves() == before

    def test_how_late_a_form_came_is_seen_where_it_was_sent_before(
        self, nurse_client: Client, course: Course
    ) -> None:
        late = "crs_entry_delay_seconds"
        before = counted(f"{late}_count"), counted(f"{late}_bucket", le="300.0")
        sent_at = (datetime.now(UTC) - timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
        for _ in range(2):
            more = {} if _ else {"sent_at": sent_at}
            nurse_client.post(
                url("entries", course, "vitals"), vitals(heart_rate="80") | more, **HTMX
            )
        assert counted(f"{late}_count") == before[0] + 1
        assert counted(f"{late}_bucket", le="300.0") == before[1]


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*_arguments: Any) -> None:
        raise error

    return fail


def _shown(client: Client, course: Course) -> dict[str, str]:
    """The fields of the form that moves a course, as its page shows them."""
    page = client.get(url("transfer", course)).context["place_forms"][0]
    values = {name: page[name].value() for name in page.fields}
    return {"what": page.what} | {name: one for name, one in values.items() if one is not None}


def test_no_label_has_a_path_an_id_or_a_text_that_was_sent(
    nurse_client: Client, course: Course, read: Callable[[], str]
) -> None:
    nurse_client.get(url("bedside", course))
    nurse_client.get(f"/Jane-Doe/?q={course.patient.mrn}")
    nurse_client.post(url("entries", course, "jane-doe"), vitals())
    nurse_client.generic("BREW", url("bedside", course))
    text = read()
    for private in (str(course.pk), course.patient.name, course.patient.mrn, "oe", "BREW", "nurse"):
        assert private not in text
    assert 'method="other"' in text
    assert 'view="none"' in text


def views(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from views(entry, f"{entry.namespace}:" if entry.namespace else namespace)
        else:
            yield f"{namespace}{entry.name}"


def test_the_reserved_memory_has_room_for_every_view(tmp_path: Any) -> None:
    """A file that grows is not reserved any more."""
    names = [f"crs_request_seconds_{end}" for end in (*("bucket",) * 11, "sum")]
    needed = sum(
        len(mmap_key("crs_request_seconds", name, ["view", "method", "le"],
                     [view, method, "0.025"], "Time to answer.")) + 32
        for view in views(get_resolver()) for method in ("GET", "POST", "other") for name in names
    )  # fmt: skip
    lines = generate_latest(COUNTED).decode().splitlines()
    counts = sum(len(line) for line in lines if "view=" not in line) * 3
    assert needed + counts < RESERVED["histogram"]
    assert counts < RESERVED["counter"]


class TestGauges:
    def test_systems_are_read_by_their_names(self, course: Course) -> None:
        lab, silent = a_system("Laboratory", "laboratory"), a_system("Pump", "pump")
        a_system("Never heard", "ehr")
        a_message(lab, course, [], received_at=datetime.now(UTC) - timedelta(minutes=3))
        a_message(
            silent, course, [], received_at=datetime.now(UTC) - timedelta(minutes=30),
            verdict=Verdict.REJECTED, reason="unreadable",
        )  # fmt: skip
        message = a_message(lab, course, ["OBX|1"], held=2)
        held(message, "unvalidated")
        held(message, "unvalidated")
        with connection.cursor() as cursor:
            cursor.execute(SQL_SYSTEMS)
            systems = cursor.fetchall()
            cursor.execute(SQL_WAITING)
            waiting = dict(cursor.fetchall())
        assert [(name, kind, refused) for name, kind, _, refused in systems] == [
            ("Laboratory", "laboratory", 0), ("Never heard", "ehr", 0), ("Pump", "pump", 1),
        ]  # fmt: skip
        heard = {name: seconds for name, _, seconds, _ in systems}
        assert heard["Never heard"] is None
        assert heard["Laboratory"] < 10
        assert 1790 < heard["Pump"] < 1850
        found = text_of(Looked(_ready(), systems=systems, waiting=waiting))
        assert 'crs_inbox_waiting{system="Laboratory"} 2.0' in found
        assert 'crs_inbox_waiting{system="Pump"} 0.0' in found
        assert 'crs_system_not_accepted{kind="pump",system="Pump"} 1.0' in found
        assert 'crs_system_heard_age_seconds{kind="ehr"' not in found
        assert 'crs_read{part="server"} 0.0' in found

    def test_last_runs_and_their_figures(self) -> None:
        verify = {"verify_grades": "agrees", "verify_audit": "differs", "faults": 2, "secret": 1}
        found = text_of(Looked(_ready(
            Check("last_verify", Status.OK, "", {"age_s": 60, "figures": verify}),
            Check("last_backup", Status.NEVER, "", {"at": None}),
        )))  # fmt: skip
        assert "crs_last_verify_age_seconds 60.0" in found
        assert 'crs_last_verify{figure="faults"} 2.0' in found
        assert 'crs_last_verify_agrees{command="verify_grades"} 1.0' in found
        assert 'crs_last_verify_agrees{command="verify_audit"} 0.0' in found
        assert 'crs_check{check="last_backup",status="never"} 1.0' in found
        assert "crs_last_backup_age_seconds" not in found
        assert "secret" not in found

    def test_the_database_itself_is_looked_at(self, read: Callable[[], str]) -> None:
        found = read()
        assert "crs_database_up 1.0" in found
        assert "crs_ready 1.0" in found
        for part in ("checks", "server", "systems", "waiting"):
            assert f'crs_read{{part="{part}"}} 1.0' in found
        # Other workers of the run have databases of the same server.
        assert re.search(r"^crs_database_locks_waiting \d+\.0$", found, re.MULTILINE)

    def test_without_a_database_there_is_an_answer(
        self, read: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_address: Any) -> None:
            raise psycopg.OperationalError("no such host")

        monkeypatch.setattr(psycopg, "connect", refuse)
        monkeypatch.setattr(connection, "cursor", refuse)
        found = read()
        assert "crs_database_up 0.0" in found
        assert "crs_ready 0.0" in found
        assert "crs_disk_free_percent" in found
        assert "crs_database_connections" not in found
        assert "crs_saves_total" in found

    @pytest.mark.parametrize("connects_late", [False, True])
    def test_a_database_that_is_silent_is_left_and_its_thread_ends(
        self, monkeypatch: pytest.MonkeyPatch, connects_late: bool
    ) -> None:
        may_connect = threading.Event()
        if not connects_late:
            may_connect.set()

        def look(connect: Callable[[], psycopg.Connection[Any]]) -> Readiness:
            may_connect.wait(20)
            with connect() as silent:
                silent.execute("SET application_name = 'silent'")
                silent.execute("SET client_connection_check_interval = '200ms'")
                silent.execute("SELECT pg_sleep(60)")
            return _ready()

        monkeypatch.setattr(gauges, "look", look)
        assert look_within(0.2).readiness is None
        may_connect.set()
        looks = [one for one in threading.enumerate() if one.name == "metrics look"]
        for one in looks:
            one.join(20)
        assert not [one for one in looks if one.is_alive()], "it waits for a silent database"
        monkeypatch.undo()
        assert look_within(20).readiness is not None
        with connection.cursor() as cursor:
            wait_until(lambda: not _silent_sessions(cursor), 20)

    def test_a_look_that_takes_too_long_is_no_database(self) -> None:
        found = text_of(Looked())
        assert "crs_database_up 0.0" in found
        assert 'crs_read{part="checks"} 0.0' in found


def _silent_sessions(cursor: Any) -> int:
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'silent'")
    return int(cursor.fetchone()[0])


def _ready(*checks: Check) -> Readiness:
    return Readiness("", (Check("database", Status.OK, "", {}), *checks))


def text_of(looked: Looked) -> str:
    return generate_latest(registry_of(Gauges(looked))).decode()
