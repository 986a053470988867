"""A progress bar for a cohort, on standard error and only where a person looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO

_WIDTH: Final = 40
_EVERY: Final = 10


@dataclass(slots=True)
class Progress:
    """Counts courses and bytes; ``total_bytes`` None is not known beforehand."""

    stream: TextIO
    total_bytes: int | None
    shown: bool
    courses: int = 0
    bytes_read: int = 0

    @classmethod
    @contextmanager
    def over(cls, file: BinaryIO, name: str, stream: TextIO) -> Iterator[Progress]:
        """A bar over the lines of ``file``, cleared at the end."""
        plain = name != "-" and not name.endswith(".gz")
        total = Path(name).stat().st_size if plain else None
        progress = cls(stream, total, stream.isatty())
        try:
            yield progress
        finally:
            if progress.shown:
                stream.write("\r\x1b[K")
                stream.flush()

    def advance(self, line_bytes: int) -> None:
        """Another course of ``line_bytes`` is done."""
        self.courses += 1
        self.bytes_read += line_bytes
        if self.shown and self.courses % _EVERY == 0:
            self.stream.write(f"\r\x1b[K{self.text()}")
            self.stream.flush()

    def text(self) -> str:
        if not self.total_bytes:
            return f"{self.courses} courses"
        done = min(1.0, self.bytes_read / self.total_bytes)
        bar = "#" * int(done * _WIDTH)
        return f"[{bar:<{_WIDTH}}] {done:4.0%}  {self.courses} courses"
