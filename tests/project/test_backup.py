"""A backup holds what was saved before it, and a restored database what the backup holds.

Each test has a copy of the tables in a database of its own, with the three roles of a site: the
owner of the tables dumps and loads, the keeper makes and renames databases, the web role serves.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from crs_app import VERSION
from crs_app.accounts.models import User
from crs_app.database_roles import check_web_role, grant_to, owner_of_tables
from crs_app.local_postgres import OWNER, WEB
from crs_app.management.commands import migrate
from crs_app.management.commands.nightly import next_run
from crs_app.operations.backup import make_backup, remove_old
from crs_app.operations.manifest import manifest_of
from crs_app.operations.programs import Address, OperationsError, program
from crs_app.postgres_database import GIVE_TO_OWNER
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.models import Course, Entry
from tests.factories import UserFactory, admit, chart
from tests.owner import end_other_sessions


class Site:
    """A small database with its roles, and what was acknowledged in it."""

    def __init__(self, name: str, keeper: dict[str, Any], folder: Path) -> None:
        self.name = name
        self.keeper = Address.of(keeper)
        self.owner = Address.of(keeper | {"USER": OWNER, "NAME": name})
        self.web = Address.of(keeper | {"USER": WEB, "NAME": name})
        self.folder = folder
        self.nurse: User = UserFactory(username=f"nurse-{uuid.uuid4().hex[:8]}")
        self.course: Course = admit(self.nurse, mrn=uuid.uuid4().hex[:12])
        details = {"page": "chart"}
        record_event(EventKind.VIEW, by=self.nurse, course_id=self.course.pk, details=details)
        self.acknowledged: list[tuple[Any, ...]] = []

    def save(self, temperature_c: str) -> None:
        chart(self.course, self.nurse, "vitals", temperature_c=temperature_c)
        self.acknowledged = self.rows()

    def rows(self) -> list[tuple[Any, ...]]:
        """Every row of the entries, whole."""
        with self.owner.connect() as there:
            return there.execute(
                "SELECT to_jsonb(e) FROM patients_entry AS e ORDER BY 1"
            ).fetchall()

    def back_up(self, name: str = "one.dump") -> Path:
        call_command("backup", file=self.folder / name, stdout=StringIO())
        return self.folder / name

    def databases(self) -> set[str]:
        with self.keeper.connect() as there:
            found = there.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self.name]
            )
            return {name for (name,) in found.fetchall()}


@pytest.fixture
def site(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A copy of the tables, owned and granted as on a site; settings and connection lead to it."""
    before = dict(connection.settings_dict)
    connection.close()
    keeper = before | {"NAME": "postgres", "OPTIONS": {}}
    name = f"site_{uuid.uuid4().hex[:8]}"
    with Address.of(keeper).connect() as there:
        end_other_sessions(there, before["NAME"])
        there.execute(f'CREATE DATABASE "{name}" TEMPLATE "{before["NAME"]}" OWNER "{OWNER}"')
    with Address.of(keeper | {"NAME": name}).connect() as there:
        for (statement,) in there.execute(GIVE_TO_OWNER, {"owner": OWNER}).fetchall():
            there.execute(statement)
    options = {key: value for key, value in before["OPTIONS"].items() if key != "options"}
    connection.settings_dict.update(NAME=name, USER=WEB, OPTIONS=options)
    monkeypatch.setattr(settings, "OWNER_DATABASE", keeper | {"USER": OWNER, "NAME": name})
    monkeypatch.setattr(settings, "KEEPER_DATABASE", keeper)
    monkeypatch.setattr(settings, "OPERATIONS_DIR", tmp_path / "operations")
    monkeypatch.setattr(settings, "BACKUPS_DIR", tmp_path / "backups")
    try:
        with owner_of_tables() as web_role:
            grant_to(web_role)
        yield Site(name, keeper, tmp_path)
    finally:
        connection.close()
        connection.settings_dict.update(before)
        with Address.of(keeper).connect() as there:
            for (left,) in there.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name]
            ).fetchall():
                there.execute(f'DROP DATABASE "{left}" WITH (FORCE)')


