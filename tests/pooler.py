"""PgBouncer in transaction mode before a PostgreSQL of the tests (`make test POOLER=1`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crs_app.local_postgres import OWNER, PORT, USER, WEB, LocalServer

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
POOLER_PORT = "6432"
STARTS_WITHIN_S = 60
_SETTINGS = """
[databases]
* = host={server} port={port}
[pgbouncer]
pool_mode = transaction
listen_port = {pooler_port}
listen_addr =
unix_socket_dir = {home}
auth_type = trust
auth_file = {home}/users
logfile = {home}/log
admin_users = {user}
default_pool_size = {sessions}
max_client_conn = 300
"""


@contextmanager
def pooler(server: LocalServer, *, sessions: int = 20) -> Iterator[dict[str, str]]:
    """Yield the address of a pooler before ``server``, as a part of Django's settings.

    It runs as the account of the server: like PostgreSQL it refuses to run as root.
    """
    assert PROGRAM is not None
    home = Path(tempfile.mkdtemp(prefix="crs-", dir="/tmp"))  # nosec B108
    settings = _SETTINGS.format(
        server=server.socket_directory,
        port=PORT,
        pooler_port=POOLER_PORT,
        home=home,
        user=USER,
        sessions=sessions,
    )
    (home / "settings").write_text(settings)
    (home / "users").write_text("".join(f'"{name}" ""\n' for name in (USER, WEB, OWNER)))
    if server.account:
        os.chown(home, server.account.pw_uid, server.account.pw_gid)
        for file in home.iterdir():
            os.chown(file, server.account.pw_uid, server.account.pw_gid)
    options = server.process_options() | {"cwd": home}
    running = subprocess.Popen([PROGRAM, "-q", str(home / "settings")], **options)
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not (home / f".s.PGSQL.{POOLER_PORT}").exists():
            assert running.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield {"HOST": str(home), "PORT": POOLER_PORT}
    finally:
        running.terminate()
        running.wait(STARTS_WITHIN_S)
        shutil.rmtree(home, ignore_errors=True)
