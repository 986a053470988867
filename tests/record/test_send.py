"""Every event of the record reaches another machine over TLS, and that machine alone."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from crs_app.accounts.models import User
from crs_app.log_server import log_server
from crs_app.record.models import Chain, Event, EventKind
from crs_app.record.verify import read_heads
from crs_app.record.write import record_event
from patients.models import Course
from tests.project.test_database_tls import CERTIFICATE, KEY, make_certificate, needs_openssl

pytestmark = [pytest.mark.django_db, needs_openssl]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("logs"), "localhost")


class LogMachine:
    """A receiver of syslog over TLS; with ``breaks`` it goes away without having read."""

    def __init__(self, folder: Path, *, breaks: bool = False) -> None:
        self.received = b""
        self._breaks = breaks
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
        self._listening = socket.create_server(("localhost", 0))
        self.port = self._listening.getsockname()[1]
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    if self._breaks:
                        continue
                    while got := connection.recv(65536):
                        self.received += got
            except OSError:  # the client went away
                pass

    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """Head and text of each message, by the length before it."""
        found, rest = [], self.received
        while rest:
            length, _, rest = rest.partition(b" ")
            message, rest = rest[: int(length)].decode(), rest[int(length) :]
            head, _, text = message.partition(" - {")
            found.append((head, json.loads("{" + text)))
        return found

    def close(self) -> None:
        self._listening.close()
        self._serving.join(5)


@pytest.fixture
def site(settings: Any, tmp_path: Path) -> Any:
    settings.OPERATIONS_DIR = tmp_path
    return settings


@contextmanager
def log_machine(site: Any, certified: Path, **how: Any) -> Iterator[LogMachine]:
    machine = LogMachine(certified, **how)
    address = f"tls://localhost:{machine.port}"
    site.LOG_SERVER = log_server(address, str(certified / CERTIFICATE))
    try:
        yield machine
    finally:
        machine.close()


def test_each_event_arrives_once_with_its_hash_and_the_next_time_the_new_ones(
    site: Any, certified: Path, nurse_client: Client, nurse: User, course: Course
) -> None:
    nurse_client.get(f"/courses/{course.pk}/")
    with log_machine(site, certified) as machine:
        call_command("send_record")
        sent = {(one["chain"], one["number"]): one for _, one in machine.messages()}
        stored = list(Event.objects.all())
        assert len(machine.messages()) == len(sent) == len(stored)
        for event in stored:
            one = sent[str(event.chain), event.number]
            assert one["hash"] == bytes(event.hash).hex()
            assert (one["kind"], one["details"]) == (event.kind, event.details)
        opened = sent[str(course.pk), 1]
        assert (opened["kind"], opened["by_name"]) == ("view", "J. Ruiz")
        head, _ = machine.messages()[0]
        assert head.startswith("<110>1 20")
        assert " crs-record - " in head
        record_event(EventKind.SEARCH, by=nurse, details={"for": "Zoë\n<1>"})
        call_command("send_record")
        call_command("send_record")
        assert len(machine.messages()) == len(stored) + 1
        assert machine.messages()[-1][1]["details"] == {"for": "Zoë\n<1>"}
    kept = (site.OPERATIONS_DIR / "record-sent.heads").read_text()
    assert {(one.chain, one.number, one.hash) for one in read_heads(kept)} == {
        (one.chain, one.number, bytes(one.hash)) for one in Chain.objects.all()
    }


def test_what_did_not_arrive_for_certain_is_sent_again(
    site: Any, certified: Path, nurse: User
) -> None:
    record_event(EventKind.SEARCH, by=nurse)
    with log_machine(site, certified, breaks=True) as machine:
        machine.close()
        with pytest.raises(CommandError, match="The record was not sent"):
            call_command("send_record")
    assert not (site.OPERATIONS_DIR / "record-sent.heads").exists()
    with log_machine(site, certified) as machine:
        call_command("send_record")
        assert len(machine.messages()) == Event.objects.count()


def test_another_machine_gets_nothing(
    site: Any, certified: Path, tmp_path: Path, nurse: User
) -> None:
    record_event(EventKind.SEARCH, by=nurse)
    with log_machine(site, make_certificate(tmp_path, "localhost")) as machine:
        address = f"tls://localhost:{machine.port}"
        site.LOG_SERVER = log_server(address, str(certified / CERTIFICATE))
        with pytest.raises(CommandError, match="certificate verify failed"):
            call_command("send_record")
        assert machine.received == b""


def test_a_record_that_is_shorter_than_what_was_sent_is_named(
    site: Any, certified: Path, nurse: User
) -> None:
    record_event(EventKind.SEARCH, by=nurse)
    with log_machine(site, certified):
        call_command("send_record")
        file = site.OPERATIONS_DIR / "record-sent.heads"
        (head,) = (one for one in read_heads(file.read_text()) if one.chain.int == 0)
        file.write_text(f"{head.chain} {head.number + 1} 00\n")
        with pytest.raises(CommandError, match=f"has {head.number} events, and {head.number + 1}"):
            call_command("send_record")


@pytest.mark.parametrize("address", ["udp://logs:514", "logs:6514", "tls://", "tls://logs:x"])
def test_only_tls_is_an_address(address: str) -> None:
    with pytest.raises(ValueError, match="must be an address like tls://"):
        log_server(address)


def test_who_watches_the_site_sees_when_it_was_sent_last(
    site: Any, certified: Path, client: Client
) -> None:
    assert "last_record_sent" not in client.get("/readyz").json()["checks"]
    with log_machine(site, certified):
        assert client.get("/readyz").json()["checks"]["last_record_sent"]["status"] == "never"
        call_command("send_record")
        assert client.get("/readyz").json()["checks"]["last_record_sent"]["status"] == "ok"
