"""Penn 2018 at one instant."""

from __future__ import annotations

from datetime import datetime

from tests.grading import oracle
from tests.grading.oracle import Chart, charted, last
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.facts import Answer, Criterion, grade_of

LIVER = oracle.words("alt ast alp ggt bilirubin")
COAGULATION = oracle.words("fibrinogen aptt inr disseminated_intravascular_coagulation")
CLOTTING_PRODUCTS = oracle.words("fresh_frozen_plasma cryoprecipitate fibrinogen_concentrate")


def penn(chart: Chart, t: datetime) -> Answer:
    answer = Answer.empty()
    met, unknown = answer.met, answer.unknown
    facts.fever_and_symptoms(chart, t, "penn", answer)
    penn_organs(chart, t, answer)
    penn_circulation(chart, t, answer)
    penn_oxygen(chart, t, answer)
    facts.life_threatening(chart, t, answer)
    penn_products(chart, t, answer)
    another = bool(met)
    waiting = penn_setting(chart, t)
    if another:
        met |= dict.fromkeys(waiting, Criterion(2, "setting"))
        if admission_not_answered(chart, t):
            unknown["penn.hospitalised"] = 2
    elif waiting:
        facts.raise_unknowns(answer, 2)
    return answer


def penn_organs(chart: Chart, t: datetime, answer: Answer) -> None:
    neurologic = bool(chart.policy["penn_neuro_counts"])
    for one in facts.toxicities(chart, t, neurologic=neurologic):
        most = penn_grade(chart, one.term, one.most, one.by_laboratory)
        if one.least is None:
            answer.unknown[f"lab.{one.term}"] = most
            continue
        least = penn_grade(chart, one.term, one.least, one.by_laboratory)
        if least > 0:
            answer.met[f"penn.organ_toxicity.grade_{least}"] = Criterion(least, "organ")
        if most > least:
            answer.unknown[f"lab.{one.term}"] = most
    if facts.ticked_not_graded(chart, t, neurologic=neurologic):
        answer.unknown["organ_toxicity.ungraded"] = grade_of(chart, "penn_ctcae_4_grade")


def penn_products(chart: Chart, t: datetime, answer: Answer) -> None:
    for product in charted(chart, t, "blood_product"):
        given = product.raw["product"] in CLOTTING_PRODUCTS and facts.counts(product)
        if given and facts.within(chart, t, product, "penn_product_hold_minutes"):
            answer.met["penn.coagulopathy"] = Criterion(3, "organ")


def penn_grade(chart: Chart, term: str, ctcae: int, by_laboratory: bool) -> int:
    if ctcae == 0:
        return 0
    if term in LIVER:
        row = (1, 1, 2, 3)
    elif term in COAGULATION:
        row = (1, 2, 2, 2)
    elif by_laboratory:
        row = (1, 2, 3, 3)
    else:
        row = (1, 2, 3, grade_of(chart, "penn_ctcae_4_grade"))
    return row[ctcae - 1]


def penn_circulation(chart: Chart, t: datetime, answer: Answer) -> None:
    met, unknown = answer.met, answer.unknown
    single = grade_of(chart, "penn_single_bolus_grade")
    given = [bolus for bolus in charted(chart, t, "fluid_bolus") if facts.counts(bolus)]
    for_low_pressure = [bolus for bolus in given if oracle.bolus_counts(chart, bolus)]
    if facts.low_or_held(chart, t):
        met["penn.hypotension"] = Criterion(single, "hypotension")
    if several_boluses(chart, t, for_low_pressure):
        met["penn.hypotension.multiple_boluses"] = Criterion(3, "hypotension")
    reach = 3 if several_boluses(chart, t, given) else single
    unknown |= dict.fromkeys(facts.pressure_doubts(chart, t), reach)
    if facts.high_dose(chart, t):
        met["penn.vasopressor.high_dose"] = Criterion(4, "vasopressor")
    elif oracle.running(chart, t):
        met["penn.vasopressor.low_dose"] = Criterion(3, "vasopressor")
        if facts.dose_unknown(chart, t):
            unknown["penn.vasopressor.dose"] = 4


def several_boluses(chart: Chart, t: datetime, boluses: list[oracle.Entry]) -> bool:
    """Whether a bolus in its hold has another of them with it or in the time before it."""
    reach = chart.minutes("penn_multiple_bolus_minutes")
    return any(
        first is not second and second.at - reach <= first.at <= second.at
        for second in boluses
        if facts.within(chart, t, second, "fluid_hold_minutes")
        for first in boluses
    )


def penn_oxygen(chart: Chart, t: datetime, answer: Answer) -> None:
    support = facts.oxygen(chart, t)
    if not support.for_hypoxia:
        return
    if support.device in facts.INVASIVE:
        answer.met["penn.ventilator"] = Criterion(4, "oxygen")
    elif support.needed or support.device in ("cpap", "bipap"):
        answer.met["penn.oxygen"] = Criterion(3, "oxygen")


def latest_admission(chart: Chart, t: datetime) -> oracle.Entry | None:
    """The latest one of any attribution; one from before the infusion holds."""
    before = [entry for entry in chart.before if entry.raw["kind"] == "admission"]
    return last([*before, *charted(chart, t, "admission")])


def penn_setting(chart: Chart, t: datetime) -> list[str]:
    """Rows of grade 2 that hold as soon as another criterion is met."""
    waiting = []
    place = latest_admission(chart, t)
    if place is not None and in_hospital(place) and place.raw.get("because_of_crs") is True:
        waiting.append("penn.hospitalised")
    agents = facts.ANTICYTOKINE | facts.CORTICOSTEROIDS | {"antibiotics"}
    if facts.treated(chart, t, agents, "penn_iv_therapy_hold_minutes"):
        waiting.append("penn.iv_therapy")
    return waiting


def in_hospital(place: oracle.Entry) -> bool:
    return facts.counts(place) and place.raw["setting"] != "home"


def admission_not_answered(chart: Chart, t: datetime) -> bool:
    place = latest_admission(chart, t)
    if place is None:
        return True
    return in_hospital(place) and place.raw.get("because_of_crs") is None
