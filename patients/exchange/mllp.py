"""Listen for HL7 v2 messages of one system by MLLP, and answer each once it is committed.

A connection is served in the order of its messages. A message whose answer is lost, because this
process or the database was killed, was either committed or not: its sender sends it again, and is
then answered as before. Nothing of a patient is written to the log.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from patients.exchange.before_the_mark import file_of_silent
from patients.exchange.formats.hl7_tables import AnswerCode
from patients.exchange.formats.mllp_frames import Frame, FrameSplitter, framed
from patients.exchange.hl7_receive import Answered, receive_frame
from patients.exchange.thinning import span_of
from patients.models import ExternalSystem

FRAME_WITHIN_SECONDS: Final = 30
"""How long a frame may take from its first byte to its last."""
CONNECTIONS_AT_MOST: Final = 500
MARKS_LOOKED_AT_SECONDS: Final = 60
"""How often the listener looks whether a mark of the clock has just passed."""
_AFTER_THE_MARK: Final = (timedelta(seconds=60), timedelta(seconds=180))
"""When after a mark the last sets of silent monitors are filed: later ones have come by then."""
WORKERS: Final = 8
"""How many messages are received at a time, each by a thread with a database connection."""
_CHUNK: Final = 65_536
_ENDED: Final = "it ended"
_LOG: Final = logging.getLogger("patients.exchange.mllp")


class NotServedError(Exception):
    """The connection is closed without an answer; the message says why."""


class NoDatabaseError(NotServedError):
    """The database does not answer: the sender is not answered either, and sends again."""


class Listener:
    """Serves the connections of one system until it is asked to stop."""

    def __init__(self, system_id: int) -> None:
        self.system_id = system_id
        self.stopped = asyncio.Event()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="mllp")
        self._connections: set[asyncio.Task[None]] = set()
        self._databases: set[BaseDatabaseWrapper] = set()
        self._has_database = True

    async def serve(self, host: str, port: int, ready: Callable[[int], object]) -> None:
        """Serve until ``stopped`` is set; what is being received by then is still answered.

        ``ready`` is called with the port as soon as connections are accepted.
        """
        server = await asyncio.start_server(self._connected, host, port)
        ready(server.sockets[0].getsockname()[1])
        await self._look_at_marks()
        server.close()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await asyncio.to_thread(self._end_workers)

    async def _look_at_marks(self) -> None:
        """File the last sets of monitors that fell silent, until ``stopped`` is set."""
        loop = asyncio.get_running_loop()
        while not self.stopped.is_set():
            try:
                await asyncio.wait_for(self.stopped.wait(), MARKS_LOOKED_AT_SECONDS)
            except TimeoutError:
                await loop.run_in_executor(self._workers, self._file_of_silent)

    def _file_of_silent(self) -> None:
        self._databases.add(connections[DEFAULT_DB_ALIAS])
        _file_of_silent(self.system_id)

    async def receive(self, frame: Frame | None, address: str) -> Answered | None:
        """Receive a message in a thread; None in place of a frame asks only whether it may."""
        loop = asyncio.get_running_loop()
        try:
            answered = await loop.run_in_executor(self._workers, self._receive, frame, address)
        except NoDatabaseError:
            self._note_database(is_there=False)
            raise
        self._note_database(is_there=True)
        return answered

    def _note_database(self, *, is_there: bool) -> None:
        """Log once that the database went or came: every sender tries again and again meanwhile."""
        if is_there is not self._has_database:
            self._has_database = is_there
            level = logging.INFO if is_there else logging.ERROR
            _LOG.log(level, "The database %s", "answers again" if is_there else "does not answer")

    def _receive(self, frame: Frame | None, address: str) -> Answered | None:
        self._databases.add(connections[DEFAULT_DB_ALIAS])
        return _receive(self.system_id, frame, address)

    def _end_workers(self) -> None:
        self._workers.shutdown()
        for database in self._databases:  # each was of a thread that has ended
            database.inc_thread_sharing()
            database.close()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        address = str((writer.get_extra_info("peername") or [""])[0])
        connection = _Connection(self, reader, writer, address)
        try:
            if len(self._connections) > CONNECTIONS_AT_MOST:
                raise NotServedError(f"there are {CONNECTIONS_AT_MOST} connections already")
            await connection.serve()
            why = _ENDED
        except NoDatabaseError:
            why = _ENDED
        except NotServedError as error:
            why = str(error)
        except (OSError, TimeoutError) as error:
            why = type(error).__name__
        except Exception:
            _LOG.exception("A connection failed")
            why = "a fault of this system"
        finally:
            writer.close()
        summary = connection.summary()
        level = logging.DEBUG if why == _ENDED and connection.is_as_usual else logging.INFO
        _LOG.log(level, "Connection of %s closed, %s: %s", address, why, summary)


class _Connection:
    """One connection: frames in, answers out, one after another."""

    def __init__(
        self, listener: Listener, reader: StreamReader, writer: StreamWriter, address: str
    ) -> None:
        self._listener = listener
        self._reader = reader
        self._writer = writer
        self._address = address
        self._splitter = FrameSplitter()
        self._answers: Counter[str] = Counter()

    async def serve(self) -> None:
        """Answer messages until the sender ends the connection, or the listener stops.

        Raises NotServedError where it must be closed without an answer.
        """
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await self._listener.receive(None, self._address)
        begun_at: float | None = None
        clock = asyncio.get_running_loop().time
        while received := await self._read(begun_at):
            was_inside = self._splitter.is_inside
            frames = self._splitter.feed(received)
            for frame in frames:
                await self._answer(frame)
            if not self._splitter.is_inside:
                begun_at = None
            elif frames or not was_inside:
                begun_at = clock()

    @property
    def is_as_usual(self) -> bool:
        """Whether all that came were messages, and each was accepted."""
        return not self._splitter.ignored and set(self._answers) <= {AnswerCode.ACCEPTED.value}

    def summary(self) -> str:
        """Return how many messages were answered how, and how many bytes were ignored."""
        self._splitter.close()
        counts = ", ".join(f"{count} {code}" for code, count in sorted(self._answers.items()))
        return f"{counts or 'no message'}; {self._splitter.ignored} bytes ignored"

    async def _read(self, begun_at: float | None) -> bytes:
        """Return the next bytes, none at the end of the connection or where the listener stops."""
        clock = asyncio.get_running_loop().time
        left = None if begun_at is None else begun_at + FRAME_WITHIN_SECONDS - clock()
        reading = asyncio.ensure_future(self._reader.read(_CHUNK))
        stopping = asyncio.ensure_future(self._listener.stopped.wait())
        done, waiting = await asyncio.wait(
            (reading, stopping), timeout=left, return_when=asyncio.FIRST_COMPLETED
        )
        for one in waiting:
            one.cancel()
        if not done:
            raise NotServedError(f"a frame took more than {FRAME_WITHIN_SECONDS} s")
        return reading.result() if reading in done and stopping not in done else b""

    async def _answer(self, frame: Frame) -> None:
        answered = await self._listener.receive(frame, self._address)
        if answered is None:
            return
        self._answers[answered.code.value] += 1
        if answered.answer is not None:
            self._writer.write(framed(answered.answer))
            await asyncio.wait_for(self._writer.drain(), FRAME_WITHIN_SECONDS)


def _receive(system_id: int, frame: Frame | None, address: str) -> Answered | None:
    """Receive ``frame`` in a thread of its own connection to the database."""
    close_old_connections()  # a connection that broke meanwhile is not used again
    try:
        system = ExternalSystem.objects.select_related("user").get(pk=system_id)
        if not system.is_active:
            raise NotServedError("the system is not active")
        if not may_send_from(system, address):
            raise NotServedError("the address is not one of the system's")
        return None if frame is None else receive_frame(system, frame, address=address)
    except (OperationalError, InterfaceError):
        connections.close_all()
        raise NoDatabaseError from None


def _file_of_silent(system_id: int) -> None:
    """File the last sets before a mark that has just passed; a failure waits for the next mark."""
    close_old_connections()
    try:
        system = ExternalSystem.objects.select_related("user").get(pk=system_id)
        now = timezone.now()
        passed, (first, last) = now - span_of(system, now)[0], _AFTER_THE_MARK
        if system.is_active and first <= passed < last:
            file_of_silent(system, now)
    except (OperationalError, InterfaceError):
        connections.close_all()
    except Exception:
        _LOG.exception("The last sets before a mark were not filed")


def may_send_from(system: ExternalSystem, address: str) -> bool:
    """Return whether ``address`` is one of the addresses or networks of ``system``."""
    try:
        sender = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(sender, ipaddress.IPv6Address) and sender.ipv4_mapped is not None:
        sender = sender.ipv4_mapped
    return any(
        sender in ipaddress.ip_network(allowed, strict=False)
        for allowed in system.allowed_addresses
    )
