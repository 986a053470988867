"""The scripts of the archive refuse what would lose something; Compose runs these scripts.

`make drill PART=point-in-time` kills a PostgreSQL and recovers it with them.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from crs_app.operations.restore import WHAT_TO_STOP
from tests.project.test_proxy import service, services

DEPLOY = settings.BASE_DIR / "deploy"


def run(script: str, *arguments: object, **variables: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(DEPLOY / script), *map(str, arguments)],
        env={"PATH": "/usr/bin:/bin", **{name: str(value) for name, value in variables.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_of_the_log_is_archived_once_and_never_replaced(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "archive" / "wal" / "0000000A"
    log.write_text("first")
    (tmp_path / "archive").mkdir()
    for _ in range(2):  # PostgreSQL tries again after a crash
        assert run("archive.sh", log, kept.name, ARCHIVE=tmp_path / "archive").returncode == 0
    assert kept.read_text() == "first"
    log.write_text("other")
    refused = run("archive.sh", log, kept.name, ARCHIVE=tmp_path / "archive")
    assert refused.returncode == 1
    assert "is there already and differs" in refused.stderr
    assert kept.read_text() == "first"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_what_cannot_be_archived_fails_so_that_postgresql_keeps_it(tmp_path: Path) -> None:
    assert run("archive.sh", tmp_path / "nothing", "0000000A", ARCHIVE=tmp_path).returncode != 0
    assert run("archive.sh", tmp_path / "nothing", "0000000A").returncode != 0


@pytest.mark.parametrize("script", ["archive.sh", "base-backup.sh"])
def test_an_archive_that_is_not_there_is_not_made(tmp_path: Path, script: str) -> None:
    """Its disk is not mounted: the log would go onto the disk of the database."""
    (tmp_path / "log").touch()
    for folder, words in (
        (tmp_path / "away", "is its disk mounted"),
        ("archive", "must begin with /"),
    ):
        refused = run(script, tmp_path / "log", "0000000A", ARCHIVE=folder)
        assert (refused.returncode, words in refused.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_recovery_starts_again_after_one_that_was_interrupted(tmp_path: Path) -> None:
    data, archive, tools = tmp_path / "data", tmp_path / "archive", tmp_path / "tools"
    base = archive / "base" / "20261129T140500Z"
    for folder in (base, archive / "wal", data / "pg_wal", tools):
        folder.mkdir(parents=True)
    for name in ("PG_VERSION", "postgresql.auto.conf"):
        (base / name).touch()
    (tools / "pg_verifybackup").write_text("#!/bin/sh\n")
    (tools / "pg_verifybackup").chmod(0o755)
    left = tmp_path / "data.recovering"
    left.mkdir()
    (left / "half of a file").touch()
    asked = {"PGDATA": f"{data}/", "RECOVER_TO": "latest", "PATH": f"{tools}:/usr/bin:/bin"}
    for wrong in ("archive", f"{archive}/%p", f"{archive}'"):
        refused = run("recover.sh", **asked, ARCHIVE=wrong)
        assert (refused.returncode, "Nothing was changed" in refused.stderr) == (1, True)
    done = run("recover.sh", **asked, ARCHIVE=archive)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in data.iterdir()} == {
        "PG_VERSION", "postgresql.auto.conf", "recovery.signal"
    }  # fmt: skip
    kept = [path for path in tmp_path.iterdir() if path.name.startswith("data.before-")]
    assert [(one / "pg_wal").is_dir() for one in kept] == [True]
    assert not left.exists()


@pytest.mark.parametrize(
    ("to", "left", "words"),
    [
        ("2026-11-29 14:05:00+00", "postmaster.pid", "stop the database"),
        ("2026-11-29 14:05:00", "PG_VERSION", "needs its offset from UTC"),
        ("yesterday evening+00", "PG_VERSION", "is no time"),
        ("2026-11-29 14:05:00'+00", "PG_VERSION", "is no time"),
        ("2026-11-29 14:05:00+00", "PG_VERSION", "is from before 2026-11-29 14:05:00+00"),
        ("2026-11-29 16:05:00+02:00", "PG_VERSION", "is from before"),
    ],
)
def test_a_recovery_that_cannot_be_right_changes_nothing(
    tmp_path: Path, to: str, left: str, words: str
) -> None:
    """The only copy of the cluster was finished at 14:05:00, by which time more had happened."""
    data, archive = tmp_path / "data", tmp_path / "archive"
    (archive / "base" / "20261129T140500Z").mkdir(parents=True)
    data.mkdir()
    (data / left).touch()
    refused = run("recover.sh", PGDATA=data, ARCHIVE=archive, RECOVER_TO=to)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Nothing was changed" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "data"]


def test_compose_archives_copies_and_recovers_with_these_scripts() -> None:
    """Read, not run."""
    assert "-c archive_mode=on" in service("database")
    for name, script in (
        ("database", "archive.sh"),
        ("base", "base-backup.sh"),
        ("recover", "recover.sh"),
    ):
        assert f"/deploy/{script}" in service(name)
        assert "./deploy:/deploy:ro" in service(name)
        assert "archive:/archive" in service(name)
        assert (DEPLOY / script).is_file()


def test_the_database_of_compose_is_healthy_only_once_it_can_be_reached() -> None:
    """Its first start makes the roles without the network; what waits for it would fail then."""
    assert re.search(r'test: \["CMD", "pg_isready",.* "--host", "localhost",', service("database"))


def test_who_restores_is_told_to_stop_every_service_that_connects_as_the_site() -> None:
    uses = {"proxy"} | {
        name
        for name in services()
        if re.search(r"<<: \*(app|operator)$", service(name), re.MULTILINE)
        and "restart: unless-stopped" in service(name)
    }
    assert uses == {"proxy", "web", "hl7", "record", "backup"}
    guide = (settings.BASE_DIR / "docs" / "operations.md").read_text("utf-8")
    for words in (guide.partition("\n## Restore\n")[2], WHAT_TO_STOP):
        found = re.search(r"`docker compose stop ([\w ]+)`", words)
        assert found
        assert set(found[1].split()) == uses


def test_compose_makes_a_dump_and_verifies_every_night_and_the_site_reads_the_notes() -> None:
    assert "manage.py nightly" in service("backup")
    assert "<<: *operator" in service("backup")
    assert "operations:/operations:ro" in service("web")
    for name in ("restore", "recover"):  # no `up` starts them
        assert "profiles: [operator]" in service(name)
