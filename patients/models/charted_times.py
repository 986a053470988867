"""The condition that a time of the chart is possible."""

from __future__ import annotations

from django.db.models import Q

from grading.engine.vocabulary import EARLIEST, LATEST


def within_calendar(*columns: str) -> Q:
    """Return the condition that each of ``columns`` lies from 1900 to 2200.

    Its constraints are added NOT VALID: rows stored before them cannot be deleted.
    """
    return Q(**{f"{column}__range": (EARLIEST, LATEST) for column in columns})
