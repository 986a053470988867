"""What the other scales ask of a chart, found by searching its entries up to an instant.

Everything that Lee's table measures too (low pressure, boluses, doses, FiO2 in use, laboratory
grades) comes from `tests.grading.oracle`, so that scales differ only where they say different
things. Like that module this one is slow on purpose and shares nothing with the grading package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from tests.grading import oracle
from tests.grading.oracle import Chart, Entry, State, charted, last, words

PARAMETERS: dict[str, Any] = {
    "astct_fever_hold_minutes": 1440,
    "astct_fever_waived_by": "antipyretic_or_anticytokine",
    "astct_vasopressin_alone_grade": 3,
    "astct_high_flow_by": "flow",
    "icans_seizure_hold_minutes": 1440,
    "icans_capd_1_to_8_grade": 1,
    "icans_capd_below_years": 12,
    "penn_neuro_counts": False,
    "penn_ctcae_4_grade": 4,
    "penn_single_bolus_grade": 2,
    "penn_multiple_bolus_minutes": 1440,
    "penn_iv_therapy_hold_minutes": 1440,
    "penn_product_hold_minutes": 1440,
    "cartox_neuro_counts": False,
    "cartox_child_bipap_grade": 3,
    "mskcc_fluids_grade": 1,
    "mskcc_noninvasive_grade": 3,
    "ctcae_positive_pressure_grade": 4,
    "ctcae_4_symptomatic_hold_minutes": 1440,
    "ctcae_5_multiple_vasopressors_grade": 4,
}
SUPPORT_HOURS = timedelta(hours=24)
ANTICYTOKINE = words("tocilizumab siltuximab anakinra etanercept infliximab")
CORTICOSTEROIDS = words("methylprednisolone dexamethasone hydrocortisone")
POSITIVE_PRESSURE = words("cpap bipap invasive_ventilation ecmo")
INVASIVE = words("invasive_ventilation ecmo")
TRANSAMINASES = words("alt ast")
PRESSURE_DOUBTS = words("hypotension.relative hypotension.no_baseline hypotension.no_systolic")
OXYGEN_DOUBTS = words("oxygen.fio2 oxygen.fio2_estimated")


@dataclass(frozen=True, eq=False)
class ScaleChart(Chart):
    """A chart whose policy has the parameters of every scale."""

    developmental_delay: bool


class Criterion(NamedTuple):
    """A criterion met: its grade and the axis on which it speaks."""

    grade: int
    axis: str


@dataclass
class Answer:
    """One scale at one instant; `ended` when the course has ended without a grade."""

    met: dict[str, Criterion]
    unknown: dict[str, int]
    withheld: dict[str, Criterion]
    ended: bool = False

    @classmethod
    def empty(cls) -> Answer:
        return cls({}, {}, {})

    @property
    def grade(self) -> int | None:
        if self.ended:
            return None
        return max((criterion.grade for criterion in self.met.values()), default=0)

    @property
    def at_most(self) -> int | None:
        return None if self.grade is None else max([self.grade, *self.unknown.values()])


def read(document: Mapping[str, Any], now: str | None, known_at: str | None) -> ScaleChart:
    chart = oracle.read(document, now, known_at)
    overrides = document.get("policy") or {}
    given = {name: overrides.get(name, default) for name, default in PARAMETERS.items()}
    parameters = {
        name: value if isinstance(PARAMETERS[name], str | bool) else oracle.number(value)
        for name, value in given.items()
    }
    values = {field.name: getattr(chart, field.name) for field in fields(chart)}
    values["policy"] = {**chart.policy, **parameters}
    delayed = document["patient"].get("developmental_delay") is True
    return ScaleChart(**values, developmental_delay=delayed)


def grade_of(chart: Chart, parameter: str) -> int:
    return int(chart.policy[parameter])


# Entries


def counts(entry: Entry) -> bool:
    return oracle.attribution(entry) != "other"


def current(chart: Chart, t: datetime, kind: str, **content: Any) -> Entry | None:
    """The latest entry of a kind; one that does not count has replaced those before it."""
    entry = last(charted(chart, t, kind, **content))
    return entry if entry is not None and counts(entry) else None


def within(chart: Chart, t: datetime, entry: Entry, parameter: str) -> bool:
    """Whether an instant lies in the half-open hold of an event."""
    return entry.at <= t < entry.at + chart.minutes(parameter)


def treated(chart: Chart, t: datetime, agents: frozenset[str], parameter: str) -> bool:
    """Whether one of these, given because of CRS, is within its hold."""
    return any(
        counts(entry) and within(chart, t, entry, parameter)
        for entry in treatments(chart, t, agents)
    )


def treatments(chart: Chart, t: datetime, agents: frozenset[str]) -> list[Entry]:
    """Given since the infusion, whatever their attribution."""
    return [entry for entry in charted(chart, t, "treatment") if entry.raw["agent"] in agents]


# Fever and symptoms


def temperatures(chart: Chart, t: datetime) -> list[Entry]:
    return [
        entry
        for entry in charted(chart, t, "vitals")
        if entry.raw.get("temperature_c") is not None or entry.raw.get("temperature_f") is not None
    ]


def fever(chart: Chart, t: datetime) -> bool:
    latest = last(temperatures(chart, t))
    if latest is None:
        return False
    value = oracle.counted_temperature(latest)
    return value is not None and value >= chart.policy["fever_threshold_c"]


@lru_cache(maxsize=20_000)
def febrile_instants(chart: Chart, t: datetime) -> tuple[datetime, ...]:
    """At which a temperature was charted that is a fever once the instant is concluded."""
    times = sorted({entry.at for entry in temperatures(chart, t)})
    return tuple(u for u in times if fever(chart, u))


def constitutional(chart: Chart, t: datetime) -> bool:
    for term in oracle.CONSTITUTIONAL:
        tick = current(chart, t, "symptom", term=term)
        if tick is not None and tick.raw["present"]:
            return True
    return False


def fever_and_symptoms(chart: Chart, t: datetime, prefix: str, answer: Answer) -> None:
    """Lee's two criteria of grade 1, under the names of another scale."""
    if fever(chart, t):
        answer.met[f"{prefix}.fever"] = Criterion(1, "fever")
    if constitutional(chart, t):
        answer.met[f"{prefix}.constitutional"] = Criterion(1, "constitutional")


