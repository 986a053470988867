"""Compare a search with names, record numbers and beds: without case, accents or punctuation.

A letter with two spellings is found by both: "mueller" and "muller" find Müller, "müller" finds
Mueller and Muller, "soerensen" and "sørensen" find each other, "strasse" finds Straße.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_SPELLINGS: Final = {
    "ä": ("a", "ae"),
    "ö": ("o", "oe"),
    "ü": ("u", "ue"),
    "å": ("a", "aa"),
    "æ": ("ae",),
    "ø": ("o", "oe"),
    "œ": ("oe",),
    "đ": ("d", "dj"),
}
"""Letters that are kept as they are, and how people write them without them."""
_PLAIN_LETTERS: Final = str.maketrans(
    {
        "ł": "l",
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
_IN_NAMES: Final = re.compile(r"[^\s,;/]+")
_LONGEST_WORD: Final = 200
"""Letters of a word that is looked for; a name has at most as many."""
_LONGEST_SEARCH: Final = 1000
"""Letters of a search that are looked at."""
_LABELS: Final = frozenset({"mrn", "bed", "ward"})
"""Words that name what follows them: "bed 12"."""


@lru_cache(maxsize=8192)
def plain_text(text: str) -> str:
    """Return ``text`` as searches compare it: "Łukasz O'Hára" and "lukasz ohara" are equal.

    The letters of ``_SPELLINGS`` stay.
    """
    whole = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(map(_plain_letter, whole.translate(_PLAIN_LETTERS)))


@lru_cache(maxsize=2048)
def _plain_letter(letter: str) -> str:
    if letter in _SPELLINGS:
        return letter
    parts = unicodedata.normalize("NFKD", letter).translate(_PLAIN_LETTERS)
    return "".join(each for each in parts if unicodedata.category(each) not in _NOT_COMPARED)


def search_words(typed: str) -> list[str]:
    """Return the words of a search for a patient, each as ``plain_text``."""
    words = plain_words(typed)
    return [word for word in words if word not in _LABELS] or words


def plain_words(typed: str) -> list[str]:
    """Return every word of ``typed``, as ``plain_text``."""
    return [word for word in _BETWEEN_WORDS.split(plain_text(typed[:_LONGEST_SEARCH])) if word]


class Place(NamedTuple):
    """Who and where a patient is, as searches compare it; ``numbers`` are record numbers."""

    name: str
    numbers: Iterable[str] = ()
    ward: str = ""
    bed: str = ""


def found_by(words: list[str], items: Iterable[T], place_of: Callable[[T], Place]) -> list[T]:
    """Return those of ``items`` that have each of ``words`` in name, record number or place.

    Where there is none, the "ue" of a word is looked for as "u" too: "mueller" finds Muller. A
    word that is longer than all names finds nothing.
    """
    if not words:
        return list(items)
    if max(map(len, words)) > _LONGEST_WORD:
        return []
    texts = [(item, _text_of(place_of(item))) for item in items]
    for each in (words, _with_kept_letters(words)):
        found = [item for item, text in texts if all(_pattern(word).search(text) for word in each)]
        if found:
            return found
    return []


def _text_of(place: Place) -> str:
    name, numbers, ward, bed = place
    numbered = "\n".join(numbers)
    return plain_text(f"{name}\n{numbered}\n{ward} {bed}\n{ward}{bed}")


def _with_kept_letters(words: Iterable[str]) -> list[str]:
    pairs = re.compile("|".join(pair for pair in _KEPT_LETTERS if len(pair) == 2))
    return [pairs.sub(lambda pair: _KEPT_LETTERS[pair[0]][0], word) for word in words]


def loosely_spelled(name: str) -> str:
    """Return a key that is equal for a name in any order of its words and in any spelling.

    "Jörg Müller", "MUELLER, Joerg" and "Muller Jorg" are the same.
    """
    return " ".join(sorted(map(_bare, _with_kept_letters(plain_words(name)))))


def spelling_text(typed: str, names: Iterable[str]) -> str:
    """Return a sentence with the parts of found ``names`` that are not spelled as typed, or ""."""
    found = other_spellings(search_words(typed), names)
    return f"Found by another spelling of “{typed}”: {', '.join(found)}." if found else ""


def other_spellings(words: list[str], names: Iterable[str]) -> list[str]:
    """Return the parts of ``names`` that ``words`` find by another spelling alone, each once."""
    wide_words = _with_kept_letters(words)
    patterns = [(_bare(word), _pattern(wide)) for word, wide in zip(words, wide_words, strict=True)]
    found = [
        part
        for name in names
        for part in _IN_NAMES.findall(name)
        if any(
            bare not in _bare(plain_text(part)) and pattern.search(plain_text(part))
            for bare, pattern in patterns
        )
    ]
    return list(dict.fromkeys(found))


def _bare(text: str) -> str:
    return "".join(_SPELLINGS[letter][0] if letter in _SPELLINGS else letter for letter in text)


@lru_cache(maxsize=512)
def _pattern(word: str) -> re.Pattern[str]:
    """Return what finds ``word`` in each of its spellings."""
    found, place = [], 0
    while place < len(word):
        pair = word[place : place + 2]
        length = 2 if pair in _KEPT_LETTERS else 1
        found.append(_spelled(word[place : place + length]))
        place += length
    return re.compile("".join(found))


def _spelled(written: str) -> str:
    """Return what finds a letter, or a pair of them that stands for one, in each spelling.

    A group that matched is never tried again in another way (``?>``): of a long row of such
    letters there would be more ways than can be tried.
    """
    if len(written) == 2:
        apart = "".join(map(_spelled, written))
        return f"(?>{apart}|[{''.join(_KEPT_LETTERS[written])}])"
    spellings = _SPELLINGS.get(written, (written,))
    letters = [written, *(letter for each in spellings for letter in _KEPT_LETTERS.get(each, ()))]
    longest_first = sorted({*letters, *spellings}, key=lambda each: (-len(each), each))
    return f"(?>{'|'.join(map(re.escape, longest_first))})"


_KEPT_LETTERS: Final[dict[str, list[str]]] = {}
"""The letters that each spelling stands for."""
for _letter, _spellings in _SPELLINGS.items():
    for _spelling in _spellings:
        _KEPT_LETTERS.setdefault(_spelling, []).append(_letter)
