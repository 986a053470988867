"""MSKCC 2018 at one instant."""

from __future__ import annotations

from datetime import datetime

from tests.grading import oracle
from tests.grading.oracle import Chart
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.facts import Answer, Criterion, grade_of


def mskcc(chart: Chart, t: datetime) -> Answer:
    answer = Answer.empty()
    met, unknown = answer.met, answer.unknown
    facts.fever_and_symptoms(chart, t, "mskcc", answer)
    fluids = grade_of(chart, "mskcc_fluids_grade")
    if facts.low_or_held(chart, t):
        met["mskcc.hypotension"] = Criterion(fluids, "hypotension")
    credit = facts.support_credit(chart, t)
    if credit is not None and credit >= facts.SUPPORT_HOURS:
        met["mskcc.vasopressor.from_24h"] = Criterion(3, "vasopressor")
    elif oracle.running(chart, t):
        met["mskcc.vasopressor.under_24h"] = Criterion(2, "vasopressor")
    mskcc_oxygen(chart, t, answer)
    unknown |= dict.fromkeys(facts.pressure_doubts(chart, t), fluids)
    facts.life_threatening(chart, t, answer, prompts=False)
    judged = oracle.life_threatening_judged(chart, t)
    if judged is None and facts.high_dose(chart, t) and oracle.low(chart, t):
        unknown["mskcc.refractory"] = 4
    return answer


def mskcc_oxygen(chart: Chart, t: datetime, answer: Answer) -> None:
    support = facts.oxygen(chart, t)
    if not support.for_hypoxia:
        return
    facts.oxygen_by_fio2(support, "mskcc", answer)
    if support.device in ("cpap", "bipap"):
        grade = grade_of(chart, "mskcc_noninvasive_grade")
        answer.met["mskcc.noninvasive"] = Criterion(grade, "oxygen")
    if support.device in facts.INVASIVE:
        answer.met["mskcc.ventilator"] = Criterion(4, "oxygen")