def raise_unknowns(answer: Answer, least: int) -> None:
    """Every unknown reaches at least the row that waits for another criterion."""
    for code in answer.unknown:
        answer.unknown[code] = max(answer.unknown[code], least)


# Circulation


def low_or_held(chart: Chart, t: datetime) -> bool:
    """Pressure low now, or within the hold of a bolus that was given for low pressure."""
    return oracle.low(chart, t) or any(
        within(chart, t, bolus, "fluid_hold_minutes") and oracle.bolus_counts(chart, bolus)
        for bolus in charted(chart, t, "fluid_bolus")
    )


def pressure_doubts(chart: Chart, t: datetime) -> frozenset[str]:
    state = State({}, {})
    oracle.hypotension(chart, t, state)
    return PRESSURE_DOUBTS & state.unknown.keys()


def high_dose(chart: Chart, t: datetime) -> bool:
    credit = oracle.high_dose_run(chart, t)
    return credit is not None and credit >= chart.minutes("high_dose_minutes")


def life_threatening(chart: Chart, t: datetime, answer: Answer, *, prompts: bool = True) -> None:
    if oracle.life_threatening_judged(chart, t):
        answer.met["life_threatening"] = Criterion(4, "judgement")
    state = State({}, {})
    oracle.vasopressors(chart, t, state)
    if prompts and "life_threatening" in state.unknown:
        answer.unknown["life_threatening"] = 4


def dose_unknown(chart: Chart, t: datetime) -> bool:
    """Whether a drug runs that has a row of its own in Table 3, at a dose not known."""
    drugs = [drug for drug in oracle.running(chart, t) if drug in oracle.TABLE_3_DRUGS]
    return any(oracle.dose(chart, drug, t) is None for drug in drugs)


def support_credit(chart: Chart, t: datetime) -> timedelta | None:
    """The time credited to the open run of "any counted vasopressor runs"; None: no run.

    Found from the end: a stop of less than the gap belongs to the run, a longer one begins it.
    """
    steps = sorted({entry.at for entry in charted(chart, t, "vasopressor")})
    spans = list(zip(steps, [*steps, t][1:], strict=True))
    off = credit = timedelta()
    met_any = False
    for begin, end in reversed(spans):
        if oracle.running(chart, begin):
            credit += end - begin
            off, met_any = timedelta(), True
            continue
        off += end - begin
        if off >= chart.minutes("gap_minutes"):
            break
    return credit if met_any else None


# Oxygen


class OxygenInUse(NamedTuple):
    """A counted oxygen entry: what it asks for, by G3 and by device."""

    device: str
    for_hypoxia: bool
    needed: bool
    by_fio2: str | None
    doubts: frozenset[str]
    by_device: str | None
    flow_unknown: bool


NO_OXYGEN = OxygenInUse(
    "room_air",
    for_hypoxia=True,
    needed=False,
    by_fio2=None,
    doubts=frozenset(),
    by_device=None,
    flow_unknown=False,
)


def oxygen(chart: Chart, t: datetime) -> OxygenInUse:
    entry = current(chart, t, "oxygen")
    if entry is None:
        return NO_OXYGEN
    state = State({}, {})
    oracle.oxygen(chart, t, state)
    by_fio2 = next(
        (code for code in ("oxygen.below_40", "oxygen.at_least_40") if code in state.met), None
    )
    device = entry.raw["device"]
    by_device, flow_unknown = device_row(chart, entry)
    return OxygenInUse(
        device=device,
        for_hypoxia=(entry.raw.get("purpose") or "hypoxia") == "hypoxia",
        needed=by_fio2 is not None and device not in POSITIVE_PRESSURE,
        by_fio2=by_fio2,
        doubts=OXYGEN_DOUBTS & state.unknown.keys(),
        by_device=by_device,
        flow_unknown=flow_unknown,
    )


