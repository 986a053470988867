"""Grade course files on the command line: ``python -m grading FILE``.

Needs no database, no Django, nothing but the standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from grading.course_file import CourseFileError, read_course
from grading.course_result import grade_course
from grading.progress import Progress
from grading.report import text_report

DONE: Final = 0
SOME_LINES_REFUSED: Final = 1
REFUSED: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade the files that the arguments name; the exit status shows whether one was refused."""
    options = _parser().parse_args(arguments)
    try:
        if options.jsonl:
            return _grade_cohort(options, sys.stdout, sys.stderr)
        return _grade_one(options, sys.stdout, sys.stderr)
    except (OSError, EOFError) as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        sys.stderr.write(f"{options.file}: {error}\n")
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grading",
        description="Grade cytokine release syndrome by Lee et al., Blood 2014;124:188.",
    )
    parser.add_argument("file", metavar="FILE", help="a course file, .gz too; - is standard input")
    parser.add_argument(
        "--jsonl", action="store_true", help="one document a line in, one JSON answer a line out"
    )
    parser.add_argument(
        "--now", type=_instant, metavar="TIME", help="grade up to this time (ISO 8601 with offset)"
    )
    parser.add_argument(
        "--known-at", type=_instant, metavar="TIME", help="leave out what was recorded later"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="of one course (default: text)"
    )
    return parser


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time with its offset, like 2014-01-06T12:00:00+00:00"
        )
    return instant


def _grade_one(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    with _opened(options.file) as file:
        content = file.read()
    try:
        answer = grade_course(read_course(content), options.now, options.known_at)
    except CourseFileError as error:
        err.writelines(f"{fault}\n" for fault in error.faults)
        return REFUSED
    if options.format == "json":
        out.write(json.dumps(answer.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        out.write(text_report(answer))
    return DONE


def _grade_cohort(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    status = DONE
    with _opened(options.file) as file, Progress.over(file, options.file, err) as progress:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                answer = grade_course(read_course(line), options.now, options.known_at).as_json()
            except CourseFileError as error:
                answer = {"line": number, "faults": [str(fault) for fault in error.faults]}
                status = SOME_LINES_REFUSED
            out.write(json.dumps(answer, separators=(",", ":"), ensure_ascii=False) + "\n")
            progress.advance(len(line))
    return status


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
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


if __name__ == "__main__":
    sys.exit(main())
