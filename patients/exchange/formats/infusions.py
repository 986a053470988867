"""Infusions of one drug from one system: periods of bags, and the rates that they make together.

Two bags that run at once make a dose that nobody has stated: adding their rates would be a guess.
The drug runs all the same, so that its rate is not known while they overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patients.exchange.formats.chart_state import Chart, Wanted
from patients.exchange.formats.context import SystemKind
from patients.exchange.formats.contradictions import stop_words
from patients.exchange.formats.plausible import unusual
from patients.exchange.formats.received import Infusion
from patients.exchange.formats.same_minute import rival
from patients.exchange.formats.sets import Changed, recorded_at_of, stated_after
from patients.exchange.formats.statements import Statement, same_value, words_of

OVERLAP: Final = "infusion.overlap"
_END: Final = "\0end"


@dataclass(frozen=True, slots=True)
class _Period:
    """One bag or rate: from ``start`` to ``end``, None where it runs on."""

    statement: Statement
    start: datetime
    end: datetime | None
    fields: Mapping[str, Any]
    end_words: Mapping[str, Any]

    @property
    def key(self) -> str:
        return self.statement.key

    @property
    def is_an_instant(self) -> bool:
        return self.start == self.end

    def runs_at(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)

    def overlaps(self, other: _Period) -> bool:
        """Return whether both run at some time; what is an instant runs at that instant."""
        if other.is_an_instant:
            return not self.is_an_instant and self.start < other.start and self.runs_at(other.start)
        if self.is_an_instant:
            return other.overlaps(self)
        return self.runs_at(other.start) or other.runs_at(self.start)


@dataclass(frozen=True, slots=True)
class _Point:
    """What holds of a drug from ``at`` on; ``keys`` are the bags that begin or end there."""

    at: datetime
    words: Mapping[str, Any]
    keys: tuple[str, ...]


def wanted_infusions(chart: Chart, changed: Changed) -> list[Wanted]:
    """Return the rates of each drug of the message, as they now follow one another."""
    after = stated_after(chart, changed, Infusion)
    drugs = {
        str(statement.content.fields["drug"])
        for key in changed
        for statement in (chart.active.get(key), after.get(key))
        if statement is not None and isinstance(statement.content, Infusion)
    }
    before = [one for one in chart.active.values() if isinstance(one.content, Infusion)]
    wanted: list[Wanted] = []
    for drug in sorted(drugs):
        wanted += _Drug(chart, drug, before, after.values()).wanted()
    return wanted


class _Drug:
    """All that a system states of one drug."""

    def __init__(
        self, chart: Chart, drug: str, before: Iterable[Statement], after: Iterable[Statement]
    ) -> None:
        self.chart = chart
        self.drug = drug
        self.before = [one for one in map(_period, before) if one.fields["drug"] == drug]
        self.periods = [one for one in map(_period, after) if one.fields["drug"] == drug]
        self.overruled = self._overruled()
        self.also: dict[str, list[_Period]] = {}

    def _overruled(self) -> set[datetime]:
        """Return the times of own entries of the drug that people corrected or retracted."""
        return {
            datetime.fromisoformat(str(words["at"]))
            for identity, words in self.chart.entries.items()
            if words.get("drug") == self.drug
            and identity in self.chart.own
            and self.chart.overruled_by(identity) is not None
        }

    def wanted(self) -> list[Wanted]:
        self._hold_overruled_ends()
        if self.chart.context.kind is SystemKind.MONITOR:
            self._hold_unusual()
        self._join_equal()
        self._report_overlaps()
        self._close_overlaps()
        current = {
            datetime.fromisoformat(str(words["at"])): identity
            for identity, words in self.chart.entries_in_force("vasopressor")
            if identity in self.chart.own and words["drug"] == self.drug
        }
        wanted: list[Wanted] = []
        for point in self._points():
            entry = current.get(point.at)
            if entry is None and point.at in self.overruled and not self._is_new(point):
                continue
            if entry is None and self._is_of_people(point):
                continue
            current.pop(point.at, None)
            self._remark_unusual(point)
            ids = () if entry is None else (entry,)
            wanted.append(
                Wanted(point.words, point.keys, ids, recorded_at_of(self.chart, point.keys))
            )
        return wanted + [self._gone(at, entry) for at, entry in current.items()]

    def _is_new(self, point: _Point) -> bool:
        """Return whether a bag of the message begins or ends at a point where it did not before."""
        charted = {one.key for one in self.before if one.start == point.at}
        charted |= {one.key + _END for one in self.before if one.end == point.at}
        return any(
            key not in charted and key.removesuffix(_END) in self.chart.candidates
            for key in point.keys
        )

    def _gone(self, at: datetime, entry: str) -> Wanted:
        """Return that an own entry does not hold any more, with the bags it was of."""
        starts = [one.key for one in self.before if one.start == at]
        ends = [one.key + _END for one in self.before if one.end == at]
        return Wanted(None, (*starts, *ends), (entry,))

    def _points(self) -> list[_Point]:
        times = {one.start for one in self.periods}
        times |= {one.end for one in self.periods if one.end is not None}
        points: list[_Point] = []
        running: list[_Period] = []
        for at in sorted(times):
            before = running
            running = [one for one in self.periods if one.runs_at(at)]
            point = self._point(at, before, running)
            if point is not None:
                points.append(point)
            elif points:
                points[-1] = self._with_starts(points[-1], at)
        return points

    def _with_starts(self, point: _Point, at: datetime) -> _Point:
        """Add the bags that begin while the rate is not known: they change nothing."""
        keys = self._all_keys(one for one in self.periods if one.start == at)
        return _Point(point.at, point.words, (*point.keys, *keys))

    def _point(self, at: datetime, before: list[_Period], running: list[_Period]) -> _Point | None:
        begun = [one for one in self.periods if one.start == at]
        keys = self._all_keys(begun)
        ended = self._with_equal(one for one in self.periods if one.end == at)
        keys += tuple(one.key + _END for one in ended)
        if not running:
            return _Point(at, self._stop(at, before, begun), keys)
        if len(running) == 1:
            is_alone_now = running[0] in begun or len(before) > 1
            return _Point(at, _rate(at, running[0]), keys) if is_alone_now else None
        if len(before) > 1:
            return None
        return _Point(at, self._words(at, None), keys)

    def _words(self, at: datetime, rate: str | None) -> dict[str, Any]:
        return {"kind": "vasopressor", "at": at.isoformat(), "drug": self.drug, "rate": rate}

    def _stop(self, at: datetime, before: list[_Period], begun: list[_Period]) -> dict[str, Any]:
        """Return that the drug is stopped, in the words of a bag that is only a stop, if any."""
        for one in begun:
            if same_value(one.fields.get("rate"), 0):
                return _rate(at, one)
        words = self._words(at, "0")
        ended = [one for one in before if one.end == at]
        notes = dict.fromkeys(
            str(one.end_words["note"]) for one in ended if "note" in one.end_words
        )
        for one in ended:
            words |= one.end_words
        return words | ({"note": "; ".join(notes)} if notes else {})

    def _newcomers(self) -> list[_Period]:
        return [one for one in self.periods if one.key in self.chart.candidates]

    def _set_aside(self, period: _Period, reason: str, more: str) -> None:
        words = words_of(period.statement)
        self.chart.set_aside(reason, period.statement, words=words, more=more)
        charted = [one for one in self.before if one.key == period.key]
        self.periods = [one for one in self.periods if one.key != period.key] + charted

    def _join_equal(self) -> None:
        """Count bags of one time and one rate once: they are one bag under several keys."""
        left: list[_Period] = []
        for one in self.periods:
            same = next((other for other in left if _is_same_bag(one, other)), None)
            if same is None:
                left.append(one)
            else:
                self.also.setdefault(same.key, []).append(one)
        self.periods = left

    def _with_equal(self, periods: Iterable[_Period]) -> Iterator[_Period]:
        """Give each bag with those that are the same bag under other keys."""
        for one in periods:
            yield one
            yield from self.also.get(one.key, ())

    def _all_keys(self, periods: Iterable[_Period]) -> tuple[str, ...]:
        return tuple(one.key for one in self._with_equal(periods))

    def _hold_overruled_ends(self) -> None:
        """Hold a new end where people corrected the one that was charted."""
        for one in self._newcomers():
            old = next((each for each in self.before if each.key == one.key), None)
            if old is not None and old.end in self.overruled and old.end != one.end:
                more = "people have corrected when it ended"
                self._set_aside(one, "conflict.corrected", more)

    def _hold_unusual(self) -> None:
        for one in self._newcomers():
            found = unusual(self.chart, words_of(one.statement))
            if found:
                self._set_aside(one, "value.unusual", found[0][1])

    def _report_overlaps(self) -> None:
        """Hold one row for each set of bags that overlap now and did not before."""
        new = {one.key for one in self._newcomers()}
        seen: set[str] = set()
        for period in sorted(self.periods, key=lambda one: one.start):
            if period.key in seen:
                continue
            group = self._overlapping(period)
            keys = {one.key for one in group}
            seen |= keys
            if len(group) > 1 and keys & new and not self._did_overlap(keys):
                self._hold_overlap(group, new)

    def _overlapping(self, period: _Period) -> list[_Period]:
        """Return the bags that overlap with a bag, or with one that does, in their order."""
        group, left = [period], [one for one in self.periods if one.key != period.key]
        for one in group:
            group += [each for each in left if each.overlaps(one)]
            left = [each for each in left if not each.overlaps(one)]
        return sorted(group, key=lambda one: one.start)

    def _did_overlap(self, keys: set[str]) -> bool:
        before = [one for one in self.before if one.key in keys]
        return len(before) == len(keys) and any(
            one.overlaps(other) for one in before for other in before if one is not other
        )

    def _hold_overlap(self, group: list[_Period], new: set[str]) -> None:
        later = [one for one in group[1:] if one.key in new]
        second = later[0] if later else next(one for one in group if one.key in new)
        others = ", ".join(_named(one) for one in group if one is not second)
        self.chart.hold(
            OVERLAP,
            second.statement,
            words=words_of(second.statement),
            more=f"it overlaps with {others}; the rate is not known while both run",
        )
        self.chart.noted[second.key] = OVERLAP

    def _close_overlaps(self) -> None:
        """Close the row of a bag that overlaps with no other any more."""
        for one in self.periods:
            known = self.chart.known.get(one.key)
            if known is None or known.stored.get("why") != OVERLAP:
                continue
            if any(each.overlaps(one) for each in self.periods if each.key != one.key):
                self.chart.noted.setdefault(one.key, OVERLAP)
            else:
                self.chart.close(one.key)
                self.chart.touched.add(one.key)

    def _is_of_people(self, point: _Point) -> bool:
        """Return whether people charted the drug in this minute: confirm it, or hold the bag."""
        found = rival(self.chart, point.words)
        if found is None:
            return False
        for one in self._with_equal(self.periods):
            is_new = one.key in self.chart.candidates
            if one.key not in point.keys and one.key + _END not in point.keys:
                continue
            if found.is_equal:
                self.chart.confirm(one.statement, found.entry, is_new=is_new)
            elif is_new:
                more = "people charted another rate in this minute"
                words = dict(point.words)
                self.chart.hold("conflict.same_minute", one.statement, words=words, more=more)
        return True

    def _remark_unusual(self, point: _Point) -> None:
        new = {one.key: one for one in self._newcomers()}
        for key in point.keys:
            if key in new and point.words.get("rate") is not None:
                for _, sentence in unusual(self.chart, point.words):
                    place = new[key].statement.source.place
                    self.chart.remark("value.unusual", place, sentence)


def _period(statement: Statement) -> _Period:
    content = statement.content
    if not isinstance(content, Infusion):
        raise TypeError("no infusion")
    return _Period(statement, statement.at, content.end, content.fields, stop_words(content))


def _rate(at: datetime, period: _Period) -> dict[str, Any]:
    return words_of(period.statement) | {"at": at.isoformat()}


def _is_same_bag(one: _Period, other: _Period) -> bool:
    is_same_time = (one.start, one.end) == (other.start, other.end)
    return is_same_time and same_value(dict(one.fields), dict(other.fields))


def _named(period: _Period) -> str:
    return period.statement.source.place or f"a bag from {period.start.isoformat()}"
