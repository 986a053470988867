"""What /livez, /readyz and /health/ say, and that nothing of the site holds them up."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from crs_app import readiness
from tests.project.test_hardening import in_a_fresh_checkout
from tests.project.test_proxy import COMPOSE

pytestmark = pytest.mark.django_db

OUTAGES = [
    ('connection failed: No such file or directory', "no database"),
    ('FATAL:  the database system is starting up', "database is starting"),
    ('FATAL:  the database system is in recovery mode', "database is starting"),
    ('FATAL:  the database system is not yet accepting connections\nDETAIL: Consistent recovery'
     ' state has not been yet reached.', "database is starting"),
]  # fmt: skip


@pytest.fixture
def operations(settings: Settings, tmp_path: Path) -> Path:
    """The folder in which backup and verification leave when they ended."""
    settings.OPERATIONS_DIR = tmp_path
    return tmp_path


@pytest.mark.parametrize(("text", "words"), OUTAGES, ids=[words[:24] for words, _ in OUTAGES])
@pytest.mark.parametrize("signed_in", [False, True])
def test_only_a_database_that_is_away_or_starting_is_503(
    client: Client, nurse_client: Client, monkeypatch: pytest.MonkeyPatch, text: str, words: str,
    signed_in: bool,
) -> None:  # fmt: skip
    """Whoever asks: a signed-in browser's session is not read either."""
    asks = nurse_client if signed_in else client
    _refuse(monkeypatch, text)
    for path in ("/readyz", "/health/"):
        answer = asks.get(path)
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
    assert answer.content.decode() == f"{words}\n"
    assert asks.get("/readyz").json()["failure"] == words
    assert asks.get("/livez").content == b"ok\n"


def _refuse(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def refuse(**_address: Any) -> None:
        raise psycopg.OperationalError(text)

    monkeypatch.setattr(psycopg, "connect", refuse)
    monkeypatch.setattr(connection, "cursor", refuse)


def test_a_database_that_is_not_migrated_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = readiness._migrations_on_disk()
    later = known | {("patients", "9999_later"), ("accounts", "9999_later")}
    monkeypatch.setattr(readiness, "_migrations_on_disk", lambda: later)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["failure"] == "database is not migrated: 2 to apply"
    assert answer.json()["checks"]["migrations"] == {
        "status": "failed", "words": "database is not migrated: 2 to apply", "missing": 2,
    }  # fmt: skip


def test_a_database_without_a_table_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_MIGRATIONS", "SELECT app, name FROM nothing_here")
    assert client.get("/readyz").status_code == 503


def test_a_full_database_is_for_an_operator_and_takes_no_machine_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refuse(monkeypatch, "FATAL:  sorry, too many clients already")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["database"]["status"] == "attention"


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_disk_backup_and_verify_stand_in_the_body_and_change_no_status(
    client: Client, operations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(1000, 200, 800))
    never = client.get("/readyz").json()
    assert never["status"] == "ok"
    assert never["checks"]["last_backup"] == {
        "status": "never", "words": "last backup: never", "at": None,
    }  # fmt: skip
    at = datetime.now(UTC) - timedelta(hours=3)
    left = {"at": at.isoformat(), "figures": {"courses": 12, "file": "/var/x"}}
    (operations / "last-verify.json").write_text(json.dumps(left))
    old = datetime.now(UTC) - timedelta(hours=50)
    (operations / "last-backup.json").write_text(json.dumps({"at": old.isoformat()}))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(1000, 960, 40))
    answer = client.get("/readyz")
    checks = answer.json()["checks"]
    assert (answer.status_code, answer.json()["status"]) == (200, "attention")
    assert checks["last_verify"]["status"] == "ok"
    assert checks["last_verify"]["figures"] == {"courses": 12}
    assert 10_700 < checks["last_verify"]["age_s"] < 10_900
    assert (checks["last_backup"]["status"], checks["last_backup"]["words"]) == (
        "attention", "last backup: 50 h ago",
    )  # fmt: skip
    assert (checks["disk"]["status"], checks["disk"]["free_percent"]) == ("attention", 4.0)
    assert client.get("/health/").content == b"ok\n"


def test_a_verification_that_found_faults_and_a_note_of_later_than_now_need_attention(
    client: Client, operations: Path
) -> None:
    """A clock that was ahead when it was noted must not hide that no backup was made since."""
    now = datetime.now(UTC)
    faulty = {"at": now.isoformat(), "figures": {"verify_grades": "differs", "faults": 3}}
    (operations / "last-verify.json").write_text(json.dumps(faulty))
    later = now + timedelta(minutes=90)
    (operations / "last-backup.json").write_text(json.dumps({"at": later.isoformat()}))
    answer = client.get("/readyz").json()
    verify, backup = answer["checks"]["last_verify"], answer["checks"]["last_backup"]
    assert answer["status"] == verify["status"] == backup["status"] == "attention"
    assert verify["words"] == "last verify: 0 h ago, and it found faults"
    assert backup["words"] == "last backup: noted 90 min ahead of the clock"
    faulty["figures"] = {"faults": 0}
    (operations / "last-verify.json").write_text(json.dumps(faulty))
    assert client.get("/readyz").json()["checks"]["last_verify"]["status"] == "ok"


@pytest.mark.parametrize("left", ["", "[]", "{}", '{"at": "yesterday"}', '{"at": "2026-01-01"}'])
def test_a_file_that_cannot_be_read_is_for_an_operator(
    client: Client, operations: Path, left: str
) -> None:
    (operations / "last-backup.json").write_text(left)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["last_backup"]["status"] == "attention"


def test_they_use_no_connection_of_the_site(
    nurse_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        for path in ("/livez", "/readyz", "/health/"):
            assert nurse_client.get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_lock_on_what_they_read_holds_them_up_for_seconds_only(client: Client) -> None:
    parts = connection.get_connection_params() | {"options": ""}
    with psycopg.connect(**parts) as other:
        other.execute("LOCK TABLE patients_course IN ACCESS EXCLUSIVE MODE")
        begun = datetime.now(UTC)
        answer = client.get("/readyz")
        taken = datetime.now(UTC) - begun
    assert taken < timedelta(seconds=readiness.ANSWERS_WITHIN_S + 3)
    assert answer.status_code == 200
    assert answer.json()["checks"]["last_entry"]["status"] == "not known"


def test_the_image_and_compose_ask_for_readiness() -> None:
    """Compose has the check of the image; Caddy waits for it."""
    image = (settings.BASE_DIR / "Dockerfile").read_text()
    assert "http://127.0.0.1:8000/readyz" in image
    assert "/livez" in COMPOSE


def test_the_folder_of_operations_is_a_setting(tmp_path: Path) -> None:
    code = "print(settings.OPERATIONS_DIR)"
    assert in_a_fresh_checkout(tmp_path, code, CRS_OPERATIONS_DIR="/srv/crs") == "/srv/crs\n"
