"""Files with course documents: opened, unpacked and read within bounds."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from grading.faults import CourseFileError, Fault

LONGEST_DOCUMENT: Final = 8 * 1024 * 1024
"""Bytes of one course, unpacked: some ten thousand entries. More is no course file."""

_CHUNK: Final = 64 * 1024


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, gunzipped; ``-`` is standard input."""
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as packed:
        if name.endswith(".gz"):
            with gzip.open(packed, "rb") as unpacked:
                yield io.BufferedReader(unpacked)
        else:
            yield packed


def read_document(file: BinaryIO) -> bytes:
    """Read one document; raises CourseFileError where it is too long."""
    content = file.read(LONGEST_DOCUMENT + 1)
    if len(content) > LONGEST_DOCUMENT:
        raise CourseFileError([Fault("", f"longer than {LONGEST_DOCUMENT} bytes")])
    return content


def read_lines(file: BinaryIO) -> Iterator[tuple[bytes | None, int]]:
    """Give each line with its length in bytes; None for one that is too long, which is skipped."""
    while line := file.readline(LONGEST_DOCUMENT + 1):
        length = len(line)
        if length <= LONGEST_DOCUMENT or line.endswith(b"\n"):
            yield line, length
            continue
        del line
        while rest := file.readline(_CHUNK):
            length += len(rest)
            if rest.endswith(b"\n"):
                break
        yield None, length
