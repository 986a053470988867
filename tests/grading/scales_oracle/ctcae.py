"""CTCAE's own term at one instant, in its versions 4.03, 5.0 and 6.0."""

from __future__ import annotations

from datetime import datetime

from tests.grading import oracle
from tests.grading.oracle import Chart, charted, last
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.facts import Answer, Criterion, grade_of


def ctcae_4(chart: Chart, t: datetime) -> Answer:
    answer = Answer.empty()
    facts.fever_and_symptoms(chart, t, "ctcae4", answer)
    ctcae_4_support(chart, t, answer)
    ctcae_4_organs(chart, t, answer)
    facts.life_threatening(chart, t, answer)
    judgement = last(charted(chart, t, "judgement", about="prolonged_reaction"))
    prolonged = judgement is not None and judgement.raw["present"]
    antipyretic = frozenset({"antipyretic"})
    treated = facts.treated(chart, t, antipyretic, "ctcae_4_symptomatic_hold_minutes")
    if not answer.met:
        facts.raise_unknowns(answer, 3 if prolonged else 2 if treated else 0)
        return answer
    if treated:
        answer.met["ctcae4.symptomatic_treatment"] = Criterion(2, "setting")
    if prolonged:
        answer.met["ctcae4.prolonged"] = Criterion(3, "judgement")
    if judgement is None and answer.grade in (1, 2):
        answer.unknown["ctcae4.prolonged"] = 3
    return answer


def ctcae_4_support(chart: Chart, t: datetime, answer: Answer) -> None:
    met = answer.met
    if facts.low_or_held(chart, t):
        met["ctcae4.hypotension"] = Criterion(2, "hypotension")
    answer.unknown |= dict.fromkeys(facts.pressure_doubts(chart, t), 2)
    support = facts.oxygen(chart, t)
    if support.needed:
        met["ctcae4.oxygen"] = Criterion(3, "oxygen")
    if support.device in facts.POSITIVE_PRESSURE:
        grade = grade_of(chart, "ctcae_positive_pressure_grade")
        met["ctcae4.ventilatory_support"] = Criterion(grade, "oxygen")
    if oracle.running(chart, t):
        met["ctcae4.pressor"] = Criterion(4, "vasopressor")


def ctcae_4_organs(chart: Chart, t: datetime, answer: Answer) -> None:
    for one in facts.toxicities(chart, t, neurologic=False):
        most = ctcae_4_grade(one.term, one.most, one.by_laboratory)
        if one.least is None:
            answer.unknown[f"lab.{one.term}"] = most
            continue
        least = ctcae_4_grade(one.term, one.least, one.by_laboratory)
        if least > 0:
            answer.met[f"ctcae4.organ_toxicity.grade_{least}"] = Criterion(least, "organ")
        if most > least:
            answer.unknown[f"lab.{one.term}"] = most
    if facts.ticked_not_graded(chart, t, neurologic=False):
        answer.unknown["organ_toxicity.ungraded"] = 4


def ctcae_4_grade(term: str, ctcae: int, by_laboratory: bool) -> int:
    if ctcae < 3:
        return 0
    return 4 if ctcae == 4 and not by_laboratory and term not in facts.TRANSAMINASES else 3


def ctcae_5(chart: Chart, t: datetime) -> Answer:
    answer = ctcae_5_and_6(chart, t, "ctcae5")
    facts.oxygen_by_fio2(facts.oxygen(chart, t), "ctcae5", answer)
    return answer


def ctcae_6(chart: Chart, t: datetime) -> Answer:
    answer = ctcae_5_and_6(chart, t, "ctcae6")
    support = facts.oxygen(chart, t)
    if support.by_device == "low_flow":
        answer.met["ctcae6.low_flow"] = Criterion(2, "oxygen")
    if support.by_device == "high_flow":
        answer.met["ctcae6.high_flow"] = Criterion(3, "oxygen")
    if support.flow_unknown:
        answer.unknown["oxygen.flow"] = 3
    return answer


def ctcae_5_and_6(chart: Chart, t: datetime, prefix: str) -> Answer:
    """What the two versions have in common."""
    answer = Answer.empty()
    met = answer.met
    if facts.fever(chart, t):
        met[f"{prefix}.fever"] = Criterion(1, "fever")
    if facts.low_or_held(chart, t):
        met[f"{prefix}.hypotension"] = Criterion(2, "hypotension")
    drugs = oracle.running(chart, t)
    if len(drugs) == 1:
        met[f"{prefix}.one_pressor"] = Criterion(3, "vasopressor")
    if len(drugs) >= 2:
        several = grade_of(chart, "ctcae_5_multiple_vasopressors_grade")
        met[f"{prefix}.several_pressors"] = Criterion(several, "vasopressor")
    if facts.oxygen(chart, t).device in facts.POSITIVE_PRESSURE:
        grade = grade_of(chart, "ctcae_positive_pressure_grade")
        met[f"{prefix}.positive_pressure"] = Criterion(grade, "oxygen")
    answer.unknown |= dict.fromkeys(facts.pressure_doubts(chart, t), 2)
    facts.life_threatening(chart, t, answer)
    return answer
