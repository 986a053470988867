"""What a help page is made of: its role, and the role's tasks in the order in which they come up.

A word between asterisks is written on the pages exactly so. The pictures are taken by
``tests/browser/test_help_pictures.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a role does: ``steps`` in order, and a picture of the page that does it.

    ``picture`` is the name of a file in ``static/crs/help``, ``shows`` says what is on it. A word
    between two asterisks is written on the page exactly so.
    """

    title: str
    steps: Sequence[str]
    picture: str = ""
    shows: str = ""


@dataclass(frozen=True, slots=True)
class HelpPage:
    """The help of one role; ``key`` is its name in the address, ``first`` one sentence to begin."""

    key: str
    role: str
    name: str
    first: str
    tasks: Sequence[Task]
