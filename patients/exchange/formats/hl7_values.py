"""Values of HL7 v2 fields: numbers, ranges, times and text (HL7 v2.9, chapters 2 and 2A)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

NULL: Final = '""'
"""A field that says that there is no value."""
LONGEST_NUMBER: Final = 60
"""Digits of a number; no measurement has more."""
_NUMBER: Final = re.compile(r"([+-]?)([0-9]+)(\.[0-9]+)?")
_RANGE: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?) *- *([+-]?[0-9]+(?:\.[0-9]+)?)")
_BOUND: Final = re.compile(r"(<=|<|>) *([+-]?[0-9]+(?:\.[0-9]+)?)")
_TIME: Final = re.compile(
    r"(?P<date>[0-9]{8})(?:(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})"
    r"(?:(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]{1,6}))?)?)?)?(?P<offset>[+-][0-9]{4})?"
)
_COARSE: Final = re.compile(r"[0-9]{4}(?:[0-9]{2})?(?:[+-][0-9]{4})?")


class UnreadTimeError(Exception):
    """A time that names no instant; ``reason`` is a reason word of the exchange."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Separators:
    """The characters of MSH-1 and MSH-2 that take a message apart."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    def unescaped(self, text: str, decoded: Callable[[bytes], str]) -> str:
        """Return ``text`` with its escape sequences resolved (HL7 v2.9, 2.7).

        ``decoded`` reads the bytes of a hexadecimal sequence. Highlighting is left out, a line
        break becomes a line end, and a sequence that is not known stays as it was sent.
        """
        if not self.escape or self.escape not in text:
            return text
        escape = re.escape(self.escape)
        sequence = re.compile(f"{escape}([^{escape}]*){escape}")
        return sequence.sub(lambda found: self._meaning(found, decoded), text)

    def _meaning(self, found: re.Match[str], decoded: Callable[[bytes], str]) -> str:
        plain = {
            "F": self.field, "S": self.component, "R": self.repetition, "T": self.subcomponent,
            "E": self.escape, "H": "", "N": "", ".br": "\n",
        }  # fmt: skip
        word = found[1]
        if word in plain:
            return plain[word]
        if word.startswith("X"):
            try:
                return decoded(bytes.fromhex(word[1:]))
            except ValueError:  # no hexadecimal digits, or no text in this charset
                return found[0]
        return found[0]


def number_text(text: str) -> str | None:
    """Return a number of type NM without plus and leading zeros, trailing zeros kept, else None."""
    found = _NUMBER.fullmatch(text.strip(" "))
    if found is None or len(found[0]) > LONGEST_NUMBER:
        return None
    sign = "-" if found[1] == "-" else ""
    return f"{sign}{found[2].lstrip('0') or '0'}{found[3] or ''}"


def reference_range(text: str) -> tuple[str | None, str | None] | None:
    """Return lower and upper limit of OBX-7, None where it is of no form that is read."""
    whole = _RANGE.fullmatch(text)
    if whole is not None:
        return number_text(whole[1]), number_text(whole[2])
    bound = _BOUND.fullmatch(text)
    if bound is None:
        return None
    limit = number_text(bound[2])
    return (limit, None) if bound[1] == ">" else (None, limit)


def instant(text: str, zone: tzinfo) -> datetime:
    """Return the instant of a field of type DTM or TS; without an offset it is a time of ``zone``.

    Raises ``UnreadTimeError``: ``time.missing``; ``time.partial`` without a minute;
    ``time.ambiguous`` where the clocks of the zone show it twice or never; ``invalid``.
    """
    if text in ("", NULL):
        raise UnreadTimeError("time.missing")
    if _COARSE.fullmatch(text):
        raise UnreadTimeError("time.partial")
    found = _TIME.fullmatch(text)
    if found is None:
        raise UnreadTimeError("invalid")
    clock = _clock(found)
    if found["minute"] is None:
        raise UnreadTimeError("time.partial")
    try:
        if found["offset"]:
            moment = clock.replace(tzinfo=_offset(found["offset"]))
        else:
            moment = _in_zone(clock, zone)
        moment.astimezone(timezone.utc)  # noqa: UP017
    except (ValueError, OverflowError) as error:
        raise UnreadTimeError("invalid") from error
    return moment


def _clock(found: re.Match[str]) -> datetime:
    digits = f"{found['date']}{found['hour'] or '00'}{found['minute'] or '00'}"
    part = (found["part"] or "").ljust(6, "0")
    try:
        clock = datetime.strptime(digits + (found["second"] or "00"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise UnreadTimeError("invalid") from error
    return clock.replace(microsecond=int(part))


def _offset(text: str) -> timezone:
    hours, minutes = int(text[1:3]), int(text[3:])
    if hours > 14 or minutes > 59:
        raise UnreadTimeError("invalid")
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if text[0] == "-" else size)


def _in_zone(clock: datetime, zone: tzinfo) -> datetime:
    early, late = (clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        raise UnreadTimeError("time.ambiguous")
    return early
