"""Processes killed under `make run`, a full database, a transaction that somebody forgot."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from chaos import kills
from chaos.plan import ONE_MACHINE
from chaos.run import Load, run
from chaos.site import Site as BrokenSite
from crs_app.local_postgres import WEB, LocalServer
from crs_app.time_limits import OF_WEB_ROLE, lift_for_long_job
from tests.project.served import Answer, Browser, Site, environment, run_command, served, wait_until
from tests.project.test_run import free_port

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """In a folder with a short name that every account can reach, as PostgreSQL needs."""
    with tempfile.TemporaryDirectory(prefix="crs-", dir="/tmp") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        with served(folder, free_port()) as site:
            yield site


@pytest.fixture(scope="module")
def nurse(site: Site) -> Browser:
    return site.sign_in()


def courses(site: Site) -> list[str]:
    with site.database.connect("crs") as inside:
        rows = inside.execute(
            "SELECT id FROM patients_course WHERE ended_at IS NULL ORDER BY id"
        ).fetchall()
    return [str(row[0]) for row in rows]


def asked(browser: Browser) -> Answer | None:
    """The board; None where the web server itself gave no answer."""
    with suppress(OSError):
        return browser.get("/")
    return None


def test_kills_of_every_kind_lose_and_double_nothing(site: Site) -> None:
    """A short run of `make chaos`. It stands first: the tests below use the site that it leaves."""
    broken = BrokenSite(
        site.folder, site.port, site.log, site.database, environment(),
        run_command(site.folder, site.port), site.serving,
    )  # fmt: skip
    load = Load(seed=18, saves=50, kills=len(ONE_MACHINE), every_s=1.2, tablets=8)
    try:
        report = run(broken, broken.fill(load.nurses, 5), load, ONE_MACHINE, kills.do, print)
    finally:
        assert broken.serving is not None
        site.serving = broken.serving
    assert report.faults == []
    assert report.figures["kills"] == len(ONE_MACHINE)


def test_a_worker_that_starts_while_the_database_recovers_waits(site: Site) -> None:
    """F1: the web server ended here, in one of three rounds."""
    for pause in (0.4, 0.7):
        before = site.serving.pid
        os.kill(site.workers()[0], signal.SIGKILL)
        time.sleep(pause)
        site.get("/readyz")
        backends = site.backends()
        for pid in backends[:1]:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: site.get("/health/").status == 200, 30)
        wait_until(lambda: len(site.workers()) == 2, 30)
        assert site.serving.poll() is None
        assert site.serving.pid == before


def test_a_killed_database_is_an_outage_of_seconds_that_the_site_tells(
    site: Site, nurse: Browser
) -> None:
    assert nurse.get("/").status == 200
    logged = site.log.stat().st_size
    assert site.metrics()["crs_database_up"] == 1
    os.kill(site.postmaster(), signal.SIGKILL)
    answers: list[Answer] = []
    is_up = site.metrics()["crs_database_up"]

    def is_back() -> bool:
        answer = asked(nurse)
        assert answer is not None
        answers.append(answer)
        return answer.status == 200

    assert wait_until(is_back, 30) < 15
    assert is_up == 0
    refused = [answer for answer in answers if answer.status != 200]
    for answer in refused:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["X-Request-ID"] in answer.text
        assert "may not be saved" in answer.text
        assert "Nothing was saved" not in answer.text
    wait_until(lambda: "started again" in site.log.read_text()[logged:], 10)
    lines = site.log.read_text()[logged:]
    assert "Traceback" not in lines
    assert len(lines) <= 500 * (len(refused) + 3)


def test_a_second_run_at_the_same_port_says_so_first(site: Site) -> None:
    again = subprocess.run(
        run_command(site.folder, site.port),
        cwd=site.folder, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert again.returncode == 1
    assert f"Port {site.port} of 127.0.0.1 is in use" in again.stderr
    assert again.stdout == ""
    assert "Traceback" not in again.stderr
    assert site.get("/health/").text == "ok\n"


def test_a_copy_of_a_running_checkout_starts(site: Site) -> None:
    """Its files name the process of the original, which serves on."""
    copy = LocalServer(site.folder.parent / "again" / "postgres")
    shutil.copytree(
        site.database.home, copy.home, ignore=shutil.ignore_patterns(".s.PGSQL.5432", "programs")
    )
    if copy.account:
        for path in (copy.home, *copy.home.rglob("*")):
            os.chown(path, copy.account.pw_uid, copy.account.pw_gid)
    assert (copy.socket_directory / ".s.PGSQL.5432.lock").exists()
    copy.bring_up()
    try:
        with copy.connect("crs") as inside:
            found = inside.execute("SELECT count(*) > 0 FROM patients_course").fetchone()
        assert found == (True,)
    finally:
        copy.stop()
    assert site.get("/health/").text == "ok\n"


def test_a_restore_is_refused_under_a_site_that_nobody_asks(site: Site) -> None:
    """Every connection was just ended; each web process has one again without a request."""
    for pid in site.backends():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    refused = subprocess.run(
        [sys.executable, "manage.py", "restore", "none.dump"],
        cwd=site.folder, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 1
    assert f"2 × {WEB} (crs serves)" in refused.stderr
    assert "Nothing was restored." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_web_role_has_limits_from_the_start_of_a_session(site: Site) -> None:
    """They come with the session: no request sends a statement for them."""
    shown = "SELECT name, setting || coalesce(unit, '') FROM pg_settings WHERE name = ANY(%s)"
    with psycopg.connect(
        host=str(site.database.socket_directory), port=5432, user=WEB, dbname="crs"
    ) as session:
        found = dict(session.execute(shown, [list(OF_WEB_ROLE)]).fetchall())
    assert found == {
        "lock_timeout": "3000ms",
        "statement_timeout": "30000ms",
        "idle_in_transaction_session_timeout": "10000ms",
        "transaction_timeout": "120000ms",
    }


@pytest.mark.django_db
def test_a_long_job_lifts_the_limits_but_that_of_locks() -> None:
    with connection.cursor() as cursor:
        for name, limit in OF_WEB_ROLE.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, limit])
        lift_for_long_job()
        found = {}
        for name in OF_WEB_ROLE:
            cursor.execute(f"SHOW {name}")
            found[name] = cursor.fetchone()[0]
    assert found == {name: "3s" if name == "lock_timeout" else "0" for name in OF_WEB_ROLE}


def test_a_forgotten_transaction_stops_one_course_for_seconds(site: Site, nurse: Browser) -> None:
    """F7: 24 saves to its course; the others, the board and the health check answer meanwhile."""
    stuck, other = courses(site)[:2]
    assert nurse.save(other).status == 200
    with ExitStack() as stack:
        forgotten = stack.enter_context(site.database.connect("crs"))
        forgotten.autocommit = False
        forgotten.execute("SELECT FROM patients_course WHERE id = %s FOR UPDATE", [stuck])
        pool = stack.enter_context(ThreadPoolExecutor(24))
        stack.callback(forgotten.rollback)
        saves = [pool.submit(nurse.save, stuck) for _ in range(24)]
        time.sleep(0.3)
        longest_s = 0.0
        while not all(save.done() for save in saves):
            begun = time.monotonic()
            assert nurse.get("/").status == 200
            assert nurse.save(other).status == 200
            assert site.get("/health/").text == "ok\n"
            longest_s = max(longest_s, time.monotonic() - begun)
        assert longest_s < 8
        for answer in (save.result() for save in saves):
            assert answer.status == 503
            assert answer.headers["CRS-Stored"] == "no"
            assert answer.text.startswith("Nothing was saved.")
    assert nurse.save(stuck).status == 200
    figures = site.metrics()
    waited = [figures[f'crs_waited_in_vain_total{{what="{one}"}}'] for one in ("turn", "lock")]
    assert sum(waited) == figures['crs_saves_total{kind="vitals",outcome="waited"}'] == 24


def test_a_database_without_a_free_place_is_told_like_one_that_is_away(
    site: Site, nurse: Browser
) -> None:
    """F8: who needs a new connection gets 503, never 500, and the next one is served.

    Every worker is killed for it, and none of what they counted is lost.
    """
    before = site.metrics()
    for worker in site.workers():
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(site.workers()) == 2, 30)
    wait_until(lambda: site.get("/livez").status == 200, 30)
    for pid in site.backends():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(site.database.connect("crs"))
        answers = [nurse.get("/") for _ in range(4)]
        assert {answer.status for answer in answers} == {503}
        assert all(answer.headers["Retry-After"] for answer in answers)
        assert site.get("/livez").text == "ok\n"
        ready = site.get("/readyz")
        assert (ready.status, re.search("in use", ready.text) is not None) == (200, True)
        started = before["crs_workers_started_total"] + 2
        wait_until(lambda: site.metrics()["crs_workers_started_total"] >= started, 30)
        full = site.metrics()
    wait_until(lambda: nurse.get("/").status == 200, 10)
    assert full['crs_check{check="database",status="attention"}'] == 1
    saves = {name: count for name, count in before.items() if name.startswith("crs_saves_total")}
    assert saves == {name: full[name] for name in saves}
    assert saves['crs_saves_total{kind="vitals",outcome="saved"}'] > 2
