import argparse
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.record.verify import Head, at_one_moment, faults, heads


class Command(BaseCommand):
    help = (
        "Verify that no event of the record was changed, moved or removed, and print the head of "
        "each chain. Keep what it prints on another machine: --kept compares with it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kept", type=_heads_in, default=(), metavar="FILE")

    def handle(self, *, kept: tuple[Head, ...], **_options: Any) -> None:
        with at_one_moment():
            found = list(faults(kept))
            for fault in found:
                self.stderr.write(fault)
            for head in heads():
                self.stdout.write(str(head))
        if found:
            raise CommandError(f"The record is not as it was written: {len(found)} fault(s).")


def _heads_in(name: str) -> tuple[Head, ...]:
    """Return the heads in a file of what this command printed."""
    try:
        lines = [line.split() for line in Path(name).read_text("utf-8").splitlines()]
        return tuple(
            Head(UUID(chain), int(number), bytes.fromhex(digest))
            for chain, number, digest in filter(None, lines)
        )
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"cannot read heads from {name}: {error}") from error
