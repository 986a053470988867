"""Monitors that send HL7 v2 by MLLP, and send again what was not answered."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bench.servers import HOST
from patients.exchange.formats.mllp_frames import FrameSplitter, framed

INTERVAL_S: Final = 60.0
_ANSWER_WITHIN_S: Final = 10.0
_BEFORE_NEXT_TRY_S: Final = 0.5
_WAIT_AT_MOST_S: Final = 60.0


@dataclass(slots=True)
class Sent:
    """A message: when it was sent first, and when and how it was answered (0.0, "" not yet)."""

    control_id: str
    at: float
    answered_at: float = 0.0
    code: str = ""


@dataclass
class Monitors:
    """One monitor for each record number: a message in each interval, evenly spread.

    ``start`` returns at once; ``stop`` waits until each message that was sent is answered, a minute
    at most.
    """

    port: int
    mrns: Sequence[str]
    interval_s: float = INTERVAL_S
    sent: list[Sent] = field(default_factory=list)
    _end: Callable[[], object] = field(default=lambda: None)
    _is_hopeless: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(begun)))
        self._thread.start()
        begun.wait()

    def stop(self) -> None:
        self._end()
        if self._thread is not None:
            self._thread.join(_WAIT_AT_MOST_S)
            self._is_hopeless.set()
            self._thread.join()

    async def _run(self, begun: threading.Event) -> None:
        is_over, loop = asyncio.Event(), asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(is_over.set)
        begun.set()
        await asyncio.gather(*(self._monitor(place, is_over) for place in range(len(self.mrns))))

    async def _monitor(self, place: int, is_over: asyncio.Event) -> None:
        link = _Link(self.port)
        chance = random.Random(place)  # noqa: S311
        due = time.monotonic() + self.interval_s * place / len(self.mrns)
        number = 0
        while await _wait_until(due, is_over):
            message = Sent(f"{place}-{number}", time.monotonic())
            self.sent.append(message)
            raw = _reading(message.control_id, self.mrns[place], chance)
            while not message.code and not self._is_hopeless.is_set():
                message.code = await link.send(raw, message.control_id)
            message.answered_at = time.monotonic()
            due, number = due + self.interval_s, number + 1
        link.close()


async def _wait_until(due: float, is_over: asyncio.Event) -> bool:
    """Wait; return False where no more is to be sent. Nothing wakes up meanwhile."""
    with suppress(TimeoutError):
        await asyncio.wait_for(is_over.wait(), max(0.0, due - time.monotonic()))
    return not is_over.is_set()


class _Link:
    """A connection that is opened again after a failure."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, raw: bytes, control_id: str) -> str:
        """Return the code of the answer, "" where the message must be sent again."""
        try:
            return await asyncio.wait_for(self._send(raw, control_id), _ANSWER_WITHIN_S)
        except (OSError, TimeoutError):
            self.close()
            await asyncio.sleep(_BEFORE_NEXT_TRY_S)
            return ""

    async def _send(self, raw: bytes, control_id: str) -> str:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(framed(raw))
        await writer.drain()
        splitter = FrameSplitter()
        while received := await reader.read(65_536):
            for frame in splitter.feed(received):
                msa = frame.message.decode().split("\r")[1].split("|")
                if msa[2] == control_id:
                    return msa[1]
        raise ConnectionResetError

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _reading(control_id: str, mrn: str, chance: random.Random) -> bytes:
    """Return a set of vital signs at the present time."""
    present = datetime.now(UTC)
    now = f"{present:%Y%m%d%H%M%S}.{present.microsecond // 1000:03}+0000"
    signs = (
        ("8867-4", chance.randint(70, 110), "/min"),
        ("8480-6", chance.randint(100, 130), "mm[Hg]"),
        ("8462-4", chance.randint(60, 80), "mm[Hg]"),
        ("8478-0", chance.randint(75, 95), "mm[Hg]"),
        ("2708-6", chance.randint(94, 99), "%"),
        ("9279-1", chance.randint(12, 22), "/min"),
    )
    lines = [
        f"MSH|^~\\&|MONITOR|KH|CRS|KH|{now}||ORU^R01|{control_id}|P|2.5.1",
        f"PID|1||{mrn}^^^^MR",
        f"OBR|1||{control_id}|VITALS|||{now}",
        *(f"OBX|1|NM|{code}^^LN||{value}|{unit}|||||F" for code, value, unit in signs),
    ]
    return "".join(f"{line}\r" for line in lines).encode()