def restore(file: Path) -> str:
    printed = StringIO()
    call_command("restore", file, stdout=printed)
    return printed.getvalue()


REFUSED = [
    "UPDATE patients_entry SET body = '{}'",
    "DELETE FROM patients_entry",
    "TRUNCATE patients_entry CASCADE",
    "UPDATE patients_chartingact SET author_name = 'X. Other'",
    "DELETE FROM record_event",
]


def test_a_restore_brings_back_every_row_saved_before_the_backup_and_every_rule(
    site: Site,
) -> None:
    """The drill on a small database: saves, a backup, more saves, a restore, verified."""
    for tenths in range(5):
        site.save(f"38.{tenths}")
    before = site.acknowledged
    file = site.back_up()
    site.save("39.9")

    printed = restore(file)

    assert site.rows() == before
    assert len(site.acknowledged) == len(before) + 1
    assert "courses and" in printed
    assert "agree" in printed
    kept = re.search(rf"kept as ({site.name}_before_\w+)", printed)
    assert kept
    assert site.databases() == {site.name, kept[1]}
    with site.owner.at(kept[1]).connect() as old:
        assert old.execute("SELECT count(*) FROM patients_entry").fetchone() == (len(before) + 1,)
    # Rules and rights, as each role meets them.
    check_web_role(WEB)
    for address, words in ((site.owner, "refused|append-only"), (site.web, "permission denied")):
        for statement in REFUSED:
            with address.connect() as there, pytest.raises(psycopg.Error, match=words):
                there.execute(statement)
    # The site serves on.
    site.course.refresh_from_db()
    site.save("40.1")
    assert Entry.objects.count() == len(before) + 1


def test_the_restored_database_has_the_settings_of_the_one_before(site: Site) -> None:
    with site.keeper.connect() as there:
        there.execute(f'ALTER ROLE "{WEB}" IN DATABASE "{site.name}" SET lock_timeout TO \'3s\'')
    restore(site.back_up())
    with site.web.connect() as there:
        assert there.execute("SHOW lock_timeout").fetchone() == ("3s",)


def test_a_restore_is_refused_while_the_site_is_used_and_says_what_to_stop(site: Site) -> None:
    file = site.back_up()
    with site.web.connect() as serving:
        serving.execute("SET application_name = 'gunicorn'")
        with pytest.raises(CommandError, match=r"being used.*1 × crs_web \(gunicorn\).*docker"):
            restore(file)
    assert site.databases() == {site.name}


