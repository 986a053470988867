"""Frames are cut out of a stream however it is chunked, and each complete one is answered once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.hl7_message import parse_message
from patients.exchange.formats.hl7v2 import read_messages
from patients.exchange.formats.mllp_frames import LONGEST_MESSAGE, Frame, FrameSplitter, framed
from patients.exchange.formats.received import RefusedDocumentError

MESSAGE = b"MSH|^~\\&|A|B|C|D|20260302||ORU^R01|1|P|2.5\r"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONTEXT = Context(
    {"patient": {"mrn": "4711"}, "entries": []},
    "urn:crs:mrn",
    ZoneInfo("Europe/Berlin"),
    "lab",
    SystemKind.LABORATORY,
    {"default": Filing.FILE},
)


def split(*chunks: bytes) -> tuple[list[Frame], int]:
    splitter = FrameSplitter()
    frames = [frame for chunk in chunks for frame in splitter.feed(chunk)]
    splitter.close()
    return frames, splitter.ignored


@pytest.mark.parametrize(
    ("stream", "messages", "ignored"),
    [
        (framed(MESSAGE) * 2, [MESSAGE, MESSAGE], 0),
        (b"noise" + framed(MESSAGE) + b"\r\n" + framed(b"x") + b"end", [MESSAGE, b"x"], 10),
        (b"\x0bMSH|half" + framed(MESSAGE), [MESSAGE], 9),  # begun again without an end
        (framed(MESSAGE) + b"\x0bMSH|half", [MESSAGE], 9),
        (b"\x0b\x0b" + MESSAGE + b"\x1c\r", [MESSAGE], 1),
        (framed(b"MSH a\x0bb \x1c c"), [b"MSH a\x0bb \x1c c"], 0),  # neither begins nor ends one
        (MESSAGE, [], len(MESSAGE)),
        (framed(b""), [b""], 0),
    ],
)
def test_a_frame_is_what_stands_between_start_and_end(
    stream: bytes, messages: list[bytes], ignored: int
) -> None:
    assert split(stream) == ([Frame(message) for message in messages], ignored)


PIECES = st.sampled_from(
    [framed(MESSAGE), MESSAGE, b"\x0b", b"\x1c", b"\r", b"\x1c\r", b"MSH", b"x"]
)


@given(st.lists(PIECES | st.binary(max_size=6), max_size=12), st.data())
def test_chunks_make_no_difference(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    frames, ignored = split(*chunks)
    assert (frames, ignored) == split(stream)
    assert ignored + sum(len(frame.message) + 3 for frame in frames) == len(stream)


@pytest.mark.parametrize("step", [1000, 70_001, 10_000_000])
def test_what_is_too_long_is_not_kept_and_still_answered(step: int) -> None:
    longest, longer = (MESSAGE + b"x" * (LONGEST_MESSAGE - len(MESSAGE) + more) for more in (0, 1))
    stream = framed(longest) + framed(longer) + b"\x0b" + longer[:-5] + framed(MESSAGE)
    frames, _ = split(*(stream[i : i + step] for i in range(0, len(stream), step)))
    assert [(len(frame.message), frame.is_too_long) for frame in frames] == [
        (LONGEST_MESSAGE, False),
        (2000, True),
        (len(MESSAGE), False),
    ]
    fault = parse_message(frames[1]).fault
    assert fault is not None
    assert (fault.answer.value, fault.error.number) == ("AR", "104")
    assert parse_message(frames[1]).control_id == "1"


HOSTILE = st.lists(
    st.sampled_from(
        [b"MSH", b"MSH|^~\\&|", b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c\r",
         b"PID|||4711^^^^MR", b"OBR|1", b"OBX|1|NM|8310-5^T^LN||38.2|Cel|||||F|||202603021000",
         b"NTE|1||\\X0041\\", b"ORU^R01", b"P", b"2.5", b"8859/1", b"\\.br\\", b'""', b"\xff"]
    )
    | st.binary(max_size=4),
    max_size=40,
)  # fmt: skip


@given(HOSTILE, st.booleans())
def test_no_bytes_give_a_traceback_and_every_frame_gets_one_answer(
    pieces: list[bytes], is_header_whole: bool
) -> None:
    body = b"".join(pieces)
    if is_header_whole:
        body = MESSAGE + body
    frames, _ = split(framed(body))
    try:
        read = read_messages(framed(body), CONTEXT, NOW)
    except RefusedDocumentError:
        assert frames == []
        return
    assert len(read) == len(frames)
    for each in read:
        code = each.answer.split(b"\r")[1].decode("latin-1")[4:6]
        assert code == each.code.value


@given(st.lists(st.text("ab|^~&\\ .\t", max_size=20).map("OBX|{}".format), max_size=5))
def test_fields_are_those_that_the_library_finds(lines: list[str]) -> None:
    text = MESSAGE.decode() + "\r".join([*lines, "ZZZ|end"])
    ours = parse_message(Frame(text.encode())).segments
    theirs = hl7.parse(text)
    assert [segment.raw(n) for segment in ours for n in range(1, 25)] == [
        str(segment[n]) if n < len(segment) else "" for segment in theirs for n in range(1, 25)
    ]


def test_a_sender_that_only_begins_messages_does_not_hold_the_others_up() -> None:
    splitter = FrameSplitter()
    begun = b"\x0bMSH" * 16_384
    started = time.process_time()
    for _ in range(8):
        assert splitter.feed(begun) == []
    assert time.process_time() - started < 2
    (frame,) = splitter.feed(framed(b"MSH|A"))
    assert frame.message == b"MSH|A"
    assert splitter.ignored == 8 * len(begun)
