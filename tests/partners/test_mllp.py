"""Senders of others: ``mllp_send`` of PyPI hl7, and npm simple-hl7."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from patients.exchange.mllp import Listener
from patients.models import Course, Entry, EntryKind
from tests.factories import ago
from tests.patients.exchange.hl7_messages import laboratory, oru

Result = TypeVar("Result")

pytestmark = pytest.mark.django_db(transaction=True)


def while_listening(run: Callable[[int], Result]) -> Result:
    """Run a sender, which blocks, with the port of a listener."""

    system_id = laboratory().pk

    async def serve() -> Result:
        listener = Listener(system_id)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(listener.serve("127.0.0.1", 0, port.set_result))
        try:
            return await asyncio.to_thread(run, await port)
        finally:
            listener.stopped.set()
            await serving

    return asyncio.run(serve())


def results(course: Course, *values: str) -> list[bytes]:
    return [
        oru(course, f"A{number}", value, at=ago(minutes=number))
        for number, value in enumerate(values, 1)
    ]


def charted() -> list[str]:
    labs = Entry.objects.filter(kind=EntryKind.LAB).order_by("-at")
    return [entry.body["value"] for entry in labs]


def mllp_send(path: Path, port: int, *options: str) -> str:
    program = Path(sys.prefix) / "bin" / "mllp_send"
    done = subprocess.run(
        [program, "--port", str(port), "--file", path, *options, "127.0.0.1"],
        capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    return done.stdout.decode()


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_mllp_send_of_a_file_in_loose_form_is_answered(
    course: Course, tmp_path: Path, end: bytes
) -> None:
    path = tmp_path / "results.hl7"
    path.write_bytes(b"".join(results(course, "1.1", "1.2")).replace(b"\r", end))
    said = while_listening(lambda port: mllp_send(path, port, "--loose"))
    assert [said.count(f"MSA|AA|A{number}") for number in (1, 2)] == [1, 1]
    assert charted() == ["1.1", "1.2"]


def test_mllp_send_of_frames_is_answered(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "results.hl7"
    path.write_bytes(b"".join(b"\x0b" + raw + b"\x1c\r" for raw in results(course, "1.1")))
    said = while_listening(lambda port: mllp_send(path, port))
    assert "MSA|AA|A1" in said


def test_simple_hl7_reads_each_answer(course: Course, run_script: Callable[..., Any]) -> None:
    raw = [*results(course, "1.1", "1.2"), oru("NOBODY", "A3")]
    # An older style: version 2.3.1, and no third component in MSH-9.
    messages = [one.decode().replace("|2.5.1|", "|2.3.1|") for one in raw]

    def send(port: int) -> Any:
        return run_script("simple_hl7_sender.cjs", {"port": port, "messages": messages})

    assert while_listening(send) == [
        {"code": "AA", "control_id": "A1"},
        {"code": "AA", "control_id": "A2"},
        {"code": "AE", "control_id": "A3"},
    ]
    assert charted() == ["1.1", "1.2"]
