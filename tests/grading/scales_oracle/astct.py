"""ASTCT 2019 at one instant: its rows, and the fever that they wait for."""

from __future__ import annotations

from datetime import datetime

from tests.grading import oracle
from tests.grading.oracle import Chart
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.facts import Answer, Criterion, grade_of

VASOPRESSIN = "vasopressin"


def astct(chart: Chart, t: datetime) -> Answer:
    full = astct_as_if_open(chart, t)
    if facts.fever(chart, t):
        full.met["astct.fever"] = Criterion(1, "fever")
    if gate_is_open(chart, t):
        return full
    answer = Answer.empty()
    answer.withheld = full.met
    if full.met and fever_may_be_missing(chart, t):
        grades = [criterion.grade for criterion in full.met.values()]
        answer.unknown["astct.fever"] = max([*grades, *full.unknown.values()])
    return answer


def astct_as_if_open(chart: Chart, t: datetime) -> Answer:
    answer = Answer.empty()
    met = answer.met
    if facts.low_or_held(chart, t):
        met["astct.hypotension.no_vasopressor"] = Criterion(2, "hypotension")
    drugs = oracle.running(chart, t)
    others = [drug for drug in drugs if drug != VASOPRESSIN]
    if len(others) >= 2:
        met["astct.vasopressor.multiple"] = Criterion(4, "vasopressor")
    elif others:
        met["astct.vasopressor.one"] = Criterion(3, "vasopressor")
    elif drugs:
        alone = grade_of(chart, "astct_vasopressin_alone_grade")
        met["astct.vasopressor.vasopressin_alone"] = Criterion(alone, "vasopressor")
    support = facts.oxygen(chart, t)
    rows = {"low_flow": 2, "high_flow": 3, "positive_pressure": 4}
    if support.for_hypoxia and support.by_device is not None:
        grade = rows[support.by_device]
        met[f"astct.hypoxia.{support.by_device}"] = Criterion(grade, "oxygen")
        if support.flow_unknown:
            answer.unknown["oxygen.flow"] = 3
    answer.unknown |= dict.fromkeys(facts.pressure_doubts(chart, t), 2)
    return answer


def gate_is_open(chart: Chart, t: datetime) -> bool:
    febrile = facts.febrile_instants(chart, t)
    if facts.fever(chart, t):
        return True
    if any(t < u + chart.minutes("astct_fever_hold_minutes") for u in febrile):
        return True
    return any(entry.at >= u for entry in waiving(chart, t) for u in febrile)


def waiving(chart: Chart, t: datetime) -> list[oracle.Entry]:
    agents = facts.ANTICYTOKINE | facts.CORTICOSTEROIDS
    if chart.policy["astct_fever_waived_by"] == "antipyretic_or_anticytokine":
        agents |= {"antipyretic"}
    return facts.treatments(chart, t, agents)


def fever_may_be_missing(chart: Chart, t: datetime) -> bool:
    return (
        not facts.temperatures(chart, t)
        or bool(waiving(chart, t))
        or bool(facts.febrile_instants(chart, t))
    )
