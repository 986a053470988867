"""All scales at an instant, why they differ from Lee's, and the instants worth asking.

chart = read(document, now, known_at)
answer_at(chart, t, "astct-2019").grade
differ_at(chart, t)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from tests.grading import oracle
from tests.grading.oracle import Entry, charted
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.astct import astct
from tests.grading.scales_oracle.cartox import cartox, lee_organ_codes, organ_axis
from tests.grading.scales_oracle.ctcae import ctcae_4, ctcae_5, ctcae_6
from tests.grading.scales_oracle.facts import Answer, Criterion, ScaleChart, read
from tests.grading.scales_oracle.icans import icans
from tests.grading.scales_oracle.mskcc import mskcc
from tests.grading.scales_oracle.penn import penn

__all__ = ["answer_at", "instants", "read", "turns"]

LEE = "lee-2014"
SCALES: dict[str, Callable[[ScaleChart, datetime], Answer]] = {
    "astct-2019": astct,
    "icans-2019": icans,
    "penn-2018": penn,
    "cartox-2018": cartox,
    "mskcc-2018": mskcc,
    "ctcae-4.03": ctcae_4,
    "ctcae-5.0": ctcae_5,
    "ctcae-6.0": ctcae_6,
}


@lru_cache(maxsize=20_000)
def answer_at(chart: ScaleChart, t: datetime, key: str) -> Answer:
    death = oracle.first_death(chart)
    if death is not None and death.at <= t:
        return answer_after_death(death, key)
    return lee(chart, t) if key == LEE else SCALES[key](chart, t)


def answer_after_death(death: Entry, key: str) -> Answer:
    if key == LEE:
        is_5 = facts.counts(death)
    else:
        due_to = death.raw.get("due_to")
        if due_to is None:
            due_to = ["crs"] if facts.counts(death) else []
        is_5 = ("icans" if key == "icans-2019" else "crs") in due_to
    if not is_5:
        return Answer({}, {}, {}, ended=True)
    return Answer({"death": Criterion(5, "death")}, {}, {})


def lee(chart: ScaleChart, t: datetime) -> Answer:
    state = oracle.state_at(chart, t)
    neurologic = bool(chart.policy["neuro_counts"])
    organs = lee_organ_codes(chart, t, neurologic=neurologic)
    met = {}
    for code, grade in state.met.items():
        if code.startswith("organ_toxicity."):
            assert organs[code][0] == grade
            axis = organ_axis(organs[code][1])
        else:
            axis = LEE_AXES.get(code) or code.split(".")[0]
        met[code] = Criterion(grade, axis)
    return Answer(met, state.unknown, {})


LEE_AXES = {
    "symptom.fever": "fever",
    "symptom.constitutional": "constitutional",
    "ventilator": "oxygen",
    "life_threatening": "judgement",
}


# Instants worth asking


def turns(chart: ScaleChart) -> list[datetime]:
    """Every instant at which an entry or the clock alone could change an answer."""
    found = {chart.infused_at, chart.now, *(entry.at for entry in chart.course)}
    found |= oracle.clock_instants(chart)
    for u in facts.febrile_instants(chart, chart.now):
        found.add(u + chart.minutes("astct_fever_hold_minutes"))
    holds = {
        "seizure": ("icans_seizure_hold_minutes",),
        "blood_product": ("penn_product_hold_minutes",),
        "treatment": ("penn_iv_therapy_hold_minutes", "ctcae_4_symptomatic_hold_minutes"),
        "fluid_bolus": ("fluid_hold_minutes",),
    }
    for kind, parameters in holds.items():
        for entry in charted(chart, chart.now, kind):
            found |= {entry.at + chart.minutes(parameter) for parameter in parameters}
    for step in {entry.at for entry in charted(chart, chart.now, "vasopressor")}:
        found.add(step + chart.minutes("gap_minutes"))
        credit = facts.support_credit(chart, step)
        if credit is not None and oracle.running(chart, step):
            found.add(step + facts.SUPPORT_HOURS - credit)
    return sorted(t for t in found if t >= chart.infused_at)


def instants(chart: ScaleChart) -> list[datetime]:
    """The turns, and just before and just after each."""
    step = timedelta(seconds=1)
    found = {t + near for t in turns(chart) for near in (-step, timedelta(), step)}
    return sorted(t for t in found if t >= chart.infused_at)
