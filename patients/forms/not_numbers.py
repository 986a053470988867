"""Say what is wrong with a text that is no number, and which numbers can be read in two ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from grading.engine.units import is_plain_number
from patients.models.identifiers import invisible_in

_WITH_UNIT: Final = re.compile(
    r"[0-9]+(?:\.[0-9]+)?\s*"
    r"(?:%|°\s?[CF]?|[a-zA-Zµμ]*/[a-zA-Z/]+|mm\s?Hg|[kmnµμu]?g|mcg|lbs?|m[lL]|bpm|min)"
)
"""A number with its unit; no letter alone, which may be a digit: the o of 32o, the l of 4l."""
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_SHOWN: Final = 30
"""How much of a text a sentence repeats."""


def why_no_number(typed: str, unit: str = "") -> str:
    """Return what to do about ``typed``, which is no plain number; ``unit`` is that of its field.

    A number with a unit is not repeated: 1 g is no 1 in a field of milligrams.
    """
    unseen = invisible_in(typed)
    if unseen is not None and not unseen.isspace():
        name = unicodedata.name(unseen, f"character {ord(unseen):04X}").lower()
        return f"There is a character that cannot be seen ({name}). Type the number again."
    shown = f"“{' '.join(typed[:_SHOWN].split())}”"
    without_blanks = "".join(typed.split())
    if is_plain_number(without_blanks):
        return f"{shown} has a blank in it. Type one number, without blanks."
    plain = _in_ascii_digits(typed)
    if is_plain_number(plain):
        return f"{shown} is not in the digits 0 to 9. Type {plain[:_SHOWN]}."
    if _WITH_UNIT.fullmatch(typed):
        return f"Type the number alone, {f'in {unit}' if unit else 'without its unit'}."
    return f"{shown} is not a number. Type digits only."


def _in_ascii_digits(typed: str) -> str:
    return "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else unicodedata.normalize("NFKC", each)
        for each in typed
    )


def grouped_thousands(
    body: Mapping[str, Any], can_be: Callable[[Mapping[str, Any]], bool]
) -> Iterator[tuple[str, str]]:
    """Return a question for each number of ``body`` whose point may group thousands: "1.200".

    ``can_be`` says whether an entry with the number a thousand times as large is possible.
    """
    for key, typed in body.items():
        if isinstance(typed, str) and _GROUPED.fullmatch(typed):
            whole = typed.replace(".", "")
            if can_be({**body, key: whole}):
                yield key, f"{typed} is read with a decimal point. If it is {whole}, type {whole}."
