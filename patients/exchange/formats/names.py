"""Whether a family name that another system sends contradicts the name in the chart."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BETWEEN_WORDS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212'\u2018\u2019\u02bc`\u00b4]+")
_AROUND_WORDS: Final = ".,;:()"
_AS_TWO_LETTERS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_WITHOUT_STROKE: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d"})


def family_contradicts(family: str, chart_name: str) -> bool:
    """Return whether a word of ``family`` is no word of the name in the chart.

    Words are compared without case and accents; ä, ö, ü and ß also as ae, oe, ue and ss, for
    senders write MUELLER. They end at spaces, hyphens and apostrophes. What either side lacks
    contradicts nothing.
    """
    in_chart = [_spellings(word) for word in _words(chart_name)]
    if not in_chart:
        return False
    return any(
        all(_spellings(word).isdisjoint(spellings) for spellings in in_chart)
        for word in _words(family)
    )


def _words(name: str) -> list[str]:
    words = _BETWEEN_WORDS.split(unicodedata.normalize("NFC", name).casefold())
    return [word for raw in words if (word := raw.strip(_AROUND_WORDS))]


def _spellings(word: str) -> set[str]:
    return {_plain(word.translate(_AS_TWO_LETTERS)), _plain(word.translate(_WITHOUT_STROKE))}


def _plain(word: str) -> str:
    apart = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
