"""Compare a search with names, record numbers and beds: without case, accents or punctuation."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_PLAIN_LETTERS: Final = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "\u0131": "i",  # without a dot
        "ŧ": "t",
        **dict.fromkeys("'`\u2018\u2019\u02bc\u00b4", ""),  # apostrophes
    }
)
"""Letters that Unicode does not take apart into a base and a mark."""
_NOT_COMPARED: Final = frozenset({"Mn", "Cf"})
"""Categories of accents and of invisible characters."""
_BETWEEN_WORDS: Final = re.compile(r"[\s,;/\-\u2010-\u2015]+")
_LABELS: Final = frozenset({"mrn", "bed", "ward"})
"""Words that name what follows them: "bed 12"."""


@lru_cache(maxsize=8192)
def plain_text(text: str) -> str:
    """Return ``text`` as searches compare it: "Łukasz O'Hára" and "lukasz ohara" are equal."""
    lower = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN_LETTERS)
    letters = unicodedata.normalize("NFKD", lower)
    return "".join(each for each in letters if unicodedata.category(each) not in _NOT_COMPARED)


def search_words(typed: str) -> list[str]:
    """Return the words of a search, each as ``plain_text``."""
    words = [word for word in _BETWEEN_WORDS.split(plain_text(typed)) if word]
    return [word for word in words if word not in _LABELS] or words


def matches(words: list[str], name: str, mrn: str, ward: str, bed: str) -> bool:
    """Return whether each of ``words`` is in the name, the MRN or the place of a patient."""
    text = plain_text(f"{name}\n{mrn}\n{ward} {bed}\n{ward}{bed}")
    return all(word in text for word in words)
