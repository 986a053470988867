"""Every sentence of a finding, word for word: a clinician reads it, so it is tested."""

# ruff: noqa: E501  (one case a line, so that the table can be read)

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from grading.course_file import read_entry
from grading.engine.facts import Baseline, CourseFacts
from grading.service import status_at

START = datetime(2014, 1, 1, tzinfo=UTC)
ADULT = CourseFacts(
    infused_at=START,
    age_years=Decimal(54),
    weight_kg=Decimal(80),
    baseline=Baseline(systolic_mmhg=Decimal(126), diastolic_mmhg=Decimal(74)),
)
HYPERTENSIVE = CourseFacts(
    infused_at=START, age_years=Decimal(54), baseline=Baseline(systolic_mmhg=Decimal(150))
)
LOW_BASELINE = CourseFacts(
    infused_at=START,
    age_years=Decimal(54),
    baseline=Baseline(
        systolic_mmhg=Decimal(104),
        diastolic_mmhg=Decimal(48),
        creatinine_mg_dl=Decimal("0.4"),
        fibrinogen_mg_dl=Decimal(400),
        lvef_percent=Decimal(72),
    ),
)
LOW_MEAN_BASELINE = CourseFacts(
    infused_at=START,
    age_years=Decimal(54),
    baseline=Baseline(mean_arterial_pressure_mmhg=Decimal(69)),
)
NO_BASELINE = CourseFacts(infused_at=START, age_years=Decimal(54), weight_kg=Decimal(80))
CHILD = CourseFacts(infused_at=START, age_years=Decimal(6))

