"""How long vasopressors, oxygen and ventilators were needed in a span, and the highest of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

from grading.engine.entries import Entry, Vasopressor
from grading.engine.trace import OxygenStep, Trace
from grading.engine.vocabulary import DRUGS, OxygenDevice, VasopressorDrug
from patients.queries.grades import GradePeriodRow
from patients.summary.spans import Span, Window, days_of, joined, parts_of, step_at, total, touches

VENTILATORS: Final = (
    OxygenDevice.INVASIVE_VENTILATION,
    OxygenDevice.ECMO,
    OxygenDevice.BIPAP,
    OxygenDevice.CPAP,
)
_OXYGEN_CODES: Final = ("oxygen.", "ventilator")


@dataclass(frozen=True, slots=True)
class VasopressorFacts:
    """What ran for CRS: the time with any, that of each drug, and the highest equivalent.

    ``highest`` is in µg/min of norepinephrine, ``highest_during`` its first time; None where none
    ran. ``is_complete`` is false where a dose with a term in the equation was not known at some
    time, ``has_equivalent`` where the equivalent never was. ``high_dose`` is the time at a high
    dose by Table 3, whatever for how long. ``by_drug`` has drugs that Lee counts;
    ``for_other_cause`` and ``not_counted`` are entries of infusions that were left out.
    """

    spans: tuple[Span, ...]
    by_drug: Mapping[VasopressorDrug, tuple[Span, ...]]
    highest: Fraction | None
    highest_during: Span | None
    highest_evidence: tuple[str, ...]
    is_complete: bool
    has_equivalent: bool
    high_dose: timedelta
    runs_on: bool
    evidence: tuple[str, ...]
    for_other_cause: tuple[str, ...]
    not_counted: tuple[str, ...]

    @property
    def time(self) -> timedelta:
        return total(self.spans)


@dataclass(frozen=True, slots=True)
class OxygenFacts:
    """The time with an oxygen requirement by Lee, and the highest FiO2 of it, in percent.

    ``days`` are the calendar days on which oxygen was needed. ``is_complete`` is false where the
    FiO2 was not known at some time. ``device_since`` is from when on a device is charted, and
    ``devices`` are the entries of all.
    """

    spans: tuple[Span, ...]
    days: tuple[date, ...]
    goes_on: bool
    highest_fio2: Decimal | None
    is_estimated: bool
    highest_evidence: tuple[str, ...]
    is_complete: bool
    device_since: datetime | None
    devices: tuple[str, ...]
    evidence: tuple[str, ...]
    for_other_cause: tuple[str, ...]

    @property
    def time(self) -> timedelta:
        return total(self.spans)


class VentilationFacts(NamedTuple):
    """The time on each of ``VENTILATORS`` for CRS; those of another cause are entries alone."""

    by_device: Mapping[OxygenDevice, tuple[Span, ...]]
    evidence: tuple[str, ...]
    for_other_cause: tuple[str, ...]
    goes_on: bool


def vasopressor_facts(trace: Trace, entries: Sequence[Entry], known: Window) -> VasopressorFacts:
    """Return what ran in the span ``known``."""
    by_drug: dict[VasopressorDrug, tuple[Span, ...]] = {}
    evidence: set[str] = set()
    for drug, steps in trace.doses.items():
        running = parts_of(steps, lambda step: step.runs, known)
        if running:
            by_drug[drug] = tuple(joined(part for _, part in running))
            evidence |= {step.entry_id for step, _ in running}
    equivalents = parts_of(trace.equivalent, lambda step: bool(_running_at(trace, step.at)), known)
    highest = max((step.equivalent for step, _ in equivalents), default=None)
    during = joined(part for step, part in equivalents if step.equivalent == highest)
    infusions = [
        one for one in entries if isinstance(one, Vasopressor) and one.runs and known.has(one.at)
    ]
    return VasopressorFacts(
        spans=tuple(joined(span for found in by_drug.values() for span in found)),
        by_drug=by_drug,
        highest=highest,
        highest_during=during[0] if during else None,
        highest_evidence=_running_at(trace, during[0].start) if during else (),
        is_complete=all(step.is_complete for step, _ in equivalents),
        has_equivalent=any(step.is_known for step, _ in equivalents),
        high_dose=total(part for step, part in equivalents if step.is_high),
        runs_on=known.has_last and bool(_running_at(trace, known.end)),
        evidence=_of(evidence, entries),
        for_other_cause=tuple(one.id for one in infusions if not one.counts),
        not_counted=tuple(one.id for one in infusions if not DRUGS[one.drug].counted),
    )


def _running_at(trace: Trace, at: datetime) -> tuple[str, ...]:
    """Return the ids of the entries of what runs at an instant."""
    held = (step_at(steps, at) for steps in trace.doses.values())
    return tuple(step.entry_id for step in held if step is not None and step.runs)


def oxygen_facts(
    trace: Trace,
    entries: Sequence[Entry],
    periods: Sequence[tuple[GradePeriodRow, Span]],
    known: Window,
    zone: tzinfo,
) -> OxygenFacts:
    """Return the oxygen requirement of the span: the time at which a criterion of it is met."""
    spans = joined(part for period, part in periods if _needs_oxygen(period))
    needed = [
        (step, part)
        for step, part in parts_of(trace.oxygen, _gives_oxygen, known)
        if touches(part, spans)
    ]
    measured = [step for step, _ in needed if step.fio2_percent is not None]
    highest = max(measured, key=_by_fio2, default=None)
    charted = [step for step in trace.oxygen if step.at < known.end or known.has(step.at)]
    others = [step for step, _ in parts_of(trace.oxygen, _is_of_other_cause, known)]
    return OxygenFacts(
        spans=tuple(spans),
        days=tuple(days_of(spans, zone)),
        goes_on=known.has_last and bool(periods) and _needs_oxygen(periods[-1][0]),
        highest_fio2=None if highest is None else highest.fio2_percent,
        is_estimated=highest is not None and highest.estimated,
        highest_evidence=() if highest is None else (highest.entry_id,),
        is_complete=len(measured) == len(needed),
        device_since=max(charted[0].at, known.start) if charted else None,
        devices=_of({step.entry_id for step, _ in parts_of(trace.oxygen, _any, known)}, entries),
        evidence=_of({step.entry_id for step, _ in needed}, entries),
        for_other_cause=tuple(dict.fromkeys(step.entry_id for step in others)),
    )


def _needs_oxygen(period: GradePeriodRow) -> bool:
    return any(one["code"].startswith(_OXYGEN_CODES) for one in period.findings["criteria"])


def _any(_step: OxygenStep) -> bool:
    return True


def _gives_oxygen(step: OxygenStep) -> bool:
    return step.counts and step.device is not OxygenDevice.ROOM_AIR


def _is_of_other_cause(step: OxygenStep) -> bool:
    return not step.counts and step.device is not OxygenDevice.ROOM_AIR


def _by_fio2(step: OxygenStep) -> tuple[Decimal, bool]:
    """Order by FiO2; of equal ones a measured one is higher than an estimated one."""
    return step.fio2_percent or Decimal(0), not step.estimated


def ventilation_facts(trace: Trace, entries: Sequence[Entry], known: Window) -> VentilationFacts:
    """Return the time on each ventilator for CRS in the span."""
    by_device = {}
    for device in VENTILATORS:
        of_device = partial(_is_on, device)
        parts = [part for _, part in parts_of(trace.oxygen, of_device, known)]
        if parts:
            by_device[device] = tuple(joined(parts))
    on_any = parts_of(trace.oxygen, lambda step: _is_ventilator(step) and step.counts, known)
    others = parts_of(trace.oxygen, lambda step: _is_ventilator(step) and not step.counts, known)
    last = step_at(trace.oxygen, known.end)
    return VentilationFacts(
        by_device=by_device,
        evidence=_of({step.entry_id for step, _ in on_any}, entries),
        for_other_cause=_of({step.entry_id for step, _ in others}, entries),
        goes_on=known.has_last and last is not None and _is_ventilator(last) and last.counts,
    )


def _is_ventilator(step: OxygenStep) -> bool:
    return step.device in VENTILATORS


def _is_on(device: OxygenDevice, step: OxygenStep) -> bool:
    return step.device is device and step.counts


def _of(ids: set[str], entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return ``ids`` in the order of the entries."""
    return tuple(one.id for one in entries if one.id in ids)
