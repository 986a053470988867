"""Text that a chart may hold: without control characters, and shown by name where it has one.

One rule for course files and forms.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_TEXT: Final = 200
LONGEST_MRN: Final = 40
LONGEST_PRODUCT: Final = 120
LONGEST_NOTE: Final = 1000

_BIDI: Final = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NOT_TEXT: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_BIDI}]")
_NOT_ON_A_PAGE: Final = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]")
_BLANKS: Final = " \t\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_LINE_BREAKS: Final = str.maketrans("", "", "\r\n\t")


def disallowed_character(text: str, *, line_breaks: bool = False) -> str | None:
    """Return the name of the first character that no text holds, None where there is none.

    These are control characters, bidirectional controls and halves of a character (unpaired
    surrogates). ``line_breaks`` allows line ends and tabs.
    """
    found = _NOT_TEXT.search(text.translate(_LINE_BREAKS) if line_breaks else text)
    return None if found is None else _name(found)


def without_blanks_around(text: str) -> str:
    """Return ``text`` without the blanks before and after it: they are no part of a number."""
    return text.strip(_BLANKS)


def without_controls(text: str) -> str:
    """Return ``text`` in one line, with the name in place of each character that no text holds."""
    return _NOT_TEXT.sub(_name, text)


def for_a_page(text: str) -> str:
    """Return stored text with the name in place of what cannot be shown; line ends stay."""
    return text if text.isascii() and text.isprintable() else _NOT_ON_A_PAGE.sub(_name, text)


def _name(found: re.Match[str]) -> str:
    return f"<U+{ord(found[0]):04X}>"
