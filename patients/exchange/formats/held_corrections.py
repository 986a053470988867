"""Which entry a proposal would correct: the one that its key is charted in, whoever charted it.

Without that, one tap would chart the same instant a second time. What people
charted is still theirs: a proposal changes nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from grading.engine.vocabulary import VITAL_SIGN
from patients.exchange.formats.chart_state import END_REPLACES, Chart, Words
from patients.exchange.formats.oxygen_sets import ONE_SET
from patients.exchange.formats.received import Held
from patients.exchange.formats.statements import kind_of, thing_of, values_of
from patients.exchange.formats.tapped_infusions import charted_infusion

END: Final = "end"
"""Key of a proposed infusion: when it ended. One tap charts that as a stop."""
OF_AN_END: Final = frozenset({END, END_REPLACES})
UNTIMED: Final = "infusion.change_untimed"
"""Reason of an infusion with another rate since nobody knows when."""

_OXYGEN: Final = "oxygen"
_OF_PARTS: Final = frozenset({"vitals", _OXYGEN})
"""Kinds of which one entry has the values of several keys."""
_ENTIRE: Final = "unvalidated"
"""Reason of a proposal that has all that its key states."""
_INFUSION: Final = "vasopressor"
_TEMPERATURES: Final = frozenset({"temperature_c", "temperature_f"})


def name_what_they_correct(chart: Chart) -> None:
    """Give each proposal the entry that it would correct.

    Of vital signs and oxygen it names its own values alone: the others of the entry stay, and its
    time where the parts of one setting of oxygen came one after another. Signs that the system
    moved to another time leave the entry, and the others stay at theirs. Of an infusion it names
    the stop too.
    """
    chart.held = [_naming(chart, one) for one in chart.held]


def _naming(chart: Chart, held: Held) -> Held:
    words = held.proposal
    if words is None or not held.key or words.get("kind") == "retraction":
        return held
    if words["kind"] == _INFUSION:
        return replace(held, proposal={**words, **_infusion_of(chart, held, words)})
    left_out = _left_out(chart, held, words) if held.reason == _ENTIRE else {}
    entry = _charted_in(chart, held.key, {**words, **left_out})
    if entry is None:
        return held
    charted = chart.entries[entry]
    is_one_setting = words["kind"] == _OXYGEN and _apart(charted, words) <= ONE_SET
    at = charted["at"] if is_one_setting else words["at"]
    return replace(held, proposal={**words, **left_out, "at": at, "replaces": entry})


def _infusion_of(chart: Chart, held: Held, words: Words) -> Mapping[str, Any]:
    """Return what an infusion would correct; bags that overlap correct none."""
    if held.reason not in (_ENTIRE, UNTIMED):
        return {}
    found = charted_infusion(chart, held.key, str(words["drug"]))
    if found is None:
        return {}
    has_stop = found.stop is not None and held.reason == _ENTIRE
    return {"replaces": found.start, **({END_REPLACES: found.stop} if has_stop else {})}


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
    if kind == _OXYGEN:  # a flow alone does not name its device
        return _apart(charted, words) <= ONE_SET or "device" in words
    if kind in _OF_PARTS:
        return not _apart(charted, words) or _has_one_of(charted, words)
    return thing_of(kind, charted) == thing_of(kind, words)


def _has_one_of(charted: Words, words: Words) -> bool:
    """Return whether an entry has a sign that ``words`` names."""
    names = set(words) | (_TEMPERATURES if _TEMPERATURES & set(words) else set())
    return any(charted.get(name) is not None for name in names & {*VITAL_SIGN, *_TEMPERATURES})


def _apart(one: Words, other: Words) -> timedelta:
    return abs(_at(one) - _at(other))


def _at(words: Words) -> datetime:
    return datetime.fromisoformat(str(words["at"]))


def _left_out(chart: Chart, held: Held, words: Words) -> Mapping[str, Any]:
    """Return what the key stated before and states no more, each as None."""
    known = chart.known.get(held.key)
    seen = None if known is None else known.seen
    if seen is None or kind_of(seen.content) not in _OF_PARTS:
        return {}
    return {name: None for name in values_of(seen.content) if name not in words}
