"""Exact arithmetic on measured amounts: nothing here rounds.

Charted numbers are ``Decimal``. Products of them are exact under ``EXACT``; where a conversion
divides (a pump's mL/h by sixty, a dose by a weight) the result is a ``Fraction``: one third of a
microgram has no finite decimal and the three-hour rule turns on "at least 20".
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from functools import cache, lru_cache
from typing import Final

MAX_DIGITS: Final = 60
"""Digits a charted number may have; beyond that it is a typing error, not a measurement."""

EXACT: Final = Context(prec=4 * MAX_DIGITS, traps=[Inexact, InvalidOperation])
"""Arithmetic on charted numbers that raises rather than rounds."""

Number = Decimal | Fraction

REMEMBERED: Final = 4096
"""Results that the cache of a pure function keeps."""

MINUTES_PER_HOUR: Final = 60
MINUTES_PER_DAY: Final = 24 * MINUTES_PER_HOUR
MICROGRAMS_PER_MILLIGRAM: Final = 1000


_PLAIN_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")


class NotANumberError(ValueError):
    """The text is not a plain decimal number."""


@cache
def minutes(number: int) -> timedelta:
    """Return a policy's number of minutes as a duration."""
    return timedelta(minutes=number)


def exact_decimal(text: str) -> Decimal:
    """Return the number that ``text`` writes, exactly.

    Raises NotANumberError for anything but a finite decimal of at most ``MAX_DIGITS`` digits.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise NotANumberError(text) from None
    _, digits, exponent = number.as_tuple()
    # The exponent of an infinity and of what is no number is a letter.
    if not isinstance(exponent, int) or abs(exponent) + len(digits) > MAX_DIGITS:
        raise NotANumberError(text)
    return number


def is_plain_number(text: str) -> bool:
    """Return whether ``text`` is a number as it may be typed or written in a file as text.

    ASCII digits with at most one decimal point and a leading sign: no exponent, blank, underscore
    or grouping.
    """
    return _PLAIN_NUMBER.fullmatch(text) is not None


def celsius(fahrenheit: Decimal) -> Number:
    """Degrees Celsius of a Fahrenheit reading, exactly: 100.4 °F is 38 °C and 100.399 °F is not."""
    exact = (Fraction(fahrenheit) - 32) * 5 / 9
    finite = as_decimal(exact)
    return exact if finite is None else finite


def as_decimal(number: Fraction) -> Decimal | None:
    """Return the finite decimal equal to ``number``, None where there is none (1/3)."""
    denominator, twos, fives = number.denominator, 0, 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        return None
    places = max(twos, fives)
    return Decimal(number.numerator * 10**places // number.denominator).scaleb(-places, EXACT)


def at_least(value: Number, threshold: Decimal) -> bool:
    """Return whether ``value`` reaches ``threshold``; equal counts."""
    if isinstance(value, Decimal):
        return value >= threshold
    return value >= Fraction(threshold)


@lru_cache(REMEMBERED)
def format_number(number: Number, places: int = 3) -> str:
    """``number`` for a reader: shortest exact form, or marked as shortened by "≈".

    Only for text; nothing is ever compared after this.
    """
    exact = number if isinstance(number, Decimal) else as_decimal(number)
    if exact is not None and -int(exact.normalize().as_tuple().exponent) <= places:
        text = f"{exact + 0:f}" if exact.is_zero() else f"{exact:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"≈{float(number):.{places}f}"
