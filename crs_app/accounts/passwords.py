"""What a new password must not be, besides what Django's validators refuse."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from django.core.exceptions import ValidationError

SHORTEST_WORD: Final = 5
WORDS: Final = (
    "bedside", "clinic", "cytokine", "doctor", "hospital", "intensive", "nurse", "patient",
    "physician", "therapy", "tocilizumab",
)  # fmt: skip
"""Words that anybody would try at a hospital; each site adds its own (CRS_PASSWORD_WORDS)."""
_DIGEST_LETTERS: Final = 40


class NoWordOfTheHospital:
    """Refuse a password with a word of ``WORDS`` or of the site: its name, town, wards."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        named = (word.casefold() for word in words)
        self._words = {*WORDS, *(word for word in named if len(word) >= SHORTEST_WORD)}

    def validate(self, password: str, user: object = None) -> None:
        found = sorted(word for word in self._words if word in password.casefold())
        if found:
            raise ValidationError(
                f"Leave “{found[0]}” out: it is one of the words that are tried here first.",
                code="word_of_the_hospital",
            )

    def get_help_text(self) -> str:
        return "No word of this hospital."


class NotStolen:
    """Refuse a password whose SHA-1 is in a file of stolen ones; without a file, none.

    The file has a digest in capitals at the start of each line, in order, as "Have I Been Pwned"
    gives them out. Nothing is sent anywhere.
    """

    def __init__(self, file: str = "") -> None:
        self._file = file

    def validate(self, password: str, user: object = None) -> None:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if self._file and _is_listed(Path(self._file), digest.encode()):
            raise ValidationError(
                "This password is in a list of stolen passwords. Choose another.", code="stolen"
            )

    def get_help_text(self) -> str:
        return "No password that is known to be stolen."


def _is_listed(file: Path, digest: bytes) -> bool:
    """Search the lines of ``file``, which are in order, by halves: it has a thousand million."""
    with file.open("rb") as lines:
        low, high = 0, file.stat().st_size
        while low < high:
            middle = (low + high) // 2
            line = _line_from(lines, middle)
            if line and line[:_DIGEST_LETTERS] < digest:
                low = middle + 1
            else:
                high = middle
        return _line_from(lines, low)[:_DIGEST_LETTERS] == digest


def _line_from(lines: IO[bytes], place: int) -> bytes:
    """Return the first line that begins at ``place`` or after it; nothing after the last."""
    lines.seek(max(place - 1, 0))
    if place:
        lines.readline()
    return lines.readline()
