"""What a name may hold, so that two names which look alike are alike, and none is empty to the eye.

The name of a user stands on entries: "J. Ruiz" with a character that nobody sees would be another
one. Joiners stay where a script needs them: between letters beyond ASCII.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from grading.plain_text import disallowed_character

_JOINERS: Final = "\u200c\u200d"
_NOT_OURS: Final = frozenset({"Co", "Cn"})
"""Private characters, and those that no version of Unicode names."""
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are drawn as nothing: fillers, the empty Braille cell."""
_VARIATIONS: Final = frozenset(
    "\u180b\u180c\u180d\u180f"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Marks that are drawn as nothing, and choose the form of the letter before them."""
_SHAPES: Final = str.maketrans("oil", "011", "._-")
"""Signs of a user name that are passed over in reading, and letters with the shape of a digit."""
_ALPHABETS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK"})
"""Alphabets of which many letters look the same; their first word in Unicode's names."""
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


def without_unseen(text: str) -> str:
    """Return ``text`` without the characters that nobody sees; a joiner stays where it is seen.

    What an alphabet of the hospital may need stays: private characters, and marks that choose the
    form of a letter. So do controls of the direction of a text, which pages show by their name.
    """
    return "".join(
        one
        for place, one in enumerate(text)
        if disallowed_character(one) or not _is_nothing(text, place)
    )


def has_letter(text: str) -> bool:
    """Return whether there is a letter in ``text`` that is seen, of any script."""
    return any(one.isalpha() and one not in _FILLERS for one in text)


def username_look(username: str) -> str:
    """Return what is the same of two user names that a reader may take for one another."""
    return username.casefold().translate(_SHAPES)


def word_of_two_alphabets(text: str) -> str | None:
    """Return the first word with letters of two alphabets that look alike, None where none has.

    "Ruiz" with a Cyrillic i is another name to a computer, and the same to who reads an entry.
    """
    for word in text.split():
        alphabets = {unicodedata.name(one, "").partition(" ")[0] for one in word if one.isalpha()}
        if len(alphabets & _ALPHABETS) > 1:
            return word
    return None


def _is_unseen(text: str, place: int) -> bool:
    one = text[place]
    is_other = one in _VARIATIONS or unicodedata.category(one) in _NOT_OURS
    return is_other or _is_nothing(text, place)


def _is_nothing(text: str, place: int) -> bool:
    """Return whether the character is drawn as nothing and changes no other one."""
    one = text[place]
    if one in _JOINERS:
        return not (_is_joined(text[place - 1 : place]) and _is_joined(text[place + 1 : place + 2]))
    return one in _FILLERS or unicodedata.category(one) == "Cf"


def _is_joined(one: str) -> bool:
    """Return whether ``one`` is a letter or mark beyond ASCII, next to which a joiner is seen."""
    return bool(one) and not one.isascii() and unicodedata.category(one)[0] in "LM"
