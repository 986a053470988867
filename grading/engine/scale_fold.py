"""The history of other scales: one fold over a course, in which every scale is asked.

Lee's own grades are not stored or changed here; the state is advanced as for Lee, and stops also
where a scale's clock may change something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from grading.engine.chart import Chart
from grading.engine.entries import Entry
from grading.engine.evidence import MSKCC_LONG_SUPPORT
from grading.engine.fold import instants
from grading.engine.scale import Assessment, Scale, ScalePeriod
from grading.engine.state import CourseState
from grading.engine.times import moved
from grading.engine.units import minutes


@dataclass(slots=True)
class ScaleHistory:
    """The periods of one scale so far; ``open`` is what holds now."""

    scale: Scale
    periods: list[ScalePeriod] = field(default_factory=list)
    open: Assessment | None = None

    def note(self, chart: Chart) -> None:
        """Open a period where the scale now says something else."""
        assessment = self.scale.assess(chart)
        if assessment == self.open:
            return
        self.open = assessment
        self._close(chart.at)
        if assessment.grade is None or assessment.at_most is None:
            return
        self.periods.append(
            ScalePeriod(
                chart.at,
                None,
                assessment.grade,
                assessment.at_most,
                self.scale.criteria(chart, assessment.met),
                self.scale.unknowns(chart, assessment),
                self.scale.criteria(chart, assessment.withheld),
            )
        )

    def _close(self, at: datetime) -> None:
        if self.periods and self.periods[-1].end is None:
            self.periods[-1] = self.periods[-1]._replace(end=at)


def fold_scales(
    state: CourseState,
    entries: Sequence[Entry],
    scales: Iterable[Scale],
    *,
    begun: datetime | None = None,
) -> list[ScaleHistory]:
    """Advance ``state`` over ``entries`` (in order); returns the history of each scale.

    ``begun`` is the instant at which the state was restored; it opens a first period.
    """
    histories = [ScaleHistory(scale) for scale in scales]
    if begun is not None:
        note_all(state, begun, histories)
    for at, together in instants(entries):
        advance(state, at, together, histories)
    return histories


def advance(
    state: CourseState, at: datetime, entries: Iterable[Entry], histories: Sequence[ScaleHistory]
) -> None:
    """Advance ``state`` over one instant, and over what the clock changes before it."""
    infused_at = state.facts.infused_at
    if at > infused_at and (state.at is None or state.at < infused_at) and not state.is_over:
        state.advance(infused_at, ())
        note_all(state, infused_at, histories)
    for event in _events_before(state, at):
        state.advance(event, ())
        note_all(state, event, histories)
    state.advance(at, entries)
    if at >= infused_at:
        note_all(state, at, histories)


def project_scales(state: CourseState, histories: Sequence[ScaleHistory], until: datetime) -> None:
    """Advance ``state`` over all that the clock alone will change before ``until``."""
    for event in _events_before(state, until):
        state.advance(event, ())
        note_all(state, event, histories)


def note_all(state: CourseState, at: datetime, histories: Sequence[ScaleHistory]) -> None:
    """Ask every scale at ``at``, to which the state was advanced."""
    chart = Chart(state, at)
    for history in histories:
        history.note(chart)


def _events_before(state: CourseState, until: datetime) -> Iterator[datetime]:
    """Yield, one after the other, the instants before ``until`` at which a clock may run out."""
    while not state.is_over and state.at is not None:
        event = next_event(state, state.at)
        if event is None or event >= until:
            return
        yield event


def next_event(state: CourseState, after: datetime) -> datetime | None:
    """Return the first instant after ``after`` at which the clock may change any scale."""
    headline = state.next_event
    instants_ahead = [] if headline is None else [headline]
    instants_ahead += [instant for instant in _clock(Chart(state, after)) if instant is not None]
    return min([instant for instant in instants_ahead if instant > after], default=None)


def _clock(chart: Chart) -> Iterator[datetime | None]:
    """Yield when each hold of another scale ends."""
    past, policy, circulation = chart.past, chart.policy, chart.circulation
    for entry, hold in (
        (past.latest_febrile, policy.astct_fever_hold_minutes),
        (past.seizure, policy.icans_seizure_hold_minutes),
        (past.untimed_seizure, policy.icans_seizure_hold_minutes),
        (past.prolonged_seizure, policy.icans_seizure_hold_minutes),
        (past.unassessed, policy.icans_seizure_hold_minutes),
        (past.iv_therapy, policy.penn_iv_therapy_hold_minutes),
        (past.product, policy.penn_product_hold_minutes),
        (past.antipyretic, policy.ctcae_4_symptomatic_hold_minutes),
    ):
        if entry is not None:
            yield moved(entry.at, minutes(hold))
    for boluses in (circulation.boluses_for_low, circulation.boluses):
        yield boluses.repeated_until(circulation.fluid_hold)
    yield circulation.support.lasts_from(minutes(int(MSKCC_LONG_SUPPORT.value)))
    yield circulation.support.closes_at()
