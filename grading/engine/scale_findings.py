"""Findings that several scales share: what each rests on, and which sentence says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from grading.engine import circulation_explainer as words
from grading.engine.chart import Chart
from grading.engine.entries import Entry
from grading.engine.evidence import ASTCT_LOW_FLOW_UP_TO, CANNULA_LOW_FLOW_UP_TO, OXYGEN_HIGH
from grading.engine.organ_toxicity import (
    TermResult,
    explain_found,
    explain_ungraded,
    is_neurologic,
)
from grading.engine.periods import Explained
from grading.engine.scale import Axis, Doubt, Doubts, Finding, Met
from grading.engine.sentences import inside_a_sentence, render, whole_minutes
from grading.engine.times import in_zone, time_of_day
from grading.engine.units import format_number
from grading.engine.vocabulary import Attribution, JudgementAbout, OxygenDevice, term_label

CIRCULATION_DOUBTS: Final = (
    ("hypotension.relative", "pressure_in_question", words.explain_relative),
    ("hypotension.no_baseline", "lacks_baseline", words.explain_by_reading_alone),
    ("hypotension.no_systolic", "lacks_systolic", words.explain_by_reading_alone),
)
_HIGH: Final = 3
_LIFE_THREATENING: Final = 4
_FIO2_LIMIT: Final = f"{OXYGEN_HIGH.value} %"
_CANNULA_LIMIT: Final = f"{CANNULA_LOW_FLOW_UP_TO.value} L/min"
FLOW_LIMIT: Final = f"{ASTCT_LOW_FLOW_UP_TO.value} L/min"
"""The flow from which ASTCT calls oxygen high flow, for sentences."""


def of_entry(entry: Entry, params: dict[str, Any]) -> Explained:
    """Explain a finding by the one entry that it rests on."""
    return Explained((entry.id,), params, entry.attribution is Attribution.UNCERTAIN)


def fever(chart: Chart) -> Finding:
    return Finding("symptom.fever", chart.state.constitutional.explain_fever())


def symptoms(chart: Chart) -> Finding:
    return Finding("symptom.constitutional", chart.state.constitutional.explain_symptoms())


def hypotension(chart: Chart) -> Finding:
    """A pressure that is low, else the bolus that treated one."""
    circulation = chart.circulation
    if circulation.low:
        explained = words.explain_low_pressure(circulation, chart.at)
        return Finding("hypotension.low_pressure", explained)
    return fluid_bolus(chart)


def low_pressure(chart: Chart) -> Finding:
    explained = words.explain_low_pressure(chart.circulation, chart.at)
    return Finding("hypotension.low_pressure", explained)


def fluid_bolus(chart: Chart) -> Finding:
    explained = words.explain_fluid_bolus(chart.circulation, chart.at)
    return Finding("hypotension.fluid_bolus", explained)


def running(chart: Chart) -> Finding:
    """The vasopressors that run, with their doses."""
    if len(chart.running) == 1:
        explained = words.explain_single_low_dose(chart.circulation, chart.at)
        return Finding("vasopressor.single_low_dose", explained)
    return Finding("vasopressor.multiple", words.explain_running(chart.circulation, chart.at))


def high_dose(chart: Chart) -> Finding:
    return Finding("vasopressor.high_dose", words.explain_high_dose(chart.circulation, chart.at))


def refractory(chart: Chart) -> Finding:
    return Finding("hypotension.refractory", words.explain_refractory(chart.circulation, chart.at))


def life_threatening(chart: Chart) -> Finding:
    return Finding("life_threatening", words.explain_life_threatening(chart.circulation, chart.at))


def device(chart: Chart) -> Finding:
    """A device that is support by itself."""
    return Finding("oxygen.cpap", chart.oxygen.explain_device())


def oxygen(chart: Chart) -> Finding:
    """Device, flow and FiO2; of positive pressure without an FiO2 the device alone."""
    if chart.needed is None:
        return device(chart)
    return Finding("oxygen.below_40", chart.oxygen.explain_fio2())


def by_flow(chart: Chart) -> Finding:
    return Finding("device.flow", chart.oxygen.explain_fio2())


def toxicities(found: Sequence[TermResult]) -> Finding:
    return Finding("organ_toxicity.grade_1", explain_found(found))


def organ_axis(found: Sequence[TermResult]) -> Axis:
    """Return the axis of a criterion of organ toxicity: ``neuro`` where every term is."""
    return Axis.NEURO if all(is_neurologic(item.term) for item in found) else Axis.ORGAN


def phrase_of_toxicities(found: Sequence[TermResult]) -> str:
    """Return "(term) CTCAE (n)" for each."""
    return ", ".join([f"{term_label(item.term)} CTCAE {item.ctcae}" for item in found])


def phrase_of_infusions(chart: Chart) -> str:
    """Return the infusions that run, as in an explanation, without what introduces them."""
    explained = words.explain_running(chart.circulation, chart.at)
    infusions = render("vasopressor.multiple", explained.params).partition(": ")[2]
    return "; ".join([inside_a_sentence(one) for one in infusions.split("; ")])


def phrase_below_40(chart: Chart) -> str:
    """Return why oxygen counts as below the limit of Table 2, also where FiO2 is not known."""
    needed = chart.needed
    if needed is not None and needed.percent is None:
        return f"{phrase_of_device(chart)}, FiO2 not charted: counts as below {_FIO2_LIMIT}"
    if needed is not None and needed.low_by_rule:
        return f"{phrase_of_flow(chart)}: up to {_CANNULA_LIMIT} counts as below {_FIO2_LIMIT}"
    return f"{phrase_of_fio2(chart)} is below {_FIO2_LIMIT}"


def phrase_at_least_40(chart: Chart) -> str:
    return f"{phrase_of_fio2(chart)}, {_FIO2_LIMIT} is the line"


def phrase_of_fio2(chart: Chart) -> str:
    """Return the FiO2 in use with its device."""
    params = chart.oxygen.explain_fio2().params
    estimated = "estimated " if params["estimated"] else ""
    return f"{estimated}FiO2 {params['fio2_percent']} % by {phrase_of_device(chart)}"


def phrase_of_device(chart: Chart) -> str:
    return inside_a_sentence(chart.oxygen.charted.device.label)


def phrase_of_fever(chart: Chart) -> str:
    return f"a temperature of {chart.policy.fever_threshold_c} °C or more"


def phrase_of_hypotension(chart: Chart) -> str:
    if chart.running:
        return "low pressure, or a bolus for it"
    return "low pressure without vasopressor"


def phrase_of_time(entry: Entry, chart: Chart) -> str:
    """Return the day and time of an entry, in the zone of the infusion."""
    there = in_zone(entry.at, chart.facts.infused_at.tzinfo)
    return f"{there:%-d %b} {time_of_day(there)}"


def phrase_of_flow(chart: Chart) -> str:
    """Return flow and device; the device alone without a flow, or with a flow of 0."""
    flow = chart.oxygen.charted.flow_l_per_min
    if not flow:
        return phrase_of_device(chart)
    return f"{format_number(flow)} L/min by {phrase_of_device(chart)}"


def phrase_of_high_flow(chart: Chart) -> str:
    """Say why oxygen is high flow: a nasal cannula by its flow, any other device by itself."""
    if chart.oxygen.charted.device is OxygenDevice.NASAL_CANNULA:
        return f"{phrase_of_flow(chart)} is high flow: more than {FLOW_LIMIT}"
    return f"{phrase_of_device(chart)} counts as high flow whatever the FiO2"


def pressure_doubts(reach: Callable[[Chart], int]) -> tuple[Doubt, ...]:
    """Return the three unknowns about the pressure, each reaching what ``reach`` returns."""

    def doubt(code: str, fact: str, explain: Callable[..., Explained]) -> Doubt:
        def reaches(chart: Chart, _met: Met) -> int:
            return reach(chart) if getattr(chart.circulation, fact) else 0

        return Doubt(
            code, reaches, lambda chart: Finding(code, explain(chart.circulation, chart.at))
        )

    return tuple([doubt(code, fact, explain) for code, fact, explain in CIRCULATION_DOUBTS])


def _fio2_unknown(chart: Chart, _met: Met) -> int:
    return _HIGH if chart.needed is not None and chart.needed.percent is None else 0


def _fio2_estimated(chart: Chart, _met: Met) -> int:
    return _HIGH if chart.needed is not None and chart.needed.is_doubtful else 0


FIO2_DOUBTS: Final = (
    Doubt(
        "oxygen.fio2",
        _fio2_unknown,
        lambda chart: Finding("oxygen.fio2", chart.oxygen.explain_fio2()),
    ),
    Doubt(
        "oxygen.fio2_estimated",
        _fio2_estimated,
        lambda chart: Finding("oxygen.fio2_estimated", chart.oxygen.explain_estimate()),
    ),
)
FLOW_DOUBT_SHOWN: Final = "oxygen.flow"


def lacks_flow(chart: Chart) -> Finding:
    return Finding(FLOW_DOUBT_SHOWN, chart.oxygen.explain_fio2())


LIFE_THREATENING_DOUBT: Final = Doubt(
    "life_threatening",
    lambda chart, _met: _LIFE_THREATENING if chart.may_be_life_threatening else 0,
    life_threatening,
)


def ungraded_doubt(reach: Callable[[Chart], int], neurologic: Callable[[Chart], bool]) -> Doubt:
    """Return the unknown of symptoms that were ticked and have no CTCAE grade."""

    def reaches(chart: Chart, _met: Met) -> int:
        organs = chart.state.organs
        if not organs.ticks or not organs.ungraded(neurologic=neurologic(chart)):
            return 0
        return reach(chart)

    def shown(chart: Chart) -> Finding:
        ticks = chart.state.organs.ungraded(neurologic=neurologic(chart))
        return Finding("organ_toxicity.ungraded", explain_ungraded(ticks))

    return Doubt("organ_toxicity.ungraded", reaches, shown)


def result_doubts(grade: Callable[[Chart, TermResult, int], int]) -> Doubts:
    """Return the unknowns of results that are not gradable, or graded by a bound.

    ``grade`` is the scale's grade of a toxicity at a CTCAE grade.
    """

    def reach_of(chart: Chart, result: TermResult) -> int:
        possible = grade(chart, result, result.highest)
        sure = 0
        if result.counts and result.ctcae is not None:
            sure = grade(chart, result, result.ctcae)
        return possible if possible > sure else 0

    def doubt(chart: Chart, term: str, result: TermResult) -> Doubt:
        code = f"lab.{term}"
        reach = reach_of(chart, result)
        return Doubt(
            code,
            lambda _chart, _met: reach,
            lambda seen: Finding(code, seen.state.organs.explain_doubt(term)),
        )

    def doubts(chart: Chart) -> tuple[Doubt, ...]:
        return tuple(
            [
                doubt(chart, term, result)
                for term, result in chart.state.organs.by_term.items()
                if result.highest != result.ctcae and result.highest_counts
            ]
        )

    return doubts


def phrase_of_judged(chart: Chart) -> str:
    judgement = chart.circulation.judged[JudgementAbout.LIFE_THREATENING]
    return f"judged immediately life-threatening, {phrase_of_time(judgement, chart)}"


def support_minutes(chart: Chart) -> str:
    return whole_minutes(chart.circulation.support.credited(chart.at))


def hours_text(duration: timedelta) -> str:
    """Return full hours, as in "vasopressor for 5 h"."""
    return f"{duration // timedelta(hours=1)} h"
