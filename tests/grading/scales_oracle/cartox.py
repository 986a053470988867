"""CARTOX 2018 at one instant, and the organ toxicity that it shares with Lee's table."""

from __future__ import annotations

from datetime import datetime

from tests.grading import oracle
from tests.grading.oracle import Chart, State
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.facts import Answer, Criterion, grade_of


def cartox(chart: Chart, t: datetime) -> Answer:
    answer = Answer.empty()
    met, unknown = answer.met, answer.unknown
    if facts.fever(chart, t):
        met["cartox.fever"] = Criterion(1, "fever")
    cartox_organs(chart, t, answer)
    state = State({}, {})
    oracle.hypotension(chart, t, state)
    oracle.vasopressors(chart, t, state)
    for code, grade in state.met.items():
        if code == "life_threatening":
            met[code] = Criterion(4, "judgement")
        else:
            met[f"cartox.{code}"] = Criterion(grade, code.split(".")[0])
    unknown |= state.unknown
    support = facts.oxygen(chart, t)
    facts.oxygen_by_fio2(support, "cartox", answer)
    if support.device == "cpap":
        met["cartox.cpap"] = Criterion(grade_of(chart, "cpap_grade"), "oxygen")
    if support.device == "bipap":
        parameter = "bipap_grade" if chart.adult else "cartox_child_bipap_grade"
        met["cartox.bipap"] = Criterion(grade_of(chart, parameter), "oxygen")
    if support.device in facts.INVASIVE:
        met["cartox.ventilator"] = Criterion(4, "oxygen")
    return answer


def cartox_organs(chart: Chart, t: datetime, answer: Answer) -> None:
    neurologic = bool(chart.policy["cartox_neuro_counts"])
    for code, (grade, terms) in lee_organ_codes(chart, t, neurologic=neurologic).items():
        answer.met[f"cartox.{code}"] = Criterion(grade, organ_axis(terms))
    for one in facts.toxicities(chart, t, neurologic=neurologic):
        reach = lee_grade(one.term, one.most)
        if one.least is None or reach > lee_grade(one.term, one.least):
            answer.unknown[f"lab.{one.term}"] = reach
    if facts.ticked_not_graded(chart, t, neurologic=neurologic):
        answer.unknown["organ_toxicity.ungraded"] = 4


def lee_grade(term: str, ctcae: int) -> int:
    return min(ctcae, 3) if term in facts.TRANSAMINASES else ctcae


def lee_organ_codes(
    chart: Chart, t: datetime, *, neurologic: bool
) -> dict[str, tuple[int, set[str]]]:
    """Lee's criteria of organ toxicity, each with its grade and the terms behind it."""
    found: dict[str, tuple[int, set[str]]] = {}
    for one in facts.toxicities(chart, t, neurologic=neurologic):
        if not one.least:
            continue
        code = f"organ_toxicity.grade_{one.least}"
        if one.least == 4 and one.term in facts.TRANSAMINASES:
            code += "_transaminitis"
        grade, terms = found.get(code, (lee_grade(one.term, one.least), set()))
        found[code] = (grade, {*terms, one.term})
    return found


def organ_axis(terms: set[str]) -> str:
    return "neuro" if terms <= oracle.NEUROLOGIC else "organ"