Charted = list[tuple[int, dict[str, Any]]]
EXPECTED: list[tuple[CourseFacts, int, Charted, dict[str, tuple[Any, ...]]]] = [
    (ADULT, 0, [(0, {'kind': 'vitals', 'temperature_c': '39.1'})], {'symptom.fever': ('Temperature 39.1 °C; fever is 38.0 °C or more', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'symptom', 'term': 'rigors', 'present': True}), (0, {'kind': 'symptom', 'term': 'headache', 'present': True, 'attribution': 'uncertain'})], {'symptom.constitutional': ('Constitutional symptoms: headache, rigors', ['e1', 'e0'], True)}),
    (ADULT, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '84', 'diastolic_mmhg': '50'})], {'hypotension.low_pressure': ('BP 84/50 mmHg; low is SBP below 90 or MAP below 65', ['e0'], False)}),
    (HYPERTENSIVE, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '92', 'diastolic_mmhg': '60', 'attribution': {'systolic_mmhg': 'uncertain'}}), (0, {'kind': 'judgement', 'about': 'relative_hypotension', 'present': True})], {'hypotension.low_pressure': ('BP 92/60 mmHg, judged low for this patient', ['e0', 'e1'], True)}),
    (HYPERTENSIVE, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '92', 'diastolic_mmhg': '60'})], {'hypotension.relative': ('BP 92/60 mmHg: low for this patient against baseline SBP 150 mmHg? Not judged', ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '86', 'mean_arterial_pressure_mmhg': '70'})], {'hypotension.low_pressure': ('SBP 86, MAP 70 mmHg; low is SBP below 90 or MAP below 65', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'vitals', 'mean_arterial_pressure_mmhg': '60'})], {'hypotension.low_pressure': ('MAP 60 mmHg; low is SBP below 90 or MAP below 65', ['e0'], False)}),
    (ADULT, 70, [(0, {'kind': 'vitals', 'systolic_mmhg': '84', 'diastolic_mmhg': '50'}), (30, {'kind': 'fluid_bolus', 'volume_ml': '500', 'attribution': 'uncertain'}), (60, {'kind': 'vitals', 'systolic_mmhg': '110'})], {'hypotension.fluid_bolus': ('Fluid bolus 500 mL for low pressure, counted for 4 h', ['e1', 'e0'], True)}),
    (ADULT, 90, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '5', 'unit': 'ug/min'}), (75, {'kind': 'vitals', 'systolic_mmhg': '84', 'diastolic_mmhg': '50'})], {'hypotension.low_pressure': ('BP 84/50 mmHg; low is SBP below 90 or MAP below 65', ['e1'], False), 'vasopressor.single_low_dose': ('One vasopressor: Norepinephrine 5 mcg/min, running 1 h 30 min', ['e0'], False), 'hypotension.refractory': ('BP 84/50 mmHg on Norepinephrine 5 mcg/min: are fluids and one low-dose vasopressor not sufficient? Not judged', ['e0', 'e1'])}),
    (ADULT, 90, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '5', 'unit': 'ug/min', 'attribution': 'uncertain'}), (75, {'kind': 'vitals', 'systolic_mmhg': '84', 'diastolic_mmhg': '50'}), (80, {'kind': 'judgement', 'about': 'refractory_hypotension', 'present': True})], {'hypotension.refractory': ('Judged: fluids and one low-dose vasopressor do not reverse it (Norepinephrine 5 mcg/min)', ['e2', 'e0'], True), 'hypotension.low_pressure': ('BP 84/50 mmHg; low is SBP below 90 or MAP below 65', ['e1'], False), 'vasopressor.single_low_dose': ('One vasopressor: Norepinephrine 5 mcg/min, running 1 h 30 min', ['e0'], True)}),
    (ADULT, 200, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '20', 'unit': 'ug/min'})], {'vasopressor.high_dose': ('High dose by Table 3 for 3 h 20 min: Norepinephrine 20 mcg/min', ['e0'], False)}),
    (ADULT, 200, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '20', 'unit': 'ug/min'}), (190, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '0', 'unit': 'ug/min'})], {'vasopressor.high_dose': ('High dose by Table 3 had run for 3 h 10 min; holds until 15 min below it', ['e0'], False)}),
    (ADULT, 200, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '20', 'unit': 'ug/min'}), (0, {'kind': 'vasopressor', 'drug': 'vasopressin', 'rate': '0.03', 'unit': 'units/min'}), (150, {'kind': 'vitals', 'systolic_mmhg': '84', 'diastolic_mmhg': '50'})], {'vasopressor.high_dose': ('High dose by Table 3 for 3 h 20 min: Norepinephrine 20 mcg/min; Vasopressin 0.03 units/min (norepinephrine equivalent 20 mcg/min)', ['e0', 'e1'], False), 'vasopressor.multiple': ('2 vasopressors: Norepinephrine 20 mcg/min; Vasopressin 0.03 units/min', ['e0', 'e1'], False), 'hypotension.low_pressure': ('BP 84/50 mmHg; low is SBP below 90 or MAP below 65', ['e2'], False), 'life_threatening': ('Low pressure on several vasopressors, high dose for 3 h 20 min: immediately life-threatening? Not judged', ['e0', 'e1', 'e2'])}),
    (ADULT, 200, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': '20', 'unit': 'ug/min'}), (0, {'kind': 'vasopressor', 'drug': 'vasopressin', 'rate': '0.03', 'unit': 'units/min'}), (150, {'kind': 'vitals', 'systolic_mmhg': '84', 'diastolic_mmhg': '50'}), (160, {'kind': 'judgement', 'about': 'life_threatening', 'present': True})], {'life_threatening': ('Judged immediately life-threatening', ['e3'], False), 'vasopressor.high_dose': ('High dose by Table 3 for 3 h 20 min: Norepinephrine 20 mcg/min; Vasopressin 0.03 units/min (norepinephrine equivalent 20 mcg/min)', ['e0', 'e1'], False), 'vasopressor.multiple': ('2 vasopressors: Norepinephrine 20 mcg/min; Vasopressin 0.03 units/min', ['e0', 'e1'], False), 'hypotension.low_pressure': ('BP 84/50 mmHg; low is SBP below 90 or MAP below 65', ['e2'], False)}),
    (ADULT, 10, [(0, {'kind': 'vasopressor', 'drug': 'norepinephrine', 'rate': None, 'unit': 'ug/min'})], {'vasopressor.single_low_dose': ('One vasopressor: Norepinephrine dose not known, running 10 min', ['e0'], False), 'vasopressor.dose': ('Norepinephrine dose not known: Table 3 cannot be applied', ['e0'])}),
    (NO_BASELINE, 10, [(0, {'kind': 'vitals', 'systolic_mmhg': '120'})], {'hypotension.no_baseline': ('No baseline systolic pressure: a relative fall cannot be seen', ['e0'])}),
    (CHILD, 10, [(0, {'kind': 'vitals', 'mean_arterial_pressure_mmhg': '70'})], {'hypotension.no_baseline': ('No baseline systolic pressure: a relative fall cannot be seen', ['e0']), 'hypotension.no_systolic': ("A child's pressure is judged by the systolic, which this reading lacks", ['e0'])}),
    (CHILD, 10, [(0, {'kind': 'vitals', 'systolic_mmhg': '81'})], {'hypotension.low_pressure': ('SBP 81 mmHg; low is SBP below 82', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '88'})], {'hypotension.low_pressure': ('SBP 88 mmHg; low is SBP below 90 or MAP below 65', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'oxygen', 'device': 'nasal_cannula', 'flow_l_per_min': '4'})], {'oxygen.below_40': ('Nasal cannula 4 L/min, estimated FiO2 36 %', ['e0'], False), 'oxygen.fio2_estimated': ('Nasal cannula 4 L/min, estimated FiO2 36 %, too close to 40 % to decide: enter the FiO2', ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'oxygen', 'device': 'nasal_cannula'})], {'oxygen.below_40': ('Nasal cannula, flow or FiO2 not charted', ['e0'], False), 'oxygen.fio2': ('Nasal cannula, flow or FiO2 not charted', ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'oxygen', 'device': 'high_flow_nasal_cannula', 'flow_l_per_min': '40', 'attribution': 'uncertain'})], {'oxygen.below_40': ('High-flow nasal cannula 40 L/min, FiO2 not charted', ['e0'], True), 'oxygen.fio2': ('High-flow nasal cannula 40 L/min, FiO2 not charted', ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'oxygen', 'device': 'venturi_mask', 'fio2_percent': '0.5'})], {'oxygen.at_least_40': ('Venturi mask, FiO2 50 %', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'oxygen', 'device': 'cpap', 'fio2_percent': '30'})], {'oxygen.cpap': ('CPAP', ['e0'], False), 'oxygen.below_40': ('CPAP, FiO2 30 %', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'oxygen', 'device': 'invasive_ventilation'})], {'ventilator': ('Invasive ventilation', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'toxicity', 'term': 'rash', 'grade': 2}), (0, {'kind': 'lab', 'analyte': 'alt', 'value': '121', 'unit': 'U/L', 'upper_limit': '40'}), (0, {'kind': 'lab', 'analyte': 'ast', 'value': '900', 'unit': 'U/L', 'upper_limit': '40', 'attribution': 'uncertain'})], {'organ_toxicity.grade_4_transaminitis': ('AST 900 U/L (upper limit 40): CTCAE 4', ['e2'], True), 'organ_toxicity.grade_2': ('ALT 121 U/L (upper limit 40): CTCAE 2; rash: CTCAE 2', ['e1', 'e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'lab', 'analyte': 'alt', 'value': '100', 'unit': 'U/L', 'upper_limit': '40', 'comparator': '>'})], {'lab.alt': ('ALT > 100 U/L (upper limit 40): at least CTCAE 1, may be higher', ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'lab', 'analyte': 'creatinine', 'value': '1.4', 'unit': 'mg/dL'}), (0, {'kind': 'lab', 'analyte': 'fibrinogen', 'value': '120', 'unit': 'mg/dL', 'lower_limit': '200', 'upper_limit': '400'}), (0, {'kind': 'lab', 'analyte': 'inr', 'value': '2', 'unit': 'ratio', 'upper_limit': '1.1'})], {'organ_toxicity.grade_2': ('Fibrinogen 120 mg/dL (lower limit 200, upper limit 400): CTCAE 2; INR 2 (upper limit 1.1): CTCAE 2', ['e1', 'e2'], False), 'lab.creatinine': ("Creatinine 1.4 mg/dL: cannot be graded. Enter the laboratory's normal range", ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'symptom', 'term': 'confusion', 'present': True}), (0, {'kind': 'symptom', 'term': 'rash', 'present': True})], {'organ_toxicity.ungraded': ('Ticked, not graded: confusion, rash', ['e0', 'e1'])}),
    (ADULT, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '90', 'diastolic_mmhg': '52'})], {'hypotension.low_pressure': ('BP 90/52 (MAP ≈64.667) mmHg; low is SBP below 90 or MAP below 65', ['e0'], False)}),
    (LOW_BASELINE, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '98', 'diastolic_mmhg': '46'})], {'hypotension.relative': ('BP 98/46 (MAP ≈63.333) mmHg: low for this patient against baseline SBP 104, MAP ≈66.667 mmHg? Not judged', ['e0'])}),
    (LOW_MEAN_BASELINE, 0, [(0, {'kind': 'vitals', 'mean_arterial_pressure_mmhg': '63'})], {'hypotension.relative': ('MAP 63 mmHg: low for this patient against baseline MAP 69 mmHg? Not judged', ['e0']), 'hypotension.no_baseline': ('No baseline systolic pressure: a relative fall cannot be seen', ['e0'])}),
    (LOW_BASELINE, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '98', 'mean_arterial_pressure_mmhg': '61'})], {'hypotension.relative': ('SBP 98, MAP 61 mmHg: low for this patient against baseline SBP 104, MAP ≈66.667 mmHg? Not judged', ['e0'])}),
    (LOW_BASELINE, 0, [(0, {'kind': 'vitals', 'systolic_mmhg': '98', 'diastolic_mmhg': '46'}), (0, {'kind': 'judgement', 'about': 'relative_hypotension', 'present': True})], {'hypotension.low_pressure': ('BP 98/46 (MAP ≈63.333) mmHg, judged low for this patient', ['e0', 'e1'], False)}),
    (LOW_BASELINE, 0, [(0, {'kind': 'lab', 'analyte': 'creatinine', 'value': '1.01', 'unit': 'mg/dL', 'upper_limit': '1'}), (0, {'kind': 'lab', 'analyte': 'fibrinogen', 'value': '1.9', 'unit': 'g/L', 'lower_limit': '2'}), (0, {'kind': 'lab', 'analyte': 'lvef', 'value': '60', 'unit': '%'})], {'organ_toxicity.grade_2': ('Creatinine 1.01 mg/dL (upper limit 1, baseline 0.4): CTCAE 2; LVEF 60 % (baseline 72): CTCAE 2', ['e0', 'e2'], False), 'organ_toxicity.grade_3': ('Fibrinogen 1.9 g/L (lower limit 2, baseline 4): CTCAE 3', ['e1'], False)}),
    (LOW_BASELINE, 0, [(0, {'kind': 'lab', 'analyte': 'creatinine', 'value': '3.1', 'unit': 'mg/dL', 'upper_limit': '1'}), (0, {'kind': 'lab', 'analyte': 'fibrinogen', 'value': '45', 'unit': 'mg/dL', 'lower_limit': '200'})], {'organ_toxicity.grade_3': ('Creatinine 3.1 mg/dL (upper limit 1): CTCAE 3', ['e0'], False), 'organ_toxicity.grade_4': ('Fibrinogen 45 mg/dL (lower limit 200): CTCAE 4', ['e1'], False)}),
    (LOW_BASELINE, 0, [(0, {'kind': 'lab', 'analyte': 'lvef', 'value': '63', 'unit': '%', 'comparator': '<'})], {'lab.lvef': ('LVEF < 63 %: may be normal, or of a CTCAE grade', ['e0'])}),
    (LOW_BASELINE, 0, [(0, {'kind': 'lab', 'analyte': 'lvef', 'value': '60', 'unit': '%', 'comparator': '<'})], {'organ_toxicity.grade_2': ('LVEF < 60 % (baseline 72): CTCAE 2', ['e0'], False), 'lab.lvef': ('LVEF < 60 % (baseline 72): at least CTCAE 2, may be higher', ['e0'])}),
    (ADULT, 0, [(0, {'kind': 'death'})], {'death': ('Death from CRS', ['e0'], False)}),
    (ADULT, 0, [(0, {'kind': 'death', 'attribution': 'uncertain'})], {'death': ('Death, attribution to CRS uncertain', ['e0'], True)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "minutes", "charted", "expected"), EXPECTED, ids=lambda item: str(item)[:40]
)
def test_every_finding_has_its_sentence(
    facts: CourseFacts, minutes: int, charted: Charted, expected: dict[str, tuple[Any, ...]]
) -> None:
    entries = [
        read_entry({"id": f"e{place}", "at": (START + timedelta(minutes=after)).isoformat(), **raw})
        for place, (after, raw) in enumerate(charted)
    ]
    now = status_at(facts, entries, START + timedelta(minutes=minutes))[1]
    met = {c.code: (c.explanation, list(c.evidence), c.uncertain) for c in now.criteria}
    assert met | {u.code: (u.why, list(u.evidence)) for u in now.unknown} == expected