def test_what_is_charted_during_a_restore_is_never_replaced(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = site.back_up()
    from crs_app.operations import restore as module

    verify = module._verify

    def verify_while_a_nurse_saves(name: str) -> dict[str, object]:
        figures = verify(name)
        site.save("38.8")
        connection.close()
        return figures

    monkeypatch.setattr(module, "_verify", verify_while_a_nurse_saves)
    with pytest.raises(CommandError, match="charted while the backup was loaded"):
        restore(file)
    assert site.rows() == site.acknowledged
    assert site.databases() == {site.name}


def test_a_migration_gives_way_to_who_uses_a_table_for_long(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a backup does: every save would wait behind the lock of the migration."""
    monkeypatch.setattr(migrate, "_LOCK_WITHIN", "100ms")
    with site.owner.connect() as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT FROM patients_formerwardname")
        with pytest.raises(CommandError, match="A table is in use for long"):
            call_command("migrate", "patients", "0040", verbosity=0)
    site.save("38.1")
    assert site.rows() == site.acknowledged


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def rewrite(**fields: object) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        beside = manifest_of(file)
        beside.write_text(json.dumps(json.loads(beside.read_text()) | fields))

    return change


def of_a_newer_version(file: Path) -> None:
    contents = json.loads(manifest_of(file).read_text())["contents"]
    contents["migrations"].append("patients.9999_of_tomorrow")
    rewrite(contents=contents, product_version="9.0")(file)


def fewer_rows(file: Path) -> None:
    contents = json.loads(manifest_of(file).read_text())["contents"]
    contents["rows"]["patients_entry"] += 1
    rewrite(contents=contents)(file)


def test_a_file_that_cannot_be_trusted_is_refused_in_plain_words(site: Site) -> None:
    """One backup, damaged in each way in turn; nothing is replaced and nothing is left behind."""
    whole = site.back_up()
    texts = whole.read_bytes(), manifest_of(whole).read_text()
    cases: list[tuple[Callable[[Path], object], str]] = [
        (cut, "is damaged: it has"),
        (flip, "is damaged: its SHA-256"),
        (lambda file: manifest_of(file).unlink(), "never finished, or not copied whole"),
        (lambda file: manifest_of(file).write_text("{"), "is no manifest"),
        (lambda file: manifest_of(file).write_text("[]"), "is no manifest"),
        (rewrite(bytes=None, sha256=None, more=1), "is no manifest"),
        (rewrite(bytes="many"), "is no manifest"),
        (rewrite(contents={"rows": [], "migrations": []}), "is no manifest"),
        (
            rewrite(contents={"rows": [], "rules": {}, "migrations": [], "last_act_at": None}),
            "is no manifest",
        ),
        (rewrite(format="crs-backup/2"), "version of the product that wrote it"),
        (of_a_newer_version, "newer version of the product.*patients.9999_of_tomorrow"),
        (rewrite(server_version=990000), "no pg_restore of that version|PostgreSQL 99"),
        (fewer_rows, "rows of patients_entry"),
        (Path.unlink, "one.dump is not there"),
    ]
    for spoil, words in cases:
        whole.write_bytes(texts[0])
        manifest_of(whole).write_text(texts[1])
        spoil(whole)
        with pytest.raises(CommandError, match=words):
            restore(whole)
    assert site.databases() == {site.name}


def test_a_backup_overwrites_nothing_and_leaves_no_half_of_itself(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = site.back_up()
    dumped = file.read_bytes()
    with pytest.raises(CommandError, match="is there already"):
        site.back_up()
    assert file.read_bytes() == dumped
    assert file.stat().st_mode & 0o777 == manifest_of(file).stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr("crs_app.operations.backup.read_contents", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_backup(site.folder / "half.dump", site.owner)
    assert not list(site.folder.glob("half*"))
    with pytest.raises(OperationsError, match="cannot connect"):
        make_backup(site.folder / "none.dump", site.owner.at("nowhere"))


def test_the_last_backup_and_the_last_verification_are_noted_with_figures(site: Site) -> None:
    site.save("38.5")
    call_command("nightly", once=True, stdout=StringIO())
    notes = {
        name: json.loads((settings.OPERATIONS_DIR / f"last-{name}.json").read_text())
        for name in ("backup", "verify")
    }
    for note in notes.values():
        assert abs(datetime.now(UTC) - datetime.fromisoformat(note["at"])) < timedelta(minutes=1)
    assert notes["backup"]["figures"]["bytes"] > 10_000
    assert Path(notes["backup"]["figures"]["file"]).parent == settings.BACKUPS_DIR
    assert (
        notes["verify"]["figures"] | {"verify_grades": "agrees", "faults": 0}
        == notes["verify"]["figures"]
    )
    with site.keeper.at(site.name).connect() as there:
        there.execute("SET session_replication_role = replica")
        there.execute("UPDATE patients_gradeperiod SET grade = 4, at_most = 4")
    with pytest.raises(CommandError):
        call_command("nightly", once=True, stdout=StringIO(), stderr=StringIO())
    figures = json.loads((settings.OPERATIONS_DIR / "last-verify.json").read_text())["figures"]
    assert figures["verify_grades"] == "differs"
    assert figures["faults"] > 0


def test_a_course_that_is_kept_locked_is_no_fault_and_nothing_is_noted(site: Site) -> None:
    """A stored grade that differs is one: it is told to the wards."""
    with site.keeper.connect() as there:
        there.execute(f"ALTER ROLE {WEB} IN DATABASE {site.name} SET lock_timeout = '50ms'")
    connection.close()
    with site.owner.connect() as other:
        other.execute("BEGIN")
        other.execute("SELECT FROM patients_course WHERE id = %s FOR UPDATE", [site.course.pk])
        with pytest.raises(CommandError, match=r"^Not verified.*verify_grades.*Run it again"):
            call_command("verify_site", stdout=StringIO())
        told = StringIO()
        with pytest.raises(CommandError, match="see above"):
            call_command("nightly", once=True, stdout=StringIO(), stderr=told)
    assert "verify_site failed: Not verified" in told.getvalue()
    assert not (settings.OPERATIONS_DIR / "last-verify.json").exists()
    call_command("verify_site", stdout=StringIO())


def test_the_drill_proves_a_backup_and_leaves_the_site_as_it_is(site: Site) -> None:
    site.save("38.5")
    printed = StringIO()
    with site.web.connect():  # the site serves on
        call_command("drill", "backup", stdout=printed)
    assert "verify grades: agrees" in printed.getvalue()
    assert "faults: 0" in printed.getvalue()
    assert site.databases() == {site.name}
    assert site.rows() == site.acknowledged


@pytest.mark.parametrize(
    ("now", "at", "expected"),
    [
        ("2026-01-01T02:29", "02:30", "2026-01-01T02:30"),
        ("2026-01-01T02:30", "02:30", "2026-01-02T02:30"),
        ("2026-12-31T23:59", "00:00", "2027-01-01T00:00"),
    ],
)
def test_the_night_begins_once_a_day(now: str, at: str, expected: str) -> None:
    begins = next_run(datetime.fromisoformat(now).replace(tzinfo=UTC), time.fromisoformat(at))
    assert begins == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_old_backups_go_and_the_newest_seven_and_every_other_file_stay(tmp_path: Path) -> None:
    for day in range(1, 13):
        for suffix in ("dump", "dump.json"):
            (tmp_path / f"crs-202601{day:02}T023000Z.{suffix}").touch()
    others = {"before-upgrade.dump", "crs-20250101T000000Z.dump"}  # the second was never finished
    for name in others:
        (tmp_path / name).touch()
    removed = remove_old(tmp_path, days=30)
    assert [path.name for path in removed] == [f"crs-2026010{n}T023000Z.dump" for n in range(1, 6)]
    left = {path.name for path in tmp_path.iterdir()}
    assert others <= left
    assert len(left) == 7 * 2 + len(others)
    (tmp_path / "crs-20260104T023000Z.dump").mkdir()  # what cannot be removed as a file
    (tmp_path / "crs-20260104T023000Z.dump.json").touch()
    with pytest.raises(OperationsError, match=r"new backup is whole\. An older one could not"):
        remove_old(tmp_path, days=30)


def test_a_note_that_cannot_be_written_says_that_the_work_is_done(
    site: Site, tmp_path: Path, settings: Any
) -> None:
    """What a backup that was killed left is removed by the next one."""
    killed = site.folder / "crs-20260104T023000Z.dump.unfinished"
    killed.touch()
    settings.OPERATIONS_DIR = tmp_path / "file"
    settings.OPERATIONS_DIR.touch()
    with pytest.raises(CommandError, match="It is done, and that could not be noted in"):
        call_command("backup", dir=site.folder, stdout=StringIO())
    assert not killed.exists()
    assert len(list(site.folder.glob("*.dump"))) == 1
    with pytest.raises(CommandError, match="It is done, and that could not be noted in"):
        call_command("verify_site", stdout=StringIO())


@pytest.mark.parametrize(
    ("major", "is_taken"), [(17, False), (18, True), (19, True), (None, False)]
)
def test_a_program_older_than_the_server_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, major: int | None, is_taken: bool
) -> None:
    """That of the path is used where it can read the server, else the one of the product."""
    if major is not None:
        (tmp_path / "pg_dump").write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {major}.1'\n")
        (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setenv("DATABASE_URL", "postgresql://crs_web@database/crs")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (program("pg_dump", 180006) == str(tmp_path / "pg_dump")) is is_taken
    with pytest.raises(OperationsError, match="server is PostgreSQL 99, and no pg_dump"):
        program("pg_dump", 990000)


def test_the_version_is_that_of_the_project() -> None:
    project = (settings.BASE_DIR / "pyproject.toml").read_text()
    assert f'\nversion = "{VERSION}"\n' in project
