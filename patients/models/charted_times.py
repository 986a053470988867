"""Times of the chart: which are possible, and how close two of them can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q

from grading.engine.vocabulary import EARLIEST, LATEST

ONE_TICK: Final = timedelta(microseconds=1)
"""The least difference of two times that PostgreSQL stores."""


def within_calendar(*columns: str) -> Q:
    """Return the condition that each of ``columns`` lies from 1900 to 2200.

    Its constraints are added NOT VALID: rows stored before them cannot be deleted.
    """
    return Q(**{f"{column}__range": (EARLIEST, LATEST) for column in columns})
