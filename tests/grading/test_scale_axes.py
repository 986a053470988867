"""The axis of each code of each scale, by which the page explains why two scales differ."""

from __future__ import annotations

from datetime import datetime

import pytest

from grading.engine.scale import Axis, Scale
from grading.engine.systems.lee_2014 import LEE_SCALE
from grading.scales import SCALES
from tests.grading.test_scale_list import CONFUSION, PREFIX, chart_at, course, every_scale, hours

AXIS_OF_CODES = {
    "astct-2019": {
        Axis.FEVER: "fever",
        Axis.HYPOTENSION: "hypotension.no_vasopressor",
        Axis.VASOPRESSOR: "vasopressor.one vasopressor.vasopressin_alone vasopressor.multiple",
        Axis.OXYGEN: "hypoxia.low_flow hypoxia.high_flow hypoxia.positive_pressure",
    },
    "icans-2019": {
        Axis.NEURO: "ice capd ice.unable capd.unable consciousness seizure seizure.prolonged "
        "edema.focal motor pressure",
    },
    "penn-2018": {
        Axis.FEVER: "fever",
        Axis.CONSTITUTIONAL: "constitutional",
        Axis.HYPOTENSION: "hypotension hypotension.multiple_boluses",
        Axis.VASOPRESSOR: "vasopressor.low_dose vasopressor.high_dose",
        Axis.OXYGEN: "oxygen ventilator",
        Axis.ORGAN: "organ_toxicity.grade_1 organ_toxicity.grade_2 organ_toxicity.grade_3 "
        "organ_toxicity.grade_4 coagulopathy",
        Axis.SETTING: "hospitalised iv_therapy",
    },
    "cartox-2018": {
        Axis.FEVER: "fever",
        Axis.HYPOTENSION: "hypotension.low_pressure hypotension.fluid_bolus hypotension.refractory",
        Axis.VASOPRESSOR: "vasopressor.single_low_dose vasopressor.high_dose vasopressor.multiple",
        Axis.OXYGEN: "oxygen.below_40 oxygen.at_least_40 cpap bipap ventilator",
    },
    "mskcc-2018": {
        Axis.FEVER: "fever",
        Axis.CONSTITUTIONAL: "constitutional",
        Axis.HYPOTENSION: "hypotension",
        Axis.VASOPRESSOR: "vasopressor.under_24h vasopressor.from_24h",
        Axis.OXYGEN: "oxygen.below_40 oxygen.at_least_40 noninvasive ventilator",
    },
    "ctcae-4.03": {
        Axis.FEVER: "fever",
        Axis.CONSTITUTIONAL: "constitutional",
        Axis.HYPOTENSION: "hypotension",
        Axis.VASOPRESSOR: "pressor",
        Axis.OXYGEN: "oxygen ventilatory_support",
        Axis.ORGAN: "organ_toxicity.grade_3 organ_toxicity.grade_4",
        Axis.SETTING: "symptomatic_treatment",
        Axis.JUDGEMENT: "prolonged",
    },
    "ctcae-5.0": {
        Axis.FEVER: "fever",
        Axis.HYPOTENSION: "hypotension",
        Axis.VASOPRESSOR: "one_pressor several_pressors",
        Axis.OXYGEN: "oxygen.below_40 oxygen.at_least_40 positive_pressure",
    },
    "ctcae-6.0": {
        Axis.FEVER: "fever",
        Axis.HYPOTENSION: "hypotension",
        Axis.VASOPRESSOR: "one_pressor several_pressors",
        Axis.OXYGEN: "low_flow high_flow positive_pressure",
    },
}
"""The codes of each axis, without the name of their scale (rules of scales, section 1)."""


@every_scale
def test_every_code_is_on_the_axis_of_the_rules(scale: Scale) -> None:
    """The axis decides what a difference is compared with. Toxicities: see the next test."""
    wanted = {
        f"{PREFIX[scale.key]}.{code}": axis
        for axis, codes in AXIS_OF_CODES[scale.key].items()
        for code in codes.split()
    }
    judged = {rule.code for rule in scale.rules} & {"life_threatening"}
    wanted |= dict.fromkeys(judged, Axis.JUDGEMENT)
    found = {rule.code: rule.axis for rule in scale.rules if isinstance(rule.axis, Axis)}
    assert found == wanted


TOXICITY_CODES = [
    *((f"organ_toxicity.grade_{grade}", grade, "acute_kidney_injury") for grade in range(1, 5)),
    ("organ_toxicity.grade_4_transaminitis", 4, "alt"),
]


@pytest.mark.parametrize("key", ["lee-2014", "cartox-2018"])
@pytest.mark.parametrize(("code", "grade", "organ"), TOXICITY_CODES)
def test_a_toxicity_is_neurologic_where_every_term_of_its_grade_is(
    key: str, code: str, grade: int, organ: str
) -> None:
    scale = LEE_SCALE if key == "lee-2014" else next(one for one in SCALES if one.key == key)
    code = code if key == "lee-2014" else f"cartox.{code}"
    at, neuro = datetime.fromisoformat(hours(2)), {**CONFUSION, "grade": grade}
    of_organ = {"kind": "toxicity", "term": organ, "grade": grade}
    policy = {"cartox_neuro_counts": True}
    mixed = chart_at(course(neuro, of_organ, policy=policy), at)
    assert scale.by_code[code].axis_in(mixed) is Axis.ORGAN
    if organ != "alt":
        assert scale.by_code[code].axis_in(chart_at(course(neuro, policy=policy), at)) is Axis.NEURO
