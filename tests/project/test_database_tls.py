"""Connections to the database of Compose are encrypted, and to that database alone.

The local PostgreSQL has no TLS: a stand-in for the server begins a connection as PostgreSQL does.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper

from crs_app.database_url import django_database
from tests.project.test_proxy import COMPOSE, service, services

WEB, OWNER, KEEPER = dict.fromkeys(re.findall(r"DATABASE_URL: (postgresql://\S+)", COMPOSE))
KEY, CERTIFICATE = "secrets/database_key", "secrets/database_certificate"
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
LET_IN = "the client trusts this server"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key and the certificate that the command of Compose makes."""
    return make_certificate(tmp_path_factory.mktemp("certified"))


def make_certificate(folder: Path, name: str = "database") -> Path:
    (folder / "secrets").mkdir()
    found = re.search(r"^# +(openssl (?:.*\\\n# +)*.*)$", COMPOSE, re.MULTILINE)
    assert found
    command = shlex.split(found[1].replace("\\\n#", " ").replace("database ", f"{name} "))
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return folder


@contextmanager
def server(folder: Path | None) -> Iterator[int]:
    """The first bytes of a PostgreSQL server with that key, or of one without TLS; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=_serve, args=(listening, folder))
        serving.start()
        yield listening.getsockname()[1]
        serving.join(10)


def _serve(listening: socket.socket, folder: Path | None) -> None:
    listening.settimeout(10)
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(10)
        assert connection.recv(8) == SSL_REQUEST
        connection.sendall(b"N" if folder is None else b"S")
        if folder is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1000)
                words = b"SFATAL\0C28000\0M" + LET_IN.encode() + b"\0\0"
                secured.sendall(b"E" + (len(words) + 4).to_bytes(4, "big") + words)
        except OSError:  # the client went away
            pass


def refusal(url: str, trusted: Path, port: int) -> str:
    """Why a connection by the address of Compose ends, made as Django makes it."""
    here = url.replace("/run/secrets/database_certificate", str(trusted / CERTIFICATE))
    here = here.replace(":5432/", f":{port}/") + "&hostaddr=127.0.0.1&connect_timeout=5"
    wrapper = DatabaseWrapper(
        django_database(here)
        | {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None, "AUTOCOMMIT": True}
    )
    with pytest.raises(OperationalError) as refused:
        wrapper.ensure_connection()
    return str(refused.value)


@needs_openssl
@pytest.mark.django_db
@pytest.mark.parametrize("url", [WEB, OWNER, KEEPER])
class TestTheAddressOfCompose:
    def test_lets_each_role_reach_the_database_of_the_certificate(
        self, url: str, certified: Path
    ) -> None:
        with server(certified) as port:
            assert LET_IN in refusal(url, certified, port)

    def test_refuses_a_server_with_another_certificate(
        self, url: str, certified: Path, tmp_path: Path
    ) -> None:
        with server(make_certificate(tmp_path)) as port:
            assert "certificate verify failed" in refusal(url, certified, port)

    def test_refuses_a_certificate_of_another_host(
        self, url: str, certified: Path, tmp_path: Path
    ) -> None:
        elsewhere = make_certificate(tmp_path, "elsewhere")
        with server(elsewhere) as port:
            assert "does not match host name" in refusal(url, elsewhere, port)

    def test_refuses_a_server_without_encryption(self, url: str, certified: Path) -> None:
        with server(None) as port:
            assert "does not support SSL" in refusal(url, certified, port)


def test_the_database_has_its_key_alone() -> None:
    """Read, not run: the server speaks TLS, and accepts no connection over the network without."""
    assert "database_key" in service("database")
    assert not any("database_key" in service(name) for name in set(services()) - {"database"})
    assert "-c ssl=on -c ssl_key_file=/tmp/database_key" in service("database")
    assert "hostssl all all all" in COMPOSE
