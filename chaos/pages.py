"""Whether each page that was read shows a beginning of the recorded order of its course."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from chaos.history import (
    Fault,
    FaultKind,
    History,
    PageRead,
    SentForm,
    StoredAct,
    acts_by_course,
    forms_of_acts,
)

RETRACTION: Final = "retraction"
_Place = tuple[datetime, datetime, str]


class _Chart:
    """What a page shows after some of the acts of a course, in the order of the timeline.

    An entry has no row where a correction replaced it; one that was retracted keeps its row.
    """

    def __init__(self) -> None:
        self._rows: list[_Place] = []
        self._place: dict[str, _Place] = {}
        self._retracted: set[str] = set()

    def add(self, act: StoredAct) -> None:
        if act.kind == RETRACTION:
            self._retracted.add(str(act.replaces))
            return
        if (place := self._place.get(str(act.replaces))) is not None:
            del self._rows[bisect_left(self._rows, place)]
            del self._place[str(act.replaces)]
        self._place[act.entry_id] = (act.at, act.recorded_at, act.entry_id)
        insort(self._rows, self._place[act.entry_id])

    def copy(self) -> _Chart:
        other = _Chart()
        other._rows, other._place = self._rows.copy(), self._place.copy()
        other._retracted = self._retracted.copy()
        return other

    def newest(self, number: int) -> tuple[tuple[str, bool], ...]:
        rows = self._rows[-number:][::-1] if number else []
        return tuple((entry, entry in self._retracted) for _, _, entry in rows)

    def is_shown_by(self, page: PageRead) -> bool:
        if page.is_whole and len(page.rows) != len(self._rows):
            return False
        return self.newest(len(page.rows)) == page.rows


def find_faults_of_pages(history: History) -> list[Fault]:
    """Return a fault for each page that shows no beginning of the recorded order it may show.

    It must show every act that was acknowledged before it was asked for, and may show those that
    were begun before it was answered.
    """
    reads: dict[str, list[PageRead]] = defaultdict(list)
    for page in history.reads:
        reads[page.course].append(page)
    forms = forms_of_acts(history)
    acts = acts_by_course(history.stored)
    return [
        fault
        for course, pages in reads.items()
        for fault in _of_course(acts.get(course, []), pages, forms)
    ]


def _of_course(
    acts: Sequence[StoredAct], pages: Sequence[PageRead], forms: Mapping[str, SentForm]
) -> Iterator[Fault]:
    known = [forms.get(act.form_id) for act in acts]
    acknowledged = [-math.inf if form is None else form.acknowledged_s for form in known]
    begun = [-math.inf if form is None else form.begun_s for form in known]
    must = _Steps(acknowledged)
    may = _Steps(begun)
    stored = {act.entry_id for act in acts}
    chart, shown = _Chart(), 0
    for page in sorted(pages, key=lambda page: must.reached(page.begun_s)):
        least = must.reached(page.begun_s)
        for act in acts[shown:least]:
            chart.add(act)
        shown = least
        most = max(least, may.reached(page.ended_s))
        if _matches(chart, acts[least:most], page):
            continue
        yield _fault_of(page, chart, stored)


class _Steps:
    """How many acts, from the first, reach to the last one whose time is before an instant."""

    def __init__(self, times: Sequence[float]) -> None:
        by_time = sorted((time, number) for number, time in enumerate(times, 1))
        self._times = [time for time, _ in by_time]
        self._reached, most = [0], 0
        for _, number in by_time:
            most = max(most, number)
            self._reached.append(most)

    def reached(self, instant_s: float) -> int:
        return self._reached[bisect_left(self._times, instant_s)]


def _matches(chart: _Chart, perhaps: Sequence[StoredAct], page: PageRead) -> bool:
    if chart.is_shown_by(page):
        return True
    further = chart.copy()
    for act in perhaps:
        further.add(act)
        if further.is_shown_by(page):
            return True
    return False


def _fault_of(page: PageRead, chart: _Chart, stored: set[str]) -> Fault:
    shown = {entry for entry, _ in page.rows}
    where = f"page of {page.course}, read by {page.reader} at {page.begun_s:.3f} s,"
    if gone := sorted(shown - stored):
        return Fault(FaultKind.LOST, f"{where} showed entry {gone[0]}, which is not stored")
    missing = [entry for entry, _ in chart.newest(len(page.rows) or 1) if entry not in shown]
    if missing:
        return Fault(FaultKind.MISSED, f"{where} lacks entry {missing[0]}")
    return Fault(FaultKind.AGAINST_ORDER, f"{where} shows no beginning of the recorded order")
