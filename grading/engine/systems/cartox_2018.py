"""CARTOX grading of CRS, Neelapu et al., Nat Rev Clin Oncol 2018;15:47; Mahadeo 2019 in children.

Lee's table but for four things: grade 1 is fever alone, neurotoxicity is graded apart,
life-threatening hypotension is printed in grade 4, and in children BiPAP is grade 3.
"""

from __future__ import annotations

from typing import Final

from grading.engine import scale_findings as found
from grading.engine.chart import Chart
from grading.engine.evidence import Citation
from grading.engine.organ_toxicity import TermResult
from grading.engine.oxygen import VENTILATION
from grading.engine.scale import Axis, Doubt, Met, Rule, Scale
from grading.engine.systems.lee_2014 import toxicity_code, toxicity_grade
from grading.engine.vocabulary import JudgementAbout, OxygenDevice

_SEVERE: Final = 3
_TOXICITY_CODES: Final = (
    ("organ_toxicity.grade_1", 1),
    ("organ_toxicity.grade_2", 2),
    ("organ_toxicity.grade_3", 3),
    ("organ_toxicity.grade_4_transaminitis", 3),
    ("organ_toxicity.grade_4", 4),
)


def _cartox(grade: int) -> Citation:
    return Citation("cartox-2018", f"grade {grade}")


def _neurologic(chart: Chart) -> bool:
    return chart.policy.cartox_neuro_counts


def _of_code(chart: Chart, code: str) -> list[TermResult]:
    return [
        item
        for item in chart.toxicities(neurologic=_neurologic(chart))
        if toxicity_code(item) == code
    ]


def _organ_rule(code: str, grade: int) -> Rule:
    return Rule(
        f"cartox.{code}",
        lambda chart: found.organ_axis(_of_code(chart, code)),
        grade,
        lambda chart: bool(_of_code(chart, code)),
        lambda chart: found.toxicities(_of_code(chart, code)),
        _cartox(grade),
        lambda chart: found.phrase_of_toxicities(_of_code(chart, code)),
    )


def _single(chart: Chart) -> bool:
    return len(chart.running) == 1 and not chart.high_dose


def _bipap_grade(chart: Chart) -> int:
    policy = chart.policy
    return policy.bipap_grade if chart.facts.is_adult else policy.cartox_child_bipap_grade


def _phrase_of_bipap(chart: Chart) -> str:
    whom = "" if chart.facts.is_adult else " in children"
    return f"BiPAP is grade {_bipap_grade(chart)}{whom}"


def _dose_reach(chart: Chart, _met: Met) -> int:
    if not _single(chart):
        return 0
    return _SEVERE if chart.circulation.lacks_dose(chart.running[0]) else 0


def _refractory_reach(chart: Chart, _met: Met) -> int:
    if not _single(chart):
        return 0
    return _SEVERE if chart.circulation.may_be_refractory(chart.running[0]) else 0


RULES: Final = (
    Rule(
        "cartox.fever", Axis.FEVER, 1, lambda chart: chart.fever, found.fever, _cartox(1),
        found.phrase_of_fever,
    ),
    _organ_rule(*_TOXICITY_CODES[0]),
    Rule(
        "cartox.oxygen.below_40", Axis.OXYGEN, 2,
        lambda chart: chart.needed is not None and not chart.needed.is_high, found.oxygen,
        _cartox(2), found.phrase_below_40,
    ),
    Rule(
        "cartox.hypotension.low_pressure", Axis.HYPOTENSION, 2,
        lambda chart: chart.circulation.low, found.low_pressure, _cartox(2),
        found.phrase_of_hypotension,
    ),
    Rule(
        "cartox.hypotension.fluid_bolus", Axis.HYPOTENSION, 2,
        lambda chart: chart.circulation.fluid_held(chart.at), found.fluid_bolus, _cartox(2),
        found.phrase_of_hypotension,
    ),
    Rule(
        "cartox.vasopressor.single_low_dose", Axis.VASOPRESSOR, 2, _single, found.running,
        _cartox(2), "one vasopressor, not at Table 3's dose for 3 h",
    ),
    _organ_rule(*_TOXICITY_CODES[1]),
    Rule(
        "cartox.oxygen.at_least_40", Axis.OXYGEN, 3,
        lambda chart: chart.needed is not None and chart.needed.is_high, found.oxygen,
        _cartox(3), found.phrase_at_least_40,
    ),
    Rule(
        "cartox.cpap", Axis.OXYGEN, "cpap_grade",
        lambda chart: chart.device is OxygenDevice.CPAP, found.device,
        Citation("decision", "CPAP; CARTOX is silent"), "CPAP is support without a tube",
    ),
    Rule(
        "cartox.bipap", Axis.OXYGEN, _bipap_grade,
        lambda chart: chart.device is OxygenDevice.BIPAP, found.device,
        Citation("cartox-2018", "grade 4; Mahadeo 2019, grade 3 in children"),
        _phrase_of_bipap,
    ),
    Rule(
        "cartox.vasopressor.high_dose", Axis.VASOPRESSOR, 3, lambda chart: chart.high_dose,
        found.high_dose, _cartox(3), "Table 3's dose for 3 h",
    ),
    Rule(
        "cartox.vasopressor.multiple", Axis.VASOPRESSOR, 3, lambda chart: len(chart.running) > 1,
        found.running, _cartox(3), "two vasopressors, vasopressin counted",
    ),
    Rule(
        "cartox.hypotension.refractory", Axis.HYPOTENSION, 3,
        lambda chart: chart.judged(JudgementAbout.REFRACTORY_HYPOTENSION) is True,
        found.refractory, _cartox(3), "judged not to respond to fluids and one vasopressor",
    ),
    *(_organ_rule(code, grade) for code, grade in _TOXICITY_CODES[2:4]),
    Rule(
        "cartox.ventilator", Axis.OXYGEN, 4, lambda chart: chart.device in VENTILATION,
        found.device, _cartox(4), "ventilator support",
    ),
    _organ_rule(*_TOXICITY_CODES[4]),
    Rule(
        "life_threatening", Axis.JUDGEMENT, 4, lambda chart: chart.life_threatening,
        found.life_threatening, _cartox(4), found.phrase_of_judged,
    ),
)  # fmt: skip

CARTOX_2018: Final = Scale(
    key="cartox-2018",
    title="CARTOX 2018",
    short="CARTOX",
    sources=("cartox-2018", "mahadeo-2019"),
    rules=RULES,
    silence={
        Axis.CONSTITUTIONAL: "symptoms without fever do not count",
        Axis.NEURO: "neurotoxicity is graded apart",
        Axis.SETTING: "does not grade the place of care",
    },
    doubts=(
        *found.FIO2_DOUBTS,
        *found.pressure_doubts(lambda _chart: 2),
        Doubt("hypotension.refractory", _refractory_reach, found.refractory),
        found.LIFE_THREATENING_DOUBT,
        Doubt("vasopressor.dose", _dose_reach, found.running),
        found.ungraded_doubt(lambda _chart: 4, _neurologic),
    ),
    more_doubts=found.result_doubts(
        lambda _chart, result, ctcae: toxicity_grade(result.term, ctcae)
    ),
    parameters=("cartox_neuro_counts", "cartox_child_bipap_grade"),
    unverified=("dose table", "list of organs", "neurotoxicity graded apart"),
    death_citation=Citation("decision", "death from CRS; the table ends at grade 4"),
)
