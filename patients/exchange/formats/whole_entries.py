"""Statements that are an entry each: results, weights, treatments, findings, baselines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from patients.exchange.formats.chart_state import Chart, Wanted
from patients.exchange.formats.context import SystemKind
from patients.exchange.formats.contradictions import JOINED
from patients.exchange.formats.plausible import LIMITS_OF_NORMAL, unusual
from patients.exchange.formats.received import WholeEntry
from patients.exchange.formats.same_minute import result_compared, rival
from patients.exchange.formats.sets import (
    Changed,
    current_entries,
    recorded_at_of,
    stated_after,
)
from patients.exchange.formats.statements import (
    Statement,
    kind_of,
    same_value,
    thing_of,
    values_of,
    words_of,
)

_Group = tuple[str, str, datetime | None]


def wanted_entries(chart: Chart, changed: Changed) -> list[Wanted]:
    """Return the entries that the message changes, as they are now."""
    after = stated_after(chart, changed, WholeEntry)
    before = {key: one for key, one in chart.active.items() if isinstance(one.content, WholeEntry)}
    groups = {
        _group_of(statement): None
        for key in changed
        for statement in (before.get(key), after.get(key))
        if statement is not None
    }
    by_group: dict[_Group, dict[str, Statement]] = {group: {} for group in groups}
    for key, statement in after.items():
        if (group := _group_of(statement)) in groups:
            by_group[group][key] = statement
    wanted: list[Wanted] = []
    for group, statements in by_group.items():
        keys = [key for key, one in before.items() if _group_of(one) == group]
        found = _Entry(chart, keys, statements).wanted()
        wanted += [] if found is None else [found]
    return wanted


def _group_of(statement: Statement) -> _Group:
    """Return what the statements of one entry share."""
    kind = kind_of(statement.content)
    if statement.joined:
        return kind, statement.joined, None
    return kind, thing_of(kind, values_of(statement.content), statement.key), statement.at


class _Entry:
    """One entry: the statements of one thing at one time, or those that were one entry."""

    def __init__(self, chart: Chart, keys: list[str], statements: dict[str, Statement]) -> None:
        self.chart = chart
        self.keys_before = tuple(keys)
        self.current = current_entries(chart, keys)
        self.statements = statements

    def wanted(self) -> Wanted | None:
        self._hold_contradictions()
        self._hold_unusual()
        if not self.statements:
            return Wanted(None, self.keys_before, self.current) if self.current else None
        words = self._words()
        charted = self.chart.entries[self.current[0]] if self.current else None
        found = rival(self.chart, words)
        if found is not None and not (charted and _same(charted, words)):
            self._meet(found.entry, is_equal=found.is_equal)
            if charted is None:
                return None
            left = None if found.is_equal else charted
            return Wanted(left, self.keys_before, self.current)
        keys = tuple(self.statements)
        self._remark_unusual(words)
        return Wanted(words, keys, self.current, recorded_at_of(self.chart, keys))

    def _words(self) -> dict[str, Any]:
        words: dict[str, Any] = {}
        for statement in self.statements.values():
            words = words_of(statement) | {
                name: value for name, value in words.items() if name != "at"
            }
        return words

    def _newcomers(self) -> list[Statement]:
        return [one for key, one in self.statements.items() if key in self.chart.candidates]

    def _put_back(self, statement: Statement) -> None:
        charted = self.chart.active.get(statement.key)
        if charted is not None and _group_of(charted) == _group_of(statement):
            self.statements[statement.key] = charted
        else:
            self.statements.pop(statement.key, None)

    def _hold_contradictions(self) -> None:
        """Hold newcomers of which another key has another value; what is charted stands."""
        contradicted = [
            one
            for one in self._newcomers()
            if any(
                other.key != one.key and _contradict(one, other)
                for other in self.statements.values()
            )
        ]
        for statement in contradicted:
            more = "another value of the same time came under another key"
            words = words_of(statement)
            self.chart.set_aside("duplicate.conflict", statement, words=words, more=more)
            self._put_back(statement)

    def _hold_unusual(self) -> None:
        """Hold what a form would ask about: all of a monitor, of others limits of normal alone.

        A limit of another unit's report decides the grade unasked. What people charted in the same
        minute is compared with that.
        """
        is_monitor = self.chart.context.kind is SystemKind.MONITOR
        for statement in self._newcomers():
            words = words_of(statement)
            found = unusual(self.chart, words, self.current)
            if not is_monitor:
                found = [one for one in found if one[0] in LIMITS_OF_NORMAL]
                was_asked = statement.was_charted or not self.chart.holds_limits
                if was_asked or (found and rival(self.chart, words) is not None):
                    continue
            if found:
                more = found[0][1]
                self.chart.set_aside("value.unusual", statement, words=words, more=more)
                self._put_back(statement)

    def _remark_unusual(self, words: Mapping[str, Any]) -> None:
        newcomers = self._newcomers()
        for name, sentence in unusual(self.chart, words, self.current) if newcomers else ():
            for statement in newcomers:
                if len(newcomers) == 1 or name in values_of(statement.content):
                    self.chart.remark("value.unusual", statement.source.place, sentence)

    def _meet(self, entry: str, *, is_equal: bool) -> None:
        for statement in list(self.statements.values()):
            is_new = statement.key in self.chart.candidates
            if is_equal:
                self.chart.confirm(statement, entry, is_new=is_new)
            elif is_new:
                words, more = words_of(statement), "people charted another value in this minute"
                self.chart.hold("conflict.same_minute", statement, words=words, more=more)
            if is_new:
                why = "" if is_equal else "conflict.same_minute"
                self.chart.remember_waiting(statement, why)


def _contradict(one: Statement, other: Statement) -> bool:
    mine, theirs = values_of(one.content), values_of(other.content)
    if kind_of(one.content) in JOINED:
        return any(not same_value(mine[name], theirs[name]) for name in mine.keys() & theirs.keys())
    if kind_of(one.content) == "lab":
        mine, theirs = result_compared(mine), result_compared(theirs)
    return not same_value(mine, theirs)


def _same(words: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    left = {"id", "recorded_at", "replaces", "note", "attribution"}
    return same_value(
        {name: value for name, value in words.items() if name not in left and value is not None},
        {name: value for name, value in other.items() if name not in left and value is not None},
    )
