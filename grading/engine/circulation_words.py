"""Why a finding of the circulation stands, in a clinician's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from grading.engine import circulation as codes
from grading.engine.assessment import Explained
from grading.engine.circulation import Circulation
from grading.engine.pressure import Reading, reading_is_uncertain, reading_text
from grading.engine.units import shown
from grading.engine.vocabulary import Attribution, JudgementAbout

_MINUTE: Final = timedelta(minutes=1)


def explain(circulation: Circulation, code: str, at: datetime) -> Explained:
    """Why ``code`` stands at ``at``."""
    return _EXPLAINED[code](circulation, at)


class AsItStood(NamedTuple):
    """A circulation at an instant, to be explained when it has long gone on."""

    circulation: Circulation
    at: datetime

    def explain(self, code: str) -> Explained:
        return explain(self.circulation, code, self.at)


def duration_text(duration: timedelta) -> str:
    """A duration to the minute: "2 h 19 min"."""
    hours, minutes = divmod(duration // _MINUTE, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _low_pressure(circulation: Circulation, at: datetime) -> Explained:
    reading, limits = circulation.reading, circulation.limits
    if reading is None:
        raise ValueError("no pressure is charted")
    judgement = circulation.judged.get(JudgementAbout.RELATIVE_HYPOTENSION)
    if circulation.reading_says is Reading.IN_QUESTION and judgement is not None:
        return Explained(
            (reading.id, judgement.id),
            f"{reading_text(reading)}, judged low for this patient",
            reading_is_uncertain(reading),
        )
    floors = _floors_text(limits.systolic_floor_mmhg, limits.tripled_map_floor_mmhg)
    return Explained(
        (reading.id,), f"{reading_text(reading)}; low is {floors}", reading_is_uncertain(reading)
    )


@lru_cache
def _floors_text(systolic_mmhg: Decimal, tripled_map_mmhg: Decimal | None) -> str:
    floors = f"SBP below {shown(systolic_mmhg)}"
    if tripled_map_mmhg is not None:
        floors += f" or MAP below {shown(tripled_map_mmhg / 3)}"
    return floors


def _fluid_bolus(circulation: Circulation, at: datetime) -> Explained:
    bolus = circulation.bolus
    if bolus is None:
        raise ValueError("no fluid bolus for low pressure is charted")
    hold = duration_text(timedelta(minutes=circulation.policy.fluid_hold_minutes))
    return Explained(
        (bolus.id, circulation.bolus_for),
        f"Fluid bolus {shown(bolus.volume_ml)} mL for low pressure, counted for {hold}",
        bolus.attribution is Attribution.UNCERTAIN,
    )


def _refractory(circulation: Circulation, at: datetime) -> Explained:
    judgement = circulation.judged.get(JudgementAbout.REFRACTORY_HYPOTENSION)
    running = circulation.infusions.explain()
    if judgement is not None:
        return Explained(
            (judgement.id, *running.evidence),
            f"Judged: fluids and one low-dose vasopressor do not reverse it ({running.text})",
            running.uncertain,
        )
    reading = circulation.reading
    return Explained(
        (*running.evidence, *(() if reading is None else (reading.id,))),
        f"{'' if reading is None else reading_text(reading)} on {running.text}: are fluids and one "
        "low-dose vasopressor not sufficient? Not judged",
    )


def _single_low_dose(circulation: Circulation, at: datetime) -> Explained:
    running = circulation.infusions.explain()
    since = min(circulation.infusions.running_since.values())
    text = f"One vasopressor: {running.text}, running {duration_text(at - since)}"
    return Explained(running.evidence, text, running.uncertain)


def _high_dose(circulation: Circulation, at: datetime) -> Explained:
    run, infusions = circulation.run, circulation.infusions
    running = infusions.explain()
    credited = duration_text(run.credited(at))
    if run.high:
        text = f"High dose by Table 3 for {credited}: {running.text}"
        if len(infusions.doses) > 1:
            text += f" ({infusions.equivalent_text()})"
    else:
        gap = duration_text(timedelta(minutes=circulation.policy.gap_minutes))
        text = f"High dose by Table 3 had run for {credited}; holds until {gap} below it"
    return Explained(run.evidence, text, running.uncertain)


def _multiple(circulation: Circulation, at: datetime) -> Explained:
    running = circulation.infusions.explain()
    text = f"{len(circulation.infusions.running_since)} vasopressors: {running.text}"
    return Explained(running.evidence, text, running.uncertain)


def _dose(circulation: Circulation, at: datetime) -> Explained:
    running = circulation.infusions.explain()
    return Explained(running.evidence, f"{running.text}: Table 3 cannot be applied")


def _life_threatening(circulation: Circulation, at: datetime) -> Explained:
    judgement = circulation.judged.get(JudgementAbout.LIFE_THREATENING)
    if judgement is not None:
        return Explained((judgement.id,), "Judged immediately life-threatening")
    reading = circulation.reading
    return Explained(
        (
            *circulation.infusions.explain().evidence,
            *(() if reading is None else (reading.id,)),
        ),
        f"Low pressure on several vasopressors, high dose for "
        f"{duration_text(circulation.run.credited(at))}: immediately life-threatening? Not judged",
    )


def _relative(circulation: Circulation, at: datetime) -> Explained:
    reading = circulation.reading
    if reading is None:
        raise ValueError("no pressure is charted")
    return Explained(
        (reading.id,), f"{reading_text(reading)}: low for this patient against baseline? Not judged"
    )


def _no_baseline(circulation: Circulation, at: datetime) -> Explained:
    reading = circulation.reading
    return Explained(
        () if reading is None else (reading.id,),
        "No baseline systolic pressure: a relative fall cannot be seen",
    )


def _no_systolic(circulation: Circulation, at: datetime) -> Explained:
    reading = circulation.reading
    return Explained(
        () if reading is None else (reading.id,),
        "A child's pressure is judged by the systolic, which this reading lacks",
    )


_EXPLAINED: Final[dict[str, Callable[[Circulation, datetime], Explained]]] = {
    codes.LOW_PRESSURE: _low_pressure,
    codes.FLUID_BOLUS: _fluid_bolus,
    codes.REFRACTORY: _refractory,
    codes.SINGLE_LOW_DOSE: _single_low_dose,
    codes.HIGH_DOSE: _high_dose,
    codes.MULTIPLE: _multiple,
    codes.DOSE: _dose,
    codes.LIFE_THREATENING: _life_threatening,
    codes.RELATIVE: _relative,
    codes.NO_BASELINE: _no_baseline,
    codes.NO_SYSTOLIC: _no_systolic,
}
