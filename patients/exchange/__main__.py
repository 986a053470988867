"""Convert between course files and other systems: ``python -m patients.exchange``.

``to-course`` charts messages of one system into a course file, ``from-course`` writes a course
file as a FHIR Bundle, ``validate`` lists what is wrong with files. They need no database.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grading.course_file import CourseFileError, Fault, read_course
from grading.input_file import opened, read_document
from grading.plain_text import without_controls
from grading.time_argument import time_argument
from patients.exchange.cohort import Cohort, read_cohort
from patients.exchange.formats.context_file import read_context
from patients.exchange.formats.exact_json import NotJsonError, read_json, write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.fhir_write import DEFAULT_MRN_SYSTEM, bundle_of
from patients.exchange.formats.flowsheet import read_flowsheet
from patients.exchange.formats.flowsheet_bags import Overlap
from patients.exchange.formats.flowsheet_map import FlowsheetMap, preset_maps, read_maps
from patients.exchange.formats.hl7_message import is_hl7
from patients.exchange.formats.hl7v2 import read_messages
from patients.exchange.formats.mimic_iv import PRESET
from patients.exchange.formats.received import Held, RefusedDocumentError, Remark
from patients.exchange.to_course import Answer
from patients.exchange.unknown_chart import context_of_bundle, context_of_messages

DONE: Final = 0
SOME_HELD: Final = 1
REFUSED: Final = 2
_ACCEPTED: Final = "AA"
_UNREADABLE: Final = "AR"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; returns the exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal cannot show is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    commands = {"to-course": _to_course, "from-course": _from_course, "validate": _validate}
    try:
        return commands[options.command](options, sys.stdout, sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except CourseFileError as error:
        sys.stderr.writelines(f"{fault}\n" for fault in error.faults)
    except RefusedDocumentError as error:
        _write_refusal(error, sys.stderr)
    except OSError as error:
        sys.stderr.write(without_controls(f"{error.filename}: {error.strerror}") + "\n")
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m patients.exchange",
        description="Convert between course files and FHIR R4, HL7 v2 and flowsheets.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    to_course = commands.add_parser("to-course", help="chart messages of one system into a course")
    of_whom = to_course.add_mutually_exclusive_group(required=True)
    of_whom.add_argument("--context", metavar="CTX.json", help="what is configured and charted")
    of_whom.add_argument(
        "--courses", metavar="COURSES.csv", help="with --csv: a cohort, one course file a line out"
    )
    to_course.add_argument("--csv", action="store_true", help="the files are flowsheets in CSV")
    to_course.add_argument(
        "--map", metavar="MAP.json", help="what the items of a flowsheet are, or mimic-iv"
    )
    to_course.add_argument(
        "--overlap",
        choices=[one.value for one in Overlap],
        default=Overlap.REFUSE.value,
        help="what bags of one drug that overlap mean (default: refuse them)",
    )
    to_course.add_argument(
        "--timezone",
        type=_zone,
        default=ZoneInfo("UTC"),
        metavar="ZONE",
        help="with --courses: of times without an offset (default: UTC)",
    )
    to_course.add_argument(
        "--held", metavar="HELD.jsonl", help="with --courses: where to write what is not charted"
    )
    to_course.add_argument(
        "--now", type=time_argument, metavar="T", help="time of reception (default: the clock)"
    )
    to_course.add_argument("files", nargs="+", metavar="FILE", help="messages, in their order")
    from_course = commands.add_parser("from-course", help="write a course file as a FHIR Bundle")
    from_course.add_argument("--format", choices=("fhir",), required=True)
    from_course.add_argument(
        "--mrn-system", default=DEFAULT_MRN_SYSTEM, metavar="URI", help="whose the MRN is"
    )
    from_course.add_argument(
        "--now",
        type=time_argument,
        metavar="T",
        help="known at this time (default: the last entry's)",
    )
    from_course.add_argument("file", metavar="FILE", help="a course file")
    validate = commands.add_parser("validate", help="list what is wrong with files")
    validate.add_argument("files", nargs="+", metavar="FILE", help="Bundles or HL7 v2 messages")
    return parser


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{name!r} is no time zone") from None


def _read(name: str) -> bytes:
    with Path(name).open("rb") as file:
        return read_document(file)


def _write_refusal(error: RefusedDocumentError, err: TextIO) -> None:
    err.write(without_controls(f"{error.place}: {error.words}") + "\n")


def _to_course(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    if options.csv is not (options.map is not None) or (options.courses and not options.csv):
        raise CourseFileError([Fault("--csv", "needs --map, and --map and --courses need --csv")])
    if options.courses:
        return _to_cohort(options, out, err)
    try:
        context = read_context(_read(options.context))
    except CourseFileError as error:
        faults = [Fault(f"context.{one.place}".rstrip("."), one.message) for one in error.faults]
        raise CourseFileError(faults) from None
    answer = Answer(context)
    received_at = options.now or datetime.now(UTC)
    seen: dict[str, str] = {}
    for name in options.files:
        if options.csv:
            _add_flowsheet(answer, name, options, received_at)
            continue
        raw = _read(name)
        if is_hl7(raw):
            _add_messages(answer, raw, received_at, seen, err)
        else:
            answer.add(read_bundle(raw, answer.context), received_at)
    out.write(write_json(answer.as_json(), indent=2) + "\n")
    return _status(answer)


def _add_messages(
    answer: Answer, raw: bytes, received_at: datetime, seen: dict[str, str], err: TextIO
) -> None:
    try:
        messages = read_messages(raw, answer.context, received_at, seen)
    except RefusedDocumentError as error:
        answer.acks.append(_UNREADABLE)
        _write_refusal(error, err)
        return
    for message in messages:
        answer.acks.append(message.code.value)
        if message.document is not None:
            answer.add(message.document, received_at)
        if message.fault is not None:
            fault = message.fault
            err.write(without_controls(f"{fault.location}: {fault.words}") + "\n")


def _add_flowsheet(
    answer: Answer, name: str, options: argparse.Namespace, received_at: datetime
) -> None:
    maps = _maps(options.map)
    with opened(name) as file, _lines(file) as lines:
        overlap = Overlap(options.overlap)
        answer.add(read_flowsheet(lines, maps, answer.context, overlap), received_at)


def _maps(name: str) -> list[FlowsheetMap]:
    return preset_maps() if name == PRESET else read_maps(_read(name))


def _lines(file: BinaryIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")


def _to_cohort(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    maps = _maps(options.map)
    with opened(options.courses) as file, _lines(file) as lines:
        cohort = read_cohort(lines, options.timezone)
    for name in options.files:
        with opened(name) as file, _lines(file) as lines:
            cohort.add(lines, maps)
    count = 0
    for line in cohort.course_files(Overlap(options.overlap), options.now):
        out.write(line)
        count += 1
    if options.held:
        with Path(options.held).open("w", encoding="utf-8") as held:
            held.writelines(f"{write_json(item)}\n" for item in cohort.held_items)
    _report(cohort, count, err)
    if not count:
        return REFUSED
    return SOME_HELD if cohort.held or cohort.refused else DONE


def _report(cohort: Cohort, count: int, err: TextIO) -> None:
    """Say on standard error what of a cohort became no entry."""
    for patient, why in cohort.refused.items():
        err.write(without_controls(f"{patient}: left out: {why}") + "\n")
    for reason, number in sorted(cohort.held.items()):
        err.write(f"not charted: {reason}: {number}\n")
    if cohort.others:
        err.write(f"rows of other patients: {cohort.others}\n")
    err.write(f"{count} courses written\n")


def _status(answer: Answer) -> int:
    if answer.acks and _ACCEPTED not in answer.acks:
        return REFUSED
    is_some_refused = any(ack != _ACCEPTED for ack in answer.acks)
    return SOME_HELD if answer.held or is_some_refused else DONE


def _from_course(options: argparse.Namespace, out: TextIO, _err: TextIO) -> int:
    text = bundle_of(_read(options.file), mrn_system=options.mrn_system, now=options.now)
    out.write(text.rstrip("\n") + "\n")
    return DONE


def _validate(options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    status = DONE
    for name in options.files:
        try:
            status = max(status, _validate_one(_read(name), out, err))
        except CourseFileError as error:
            err.writelines(f"{fault}\n" for fault in error.faults)
            status = REFUSED
        except RefusedDocumentError as error:
            _write_refusal(error, err)
            status = REFUSED
    return status


def _validate_one(raw: bytes, out: TextIO, err: TextIO) -> int:
    """List what of a file would be held or remarked on an empty chart."""
    now = datetime.now(UTC)
    if _is_course_file(raw):
        read_course(raw)
        return DONE
    has_messages = is_hl7(raw)
    answer = Answer(context_of_messages(raw, now) if has_messages else context_of_bundle(raw, now))
    if has_messages:
        _add_messages(answer, raw, now, {}, err)
    else:
        answer.add(read_bundle(raw, answer.context), now)
    items: list[Held | Remark] = [*answer.held, *answer.remarks]
    for item in items:
        line = f"{item.place}: {item.reason}: {item.what}"
        out.write(without_controls(line.removesuffix(": ")) + "\n")
    return _status(answer)


def _is_course_file(raw: bytes) -> bool:
    try:
        tree = read_json(raw)
    except NotJsonError:
        return False
    return isinstance(tree, dict) and str(tree.get("format", "")).startswith("crs-course/")


if __name__ == "__main__":
    sys.exit(main())