def oxygen_by_fio2(support: OxygenInUse, prefix: str, answer: Answer) -> None:
    """Lee's two rows of oxygen and their unknowns, under the names of another scale."""
    if support.by_fio2 is not None:
        grade = 3 if support.by_fio2 == "oxygen.at_least_40" else 2
        answer.met[f"{prefix}.{support.by_fio2}"] = Criterion(grade, "oxygen")
    answer.unknown |= dict.fromkeys(support.doubts, 3)


def device_row(chart: Chart, entry: Entry) -> tuple[str | None, bool]:
    """The row of the table of devices: low flow, high flow or positive pressure; flow unknown."""
    device, raw = entry.raw["device"], entry.raw
    flow = None if raw.get("flow_l_per_min") is None else oracle.number(raw["flow_l_per_min"])
    fio2 = None if raw.get("fio2_percent") is None else oracle.number(raw["fio2_percent"])
    if device in POSITIVE_PRESSURE:
        return "positive_pressure", False
    if device == "room_air" or (fio2 is not None and (fio2 * 100 if fio2 < 1 else fio2) <= 21):
        return None, False
    if device == "nasal_cannula":
        return cannula_row(flow, fio2)
    by_flow = chart.policy["astct_high_flow_by"] == "flow"
    small = flow is not None and 0 < flow <= 6
    if device == "blow_by" or (device == "high_flow_nasal_cannula" and by_flow and small):
        return "low_flow", False
    return "high_flow", False


def cannula_row(flow: Fraction | None, fio2: Fraction | None) -> tuple[str | None, bool]:
    if flow == 0 and fio2 is None:
        return None, False
    if flow is None or flow == 0:
        return "low_flow", True
    return ("low_flow" if flow <= 6 else "high_flow"), False


# Organ toxicity


class Toxicity(NamedTuple):
    """The latest finding on a term: the CTCAE grades that count, from least to most.

    Both are 0 where nothing counts; `least` is None where the result cannot be graded.
    """

    term: str
    by_laboratory: bool
    least: int | None
    most: int


def toxicities(chart: Chart, t: datetime, *, neurologic: bool) -> list[Toxicity]:
    found = list(all_toxicities(chart, t))
    return [one for one in found if neurologic or one.term not in oracle.NEUROLOGIC]


@lru_cache(maxsize=20_000)
def all_toxicities(chart: Chart, t: datetime) -> tuple[Toxicity, ...]:
    latest = {term: last(oracle.about_term(chart.course, term, t)) for term in TERMS}
    return tuple(
        toxicity(chart, term, entry)
        for term, entry in latest.items()
        if entry is not None and counts(entry)
    )


TERMS = sorted(oracle.COUNTED_TERMS)
HIGHEST_CTCAE = {"aptt": 3, "inr": 3}


def toxicity(chart: Chart, term: str, entry: Entry) -> Toxicity:
    by_laboratory = entry.raw["kind"] == "lab"
    if by_laboratory:
        grades = oracle.laboratory_grades(entry, oracle.baseline_of(chart, entry))
    else:
        grades = {int(entry.raw["grade"])}
    if None in grades:
        return Toxicity(term, by_laboratory, None, HIGHEST_CTCAE.get(term, 4))
    earlier = oracle.grade_before(chart, term)
    counted = [
        counted_grade(chart, term, grade, earlier, by_laboratory)
        for grade in grades
        if grade is not None
    ]
    return Toxicity(term, by_laboratory, min(counted), max(counted))


def counted_grade(chart: Chart, term: str, ctcae: int, earlier: int, by_laboratory: bool) -> int:
    """A CTCAE grade, or 0 where it does not count."""
    if term == "headache" and ctcae < 3:
        return 0
    if chart.policy["worsened_only"] and ctcae <= earlier:
        return 0
    if ctcae == 1 and by_laboratory and not chart.policy["laboratory_grade_1_counts"]:
        return 0
    return ctcae


def ticked_not_graded(chart: Chart, t: datetime, *, neurologic: bool) -> bool:
    """Whether a countable sign is ticked and has no CTCAE grade at or after its latest tick."""
    for term in oracle.COUNTED_TERMS - oracle.CONSTITUTIONAL:
        if term in oracle.NEUROLOGIC and not neurologic:
            continue
        tick = current(chart, t, "symptom", term=term)
        if tick is None or not tick.raw["present"]:
            continue
        graded = charted(chart, t, "toxicity", term=term)
        if not any(entry.at >= tick.at for entry in graded):
            return True
    return False
