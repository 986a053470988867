"""The MSKCC grading of CRS, Park et al., N Engl J Med 2018;378:449. One secondary source."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from grading.engine import circulation_explainer as words
from grading.engine import scale_findings as found
from grading.engine.chart import Chart
from grading.engine.evidence import MSKCC_LONG_SUPPORT, Citation
from grading.engine.oxygen import NON_INVASIVE, VENTILATION, Fio2
from grading.engine.periods import Explained
from grading.engine.scale import Axis, Doubt, Finding, Met, Rule, Scale
from grading.engine.vocabulary import JudgementAbout

LONG_SUPPORT: Final = timedelta(minutes=int(MSKCC_LONG_SUPPORT.value))
_REFRACTORY_REACHES: Final = 4


def _mskcc(grade: int) -> Citation:
    return Citation("mskcc-2018", f"grade {grade}")


def _needed(chart: Chart) -> Fio2 | None:
    """Return the FiO2 of oxygen that is needed for hypoxia."""
    return chart.needed if chart.for_hypoxia else None


def _below_40(chart: Chart) -> bool:
    fio2 = _needed(chart)
    return fio2 is not None and not fio2.is_high


def _at_least_40(chart: Chart) -> bool:
    fio2 = _needed(chart)
    return fio2 is not None and fio2.is_high


def _long(chart: Chart) -> bool:
    return chart.supported_for(LONG_SUPPORT)


def _show_support(chart: Chart) -> Finding:
    running = words.explain_running(chart.circulation, chart.at)
    params = {**running.params, "credited_minutes": found.support_minutes(chart)}
    evidence = running.evidence or chart.circulation.support.evidence
    return Finding("vasopressor.support", Explained(evidence, params, running.uncertain))


def _phrase_of_support(chart: Chart) -> str:
    credited = chart.circulation.support.credited(chart.at)
    return f"vasopressor for {found.hours_text(credited)}; 24 h is its line"


def _refractory_reach(chart: Chart, _met: Met) -> int:
    asked = (
        chart.circulation.low
        and chart.high_dose
        and chart.judged(JudgementAbout.LIFE_THREATENING) is None
    )
    return _REFRACTORY_REACHES if asked else 0


def _show_refractory(chart: Chart) -> Finding:
    return Finding("mskcc.refractory", words.explain_running(chart.circulation, chart.at))


def _for_hypoxia(doubt: Doubt) -> Doubt:
    return doubt._replace(
        reach=lambda chart, met: doubt.reach(chart, met) if chart.for_hypoxia else 0
    )


RULES: Final = (
    Rule(
        "mskcc.fever", Axis.FEVER, 1, lambda chart: chart.fever, found.fever, _mskcc(1),
        found.phrase_of_fever,
    ),
    Rule(
        "mskcc.constitutional", Axis.CONSTITUTIONAL, 1, lambda chart: chart.symptoms,
        found.symptoms, _mskcc(1), "symptoms without fever count",
    ),
    Rule(
        "mskcc.hypotension", Axis.HYPOTENSION, "mskcc_fluids_grade",
        lambda chart: chart.low_or_held, found.hypotension,
        Citation("decision", "low pressure and fluids; the table names vasopressors only"),
        found.phrase_of_hypotension,
    ),
    Rule(
        "mskcc.vasopressor.under_24h", Axis.VASOPRESSOR, 2,
        lambda chart: bool(chart.running) and not _long(chart), _show_support, _mskcc(2),
        _phrase_of_support,
    ),
    Rule(
        "mskcc.oxygen.below_40", Axis.OXYGEN, 2, _below_40, found.oxygen, _mskcc(2),
        found.phrase_below_40,
    ),
    Rule(
        "mskcc.vasopressor.from_24h", Axis.VASOPRESSOR, 3, _long, _show_support, _mskcc(3),
        _phrase_of_support,
    ),
    Rule(
        "mskcc.oxygen.at_least_40", Axis.OXYGEN, 3, _at_least_40, found.oxygen, _mskcc(3),
        found.phrase_at_least_40,
    ),
    Rule(
        "mskcc.noninvasive", Axis.OXYGEN, "mskcc_noninvasive_grade",
        lambda chart: chart.for_hypoxia and chart.device in NON_INVASIVE, found.device,
        Citation("decision", "CPAP and BiPAP; the table names mechanical ventilation"),
        "CPAP and BiPAP are no mechanical ventilation",
    ),
    Rule(
        "mskcc.ventilator", Axis.OXYGEN, 4,
        lambda chart: chart.for_hypoxia and chart.device in VENTILATION, found.device, _mskcc(4),
        "mechanical ventilation",
    ),
    Rule(
        "life_threatening", Axis.JUDGEMENT, 4, lambda chart: chart.life_threatening,
        found.life_threatening, _mskcc(4), found.phrase_of_judged,
    ),
)  # fmt: skip

MSKCC_2018: Final = Scale(
    key="mskcc-2018",
    title="MSKCC 2018",
    short="MSKCC",
    sources=("mskcc-2018",),
    rules=RULES,
    silence={
        Axis.ORGAN: "does not grade organ toxicity",
        Axis.NEURO: "neurotoxicity is graded apart",
        Axis.SETTING: "does not grade the place of care",
    },
    doubts=(
        *(_for_hypoxia(doubt) for doubt in found.FIO2_DOUBTS),
        *found.pressure_doubts(lambda chart: chart.policy.mskcc_fluids_grade),
        Doubt("mskcc.refractory", _refractory_reach, _show_refractory),
    ),
    parameters=("mskcc_fluids_grade", "mskcc_noninvasive_grade"),
    unverified=("one source",),
    death_citation=Citation("decision", "death from CRS; the table ends at grade 4"),
)
