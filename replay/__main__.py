"""Command line: ``python -m replay golden``, ``python -m replay since REF`` and ``... notes``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from replay.courses import BASE_DIR, REAL_COURSES, Named, known_courses, recorded_courses
from replay.differences import Comparison, compare
from replay.earlier import NoSuchCommitError, checkout_of, graded_by
from replay.golden import graded_here, read_golden, write_golden
from replay.release import CHANGELOG, previous_release, section, with_section

_HOW_TO_KEEP = (
    "Where each of these changes is meant: make replay-golden, and name the change under Grading "
    "in CHANGELOG.md."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print which courses change, and return 1 where the golden file is not met."""
    options = _parser().parse_args(arguments)
    if options.command == "golden":
        return _golden(write=options.write)
    try:
        if options.command == "notes":
            return _notes(options.ref, options.courses)
        return _since(options.ref, options.courses, known_only=options.known_only)
    except NoSuchCommitError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m replay", description="Which courses receive other grades than before."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    golden = commands.add_parser(
        "golden", help="the demonstration, worked and generated courses against replay/golden.jsonl"
    )
    golden.add_argument("--write", action="store_true", help="write the file as it is now")
    since = commands.add_parser("since", help="the same and recorded courses against a commit")
    since.add_argument("ref", help="a commit or tag; its engine grades the same courses")
    since.add_argument("--known-only", action="store_true", help="leave recorded courses out")
    notes = commands.add_parser("notes", help="write which grades changed into CHANGELOG.md")
    notes.add_argument("--ref", default=previous_release(), help="default: %(default)s")
    for command in (since, notes):
        command.add_argument(
            "--courses",
            type=Path,
            default=Path(os.environ.get("CRS_REPLAY_COURSES") or REAL_COURSES),
            help="folder of recorded courses (default: CRS_REPLAY_COURSES, else %(default)s)",
        )
    return parser


def _golden(*, write: bool) -> int:
    after = graded_here(known_courses())
    found = compare(read_golden(), after)
    if write:
        write_golden(after)
    _print(found)
    if write:
        return 0
    if not found.is_same:
        sys.stdout.write(f"{_HOW_TO_KEEP}\n")
    return 0 if found.is_same else 1


def _since(ref: str, folder: Path, *, known_only: bool) -> int:
    for what, lines in _comparisons(ref, folder, known_only=known_only):
        sys.stdout.writelines(f"{line}\n" for line in (f"{what}: {lines[0]}", *lines[1:]))
        sys.stdout.flush()
    return 0


def _notes(ref: str, folder: Path) -> int:
    compared = list(_comparisons(ref, folder, known_only=False))
    changelog = CHANGELOG.read_text("utf-8")
    CHANGELOG.write_text(with_section(changelog, section(ref, compared)), "utf-8")
    return 0


def _comparisons(
    ref: str, folder: Path, *, known_only: bool
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what is compared, and the lines of its comparison with ``ref``."""
    with checkout_of(ref, "grading") as before:
        found = _compared(before, list(known_courses()))
        yield "Demonstration, worked and generated courses", list(found.lines())
        if known_only:
            return
        if not folder.is_dir():
            yield "Recorded courses", [f"none compared, there is no folder {folder}"]
            return
        found = _compared(before, list(recorded_courses(folder)))
        yield "Recorded courses", list(found.lines())


def _compared(checkout: Path, courses: list[Named]) -> Comparison:
    before, refused_before = graded_by(checkout, courses)
    after, refused = graded_by(BASE_DIR, courses)
    newly = {name: f"refused now: {why}" for name, why in refused.items() if name in before}
    only = {name: f"refused before: {why}" for name, why in refused_before.items() if name in after}
    both = {name: one for name, one in after.items() if name in before}
    unread = len(refused.keys() & refused_before.keys())
    return replace(compare(before, both), gone=(), refused=newly | only, unread=unread)


def _print(found: Comparison) -> None:
    sys.stdout.writelines(f"{line}\n" for line in found.lines())


if __name__ == "__main__":
    sys.exit(main())
