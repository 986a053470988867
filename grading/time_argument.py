"""Read a time from a command line, as an argument of ``argparse``."""

from __future__ import annotations

import argparse
from datetime import datetime

from grading.engine.times import can_be_charted
from grading.engine.vocabulary import EARLIEST, LATEST


def time_argument(text: str) -> datetime:
    """Return an ISO 8601 time with its offset, in a year that can be charted.

    Raises ArgumentTypeError, whose words ``argparse`` prints.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time with its offset, like 2014-01-06T12:00:00+00:00"
        )
    if not can_be_charted(instant):
        years = f"{EARLIEST.year} to {LATEST.year}"
        raise argparse.ArgumentTypeError(f"{text!r}: the year must lie in {years}")
    return instant
