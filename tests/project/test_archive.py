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
