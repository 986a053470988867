"""Grade course files on the command line: ``python -m grading FILE``.

Needs no database, no Django, nothing but the standard library.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import zlib
from collections.abc import Sequence
from typing import Any, Final, TextIO

from grading.course_file import CourseFileError, Fault, read_course
from grading.course_result import CourseResult, grade_course
from grading.input_file import LONGEST_DOCUMENT, opened, read_document, read_lines
from grading.plain_text import without_controls
from grading.progress import Progress
from grading.report import text_report
from grading.scales import ALL, BY_KEY, Scale, scales_named
from grading.time_argument import time_argument

DONE: Final = 0
SOME_LINES_REFUSED: Final = 1
REFUSED: Final = 2
_TOO_LONG: Final = Fault("", f"longer than {LONGEST_DOCUMENT} bytes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade the files that the arguments name; the exit status shows whether one was refused."""
    options = _parser().parse_args(arguments)
    if options.list_scales:
        sys.stdout.writelines(f"{key}\n" for key in BY_KEY)
        return DONE
    if options.file is None:
        _parser().error("a course file is required; - is standard input")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal cannot show is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    try:
        if options.jsonl:
            return _grade_cohort(options, sys.stdout, sys.stderr)
        return _grade_one(options, sys.stdout, sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (OSError, EOFError, zlib.error) as error:
        sys.stderr.write(without_controls(f"{options.file}: {error}") + "\n")
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grading",
        description="Grade cytokine release syndrome by Lee et al., Blood 2014;124:188.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a course file, .gz too; - is standard input",
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="one document a line in, one JSON answer a line out"
    )
    parser.add_argument(
        "--now",
        type=time_argument,
        metavar="TIME",
        help="grade up to this time (ISO 8601 with offset)",
    )
    parser.add_argument(
        "--known-at", type=time_argument, metavar="TIME", help="leave out what was recorded later"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="of one course (default: text)"
    )
    parser.add_argument(
        "--scales",
        type=_scales,
        default=(),
        metavar="KEYS",
        help=f"grade by other scales too: keys between commas, or {ALL}",
    )
    parser.add_argument("--list-scales", action="store_true", help="list the keys and stop")
    return parser


def _scales(text: str) -> tuple[Scale, ...]:
    try:
        return scales_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _grade_one(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    try:
        with opened(options.file) as file:
            content = read_document(file)
        answer = _grade(content, options)
    except CourseFileError as error:
        err.writelines(f"{fault}\n" for fault in error.faults)
        return REFUSED
    if options.format == "json":
        out.write(_json_text(answer.as_json(), out, indent=2))
    else:
        out.write(text_report(answer))
    return DONE


def _grade(content: bytes, options: argparse.Namespace) -> CourseResult:
    document = read_course(content)
    return grade_course(document, options.now, options.known_at, scales=options.scales)


def _grade_cohort(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    status = DONE
    with opened(options.file) as file, Progress.over(file, options.file, err) as progress:
        for number, (line, length) in enumerate(read_lines(file), start=1):
            if line is not None and not line.strip():
                continue
            try:
                if line is None:
                    raise CourseFileError([_TOO_LONG])
                answer = _grade(line, options).as_json()
            except CourseFileError as error:
                answer = {"line": number, "faults": [str(fault) for fault in error.faults]}
                status = SOME_LINES_REFUSED
            out.write(_json_text(answer, out, separators=(",", ":")))
            progress.advance(length)
    return status


def _json_text(answer: Any, out: TextIO, **layout: Any) -> str:
    """Return an answer as JSON that ``out`` can write, whatever its encoding."""
    is_utf_8 = (out.encoding or "utf-8").lower().replace("-", "") == "utf8"
    return json.dumps(answer, ensure_ascii=not is_utf_8, **layout) + "\n"


if __name__ == "__main__":
    sys.exit(main())
