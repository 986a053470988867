"""PgBouncer in transaction mode: one setting, its check, and saves through it.

`make test POOLER=1` runs tests through it that know nothing of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from crs_app.local_postgres import WEB, LocalServer
from crs_app.pooler_check import check_database, check_settings
from crs_app.time_limits import lift_for_long_job
from patients.models import Course, Entry
from tests.entry_forms import send, url
from tests.factories import UserFactory, admit
from tests.pooler import PROGRAM, pooler

SHOW = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "crs_app.settings"
from django.conf import settings
database = settings.DATABASES["default"]
print(database["OPTIONS"]["prepare_threshold"], database["DISABLE_SERVER_SIDE_CURSORS"])
"""


@pytest.mark.parametrize(
    ("named", "expected"),
    [("transaction", "None True"), ("session", "CRS_POOLER is 'session'")],
)
def test_the_setting_turns_off_what_a_pooler_does_not_keep(named: str, expected: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**os.environ, "CRS_POOLER": named},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert expected in (shown.stderr if shown.returncode else shown.stdout)
    assert (shown.returncode == 0) is (named != "session")


def test_the_check_finds_what_the_setting_does_not_allow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.POOLER = ""
    assert check_settings() == []
    settings.POOLER = "transaction"
    for options, has_no_cursors, found in (
        ({"prepare_threshold": None}, True, []),
        ({"prepare_threshold": None}, False, ["crs.E002"]),
        ({"prepare_threshold": 2}, True, ["crs.E002"]),
        ({"prepare_threshold": None, "options": "-c a=b"}, True, ["crs.E001"]),
    ):
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
        monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", has_no_cursors)
        assert [one.id for one in run_checks() if str(one.id).startswith("crs.")] == found


@pytest.fixture
def pooled(transactional_db: None, settings: Settings) -> Iterator[Course]:
    """The site as the web role behind a pooler of two sessions, with a course."""
    home = Path(connection.settings_dict["HOST"]).parent
    if PROGRAM is None or settings.POOLER or not (home / "data").is_dir():
        pytest.skip("needs PgBouncer and a PostgreSQL of the tests")
    before = dict(connection.settings_dict)
    options = {**before["OPTIONS"], "prepare_threshold": None}
    options.pop("options", None)
    with pooler(LocalServer(home), sessions=2) as there:
        connection.close()
        connection.settings_dict.update(
            there, USER=WEB, OPTIONS=options, DISABLE_SERVER_SIDE_CURSORS=True
        )
        settings.POOLER = "transaction"
        try:
            yield admit(UserFactory())
        finally:
            connection.close()
            connection.settings_dict.clear()
            connection.settings_dict.update(before)


def test_saves_of_more_threads_than_sessions_are_stored_once_each(
    pooled: Course, nurse_client: Client
) -> None:
    def save(rate: int) -> int:
        try:
            return send(nurse_client, pooled, "vitals", heart_rate=str(rate)).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(save, range(60, 72))) == {200}
    rates = Entry.objects.filter(course=pooled, body__has_key="heart_rate")
    assert sorted(int(one.body["heart_rate"]) for one in rates) == list(range(60, 72))
    assert nurse_client.get(url("bedside", pooled)).status_code == 200
    assert nurse_client.get(reverse("patients:board")).status_code == 200
    form_id = str(uuid.uuid4())
    for _ in range(2):  # a replay meets another session
        answer = send(nurse_client, pooled, "vitals", heart_rate="99", form_id=form_id)
        assert answer.status_code == 200
    assert rates.filter(body__heart_rate="99").count() == 1


def test_a_pooler_that_no_setting_names_is_found(
    pooled: Course, client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert check_database(["default"]) == []
    lift_for_long_job()
    assert "name the database itself" in caplog.text
    assert client.get("/readyz").json()["checks"]["database"]["status"] == "ok"
    settings.POOLER = ""
    assert [one.id for one in check_database(["default"])] == ["crs.E003"]
    database = client.get("/readyz").json()["checks"]["database"]
    assert (database["status"], "CRS_POOLER is not set" in database["words"]) == ("attention", True)
    settings.OWNER_DATABASE = dict(connection.settings_dict)
    assert [one.id for one in check_database(["default"])] == ["crs.E004"]
