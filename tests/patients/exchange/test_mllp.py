"""The listener answers by MLLP what is committed, and closes the connection where nothing is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import TypeVar

import pytest
from django.db import InterfaceError, OperationalError, connections

from patients.exchange import mllp
from patients.exchange.formats.mllp_frames import FrameSplitter, framed
from patients.exchange.mllp import Listener, may_send_from
from patients.models import Course, Entry, EntryKind, ExternalSystem, InboundMessage
from tests.factories import ago
from tests.patients.exchange.hl7_messages import laboratory, oru

Result = TypeVar("Result")

pytestmark = pytest.mark.django_db(transaction=True)


def served(
    system: ExternalSystem, scenario: Callable[[int, Listener], Awaitable[Result]]
) -> Result:
    """Run ``scenario`` with the port of a listener that serves meanwhile."""

    async def run() -> Result:
        listener = Listener(system.pk)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(listener.serve("127.0.0.1", 0, port.set_result))
        try:
            return await asyncio.wait_for(scenario(await port, listener), 20)
        finally:
            listener.stopped.set()
            await serving

    def in_a_loop() -> Result:
        try:
            return asyncio.run(run())
        finally:
            connections.close_all()

    # A thread of its own: the browser of other tests keeps an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(in_a_loop).result()


async def answers(reader: asyncio.StreamReader, count: int) -> list[str]:
    """The next answers as "AA A1", or fewer where the connection ends."""
    splitter = FrameSplitter()
    found: list[str] = []
    while len(found) < count and (received := await reader.read(65_536)):
        for frame in splitter.feed(received):
            msa = frame.message.decode("latin-1").split("\r")[1]
            found.append(" ".join(msa.split("|")[1:3]))
    return found


def sent(system: ExternalSystem, *chunks: bytes, count: int) -> list[str]:
    """Send chunks, each for itself, on one connection; return ``count`` answers."""

    async def scenario(port: int, _: Listener) -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        found = await answers(reader, count)
        writer.close()
        return found

    return served(system, scenario)


def in_a_thread(read: Callable[[], Result]) -> Result:
    try:
        return read()
    finally:
        connections.close_all()


def charted() -> int:
    return Entry.objects.filter(kind=EntryKind.LAB).count()


def test_messages_of_one_connection_are_answered_in_their_order(course: Course) -> None:
    system = laboratory()
    raw = [oru(course, f"A{n}", f"1.{n}", at=ago(minutes=n)) for n in range(1, 4)]
    stream = b"noise" + b"".join(framed(one) for one in (*raw, raw[0])) + framed(b"EVN|x")
    chunks = [stream[i : i + 7] for i in range(0, len(stream), 7)]
    assert sent(system, *chunks, count=5) == ["AA A1", "AA A2", "AA A3", "AA A1", "AR "]
    assert charted() == 3


def test_what_is_answered_is_stored_and_what_is_stored_has_its_address(course: Course) -> None:
    async def scenario(port: int, _: Listener) -> tuple[list[str], int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(oru(course, "A1")))
        found = await answers(reader, 1)
        stored = await asyncio.to_thread(in_a_thread, InboundMessage.objects.count)
        writer.close()
        return found, stored

    assert served(laboratory(), scenario) == (["AA A1"], 1)
    assert InboundMessage.objects.get().address == "127.0.0.1"


@pytest.mark.parametrize("step", ["may_send_from", "receive_frame"])
def test_a_database_that_does_not_answer_closes_the_connection_without_an_answer(
    course: Course, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    system = laboratory()
    works = getattr(mllp, step)
    failures = [OperationalError, InterfaceError] if step == "may_send_from" else [OperationalError]

    def fails_at_first(*args: object, **kwargs: object) -> object:
        if failures:
            raise failures.pop()
        return works(*args, **kwargs)

    monkeypatch.setattr(mllp, step, fails_at_first)

    frame = framed(oru(course, "A1"))

    async def scenario(port: int, _: Listener) -> list[list[str]]:
        found = []
        for _attempt in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(frame)
            found.append(await answers(reader, 1))
            writer.close()
        return found

    refused = len(failures)
    with caplog.at_level(logging.INFO, "patients.exchange.mllp"):
        assert served(system, scenario) == [[]] * refused + [["AA A1"]] * (3 - refused)
    assert caplog.text.count("The database does not answer") == 1
    assert caplog.text.count("The database answers again") == 1
    assert charted() == 1


@pytest.mark.parametrize(
    "settings", [{"allowed_addresses": []}, {"allowed_addresses": ["10.0.0.0/8"]}]
)
def test_an_address_that_is_not_listed_is_not_answered(
    course: Course, settings: dict[str, list[str]]
) -> None:
    assert sent(laboratory(**settings), framed(oru(course, "A1")), count=1) == []
    assert InboundMessage.objects.count() == 0


def test_a_frame_that_takes_too_long_ends_the_connection(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mllp, "FRAME_WITHIN_SECONDS", 0.3)
    whole = framed(oru(course, "A1"))
    assert sent(laboratory(), whole, b"\x0bMSH|half", count=2) == ["AA A1"]


def test_a_quiet_connection_stays_open(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mllp, "FRAME_WITHIN_SECONDS", 0.2)

    async def scenario(port: int, _: Listener) -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.5)
        writer.write(framed(oru(course, "A1")))
        found = await answers(reader, 1)
        writer.close()
        return found

    assert served(laboratory(), scenario) == ["AA A1"]


def test_a_listener_that_is_asked_to_stop_answers_what_it_is_receiving(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, began = mllp.receive_frame, asyncio.Event()

    async def scenario(port: int, listener: Listener) -> list[str]:
        loop = asyncio.get_running_loop()

        def slowly(*args: object, **kwargs: object) -> object:
            loop.call_soon_threadsafe(began.set)
            return receive(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(mllp, "receive_frame", slowly)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(oru(course, "A1")))
        await began.wait()
        listener.stopped.set()
        found = await answers(reader, 2)
        writer.close()
        return found

    assert served(laboratory(), scenario) == ["AA A1"]


def test_more_connections_than_allowed_are_closed(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mllp, "CONNECTIONS_AT_MOST", 1)

    async def scenario(port: int, _: Listener) -> list[list[str]]:
        streams = [await asyncio.open_connection("127.0.0.1", port) for _number in range(2)]
        found = []
        for number, (reader, writer) in enumerate(streams):
            writer.write(framed(oru(course, f"A{number}")))
            found.append(await answers(reader, 1))
        for _reader, writer in streams:
            writer.close()
        return found

    assert served(laboratory(), scenario) == [["AA A0"], []]


def test_the_log_counts_and_names_no_patient(
    course: Course, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "patients.exchange.mllp"):
        sent(laboratory(), b"xy" + framed(oru(course, "A1", name="OKONKWO")), count=1)
    assert "1 AA; 2 bytes ignored" in caplog.text
    assert "OKONKWO" not in caplog.text
    assert course.patient.mrn not in caplog.text


@pytest.mark.parametrize(
    ("allowed", "address", "may_send"),
    [
        (["10.1.2.3"], "10.1.2.3", True),
        (["10.1.0.0/16"], "10.1.2.3", True),
        (["10.1.2.3"], "::ffff:10.1.2.3", True),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["10.1.2.3"], "10.1.2.4", False),
        ([], "127.0.0.1", False),
        (["10.1.2.3"], "", False),
    ],
)
def test_addresses_and_networks_may_be_listed(
    allowed: list[str], address: str, may_send: bool
) -> None:
    assert may_send_from(ExternalSystem(allowed_addresses=allowed), address) is may_send


@pytest.mark.parametrize(("after_the_mark", "files"), [(59, 0), (60, 1), (180, 0)])
def test_the_listener_files_what_waits_once_a_mark_has_passed(
    after_the_mark: int, files: int, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, asked = laboratory(thinning_minutes=15), []
    now = mllp.span_of(system, ago(0))[0] + timedelta(seconds=after_the_mark)
    monkeypatch.setattr(mllp, "timezone", SimpleNamespace(now=lambda: now))
    monkeypatch.setattr(mllp, "file_of_silent", lambda *of: asked.append(of))
    monkeypatch.setattr(mllp, "MARKS_LOOKED_AT_SECONDS", 0.01)

    async def scenario(_port: int, _: Listener) -> None:
        for _turn in range(500 if files else 20):
            if asked:
                break
            await asyncio.sleep(0.01)

    served(system, scenario)
    assert asked[:1] == [(system, now)] * files
