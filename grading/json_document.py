"""JSON of a course file: every number as the decimal that it writes, no key twice."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any, Final

from grading.engine.units import NotANumberError, exact_decimal
from grading.faults import CourseFileError, Fault

_LONGEST_SHOWN: Final = 60
_LONGEST_NUMBER_SHOWN: Final = 40


def read_json(text: str | bytes) -> Any:
    """Return a JSON document with every number as the decimal that it writes.

    Raises CourseFileError.
    """
    try:
        return json.loads(
            text, parse_float=_Exactly, parse_int=_Exactly, parse_constant=_Exactly,
            object_pairs_hook=_object,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise CourseFileError([Fault("", f"not a JSON document: {error}")]) from None


class _Exactly(Decimal):
    """A JSON number, read as the decimal it writes."""

    def __new__(cls, text: str) -> _Exactly:
        try:
            return super().__new__(cls, exact_decimal(text))
        except NotANumberError:
            raise ValueError(
                f"{text[:_LONGEST_NUMBER_SHOWN]} is not a number that can be charted"
            ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    words = dict(pairs)
    if len(words) != len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = [key for key in words if times[key] > 1]
        raise ValueError(f'the key "{twice[0][:_LONGEST_SHOWN]}" stands twice in one object')
    return words
