"""What a name may hold, so that two names which look alike are alike, and none is empty to the eye.

The name of a user stands on entries: "J. Ruiz" with a character that nobody sees would be another
one. Joiners stay where a script needs them: between letters beyond ASCII.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from grading.plain_text import disallowed_character

_JOINERS: Final = "\u200c\u200d"
_UNSEEN_CATEGORIES: Final = frozenset({"Cf", "Co", "Cn"})
"""Format characters, private ones and those that no version of Unicode names."""
_UNSEEN: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters and marks that are drawn as nothing: fillers, the empty Braille cell, variations."""
_MARKS_AT_MOST: Final = 4
"""Marks on one letter; Vietnamese has two, and more than a few cover the lines around."""


def composed(text: str) -> str:
    """Return ``text`` with each letter and its marks as one character, where there is one."""
    return unicodedata.normalize("NFC", text)


def not_in_a_name(text: str) -> str | None:
    """Return the name of the first character that no name holds, None where there is none."""
    if (found := disallowed_character(text)) is not None:
        return found
    marks = 0
    for place, one in enumerate(text):
        marks = marks + 1 if unicodedata.category(one) in ("Mn", "Me") else 0
        if _is_unseen(text, place) or marks > _MARKS_AT_MOST:
            return f"<U+{ord(one):04X}>"
    return None


def has_letter(text: str) -> bool:
    """Return whether there is a letter in ``text`` that is seen, of any script."""
    return any(one.isalpha() and one not in _UNSEEN for one in text)


def _is_unseen(text: str, place: int) -> bool:
    one = text[place]
    if one in _JOINERS:
        return not (_is_joined(text[place - 1 : place]) and _is_joined(text[place + 1 : place + 2]))
    return one in _UNSEEN or unicodedata.category(one) in _UNSEEN_CATEGORIES


def _is_joined(one: str) -> bool:
    """Return whether ``one`` is a letter or mark beyond ASCII, next to which a joiner is seen."""
    return bool(one) and not one.isascii() and unicodedata.category(one)[0] in "LM"
