"""Vital signs of one instant from one system: one entry, whatever messages they came in.

A blood pressure reading takes the place of the one before it whole, so that a mean pressure must
not be charted apart from the systolic one that came with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from grading.engine.units import celsius, exact_decimal
from grading.engine.vocabulary import FAHRENHEIT, VITAL_SIGN
from patients.exchange.formats.chart_state import Chart, Wanted
from patients.exchange.formats.context import SystemKind
from patients.exchange.formats.derived import without
from patients.exchange.formats.plausible import unusual
from patients.exchange.formats.received import Signs
from patients.exchange.formats.same_minute import Rival, names_together, rival_signs
from patients.exchange.formats.sets import (
    Changed,
    current_entries,
    recorded_at_of,
    stated_after,
    times_of,
)
from patients.exchange.formats.statements import (
    PRESSURES,
    Statement,
    annotations_of,
    same_value,
    values_of,
    words_of,
)

_ORDER: Final = (FAHRENHEIT.key, *VITAL_SIGN)
_OTHER_SCALE: Final = {FAHRENHEIT.key: "temperature_c"}
_Signs = dict[str, Any]


def wanted_signs(chart: Chart, changed: Changed) -> list[Wanted]:
    """Return the sets of vital signs that the message changes, as they are now.

    Their values are as they now are; a set of which nothing is left has no entry.
    """
    after = stated_after(chart, changed, Signs)
    return [
        _Set(chart, at, {key: one for key, one in after.items() if one.at == at}).wanted()
        for at in sorted(times_of(chart, changed, after, Signs))
    ]


class _Set:
    """The vital signs of one instant: ``statements`` by key, those of this message too."""

    def __init__(self, chart: Chart, at: datetime, statements: dict[str, Statement]) -> None:
        self.chart = chart
        self.at = at
        self.statements = statements
        before = {
            key
            for key, one in chart.active.items()
            if one.at == at and isinstance(one.content, Signs)
        }
        self.current = current_entries(chart, before)
        self.keys_before = tuple(before)
        self.taken: dict[str, frozenset[str]] = {}

    def wanted(self) -> Wanted:
        self._put_cuff_aside()
        self._hold_contradictions()
        words = self._words(self._signs())
        if self.chart.context.kind is SystemKind.MONITOR:
            self._hold_unusual(words)
        words = self._words(self._signs())
        signs = self._left_by_people(words)
        if not signs:
            return Wanted(None, self.keys_before, self.current)
        words = self._words(signs)
        self._remark_unusual(words)
        keys = tuple(key for key, one in self.statements.items() if self._gives(key, one, signs))
        recorded_at = recorded_at_of(self.chart, keys)
        return Wanted(words, keys, self.current, recorded_at)

    def _gives(self, key: str, statement: Statement, signs: _Signs) -> bool:
        names = self._names(key, statement)
        return any(name in signs or _OTHER_SCALE.get(name) in signs for name in names)

    def _names(self, key: str, statement: Statement) -> list[str]:
        left = self.taken.get(key, frozenset())
        return [name for name in values_of(statement.content) if name not in left]

    def _signs(self) -> _Signs:
        """Return every sign with its value."""
        signs: _Signs = {}
        for key, statement in self.statements.items():
            values = values_of(statement.content)
            signs |= {name: values[name] for name in self._names(key, statement)}
        if _OTHER_SCALE[FAHRENHEIT.key] in signs:
            signs.pop(FAHRENHEIT.key, None)
        return {name: signs[name] for name in _ORDER if name in signs}

    def _words(self, signs: _Signs) -> dict[str, Any]:
        statements = [one for key, one in self.statements.items() if self._gives(key, one, signs)]
        words = {"kind": "vitals", "at": self.at.isoformat(), **signs}
        return words | (annotations_of(statements, signs) if statements else {})

    def _newcomers(self) -> list[Statement]:
        return [one for key, one in self.statements.items() if key in self.chart.candidates]

    def _put_back(self, statement: Statement) -> None:
        """Let what was charted of a key stand in place of a statement that is held."""
        charted = self.chart.active.get(statement.key)
        if charted is not None and charted.at == self.at:
            self.statements[statement.key] = charted
        else:
            self.statements.pop(statement.key, None)

    def _put_cuff_aside(self) -> None:
        """Chart the arterial pressure and hold that of the cuff: two readings, not one."""
        by_method: dict[str, list[Statement]] = {"arterial": [], "cuff": []}
        for statement in self.statements.values():
            if isinstance(statement.content, Signs) and _pressures(statement):
                by_method.get(statement.content.method, []).append(statement)
        arterial: _Signs = {}
        for statement in by_method["arterial"]:
            arterial |= _pressures(statement)
        if not arterial:
            return
        for statement in by_method["cuff"]:
            if not same_value(_pressures(statement), arterial):
                self._hold_cuff(statement)

    def _hold_cuff(self, statement: Statement) -> None:
        reason, chart = "duplicate.method", self.chart
        if statement.key in chart.candidates:
            more = "an arterial pressure of the same time is charted"
            chart.hold(reason, statement, words=words_of(statement), more=more)
            chart.remember_waiting(statement, reason)
        elif statement.key not in chart.waiting:
            place = next(one.source.place for one in self._newcomers())
            chart.remark(reason, place, "it takes the place of the pressure by cuff")
            chart.remember_waiting(statement, reason)
        self.statements.pop(statement.key)

    def _hold_contradictions(self) -> None:
        """Hold newcomers that contradict another key; what is charted stands."""
        compared = {key: _comparable(one) for key, one in self.statements.items()}
        values: dict[str, set[Any]] = {}
        for each in compared.values():
            for name, value in each.items():
                values.setdefault(name, set()).add(value)
        several = {name for name, found in values.items() if len(found) > 1}
        together = {other for name in several for other in names_together(name)}
        more = "another value of the same time came under another key"
        for statement in self._newcomers():
            if several & compared[statement.key].keys():
                own = [name for name in values_of(statement.content) if name in together]
                self._hold_names("duplicate.conflict", statement, own, more)

    def _questions(self, words: Mapping[str, Any]) -> list[tuple[str, str]]:
        has_signs = any(name in words for name in _ORDER)
        return unusual(self.chart, words) if has_signs else []

    def _hold_unusual(self, words: Mapping[str, Any]) -> None:
        """Hold what is unusual; of a pressure the whole reading: a part may be an artefact."""
        done: set[tuple[str, ...]] = set()
        for name, sentence in self._questions(words):
            names = names_together(name)
            if names in done:
                continue
            done.add(names)
            for statement in self._newcomers():
                own = [each for each in names if each in values_of(statement.content)]
                if own:
                    self._hold_names("value.unusual", statement, own, sentence)

    def _hold_names(self, reason: str, statement: Statement, names: list[str], more: str) -> None:
        """Hold signs of a statement: they are no part of it from now on, later messages too."""
        words = _part(statement, names)
        self.chart.hold(reason, statement, name=_only(names), words=words, more=more)
        left = without(statement, names)
        if left is None:
            self.chart.remember_aside(statement, reason)
            self._put_back(statement)
        else:
            self.statements[statement.key] = self.chart.candidates[statement.key] = left

    def _remark_unusual(self, words: Mapping[str, Any]) -> None:
        for name, sentence in self._questions(words):
            for statement in self._newcomers():
                if name in values_of(statement.content):
                    place = statement.content.places if isinstance(statement.content, Signs) else {}
                    self.chart.remark(
                        "value.unusual", place.get(name, statement.source.place), sentence
                    )

    def _left_by_people(self, words: Mapping[str, Any]) -> _Signs:
        """Return the signs without those that people charted in this minute."""
        signs = {name: words[name] for name in _ORDER if name in words}
        charted = self.chart.entries[self.current[0]] if self.current else {}
        for names in dict.fromkeys(names_together(name) for name in signs):
            new = {name: signs[name] for name in names if name in signs}
            old = {name: charted[name] for name in names if charted.get(name) is not None}
            if same_value(new, old):
                continue
            found = rival_signs(self.chart, words, names)
            if found is None:
                continue
            self._meet(found, names)
            signs = {name: value for name, value in signs.items() if name not in names}
            signs |= {} if found.is_equal else old
        return {name: signs[name] for name in _ORDER if name in signs}

    def _meet(self, found: Rival, names: tuple[str, ...]) -> None:
        """Confirm what people charted, or hold what differs from it."""
        for statement in list(self.statements.values()):
            own = [name for name in names if name in values_of(statement.content)]
            is_new = statement.key in self.chart.candidates
            if not own or not (is_new or statement.key in self.chart.waiting):
                continue
            if found.is_equal:
                self.chart.confirm(statement, found.entry, name=_only(own), is_new=is_new)
            elif is_new:
                more = "people charted another value in this minute"
                words = _part(statement, own)
                reason, name = "conflict.same_minute", _only(own)
                self.chart.hold(reason, statement, name=name, words=words, more=more)
            self._leave(statement, own, "" if found.is_equal else "conflict.same_minute")

    def _leave(self, statement: Statement, names: list[str], why: str) -> None:
        """Leave signs out of the set; a statement of which nothing is left waits."""
        taken = self.taken.get(statement.key, frozenset()) | set(names)
        self.taken[statement.key] = taken
        if not taken >= values_of(statement.content).keys():
            return
        self.chart.remember_waiting(statement, why)
        if why:
            self.taken.pop(statement.key)
            self._put_back(statement)
            self._take_waiting(statement)

    def _take_waiting(self, statement: Statement) -> None:
        """Leave out what waits again where nothing else of its key was charted."""
        if self.statements.get(statement.key) is statement:
            self.taken[statement.key] = frozenset(values_of(statement.content))


def _only(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ""


def _part(statement: Statement, names: tuple[str, ...] | list[str]) -> dict[str, Any]:
    left = values_of(statement.content).keys() - set(names)
    return {name: value for name, value in words_of(statement).items() if name not in left}


def _pressures(statement: Statement) -> _Signs:
    values = values_of(statement.content)
    return {name: values[name] for name in PRESSURES if name in values}


def _comparable(statement: Statement) -> dict[str, Any]:
    values = {
        name: exact_decimal(str(value)) for name, value in values_of(statement.content).items()
    }
    fahrenheit = values.pop(FAHRENHEIT.key, None)
    compared: dict[str, Any] = dict(values)
    return compared if fahrenheit is None else compared | {"temperature_c": celsius(fahrenheit)}
