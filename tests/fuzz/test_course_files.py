"""Hostile course files on the command line: exit status 0, 1 or 2, one answer a line, no traceback.

``FUZZ_INPUTS`` is the number of inputs; every input follows from its number alone.
"""

import copy
import io
import json
import os
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from grading.__main__ import main
from tests.grading.test_course_file import ONE_OF_EACH, course

INPUTS = int(os.environ.get("FUZZ_INPUTS", "400"))
BATCH = 100
HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1, 21, 100, 1e15, 10**70, "", " ", ".", "-", "+1", "3_9", "1e3",
    "NaN", "Infinity", "\u0663\u0669", "\uff13\uff19", "0" * 70, "9" * 61, "0." + "0" * 58 + "1",
    "x\ud800", "\udfff", "\x00", "\x1b[2J", "\u202e", "a" * 201, "n" * 1001, "\U0001f600", [], {},
    [[]], [1], {"crs": 1}, "crs", "other", "kind", "retraction", "vitals", "death", "weight",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1900-01-01T00:00:00+00:00",
    "2200-01-01T00:00:00+00:00", "2014-01-05T10:00:00+15:59", "2014-01-05T10:00:00-16:00",
    "2014-01-05", "20140105T100000Z", "2014-W01-7T10:00+00:00", "2014-01-05T24:00:00+00:00",
    "2014-01-05T10:00:00.123456789+00:00", "2014-01-05T10:00:00+00:00:30", "2014-02-30",
    "0001-01-01", "9999-12-31",
]  # fmt: skip
BYTES = b'{}[]",:\\0123456789eE+-.\x00\x1b\x7f\x80\xff\xed\xa0\x80 \t'


def hostile_input(number: int) -> bytes:
    """A document of every kind of entry with some of its values, keys or bytes changed."""
    random = Random(number)  # noqa: S311 - repeatable, no secret
    entries = [copy.deepcopy(random.choice(ONE_OF_EACH)) for _ in range(random.randint(1, 6))]
    for index, entry in enumerate(entries):
        entry["id"] = "x" if index == 0 else str(index)
        if random.random() < 0.5:
            entry["at"] = f"2014-01-0{random.randint(1, 9)}T1{random.randint(0, 9)}:30:00+00:00"
        if index and random.random() < 0.1:
            entry["replaces"] = "x"
    document: Any = course(
        *entries, weight_kg=80, baseline={"systolic_mmhg": 126}, policy={"gap_minutes": 15}
    )
    for _ in range(random.randint(0, 3)):
        _change(document, random)
    text = json.dumps(document).encode()
    for _ in range(random.choice((0, 0, 0, 1, 3))):
        text = _change_bytes(text, random)
    return text.replace(b"\n", b" ").replace(b"\r", b" ")


def _change(document: Any, random: Random) -> None:
    """Change one place of ``document``, at any depth."""
    found = _place(document, random)
    if found is None:
        return
    here, key = found
    action = random.random()
    if action < 0.7:
        here[key] = copy.deepcopy(random.choice(HOSTILE))
    elif action < 0.8:
        del here[key]
    elif action < 0.9 and isinstance(here, dict):
        here[str(random.choice(HOSTILE))] = copy.deepcopy(random.choice(HOSTILE))
    elif isinstance(here, list):
        here += copy.deepcopy(here)
    else:
        for _ in range(random.choice((3, 200))):
            here[key] = [here[key]]


def _place(document: Any, random: Random) -> tuple[Any, Any] | None:
    """A container of ``document`` and one of its keys; None where it is empty."""
    here = document
    while here:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = random.choice(keys)
        if not isinstance(here[key], dict | list) or random.random() < 0.1:
            return here, key
        here = here[key]
    return None


def _change_bytes(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) + 1)
    new = bytes(random.choice(BYTES) for _ in range(random.randint(0, 3)))
    if random.random() < 0.05:
        new = random.choice((b"[", b'{"a":', b"9")) * 5000
    return text[:at] + new + text[at + random.choice((0, 0, 1, 5)) :]


def run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, given: bytes = b""
) -> tuple[int, str, str]:
    """Exit status, answer and messages of the command line, each as UTF-8 that a program reads."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        monkeypatch.setattr(sys, name, stream)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    status = main(arguments)
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return status, texts[0], texts[1]


@pytest.mark.parametrize("first", range(0, INPUTS, BATCH))
def test_every_line_of_a_hostile_cohort_is_answered_in_its_place(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = range(first, min(first + BATCH, INPUTS))
    lines = [hostile_input(number) for number in numbers]
    status, out, err = run(["--jsonl", "-"], monkeypatch, b"\n".join(lines))
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == sum(bool(line.strip()) for line in lines)
    assert status == (1 if any("faults" in answer for answer in answers) else 0)
    assert err == ""
    assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize("first", range(0, max(INPUTS // 10, 1), BATCH))
def test_every_hostile_file_is_graded_or_refused_by_place(
    first: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "course.json"
    for number in range(first, min(first + BATCH, INPUTS // 10)):
        path.write_bytes(hostile_input(-1 - number))
        layout = ("json", "text")[number % 2]
        status, out, err = run([str(path), "--format", layout], monkeypatch)
        assert (status == 0) is bool(out), number
        assert (status == 2) is bool(err), number
        assert (out + err).replace("\n", "").isprintable(), number
