"""Frames of the Minimal Lower Layer Protocol, cut out of a stream of bytes by hand.

A frame is ``0x0B``, one message, ``0x1C 0x0D`` (HL7 v2, Transport Specification MLLP, release 1).
A sender that gives up in the middle of a message begins the next frame without an end of the last:
what was begun is then no message and is counted as ignored, like bytes between frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c\r"
LONGEST_MESSAGE: Final = 1_000_000
"""Bytes of one message; a longer one is answered, and not read."""
_NEXT_MESSAGE: Final = START + b"MSH"
_HEAD_KEPT: Final = 2_000
"""Bytes kept of a message that is too long: its first segment, for the answer."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of one complete frame; of one that is too long, the beginning alone."""

    message: bytes
    is_too_long: bool = False


def framed(message: bytes) -> bytes:
    """Return ``message`` as a frame."""
    return START + message + END


class FrameSplitter:
    """Cuts frames out of a stream; how the stream arrives in pieces makes no difference.

    ``ignored`` counts the bytes that were part of no complete frame.
    """

    def __init__(self) -> None:
        self.ignored = 0
        self._inside = False
        self._bytes = bytearray()
        self._scanned = 0  # bytes of the message begun in which no end stands
        self._dropped = 0  # bytes of a message that is too long, which are not kept
        self._head = b""

    @property
    def is_inside(self) -> bool:
        """Whether a frame has begun and has not ended yet."""
        return self._inside

    def feed(self, received: bytes) -> list[Frame]:
        """Take the next bytes of the stream; return the frames that they complete, in order."""
        self._bytes += received
        frames: list[Frame] = []
        while True:
            if not self._inside and not self._begin():
                return frames
            frame = self._complete()
            if frame is None:
                return frames
            frames.append(frame)

    def close(self) -> None:
        """Say that the stream has ended: what was begun is counted as ignored."""
        if self._inside:
            self.ignored += len(self._bytes) + self._dropped + len(START)
        self._forget()

    def _begin(self) -> bool:
        """Look for the next start; what stands before it is ignored."""
        start = self._bytes.find(START)
        if start < 0:
            self.ignored += len(self._bytes)
            self._bytes.clear()
            return False
        self.ignored += start
        del self._bytes[: start + len(START)]
        self._inside = True
        self._scanned = 0
        return True

    def _complete(self) -> Frame | None:
        """Return the frame begun, where its end is there; begin again where another one begins.

        Of several that begin before the end, the last one is the message.
        """
        end = self._bytes.find(END, self._scanned)
        again = self._bytes.rfind(_NEXT_MESSAGE, self._scanned, None if end < 0 else end)
        if again >= 0:
            self._begin_again(again)
            end -= again + len(START)
        if end >= 0:
            return self._take(end)
        self._scanned = max(0, len(self._bytes) - len(_NEXT_MESSAGE) + 1)
        self._drop_what_is_too_long()
        return None

    def _begin_again(self, again: int) -> None:
        self.ignored += len(START) + self._dropped + again
        del self._bytes[: again + len(START)]
        self._scanned = self._dropped = 0
        self._head = b""

    def _take(self, end: int) -> Frame:
        message = bytes(self._bytes[:end])
        is_too_long = self._dropped + end > LONGEST_MESSAGE
        frame = (
            Frame((self._head or message)[:_HEAD_KEPT], is_too_long=True)
            if is_too_long
            else Frame(message)
        )
        rest = self._bytes[end + len(END) :]
        self._forget()
        self._bytes = rest
        return frame

    def _drop_what_is_too_long(self) -> None:
        """Keep the head and the last bytes alone, in which an end may have begun."""
        if self._dropped + len(self._bytes) <= LONGEST_MESSAGE + len(END):
            return
        self._head = self._head or bytes(self._bytes[:_HEAD_KEPT])
        self._dropped += self._scanned
        del self._bytes[: self._scanned]
        self._scanned = 0

    def _forget(self) -> None:
        self._inside = False
        self._bytes = bytearray()
        self._scanned = self._dropped = 0
        self._head = b""
