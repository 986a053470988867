import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from crs_app.record.checked import record_verified
from crs_app.record.verify import Head, at_one_moment, faults, heads, read_heads
from crs_app.time_limits import lift_for_long_job


class Command(BaseCommand):
    help = (
        "Verify that no event of the record was changed, moved or removed, and print the head of "
        "each chain. Keep what it prints on another machine: --kept compares with it. The result "
        "is an event of the record, which its pages show."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kept", type=_heads_in, default=(), metavar="FILE")

    def handle(self, *, kept: tuple[Head, ...], **_options: Any) -> None:
        lift_for_long_job()
        with at_one_moment():
            found = list(faults(kept))
            for fault in found:
                self.stderr.write(fault)
            verified = list(heads())
            for head in verified:
                self.stdout.write(str(head))
        try:
            record_verified(sum(head.number for head in verified), len(found))
        except DatabaseError as error:  # a record that was destroyed takes no event
            self.stderr.write(f"The result was not recorded: {error}")
        if found:
            raise CommandError(f"The record is not as it was written: {len(found)} fault(s).")


def _heads_in(name: str) -> tuple[Head, ...]:
    """Return the heads in a file of what this command printed."""
    try:
        kept = tuple(read_heads(Path(name).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"cannot read heads from {name}: {error}") from error
    if not kept:
        raise argparse.ArgumentTypeError(f"{name} has no heads: nothing would be compared")
    return kept
