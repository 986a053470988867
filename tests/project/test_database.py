"""The local PostgreSQL: started when needed, stopped after the last user, gone after a test."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from crs_app import local_postgres
from crs_app.database_url import django_database, owner_database
from crs_app.local_postgres import OWNER, WEB, LocalServer, throwaway


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """The local server of a checkout in a folder that every account can reach."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with tempfile.TemporaryDirectory(prefix="crs-", dir="/tmp") as folder:
        base = Path(folder).resolve()
        base.chmod(0o755)
        monkeypatch.setattr(local_postgres, "BASE_DIR", base)
        yield local_postgres.local_server()
        local_postgres.stop_server()


def python(server: LocalServer, code: str) -> subprocess.Popen[str]:
    """Another process of the same checkout."""
    base = server.home.parent.parent
    program = (
        "import pathlib; from crs_app import local_postgres;"
        f"local_postgres.BASE_DIR = pathlib.Path({str(base)!r}); {code}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(local_postgres.__file__).parent.parent,
    )


HOLD = "local_postgres.ensure_server(); print('up', flush=True); input()"


def wait_until_up(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def test_the_last_process_to_end_stops_the_server(server: LocalServer) -> None:
    first, second = python(server, HOLD), python(server, HOLD)
    wait_until_up(first)
    wait_until_up(second)
    end(first)
    assert server.is_up()
    end(second)
    assert not server.is_up()


def test_the_data_outlive_the_server(server: LocalServer) -> None:
    end(python(server, HOLD))
    server.start()
    with server.connect("crs") as connection:
        connection.execute("CREATE TABLE kept (id integer)")
    server.stop()
    end(python(server, HOLD))
    server.start()
    with server.connect("crs") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_killed_process_leaves_a_server_that_the_next_one_uses_and_stops(
    server: LocalServer,
) -> None:
    killed = python(server, HOLD)
    wait_until_up(killed)
    killed.kill()
    killed.communicate()
    assert server.is_up()
    end(python(server, HOLD))
    assert not server.is_up()


def test_a_pid_file_left_by_a_killed_server_neither_stops_the_start_nor_ends_its_namesake(
    server: LocalServer,
) -> None:
    server.start()
    pid_file = server.data / "postmaster.pid"
    pid, *rest = pid_file.read_text().splitlines()
    os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: not server.is_up())
    innocent = subprocess.Popen(["/bin/sleep", "60"], **server.process_options())
    try:
        pid_file.write_text("\n".join([str(innocent.pid), *rest, ""]))
        wait_until(lambda: started(server))
        assert server.is_up()
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def started(server: LocalServer) -> bool:
    """Start, unless children of the killed server still hold its memory."""
    try:
        server.start()
    except local_postgres.DatabaseServerError:
        return False
    return True


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_stopping_what_does_not_run_says_so(server: LocalServer) -> None:
    assert local_postgres.stop_server() is False
    server.start()
    assert local_postgres.stop_server() is True
    assert local_postgres.stop_server() is False


def test_only_its_owner_may_enter_and_nothing_listens_on_the_network(server: LocalServer) -> None:
    server.start()
    assert server.home.stat().st_mode & 0o077 == 0
    assert server.socket_directory.stat().st_mode & 0o077 == 0
    with server.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_throwaway_server_has_the_extensions_and_leaves_nothing() -> None:
    with throwaway() as server, server.connect("crs") as connection:
        connection.execute("CREATE EXTENSION btree_gist")
    assert not server.home.exists()
    with pytest.raises(psycopg.OperationalError):
        server.connect()


def test_a_throwaway_server_dies_with_a_killed_process() -> None:
    code = (
        "from crs_app.local_postgres import throwaway\n"
        "with throwaway() as server: print(server.home, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(local_postgres.__file__).parent.parent,
    )
    assert process.stdout is not None
    server = LocalServer(Path(process.stdout.readline().strip()))
    assert server.is_up()
    process.kill()
    process.communicate()
    wait_until(lambda: not server.home.exists())
    assert not server.is_up()


def test_a_deep_checkout_gets_a_short_socket_path() -> None:
    shallow = LocalServer(Path("/srv/crs/var/postgres"))
    deep = LocalServer(Path("/srv") / ("long-name/" * 12) / "var/postgres")
    assert shallow.socket_directory == shallow.home / "run"
    assert len(str(deep.socket_directory)) < 60
    assert deep.socket_directory != LocalServer(deep.home.parent).socket_directory


def test_a_server_in_a_folder_of_another_account_is_refused(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    server.stop()
    monkeypatch.setattr(os, "geteuid", lambda: 4_242_424)
    with pytest.raises(local_postgres.DatabaseServerError, match="belongs to"):
        LocalServer(server.home).prepare()


def test_what_postgresql_says_is_in_the_error(server: LocalServer) -> None:
    server.prepare()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(local_postgres.DatabaseServerError, match="pg_ctl failed"):
        server.start()


def test_an_address_is_taken_apart_for_django() -> None:
    taken = django_database("postgresql://crs:s%40fe@db.example:5433/ward?sslmode=require")
    assert taken == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "ward",
        "USER": "crs",
        "PASSWORD": "s@fe",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_another_database_is_refused_without_repeating_the_password() -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as refused:
        django_database("mysql://crs:hunter2@db/ward")
    assert "hunter2" not in str(refused.value)


def test_the_owner_of_the_tables_has_an_address_of_its_own() -> None:
    """Where a site names none, nobody but the web role is known; the local server has one."""
    url = "postgresql://db.example/ward"
    named = owner_database(url, "postgresql://keeper@db.example/ward")
    assert named is not None
    assert named["USER"] == "keeper"
    assert owner_database(url, None) is None
    local = owner_database(None, None)
    assert local is not None
    assert (local["USER"], django_database(None)["USER"]) == (OWNER, WEB)
    with pytest.raises(ValueError, match="CRS_OWNER_DATABASE_URL"):
        owner_database(url, "mysql://db/ward")


def test_a_database_of_an_earlier_version_is_given_to_the_owner() -> None:
    """Its superuser owned what the web process used."""
    with throwaway() as server, server.connect() as superuser:
        superuser.execute("DROP DATABASE crs")
        superuser.execute("CREATE DATABASE crs")
        with server.connect("crs") as before:
            before.execute("CREATE EXTENSION btree_gist")
            before.execute("CREATE TABLE entry (id bigserial PRIMARY KEY, part int) ")
            before.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        for _ in range(2):
            server.create_database()
        with server.connect("crs") as after:
            owners = after.execute(
                "SELECT relowner::regrole::text FROM pg_class"
                " WHERE relname IN ('entry', 'entry_id_seq') UNION ALL"
                " SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'one' UNION ALL"
                " SELECT datdba::regrole::text FROM pg_database WHERE datname = 'crs'"
            )
            assert owners.fetchall() == [(OWNER,)] * 4
