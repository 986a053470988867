"""Whether a family name that was sent can be that of the chart.

Other systems write one name in several ways (MUELLER, Muller, Müller), so words are compared
without case and accents, with letters written out, and without characters that nobody sees.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BETWEEN_WORDS: Final = re.compile(
    "[\\s'`,.;/()\u00b4\u02bc\u2018\u2019\\-\u2010\u2011\u2012\u2013\u2014]+"
)
_WRITTEN_OUT: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"}
)
_WITHOUT_STROKE: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart into a letter and an accent."""


def is_name_of(family_name: str, name: str) -> bool:
    """Say whether every word of ``family_name`` is a word of ``name``, or one of them is empty."""
    charted = [_forms(word) for word in _words(name)]
    return not charted or all(
        any(_forms(word) & forms for forms in charted) for word in _words(family_name)
    )


def _words(text: str) -> list[str]:
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf")
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen).casefold())
    return [word for word in _BETWEEN_WORDS.split(plain) if word]


def _forms(word: str) -> frozenset[str]:
    return frozenset((_without_accents(word.translate(_WRITTEN_OUT)), _without_accents(word)))


def _without_accents(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word.translate(_WITHOUT_STROKE))
    return "".join(part for part in parts if not unicodedata.combining(part))
