"""Device, flow and FiO2 of one system within 60 seconds of the first of them: one entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import OxygenDevice
from patients.exchange.formats.chart_state import Chart, Wanted
from patients.exchange.formats.context import KeyState, SystemKind
from patients.exchange.formats.derived import without
from patients.exchange.formats.plausible import unusual
from patients.exchange.formats.received import OxygenPart
from patients.exchange.formats.same_minute import rival
from patients.exchange.formats.sets import (
    Changed,
    current_entries,
    recorded_at_of,
    stated_after,
    times_of,
)
from patients.exchange.formats.statements import (
    OXYGEN_FIELDS,
    Statement,
    annotations_of,
    same_value,
    values_of,
    words_of,
)

ONE_SET: Final = timedelta(seconds=60)
"""How far apart the parts of one set may be, from the first of them."""

NO_DEVICE: Final = "oxygen.no_device"
CONTRADICTION: Final = "oxygen.contradiction"
_NONE_ADDED: Final = {"flow_l_per_min": "0", "fio2_percent": "21"}
"""Flow and FiO2 of room air, which add nothing to the device."""


@dataclass(slots=True)
class _Set:
    first: datetime
    parts: dict[str, Any] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)

    def takes(self, statement: Statement) -> bool:
        """Return whether a statement, not earlier than the others, belongs to the set."""
        if statement.at - self.first > ONE_SET:
            return False
        values = values_of(statement.content)
        twice = self.parts.keys() & values.keys()
        is_same_again = statement.at == self.statements[-1].at and all(
            same_value(self.parts[name], values[name]) for name in twice
        )
        return not twice or is_same_again

    def add(self, statement: Statement) -> None:
        self.parts |= values_of(statement.content)
        self.statements.append(statement)

    @property
    def at(self) -> datetime:
        return self.statements[-1].at

    @property
    def words(self) -> dict[str, Any]:
        words: dict[str, Any] = {"kind": "oxygen", "at": self.at.isoformat()}
        is_room_air = self.parts.get("device") == OxygenDevice.ROOM_AIR
        for name in OXYGEN_FIELDS:
            if name in self.parts and not (is_room_air and name in _NONE_ADDED):
                words[name] = self.parts[name]
        for statement in self.statements:
            words |= statement.extra
        with_device = sorted(
            self.statements, key=lambda one: "device" not in values_of(one.content)
        )
        return words | annotations_of(with_device, self.parts)

    @property
    def contradicts_itself(self) -> bool:
        if self.parts.get("device") != OxygenDevice.ROOM_AIR:
            return False
        return any(
            name in self.parts and not same_value(self.parts[name], value)
            for name, value in _NONE_ADDED.items()
        )


def wanted_oxygen(chart: Chart, changed: Changed) -> list[Wanted]:
    """Return the sets of oxygen that the message changes, as they are now."""
    after = stated_after(chart, changed, OxygenPart)
    times = times_of(chart, changed, after, OxygenPart)
    before = {key: one for key, one in chart.active.items() if isinstance(one.content, OxygenPart)}
    all_times = sorted({one.at for one in (*before.values(), *after.values())})
    wanted: list[Wanted] = []
    for near in _runs(all_times):
        if times.isdisjoint(near):
            continue
        keys = [key for key, one in before.items() if near[0] <= one.at <= near[-1]]
        parts = {key: one for key, one in after.items() if near[0] <= one.at <= near[-1]}
        wanted += _Sets(chart, keys, parts).wanted()
    return wanted


def grouped(parts: Iterable[Statement]) -> list[_Set]:
    """Return the sets that parts of oxygen make, in the order of their times."""
    sets: list[_Set] = []
    in_order = sorted(parts, key=lambda one: (one.at, "device" not in values_of(one.content)))
    for statement in in_order:
        if not sets or not sets[-1].takes(statement):
            sets.append(_Set(statement.at))
        sets[-1].add(statement)
    return sets


def as_last_charted(
    chart: Chart, statement: Statement, name: str = "", without: Iterable[str] = ()
) -> dict[str, Any] | None:
    """Return a part with the device that was charted last, None where there is none.

    ``without`` are entries that do not count.
    """
    earlier = [
        (at, str(words["device"]))
        for entry, words in chart.entries_in_force("oxygen")
        if entry not in without and (at := datetime.fromisoformat(str(words["at"]))) <= statement.at
    ]
    device = max(earlier)[1] if earlier else OxygenDevice.ROOM_AIR
    if device == OxygenDevice.ROOM_AIR:
        return None
    values = values_of(statement.content)
    part = {name: values[name]} if name else values
    return {"kind": "oxygen", "at": statement.at.isoformat(), "device": device, **part}


def _runs(times: Sequence[datetime]) -> Iterable[list[datetime]]:
    """Give the times in runs: none of one run is of one set with any of another."""
    run: list[datetime] = []
    for at in times:
        if run and at - run[-1] > ONE_SET:
            yield run
            run = []
        run.append(at)
    if run:
        yield run


class _Sets:
    """Parts of oxygen that are near in time: ``parts`` by key, those of this message too."""

    def __init__(self, chart: Chart, keys: Sequence[str], parts: dict[str, Statement]) -> None:
        self.chart = chart
        self.keys_before = tuple(keys)
        self.current = current_entries(chart, keys)
        self.parts = parts
        self.free = list(self.current)

    def wanted(self) -> list[Wanted]:
        self._hold_contradictions()
        wanted = [self._wanted(one) for one in grouped(self.parts.values())]
        wanted += [Wanted(None, self.keys_before, (entry,)) for entry in self.free]
        return [one for one in wanted if one is not None]

    def _is_new(self, statement: Statement) -> bool:
        return statement.key in self.chart.candidates

    def _put_back(self, statement: Statement) -> None:
        charted = self.chart.active.get(statement.key)
        if charted is None or not isinstance(charted.content, OxygenPart):
            self.parts.pop(statement.key, None)
        else:
            self.parts[statement.key] = charted

    def _hold_contradictions(self) -> None:
        """Hold newcomers of which another key has another value at the same instant."""
        contradicted = [
            (one, others)
            for one in self.parts.values()
            if self._is_new(one)
            and (others := [other for other in self.parts.values() if _contradict(one, other)])
        ]
        more = "another value of the same time came under another key"
        for statement, others in contradicted:
            names = {name for other in others for name in _contradicted(statement, other)}
            is_only_detail = "device" in values_of(statement.content) and "device" not in names
            if is_only_detail and all(self._is_new(other) for other in others):
                self._leave_out(names, statement, more)
            else:
                self._set_aside("duplicate.conflict", statement, more)

    def _leave_out(self, names: set[str], statement: Statement, more: str) -> None:
        """Hold a flow or an FiO2 of a part: its device is charted without."""
        words = words_of(statement)
        for name in sorted(names):
            self.chart.hold("duplicate.conflict", statement, name=name, words=words, more=more)
        left = without(statement, names)
        assert left is not None  # noqa: S101
        self.parts[statement.key] = self.chart.candidates[statement.key] = left

    def _set_aside(self, reason: str, statement: Statement, more: str) -> None:
        words = words_of(statement)
        proposal = words if "device" in words else as_last_charted(self.chart, statement)
        self.chart.set_aside(reason, statement, words=proposal, more=more)
        self._put_back(statement)

    def _wanted(self, one: _Set) -> Wanted | None:
        if "device" not in one.parts:
            self._hold_without_device(one)
            return None
        if one.contradicts_itself:
            return self._without_newcomers(one)
        if self.chart.context.kind is SystemKind.MONITOR and self._held_as_unusual(one):
            return self._without_newcomers(one, is_held=True)
        words = one.words
        entry = self._take_entry(one)
        is_as_before = entry is not None and _same(self.chart.entries[entry], words)
        found = None if is_as_before else rival(self.chart, words)
        if found is not None:
            return self._meet(one, found.entry, is_equal=found.is_equal, current=entry)
        keys = tuple(statement.key for statement in one.statements)
        self._remark_unusual(one, words)
        current = () if entry is None else (entry,)
        return Wanted(words, keys, current, recorded_at_of(self.chart, keys))

    def _take_entry(self, one: _Set) -> str | None:
        """Return the entry that the set stood in before, and keep it from the other sets."""
        for statement in one.statements:
            entry = self.chart.entry_now(statement.key)
            if entry in self.free:
                self.free.remove(entry)
                return entry
        return None

    def _hold_without_device(self, one: _Set) -> None:
        for statement in one.statements:
            if statement.key in self.chart.waiting and not self._is_new(statement):
                continue
            for name in values_of(statement.content):
                words = as_last_charted(self.chart, statement, name, self.current)
                more = "no device was sent with it" + _as_charted(words)
                self.chart.hold(NO_DEVICE, statement, name=name, words=words, more=more)
            self._wait(statement, NO_DEVICE)

    def _wait(self, statement: Statement, why: str) -> None:
        """Leave a part in its set, also one that was charted until its device was taken back."""
        source = statement.source
        self.chart.remember(source, KeyState.WAITING, statement, why=why)
        self.chart.waiting.add(statement.key)
        self.chart.candidates.pop(statement.key, None)

    def _without_newcomers(self, one: _Set, *, is_held: bool = False) -> Wanted | None:
        """Hold a set that contradicts itself, in one row; what was charted of it stands."""
        new = [statement for statement in one.statements if self._is_new(statement)]
        if not is_held and new:
            others = ", ".join(
                statement.source.place
                for statement in one.statements
                if statement is not new[0] and statement.source.place
            )
            more = "room air with oxygen" + (f"; with {others}" if others else "")
            self.chart.hold(CONTRADICTION, new[0], more=more)
        for statement in new:
            self.chart.remember_waiting(statement, CONTRADICTION)
        stands = [self._as_charted(each) if each in new else each for each in one.statements]
        sets = grouped(
            each for each in stands if each is not None and each.key not in self.chart.waiting
        )
        left = next((each for each in sets if "device" in each.parts), None)
        entry = self._take_entry(one)
        if left is None:
            return None if entry is None else Wanted(None, self.keys_before, (entry,))
        keys = tuple(statement.key for statement in left.statements)
        return Wanted(left.words, keys, () if entry is None else (entry,))

    def _as_charted(self, statement: Statement) -> Statement | None:
        """Return what was charted of the key of a statement that is held."""
        charted = self.chart.active.get(statement.key)
        is_part = charted is not None and isinstance(charted.content, OxygenPart)
        return charted if is_part else None

    def _held_as_unusual(self, one: _Set) -> bool:
        found = unusual(self.chart, one.words)
        new = [statement for statement in one.statements if self._is_new(statement)]
        for statement in new if found else ():
            words = one.words
            self.chart.hold("value.unusual", statement, words=words, more=found[0][1])
        return bool(found and new)

    def _remark_unusual(self, one: _Set, words: dict[str, Any]) -> None:
        for name, sentence in unusual(self.chart, words):
            for statement in one.statements:
                if self._is_new(statement) and name in values_of(statement.content):
                    self.chart.remark("value.unusual", statement.source.place, sentence)

    def _meet(self, one: _Set, entry: str, *, is_equal: bool, current: str | None) -> Wanted | None:
        """Confirm what people charted in this minute, or hold what differs from it."""
        for statement in one.statements:
            is_new = self._is_new(statement)
            if is_equal:
                self.chart.confirm(statement, entry, is_new=is_new)
            elif is_new:
                more = "people charted another value in this minute"
                self.chart.hold("conflict.same_minute", statement, words=one.words, more=more)
            if is_new:
                why = "" if is_equal else "conflict.same_minute"
                self.chart.remember_waiting(statement, why)
        if current is None:
            return None
        if is_equal:
            return Wanted(None, self.keys_before, (current,))
        return Wanted(self.chart.entries[current], self.keys_before, (current,))


def _as_charted(words: dict[str, Any] | None) -> str:
    if words is None:
        return ""
    return f"; as last charted: {inside_a_sentence(OxygenDevice(words['device']).label)}"


def _contradict(one: Statement, other: Statement) -> bool:
    return one.at == other.at and one.key != other.key and bool(_contradicted(one, other))


def _contradicted(one: Statement, other: Statement) -> set[str]:
    """Return what both state, and state otherwise."""
    mine, theirs = values_of(one.content), values_of(other.content)
    return {
        name for name in mine.keys() & theirs.keys() if not same_value(mine[name], theirs[name])
    }


def _same(words: Any, other: Any) -> bool:
    names = (*OXYGEN_FIELDS, "at")
    return same_value([words.get(name) for name in names], [other.get(name) for name in names])
