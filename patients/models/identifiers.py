"""Keys by which record numbers, names and products are compared, and by which they look alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_IGNORABLE: Final = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0000-\U000e0fff"
)
"""Characters that are shown as nothing and have no category of their own."""
_INVISIBLE: Final = re.compile(f"[{_IGNORABLE}]")
_BLANKS: Final = re.compile(r"[\s\u2800]+")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "\u2018\u2019\u201b\u02bc\u02b9`\u00b4\u2032"), "'")
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_LIKE_LATIN: Final = str.maketrans(
    "абвеікмнорстухјѕαβεικνορτυχ",
    "abbeikmhopctyxjsabeiknoptyx",
)
"""Small letters of the Cyrillic and Greek alphabets whose capitals look like Latin ones."""
_WITHOUT_MARK: Final = str.maketrans("\u0131øłđðħŧ", "iolddht")
"""Small letters whose mark Unicode does not take apart from them."""
_LIKE_DIGIT: Final = str.maketrans("oil", "011")
_LEADING_ZEROS: Final = re.compile(r"(?<!\d)0+(?=\d)")


def invisible_in(text: str) -> str | None:
    """Return the first character of ``text`` that is shown as nothing; None where there is none."""
    return next((each for each in text if _is_invisible(each)), None)


def visible_text(text: str) -> str:
    """Return ``text`` without invisible characters, in NFKC, with single blanks."""
    seen = "".join(each for each in _BLANKS.sub(" ", text) if not _is_invisible(each))
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", seen)).strip()


def mrn_key(mrn: str) -> str:
    """Return a key that is equal for every way to write one record number."""
    return visible_text(mrn).casefold()


def mrn_look(mrn: str) -> str:
    """Return a key that is equal for record numbers that a reader may confuse.

    Leading zeros, blanks, signs and accents do not count; letters and digits of one shape are the
    same.
    """
    parts = unicodedata.normalize("NFKD", mrn_key(mrn)).translate(_WITHOUT_MARK)
    letters = "".join(each for each in parts.translate(_LIKE_LATIN) if each.isalnum())
    return _LEADING_ZEROS.sub("", letters.translate(_LIKE_DIGIT)) or "0"


def name_key(name: str) -> str:
    """Return a key that is equal for every way to write one name."""
    return visible_text(name.translate(_APOSTROPHES | _HYPHENS)).casefold()


def product_key(product: str) -> str:
    """Return a key that is equal for every way to write one product."""
    return name_key(product)


def _is_invisible(character: str) -> bool:
    is_format = unicodedata.category(character) in ("Cc", "Cf", "Cs")
    return is_format or _INVISIBLE.match(character) is not None
