"""Which entry a proposal would correct: the one that its key is charted in, whoever charted it.

Without that, one tap would chart the same instant a second time. What people
charted is still theirs: a proposal changes nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from patients.exchange.formats.chart_state import Chart, Words
from patients.exchange.formats.oxygen_sets import ONE_SET
from patients.exchange.formats.received import Held
from patients.exchange.formats.statements import kind_of, thing_of, values_of

_OXYGEN: Final = "oxygen"
_OF_PARTS: Final = frozenset({"vitals", _OXYGEN})
"""Kinds of which one entry has the values of several keys."""
_ENTIRE: Final = "unvalidated"
"""Reason of a proposal that has all that its key states."""
_NOT_CORRECTED: Final = frozenset({"retraction", "vasopressor"})
"""Of an infusion nobody knows since when it has another rate."""


def name_what_they_correct(chart: Chart) -> None:
    """Give each proposal the entry that it would correct.

    Of vital signs and oxygen it names its own values alone: the others of the entry stay, and its
    time where the parts of one setting of oxygen came one after another.
    """
    chart.held = [_naming(chart, one) for one in chart.held]


def _naming(chart: Chart, held: Held) -> Held:
    words = held.proposal
    if words is None or not held.key or words.get("kind") in _NOT_CORRECTED:
        return held
    entry = _charted_in(chart, held.key, words)
    if entry is None:
        return held
    left_out = _left_out(chart, held, words) if held.reason == _ENTIRE else {}
    at = chart.entries[entry]["at"] if words["kind"] == _OXYGEN else words["at"]
    return replace(held, proposal={**words, **left_out, "at": at, "replaces": entry})


def _charted_in(chart: Chart, key: str, words: Words) -> str | None:
    """Return the entry in force about the same thing that ``key`` is charted in, or None."""
    for entry in _entries_of(chart, key):
        while entry in chart.replaced_by:
            entry = chart.replaced_by[entry]
        if chart.in_force(entry) and _is_about_the_same(chart.entries[entry], words):
            return entry
    return None


def _entries_of(chart: Chart, key: str) -> Iterator[str]:
    tapped, known = chart.context.tapped.get(key), chart.known.get(key)
    if tapped is not None:
        yield from reversed(tapped.entries)
    if known is not None and known.entry is not None:
        yield known.entry


def _is_about_the_same(charted: Words, words: Words) -> bool:
    kind = str(words["kind"])
    if charted["kind"] != kind:
        return False
    apart = abs(_at(charted) - _at(words))
    if kind == _OXYGEN:
        return apart <= ONE_SET
    if kind in _OF_PARTS:  # the other values of the entry would be moved to another time
        return not apart
    return thing_of(kind, charted) == thing_of(kind, words)


def _at(words: Words) -> datetime:
    return datetime.fromisoformat(str(words["at"]))


def _left_out(chart: Chart, held: Held, words: Words) -> Mapping[str, Any]:
    """Return what the key stated before and states no more, each as None."""
    known = chart.known.get(held.key)
    seen = None if known is None else known.seen
    if seen is None or kind_of(seen.content) not in _OF_PARTS:
        return {}
    return {name: None for name in values_of(seen.content) if name not in words}
