"""The revised grading system of Lee et al., Blood 2014;124:188: Table 2, line by line."""

from __future__ import annotations

from typing import Final

from grading.engine import circulation, constitutional, organ_toxicity, oxygen
from grading.engine.evidence import Citation
from grading.engine.grading_system import DEATH, GradingSystem, Rule

DEATH_GRADE: Final = 5


def _lee(place: str) -> Citation:
    return Citation("lee-2014", place)


TABLE_2: Final = (
    # Grade 1: not life threatening, symptomatic treatment only
    Rule(constitutional.FEVER, 1, _lee("Table 2, grade 1")),
    Rule(constitutional.CONSTITUTIONAL, 1, _lee("Table 2, grade 1")),
    Rule("organ_toxicity.grade_1", 1, Citation("decision", "grade 1 toxicity")),
    # Grade 2: moderate intervention
    Rule(oxygen.BELOW_40, 2, _lee("Table 2, grade 2")),
    Rule(circulation.LOW_PRESSURE, 2, _lee("Table 2, grade 2")),
    Rule(circulation.FLUID_BOLUS, 2, _lee("Table 2, grade 2")),
    Rule(circulation.SINGLE_LOW_DOSE, 2, _lee("Table 2, grade 2")),
    Rule("organ_toxicity.grade_2", 2, _lee("Table 2, grade 2")),
    # Grade 3: aggressive intervention
    Rule(oxygen.AT_LEAST_40, 3, _lee("Table 2, grade 3")),
    Rule(oxygen.CPAP, 3, Citation("decision", "CPAP; Table 2 is silent"), "cpap_grade"),
    Rule(oxygen.BIPAP, 3, Citation("decision", "BiPAP; Table 2 is silent"), "bipap_grade"),
    Rule(circulation.HIGH_DOSE, 3, _lee("Table 2, grade 3; Table 3")),
    Rule(circulation.MULTIPLE, 3, _lee("Table 2, grade 3")),
    Rule(circulation.REFRACTORY, 3, _lee("text after Figure 2")),
    Rule("organ_toxicity.grade_3", 3, _lee("Table 2, grade 3")),
    Rule(organ_toxicity.TRANSAMINITIS, 3, _lee("Table 2, grade 3")),
    # Grade 4: life-threatening
    Rule(oxygen.VENTILATOR, 4, _lee("Table 2, grade 4")),
    Rule("organ_toxicity.grade_4", 4, _lee("Table 2, grade 4")),
    Rule(circulation.LIFE_THREATENING, 4, _lee("Table 2, grade 4 heading; text after Figure 2")),
    # Grade 5
    Rule(DEATH, DEATH_GRADE, _lee("Table 2, grade 5")),
)

LEE_2014: Final = GradingSystem("lee-2014", "2", "Lee 2014", TABLE_2)
