"""Every scale against its second implementation, on random courses at every instant worth asking.

`SCALE_COURSES` is how many courses are graded (300 unless set), `SCALE_SEED` the first of them.
"""

from __future__ import annotations

import json
import os
from itertools import islice

import pytest

from tests.grading import oracle
from tests.grading.random_scale_courses import numbered_course
from tests.grading.scales_comparison import differences, graded
from tests.grading.scales_oracle.answers import SCALES, answer_at, read, turns
from tests.grading.scales_oracle.differ import ORDER_OF_DISPLAY, patterns_at

COURSES = int(os.environ.get("SCALE_COURSES", "300"))
FIRST = int(os.environ.get("SCALE_SEED", "0"))
CHUNK = 50


@pytest.mark.parametrize("start", range(FIRST, FIRST + COURSES, CHUNK))
def test_a_second_implementation_agrees_on_every_scale(start: int) -> None:
    for seed in range(start, min(start + CHUNK, FIRST + COURSES)):
        document, now, known_at = numbered_course(seed)
        found = list(islice(differences(document, now, known_at), 3))
        told = "\n".join(found)
        assert not found, f"seed {seed}, {now=}, {known_at=}\n{told}\n{json.dumps(document)}"
        lee = oracle.restrict(graded(document, now, known_at).as_json())
        assert lee == oracle.answer(document, now, known_at), f"seed {seed}: Lee 2014"


EVERY_CODE = oracle.words(
    """
    astct.fever astct.hypotension.no_vasopressor astct.hypoxia.low_flow astct.vasopressor.one
    astct.vasopressor.vasopressin_alone astct.hypoxia.high_flow astct.vasopressor.multiple
    astct.hypoxia.positive_pressure
    icans.ice icans.capd icans.ice.unable icans.capd.unable icans.consciousness icans.seizure
    icans.seizure.prolonged icans.motor icans.edema.focal icans.pressure
    penn.fever penn.constitutional penn.organ_toxicity.grade_1 penn.organ_toxicity.grade_2
    penn.organ_toxicity.grade_3 penn.organ_toxicity.grade_4 penn.hospitalised penn.iv_therapy
    penn.hypotension penn.hypotension.multiple_boluses penn.vasopressor.low_dose penn.oxygen
    penn.coagulopathy penn.vasopressor.high_dose penn.ventilator
    cartox.fever cartox.organ_toxicity.grade_1 cartox.organ_toxicity.grade_2
    cartox.organ_toxicity.grade_3 cartox.organ_toxicity.grade_4_transaminitis
    cartox.organ_toxicity.grade_4 cartox.hypotension.low_pressure cartox.hypotension.fluid_bolus
    cartox.vasopressor.single_low_dose cartox.oxygen.below_40 cartox.oxygen.at_least_40
    cartox.vasopressor.high_dose cartox.vasopressor.multiple cartox.hypotension.refractory
    cartox.cpap cartox.bipap cartox.ventilator
    mskcc.fever mskcc.constitutional mskcc.hypotension mskcc.vasopressor.under_24h
    mskcc.vasopressor.from_24h mskcc.oxygen.below_40 mskcc.oxygen.at_least_40 mskcc.noninvasive
    mskcc.ventilator
    ctcae4.fever ctcae4.constitutional ctcae4.hypotension ctcae4.symptomatic_treatment
    ctcae4.oxygen ctcae4.organ_toxicity.grade_3 ctcae4.prolonged ctcae4.pressor
    ctcae4.ventilatory_support ctcae4.organ_toxicity.grade_4
    ctcae5.fever ctcae5.hypotension ctcae5.oxygen.below_40 ctcae5.oxygen.at_least_40
    ctcae5.one_pressor ctcae5.several_pressors ctcae5.positive_pressure
    ctcae6.fever ctcae6.hypotension ctcae6.low_flow ctcae6.high_flow ctcae6.one_pressor
    ctcae6.several_pressors ctcae6.positive_pressure
    life_threatening death
    """
)
EVERY_UNKNOWN = {
    "astct-2019": """oxygen.flow hypotension.relative hypotension.no_baseline
        hypotension.no_systolic astct.fever""",
    "icans-2019": """icans.ice icans.capd icans.consciousness icans.seizure_duration
        icans.not_assessed""",
    "penn-2018": """penn.hospitalised penn.vasopressor.dose organ_toxicity.ungraded
        life_threatening hypotension.relative hypotension.no_baseline hypotension.no_systolic
        lab.alt lab.creatinine lab.fibrinogen lab.inr""",
    "cartox-2018": """oxygen.fio2 oxygen.fio2_estimated hypotension.relative
        hypotension.no_baseline hypotension.no_systolic hypotension.refractory life_threatening
        vasopressor.dose organ_toxicity.ungraded lab.alt lab.creatinine lab.fibrinogen""",
    "mskcc-2018": """oxygen.fio2 oxygen.fio2_estimated hypotension.relative
        hypotension.no_baseline hypotension.no_systolic mskcc.refractory""",
    "ctcae-4.03": """ctcae4.prolonged organ_toxicity.ungraded life_threatening lab.alt
        lab.creatinine hypotension.relative hypotension.no_baseline hypotension.no_systolic""",
    "ctcae-5.0": """oxygen.fio2 oxygen.fio2_estimated hypotension.relative
        hypotension.no_baseline hypotension.no_systolic life_threatening""",
    "ctcae-6.0": """oxygen.flow hypotension.relative hypotension.no_baseline
        hypotension.no_systolic life_threatening""",
}


def test_the_random_courses_meet_every_code_every_unknown_and_every_pattern() -> None:
    """By the second implementation alone, so that a gap of the generator shows as one."""
    met: set[str] = set()
    unknown: set[tuple[str, str]] = set()
    withheld: set[str] = set()
    patterns: set[str] = set()
    for seed in range(400):
        chart = read(numbered_course(seed)[0], None, None)
        for t in turns(chart):
            for key in SCALES:
                answer = answer_at(chart, t, key)
                met |= answer.met.keys()
                withheld |= answer.withheld.keys()
                unknown |= {(key, code) for code in answer.unknown}
            patterns |= set(patterns_at(chart, t))
    asked = {(key, code) for key, codes in EVERY_UNKNOWN.items() for code in codes.split()}
    assert met >= EVERY_CODE
    assert asked <= unknown
    assert {code for code in EVERY_CODE if code.startswith("astct.h")} <= withheld
    assert set(ORDER_OF_DISPLAY) == patterns
