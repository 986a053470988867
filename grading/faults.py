"""Faults of a course file by place, and the readers of single values that find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeGuard, TypeVar

from grading.engine.times import can_be_charted
from grading.engine.units import NotANumberError, exact_decimal, is_plain_number
from grading.engine.vocabulary import EARLIEST, LATEST, Limits
from grading.plain_text import LONGEST_TEXT, disallowed_character, without_controls

Word = TypeVar("Word", bound=StrEnum)
_FARTHEST_OFFSET: Final = timedelta(hours=15, minutes=59)
_LONGEST_KEY: Final = 60
MOST_FAULTS: Final = 1000
"""Faults of one document that are named."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and where: ``entries[3].unit``, "expected ...".

    As text it is one line; a control character that it quotes is shown by its name.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return without_controls(f"{self.place or 'document'}: {self.message}")


class CourseFileError(ValueError):
    """A document that is refused whole; ``faults`` names every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class Place:
    """A spot in the document that collects what is wrong there. None is read as absent.

    ``charted``: the document is a row of the chart, or a form that was checked: times, numbers and
    text of the chart are read whatever they are.
    """

    def __init__(self, path: str, faults: list[Fault], *, charted: bool = False) -> None:
        self.path = path
        self.faults = faults
        self.charted = charted

    def at(self, key: str) -> Place:
        path = f"{self.path}.{key}" if self.path else key
        return Place(path, self.faults, charted=self.charted)

    def item(self, index: int) -> Place:
        return Place(f"{self.path}[{index}]", self.faults, charted=self.charted)

    def refuse(self, message: str) -> None:
        """Collect a fault; raises CourseFileError where there are too many to name them all."""
        self.faults.append(Fault(self.path, message))
        if len(self.faults) >= MOST_FAULTS:
            last = Fault("", f"more than {MOST_FAULTS} faults: the rest is not listed")
            raise CourseFileError([*self.faults, last])

    def only_keys(self, words: Mapping[str, Any], allowed: Iterable[str]) -> None:
        for key in words:
            if key not in allowed:
                self.at(str(key)[:_LONGEST_KEY]).refuse("no such key here")

    def mapping(self, raw: Any) -> Mapping[str, Any] | None:
        if isinstance(raw, Mapping):
            return raw
        self.refuse("required" if raw is None else "expected an object")
        return None

    def text(self, raw: Any, longest: int = LONGEST_TEXT) -> str:
        """Return text that a chart may hold, "" for None."""
        if raw is None:
            return ""
        if not isinstance(raw, str) or "\x00" in raw:
            self.refuse("expected text")
        elif self.charted:
            return raw
        elif (name := disallowed_character(raw)) is not None:
            self.refuse(f"expected text without control characters, found {name}")
        elif len(raw) > longest:
            self.refuse(f"expected at most {longest} characters, found {len(raw)}")
        else:
            return raw
        return ""

    def boolean(self, raw: Any) -> bool | None:
        if raw is None or isinstance(raw, bool):
            return raw
        self.refuse("expected true or false")
        return None

    def one_of(self, raw: Any, words: type[Word]) -> Word | None:
        if raw is None:
            return None
        if isinstance(raw, str) and raw in words.__members__.values():
            return words(raw)
        self.refuse("expected one of " + ", ".join(word.value for word in words))
        return None

    def number(
        self, raw: Any, limits: Limits | None = None, *, above_zero: bool = False
    ) -> Decimal | None:
        """Return an exact decimal within ``limits``; refuses what is no number or lies outside."""
        if raw is None:
            return None
        number = self._decimal(raw)
        if number is None:
            self.refuse("expected a number")
        elif limits is not None and not limits.allow(number):
            self.refuse(f"expected {limits.lowest:f} to {limits.highest:f}, found {number}")
        elif above_zero and number <= 0:
            self.refuse(f"expected a number above 0, found {number}")
        else:
            return number
        return None

    def _decimal(self, raw: Any) -> Decimal | None:
        if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
            return None
        if isinstance(raw, str) and not (self.charted or is_plain_number(raw)):
            return None
        try:
            return exact_decimal(str(raw))
        except NotANumberError:
            return None

    def time(self, raw: Any, *, keep_offset: bool = False) -> datetime | None:
        """Return an instant with its offset, brought to UTC unless the offset is wanted."""
        if raw is None:
            return None
        try:
            instant = datetime.fromisoformat(raw) if _is_plain(raw) else None
            in_utc = None if instant is None else instant.astimezone(UTC)
        except (ValueError, OverflowError):
            instant = in_utc = None
        if instant is None or instant.tzinfo is None or in_utc is None:
            self.refuse("expected a date and time with its offset, like 2014-01-06T12:00:00+00:00")
            return None
        if not self.charted and not can_be_charted(in_utc):
            self.refuse(f"expected a time from {EARLIEST.year} to {LATEST.year}")
            return None
        if not self.charted and abs(instant.utcoffset() or timedelta()) > _FARTHEST_OFFSET:
            self.refuse("expected an offset of less than 16 hours")
            return None
        return instant if keep_offset else in_utc

    def date(self, raw: Any) -> date | None:
        if raw is None:
            return None
        try:
            if _is_plain(raw):
                return date.fromisoformat(raw)
        except ValueError:
            pass
        self.refuse("expected a date like 2014-01-06")
        return None


def _is_plain(raw: Any) -> TypeGuard[str]:
    return isinstance(raw, str) and raw.isascii() and raw.isprintable()
