"""Questions that a form asks before it is saved, and how they are answered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

OBSERVED_THEN: Final = "observed_then"
"""The name of the button that says: observed when it was typed."""


@dataclass(frozen=True, slots=True)
class ConfirmQuestion:
    """``sentence`` is what is unusual about ``field_name``, in the entry at ``place`` of the act.

    ``otherwise`` names a second answer, as the label, the name and the value of its button.
    """

    field_name: str
    sentence: str
    place: int = 0
    otherwise: tuple[str, str, str] | None = None


def questions_digest(asks: Sequence[ConfirmQuestion]) -> str:
    """Stands for these questions and no others: a yes to them is no yes to what is typed later."""
    words = repr([(ask.field_name, ask.sentence) for ask in asks])
    return hashlib.sha256(words.encode()).hexdigest()[:16]
