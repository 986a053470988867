"""Send the record to another machine, event by event, as syslog over TLS (RFC 5424, RFC 5425).

How far it came stands in a file, as heads of the chains: what ``verify_audit --kept`` reads. Where
the connection breaks, its events are sent again. The numbers of a chain run without a gap, so that
the other machine sees what it lacks.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from crs_app.log_server import LogServer
from crs_app.operations.last_runs import LAST_RECORD_SENT, write_last_run
from crs_app.record.models import Event
from crs_app.record.verify import Head, at_one_moment, heads, read_heads

SENT: Final = "record-sent.heads"
ANSWERS_WITHIN_S: Final = 10
AT_ONCE: Final = 2000
"""Events of one connection, after which the file is written."""
_PRIORITY: Final = 13 * 8 + 6
"""Facility *log audit*, severity *informational*."""


class RecordShrankError(Exception):
    """A chain is shorter than what was sent of it: the database was restored, or changed."""

    def __init__(self, chain: UUID, number: int, sent: int) -> None:
        super().__init__(f"Chain {chain} has {number} events, and {sent} were sent.")


def send_new_events(server: LogServer) -> int:
    """Send what the record has and the other machine has not; return how many events.

    :raises RecordShrankError: where the record has less than what was sent.
    :raises OSError: where the other machine is not reached or not the one it should be, with
        everything that it confirmed before noted.
    """
    file = settings.OPERATIONS_DIR / SENT
    reached = {head.chain: head for head in _sent_before(file)}
    count = 0
    with at_one_moment():
        new = _new_events(dict(reached))
        while events := list(islice(new, AT_ONCE)):
            _send(server, b"".join(map(frame, events)))
            reached |= {one.chain: Head(one.chain, one.number, bytes(one.hash)) for one in events}
            _write(file, reached)
            count += len(events)
    write_last_run(LAST_RECORD_SENT, {"events": count})
    return count


def frame(event: Event) -> bytes:
    """Return one event as a syslog message, with its length before it."""
    text = {
        "chain": str(event.chain),
        "number": event.number,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "by_id": event.by_id,
        "by_name": event.by_name,
        "by_role": event.by_role,
        "address": event.address,
        "course_id": None if event.course_id is None else str(event.course_id),
        "purpose": event.purpose,
        "details": event.details,
        "hash": bytes(event.hash).hex(),
    }
    host = "".join(c for c in socket.gethostname() if "!" <= c <= "~")[:255] or "-"
    head = f"<{_PRIORITY}>1 {event.at.isoformat()} {host} crs-record - {event.kind[:32]} -"
    message = f"{head} {json.dumps(text)}".encode()
    return f"{len(message)} ".encode() + message


def _sent_before(file: Path) -> Iterator[Head]:
    return read_heads(file.read_text("utf-8")) if file.exists() else iter(())


def _new_events(reached: dict[UUID, Head]) -> Iterator[Event]:
    for head in list(heads()):
        before = reached[head.chain].number if head.chain in reached else 0
        if head.number < before:
            raise RecordShrankError(head.chain, head.number, before)
        if head.number > before:
            new = Event.objects.filter(chain=head.chain, number__gt=before)
            yield from new.order_by("number").iterator(AT_ONCE)


def _send(server: LogServer, frames: bytes) -> None:
    """Send all, and wait until the other side has closed too: it has then read everything."""
    address = (server.host, server.port)
    with (
        socket.create_connection(address, timeout=ANSWERS_WITHIN_S) as plain,
        server.trusted().wrap_socket(plain, server_hostname=server.host) as secured,
    ):
        secured.sendall(frames)
        with suppress(ssl.SSLEOFError):  # some receivers close without the farewell of TLS
            secured.unwrap()


def _write(file: Path, reached: dict[UUID, Head]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text("".join(f"{head}\n" for head in reached.values()), "utf-8")
    unfinished.replace(file)
