"""What a part of the chart answers when it is asked what it contributes to the grade."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Assessed = tuple[tuple[str, ...], tuple[tuple[str, int], ...]]
"""The codes of the criteria met, and each unknown's code with the grade it could reach.

Deliberately bare: it is found anew after every entry and compared with the one before. Evidence and
words are asked for only where something changed.
"""


class Explained(NamedTuple):
    """Why a code stands: the entries it rests on, a sentence, and whether one is `uncertain`."""

    evidence: tuple[str, ...]
    text: str
    uncertain: bool = False


Explain = Callable[[str], Explained]
"""Tells why a code stood at an instant, whenever it is asked and whatever was noted since."""
