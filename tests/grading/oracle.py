"""Lee 2014 grading a second time: slow, naive, and written from the rules alone.

Every instant is graded afresh by searching lists of the entries charted up to it; no state is
carried from one instant to the next and nothing is shared with the grading package. Its only
worth is that a mistake in it and a mistake there are unlikely to be the same.

Documents are taken to be valid. Sections named in comments are those of the grading rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POLICY: dict[str, Any] = {
    "fever_threshold_c": "38.0",
    "adult_age_years": 18,
    "sbp_floor_adult_mmhg": 90,
    "map_floor_adult_mmhg": 65,
    "relative_fraction": "0.70",
    "relative_drop_mmhg": 40,
    "at_baseline_fraction": "0.90",
    "at_baseline_margin_mmhg": 5,
    "fluid_window_minutes": 60,
    "fluid_hold_minutes": 240,
    "high_dose_minutes": 180,
    "gap_minutes": 15,
    "refractory_minutes": 60,
    "life_threatening_minutes": 60,
    "cpap_grade": 3,
    "bipap_grade": 4,
    "nasal_cannula_rule": "formula",
    "simple_mask_fio2_percent": 40,
    "partial_rebreather_fio2_percent": 60,
    "non_rebreather_fio2_percent": 80,
    "blow_by_fio2_percent": 30,
    "norepinephrine_expressed_as": "base",
    "neuro_counts": True,
    "worsened_only": True,
    "laboratory_grade_1_counts": False,
}
TABLE_3_DRUGS = ("norepinephrine", "epinephrine", "dopamine", "phenylephrine")
VASOPRESSORS = (*TABLE_3_DRUGS, "vasopressin", "angiotensin_ii", "other_vasopressor")
CONSTITUTIONAL = words(
    """
    malaise fatigue anorexia myalgia arthralgia nausea vomiting headache rigors
    """
)
LABORATORY = words(
    """
    alt ast alp ggt bilirubin creatinine fibrinogen aptt inr lvef
    """
)
NEUROLOGIC = words(
    """
    encephalopathy confusion delirium hallucinations agitation seizure dysphasia dysarthria
    tremor ataxia somnolence depressed_consciousness cerebral_edema headache
    """
)
OTHER_COUNTED = words(
    """
    heart_failure left_ventricular_systolic_dysfunction supraventricular_tachycardia
    atrial_fibrillation ventricular_arrhythmia ventricular_fibrillation cardiac_arrest
    qtc_prolonged troponin_increased acute_kidney_injury urine_output_decreased ards
    pulmonary_edema pleural_effusion disseminated_intravascular_coagulation hemorrhage
    hepatic_failure ck_increased capillary_leak_syndrome multi_organ_failure
    hemophagocytic_lymphohistiocytosis rash nausea vomiting diarrhea
    """
)
COUNTED_TERMS = LABORATORY | NEUROLOGIC | OTHER_COUNTED
BASELINE_FIELD = {
    "creatinine": "creatinine_mg_dl",
    "lvef": "lvef_percent",
    "fibrinogen": "fibrinogen_mg_dl",
}
UPPER_MULTIPLES: dict[str, tuple[int | Fraction, ...]] = {
    "alt": (1, 3, 5, 20),
    "ast": (1, 3, 5, 20),
    "alp": (1, Fraction(5, 2), 5, 20),
    "ggt": (1, Fraction(5, 2), 5, 20),
    "bilirubin": (1, Fraction(3, 2), 3, 10),
    "creatinine": (1, Fraction(3, 2), 3, 6),
    "aptt": (1, Fraction(3, 2), Fraction(5, 2)),
    "inr": (1, Fraction(3, 2), Fraction(5, 2)),
}


class Entry(NamedTuple):
    """One entry; sorting a list of these is the order in which entries apply (section 1)."""

    at: datetime
    recorded_at: datetime
    place: int
    raw: Mapping[str, Any]


class State(NamedTuple):
    """What is met and what is unknown at one instant, by code."""

    met: dict[str, int]
    unknown: dict[str, int]

    @property
    def grade(self) -> int:
        return max(self.met.values(), default=0)

    @property
    def at_most(self) -> int:
        return max([self.grade, *self.unknown.values()])

    @property
    def visible(self) -> tuple[int, int, frozenset[str], frozenset[str]]:
        """That in which neighbouring periods must differ."""
        return self.grade, self.at_most, frozenset(self.met), frozenset(self.unknown)


@dataclass(frozen=True, eq=False)
class Chart:
    """What is known of one course: its facts, and its active entries up to `now`, in order."""

    infused_at: datetime
    now: datetime
    policy: Mapping[str, Any]
    age_years: int
    age_days: int | None
    start_weight_kg: Fraction | None
    baseline: Mapping[str, Fraction]
    before: list[Entry]
    course: list[Entry]

    @property
    def adult(self) -> bool:
        return bool(self.age_years >= self.policy["adult_age_years"])

    def minutes(self, name: str) -> timedelta:
        return timedelta(microseconds=int(self.policy[name] * 60_000_000))


def answer(
    document: Mapping[str, Any], now: str | None = None, known_at: str | None = None
) -> dict[str, Any]:
    """The grader's answer to a course file, without explanations, evidence and guidance."""
    chart = read(document, now, known_at)
    periods = graded_periods(chart)
    if not periods:
        nothing = {"grade": None, "at_most": None, "peak_24h": None}
        return {"current": nothing, "maximum": None, "maximum_at": None, "periods": []}
    death = first_death(chart)
    stopped = death is not None and attribution(death) == "other"
    state = periods[-1][2]
    highest = max(state.grade for _, _, state in periods)
    recent = chart.now - timedelta(hours=24)
    shown = [as_json(*period, projected=False) for period in periods]
    if death is None:
        shown += [as_json(*period, projected=True) for period in projected_periods(chart)]
    return {
        "current": {
            "grade": None if stopped else state.grade,
            "at_most": None if stopped else state.at_most,
            "peak_24h": max((s.grade for _, to, s in periods if to > recent), default=None),
        },
        "maximum": highest,
        "maximum_at": iso(next(start for start, _, s in periods if s.grade == highest)),
        "periods": shown,
    }


def restrict(full: Mapping[str, Any]) -> dict[str, Any]:
    """A grader's whole answer cut down to what `answer` gives, its instants written alike."""
    periods = [
        {
            "from": iso(instant(period["from"])),
            "to": None if period["to"] is None else iso(instant(period["to"])),
            "grade": period["grade"],
            "at_most": period["at_most"],
            "projected": period["projected"],
            "criteria": {c["code"]: c["grade"] for c in period["criteria"]},
            "unknown": {u["code"]: u["could_reach"] for u in period["unknown"]},
        }
        for period in full["periods"]
    ]
    highest_at = full["maximum_at"]
    return {
        "current": {name: full["current"][name] for name in ("grade", "at_most", "peak_24h")},
        "maximum": full["maximum"],
        "maximum_at": None if highest_at is None else iso(instant(highest_at)),
        "periods": periods,
    }


# Reading the document


def number(value: Any) -> Fraction:
    return Fraction(str(value))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def read(document: Mapping[str, Any], now: str | None, known_at: str | None) -> Chart:
    infused_at = instant(document["therapy"]["infused_at"])
    known = [
        Entry(instant(raw["at"]), instant(raw.get("recorded_at", raw["at"])), place, raw)
        for place, raw in enumerate(document.get("entries", []))
    ]
    if known_at is not None:
        known = [entry for entry in known if entry.recorded_at <= instant(known_at)]
    times = [time for entry in known for time in (entry.at, entry.recorded_at)]
    until = instant(now) if now is not None else max(times, default=infused_at)
    gone = {entry.raw.get("replaces") for entry in known}
    active = sorted(
        entry
        for entry in known
        if entry.raw.get("id", object()) not in gone and entry.raw["kind"] != "retraction"
    )
    weight = document.get("weight_kg")
    return Chart(
        infused_at=infused_at,
        now=until,
        policy=read_policy(document.get("policy") or {}),
        age_years=age_in_years(document["patient"], infused_at),
        age_days=age_in_days(document["patient"], infused_at),
        start_weight_kg=None if weight is None else number(weight),
        baseline=read_baseline(document.get("baseline") or {}, active),
        before=[entry for entry in active if entry.at < infused_at],
        course=[entry for entry in active if infused_at <= entry.at <= until],
    )


def read_policy(overrides: Mapping[str, Any]) -> dict[str, Any]:
    words = {"nasal_cannula_rule", "norepinephrine_expressed_as"}
    merged = {name: overrides.get(name, default) for name, default in POLICY.items()}
    return {
        name: value if name in words or isinstance(value, bool) else number(value)
        for name, value in merged.items()
    }


def age_in_years(patient: Mapping[str, Any], infused_at: datetime) -> int:
    if "birth_date" not in patient:
        return int(number(patient["age_years"]))
    born = date.fromisoformat(patient["birth_date"])
    birthday_to_come = (infused_at.month, infused_at.day) < (born.month, born.day)
    return infused_at.year - born.year - birthday_to_come


def age_in_days(patient: Mapping[str, Any], infused_at: datetime) -> int | None:
    if "birth_date" not in patient:
        return None
    born = date.fromisoformat(patient["birth_date"])
    return (infused_at.date() - born).days


def read_baseline(at_start: Mapping[str, Any], active: Iterable[Entry]) -> dict[str, Fraction]:
    """Each field as it was recorded last; it holds for the whole course, back and forth."""
    entries = [entry for entry in active if entry.raw["kind"] == "baseline"]
    in_order = sorted(entries, key=lambda entry: (entry.recorded_at, entry.at, entry.place))
    fields = {}
    for source in [at_start, *(entry.raw for entry in in_order)]:
        for name, value in source.items():
            if name.endswith(("_mmhg", "_dl", "_percent")) and value is not None:
                fields[name] = number(value)
    return fields


# Searching


def charted(chart: Chart, t: datetime, kind: str, **fields: Any) -> list[Entry]:
    """Entries of the course at or before `t`, in the order in which they apply."""
    return [
        entry
        for entry in chart.course
        if entry.at <= t
        and entry.raw["kind"] == kind
        and all(entry.raw.get(name) == value for name, value in fields.items())
    ]


def last(entries: list[Entry]) -> Entry | None:
    return entries[-1] if entries else None


def attribution(entry: Entry, field: str | None = None) -> str:
    charted_as = entry.raw.get("attribution") or "crs"
    if isinstance(charted_as, str):
        return charted_as
    return str(charted_as.get(field, "crs"))


def counted_value(entry: Entry, field: str) -> Fraction | None:
    value = entry.raw.get(field)
    if value is None or attribution(entry, field) == "other":
        return None
    return number(value)


def counted_temperature(entry: Entry) -> Fraction | None:
    fahrenheit = entry.raw.get("temperature_f")
    if fahrenheit is None:
        return counted_value(entry, "temperature_c")
    if attribution(entry, "temperature_c") == "other":
        return None
    return (number(fahrenheit) - 32) * 5 / 9


def first_death(chart: Chart) -> Entry | None:
    deaths = charted(chart, chart.now, "death")
    return last([entry for entry in deaths if entry.at == deaths[0].at])


# Blood pressure (section 4)


def reading_at(chart: Chart, t: datetime) -> Entry | None:
    return last(readings(chart, t))


def readings(chart: Chart, t: datetime) -> list[Entry]:
    return [
        entry
        for entry in charted(chart, t, "vitals")
        if entry.raw.get("systolic_mmhg") is not None
        or entry.raw.get("mean_arterial_pressure_mmhg") is not None
    ]


def has_counted_pressure(reading: Entry) -> bool:
    """Whether the systolic or the charted mean pressure is not attributed to another cause."""
    charted_fields = ("systolic_mmhg", "mean_arterial_pressure_mmhg")
    return any(counted_value(reading, field) is not None for field in charted_fields)


def mean_pressure(reading: Entry) -> Fraction | None:
    """The charted mean (none where it is attributed to another cause), else the derived one."""
    if reading.raw.get("mean_arterial_pressure_mmhg") is not None:
        return counted_value(reading, "mean_arterial_pressure_mmhg")
    systolic = counted_value(reading, "systolic_mmhg")
    diastolic = counted_value(reading, "diastolic_mmhg")
    if systolic is None or diastolic is None:
        return None
    return (systolic + 2 * diastolic) / 3


def systolic_floor(chart: Chart) -> Fraction:
    if chart.adult:
        return Fraction(chart.policy["sbp_floor_adult_mmhg"])
    if chart.age_days is not None and chart.age_days < 28:
        return Fraction(60)
    if chart.age_years < 1:
        return Fraction(70)
    if chart.age_years < 10:
        return Fraction(70 + 2 * chart.age_years)
    return Fraction(90)


def baseline_mean(chart: Chart) -> Fraction | None:
    base = chart.baseline
    if "mean_arterial_pressure_mmhg" in base:
        return base["mean_arterial_pressure_mmhg"]
    if "systolic_mmhg" in base and "diastolic_mmhg" in base:
        return (base["systolic_mmhg"] + 2 * base["diastolic_mmhg"]) / 3
    return None


def verdict(chart: Chart, reading: Entry) -> str:
    """ "low" (by a floor), "question" or "fine": the class of a reading before any judgement."""
    policy = chart.policy
    systolic = counted_value(reading, "systolic_mmhg")
    base_systolic = chart.baseline.get("systolic_mmhg")
    pressures = [(systolic, systolic_floor(chart), base_systolic)]
    if chart.adult:
        floor = policy["map_floor_adult_mmhg"]
        pressures.append((mean_pressure(reading), floor, baseline_mean(chart)))
    answers = set()
    for value, floor, base in pressures:
        if value is None or value >= floor:
            continue
        usual = (
            base is not None
            and base < floor + policy["at_baseline_margin_mmhg"]
            and value >= policy["at_baseline_fraction"] * base
        )
        answers.add("question" if usual else "low")
    if systolic is not None and base_systolic is not None:
        limit_by_fraction = policy["relative_fraction"] * base_systolic
        limit_by_drop = base_systolic - policy["relative_drop_mmhg"]
        if systolic <= limit_by_fraction or systolic <= limit_by_drop:
            answers.add("question")
    return "low" if "low" in answers else "question" if "question" in answers else "fine"


def verdict_at(chart: Chart, t: datetime) -> str:
    reading = reading_at(chart, t)
    return "fine" if reading is None else verdict(chart, reading)


@lru_cache(maxsize=20_000)
def relative_judged(chart: Chart, t: datetime) -> bool | None:
    judgement = last(charted(chart, t, "judgement", about="relative_hypotension"))
    if judgement is None:
        return None
    since = [judgement.at, *(r.at for r in readings(chart, t) if r.at > judgement.at)]
    if any(verdict_at(chart, u) == "fine" for u in since):
        return None
    return bool(judgement.raw["present"])


@lru_cache(maxsize=20_000)
def low(chart: Chart, t: datetime) -> bool:
    found = verdict_at(chart, t)
    return found == "low" or (found == "question" and relative_judged(chart, t) is True)


def refractory_judged(chart: Chart, t: datetime) -> bool | None:
    judgement = last(charted(chart, t, "judgement", about="refractory_hypotension"))
    if judgement is None:
        return None
    changes = [e.at for e in charted(chart, t, "vasopressor") if e.at > judgement.at]
    if not all(running(chart, u) for u in [judgement.at, *changes]):
        return None
    later = [reading.at for reading in readings(chart, t) if reading.at > judgement.at]
    if not all(low(chart, u) for u in later):
        return None
    return bool(judgement.raw["present"])


def life_threatening_judged(chart: Chart, t: datetime) -> bool | None:
    judgement = last(charted(chart, t, "judgement", about="life_threatening"))
    return None if judgement is None else bool(judgement.raw["present"])


def bolus_counts(chart: Chart, bolus: Entry) -> bool:
    """Given while the pressure is low, or soon after a reading that was low at its own time."""
    if attribution(bolus) == "other":
        return False
    earliest = bolus.at - chart.minutes("fluid_window_minutes")
    recent = [r.at for r in readings(chart, bolus.at) if r.at >= earliest]
    return low(chart, bolus.at) or any(low(chart, u) for u in recent)


# Vasopressors (section 5)


@lru_cache(maxsize=20_000)
def running(chart: Chart, t: datetime) -> tuple[str, ...]:
    return tuple(drug for drug in VASOPRESSORS if runs(chart, drug, t))


def runs(chart: Chart, drug: str, t: datetime) -> bool:
    entry = last(charted(chart, t, "vasopressor", drug=drug))
    if entry is None or attribution(entry) == "other":
        return False
    return entry.raw["rate"] is None or number(entry.raw["rate"]) > 0


def started(chart: Chart, drug: str, t: datetime) -> datetime:
    """Since when a drug that runs at `t` has run without a stop."""
    start = t
    for u in sorted({e.at for e in charted(chart, t, "vasopressor", drug=drug)}, reverse=True):
        if not runs(chart, drug, u):
            break
        start = u
    return start


def weight_for(chart: Chart, entry: Entry, t: datetime) -> Fraction | None:
    """The weight that converts a charted rate, as far as it is charted by `t`."""
    if entry.raw.get("weight_kg") is not None:
        return number(entry.raw["weight_kg"])
    weights = [e for e in chart.before + chart.course if e.raw["kind"] == "weight" and e.at <= t]
    earlier = [e for e in weights if e.at <= entry.at]
    if earlier:
        return number(earlier[-1].raw["weight_kg"])
    if chart.start_weight_kg is not None:
        return chart.start_weight_kg
    if not weights:
        return None
    return number([e for e in weights if e.at == weights[0].at][-1].raw["weight_kg"])


def dose(chart: Chart, drug: str, t: datetime) -> Fraction | None:
    """In Table 3's unit of the drug; None where it is not known."""
    entry = charted(chart, t, "vasopressor", drug=drug)[-1]
    if entry.raw["rate"] is None:
        return None
    rate = number(entry.raw["rate"])
    unit = entry.raw["unit"]
    weight = weight_for(chart, entry, t)
    if unit == "ug/kg/min":
        per_kg: Fraction | None = rate
        total = None if weight is None else rate * weight
    else:
        if unit == "mg/h":
            total = rate * 1000 / 60
        elif unit == "ml/h":
            total = rate * number(entry.raw["concentration_per_ml"]) / 60
        else:
            total = rate
        per_kg = None if weight is None else total / weight
    if drug == "dopamine":
        return per_kg
    if drug == "norepinephrine" and total is not None:
        bitartrate = chart.policy["norepinephrine_expressed_as"] == "bitartrate"
        return total / 2 if bitartrate else total
    return total


@lru_cache(maxsize=20_000)
def high_now(chart: Chart, t: datetime) -> bool:
    drugs = running(chart, t)
    doses = {drug: dose(chart, drug, t) or Fraction(0) for drug in TABLE_3_DRUGS if drug in drugs}
    own_limit = {"norepinephrine": 20, "dopamine": 10, "phenylephrine": 200, "epinephrine": 10}
    if any(amount >= own_limit[drug] for drug, amount in doses.items()):
        return True
    divisor = {"norepinephrine": 1, "dopamine": 2, "phenylephrine": 10, "epinephrine": 1}
    equivalent = sum((amount / divisor[drug] for drug, amount in doses.items()), Fraction(0))
    if "vasopressin" in drugs:
        return equivalent >= 10
    return len(doses) >= 2 and equivalent >= 20


def high_dose_run(chart: Chart, t: datetime) -> timedelta | None:
    """The minutes credited to the run open at `t`; None where none is open."""
    steps = sorted({e.at for kind in ("vasopressor", "weight") for e in charted(chart, t, kind)})
    credit: timedelta | None = None
    low_since: datetime | None = None
    for step, following in zip(steps, [*steps, t][1:], strict=True):
        if high_now(chart, step):
            credit = (credit or timedelta()) + (following - step)
            low_since = None
        elif credit is not None:
            low_since = low_since or step
            if following - low_since >= chart.minutes("gap_minutes"):
                credit, low_since = None, None
    return credit


# One instant (sections 2, 3 and 6)


def state_at(chart: Chart, t: datetime) -> State:
    death = first_death(chart)
    if death is not None and death.at <= t:
        return State({"death": 5}, {})
    state = State({}, {})
    for part in (symptoms, oxygen, hypotension, vasopressors, organ_toxicity):
        part(chart, t, state)
    return state


def symptoms(chart: Chart, t: datetime, state: State) -> None:
    measured = [
        e
        for e in charted(chart, t, "vitals")
        if e.raw.get("temperature_c") is not None or e.raw.get("temperature_f") is not None
    ]
    if measured:
        temperature = counted_temperature(measured[-1])
        if temperature is not None and temperature >= chart.policy["fever_threshold_c"]:
            state.met["symptom.fever"] = 1
    for term in sorted({entry.raw["term"] for entry in charted(chart, t, "symptom")}):
        ticks = charted(chart, t, "symptom", term=term)
        if not ticks[-1].raw["present"] or attribution(ticks[-1]) == "other":
            continue
        if term in CONSTITUTIONAL:
            state.met["symptom.constitutional"] = 1
        elif term in COUNTED_TERMS and (chart.policy["neuro_counts"] or term not in NEUROLOGIC):
            graded = charted(chart, t, "toxicity", term=term)
            if not any(entry.at >= ticks[-1].at for entry in graded):
                state.unknown["organ_toxicity.ungraded"] = 4


def oxygen(chart: Chart, t: datetime, state: State) -> None:
    entry = last(charted(chart, t, "oxygen"))
    if entry is None or attribution(entry) == "other" or entry.raw["device"] == "room_air":
        return
    device = entry.raw["device"]
    if device in ("invasive_ventilation", "ecmo"):
        state.met["ventilator"] = 4
    if device == "bipap":
        grade = int(chart.policy["bipap_grade"])
        state.met["ventilator" if grade == 4 else "oxygen.bipap"] = grade
    if device == "cpap":
        state.met["oxygen.cpap"] = int(chart.policy["cpap_grade"])
    if entry.raw.get("fio2_percent") is not None:
        fio2 = number(entry.raw["fio2_percent"])
        fio2 = fio2 * 100 if fio2 < 1 else fio2
        if fio2 > 21:
            state.met["oxygen.at_least_40" if fio2 >= 40 else "oxygen.below_40"] = (
                3 if fio2 >= 40 else 2
            )
    elif device not in ("cpap", "bipap", "invasive_ventilation", "ecmo"):
        oxygen_without_fio2(chart, entry, state)


def oxygen_without_fio2(chart: Chart, entry: Entry, state: State) -> None:
    device, policy = entry.raw["device"], chart.policy
    masks = {
        "blow_by": policy["blow_by_fio2_percent"],
        "simple_mask": policy["simple_mask_fio2_percent"],
        "partial_rebreather_mask": policy["partial_rebreather_fio2_percent"],
        "non_rebreather_mask": policy["non_rebreather_fio2_percent"],
    }
    if device in masks:
        estimate = masks[device]
    elif device == "nasal_cannula" and entry.raw.get("flow_l_per_min") is not None:
        flow = number(entry.raw["flow_l_per_min"])
        if flow == 0:
            return
        if policy["nasal_cannula_rule"] == "low_flow_up_to_6" and flow <= 6:
            state.met["oxygen.below_40"] = 2
            return
        estimate = 20 + 4 * flow
    else:
        state.met["oxygen.below_40"] = 2
        state.unknown["oxygen.fio2"] = 3
        return
    if estimate >= 40:
        state.met["oxygen.at_least_40"] = 3
        return
    state.met["oxygen.below_40"] = 2
    if estimate >= 36:
        state.unknown["oxygen.fio2_estimated"] = 3


def hypotension(chart: Chart, t: datetime, state: State) -> None:
    reading = reading_at(chart, t)
    if reading is not None and has_counted_pressure(reading):
        pressure(chart, t, reading, state)
    hold = chart.minutes("fluid_hold_minutes")
    boluses = [b for b in charted(chart, t, "fluid_bolus") if t < b.at + hold]
    if any(bolus_counts(chart, bolus) for bolus in boluses):
        state.met["hypotension.fluid_bolus"] = 2
    if refractory_judged(chart, t):
        state.met["hypotension.refractory"] = 3
    if life_threatening_judged(chart, t):
        state.met["life_threatening"] = 4


def pressure(chart: Chart, t: datetime, reading: Entry, state: State) -> None:
    if low(chart, t):
        state.met["hypotension.low_pressure"] = 2
    elif "systolic_mmhg" not in chart.baseline:
        state.unknown["hypotension.no_baseline"] = 2
    if verdict(chart, reading) == "question" and relative_judged(chart, t) is None:
        state.unknown["hypotension.relative"] = 2
    if not chart.adult and counted_value(reading, "systolic_mmhg") is None:
        state.unknown["hypotension.no_systolic"] = 2


def vasopressors(chart: Chart, t: datetime, state: State) -> None:
    drugs = running(chart, t)
    credit = high_dose_run(chart, t)
    reading = reading_at(chart, t)
    high = credit is not None and credit >= chart.minutes("high_dose_minutes")
    if high:
        state.met["vasopressor.high_dose"] = 3
    if len(drugs) >= 2:
        state.met["vasopressor.multiple"] = 3
        long_enough = credit is not None and credit >= chart.minutes("life_threatening_minutes")
        if long_enough and low(chart, t) and life_threatening_judged(chart, t) is None:
            state.unknown["life_threatening"] = 4
    if len(drugs) != 1 or high:
        return
    state.met["vasopressor.single_low_dose"] = 2
    drug = drugs[0]
    if drug in TABLE_3_DRUGS and dose(chart, drug, t) is None:
        state.unknown["vasopressor.dose"] = 3
    if reading is not None and low(chart, t) and refractory_judged(chart, t) is None:
        since = started(chart, drug, t)
        if reading.at - since >= chart.minutes("refractory_minutes"):
            state.unknown["hypotension.refractory"] = 3


def organ_toxicity(chart: Chart, t: datetime, state: State) -> None:
    for term in sorted(COUNTED_TERMS):
        entry = last(about_term(chart.course, term, t))
        if entry is None or attribution(entry) == "other":
            continue
        earlier = grade_before(chart, term)
        if entry.raw["kind"] == "toxicity":
            grades: set[int | None] = {int(entry.raw["grade"])}
        else:
            grades = laboratory_grades(entry, baseline_of(chart, entry))
        if None in grades:
            three = term in ("alt", "ast", "aptt", "inr")
            state.unknown[f"lab.{term}"] = 3 if three else 4
            continue
        known = [grade for grade in grades if grade is not None]
        least = organ_code(chart, entry, term, min(known), earlier)
        most = organ_code(chart, entry, term, max(known), earlier)
        if least is not None:
            state.met[least[0]] = least[1]
        if most is not None and most[1] > (0 if least is None else least[1]):
            state.unknown[f"lab.{term}"] = most[1]


def about_term(entries: list[Entry], term: str, t: datetime | None = None) -> list[Entry]:
    return [
        entry
        for entry in entries
        if (t is None or entry.at <= t)
        and (
            (entry.raw["kind"] == "toxicity" and entry.raw["term"] == term)
            or (entry.raw["kind"] == "lab" and entry.raw["analyte"] == term)
        )
    ]


def organ_code(
    chart: Chart, entry: Entry, term: str, ctcae: int, earlier: int
) -> tuple[str, int] | None:
    """The criterion and CRS grade that a CTCAE grade of a term gives, if it counts."""
    policy = chart.policy
    if term in NEUROLOGIC and not policy["neuro_counts"]:
        return None
    if ctcae == 0 or (term == "headache" and ctcae < 3):
        return None
    if policy["worsened_only"] and ctcae <= earlier:
        return None
    by_laboratory = entry.raw["kind"] == "lab"
    if ctcae == 1 and by_laboratory and not policy["laboratory_grade_1_counts"]:
        return None
    if ctcae == 4 and term in ("alt", "ast"):
        return "organ_toxicity.grade_4_transaminitis", 3
    return f"organ_toxicity.grade_{ctcae}", ctcae


def grade_before(chart: Chart, term: str) -> int:
    """The CTCAE grade of the latest gradable entry before the infusion, by limits alone."""
    for entry in reversed(about_term(chart.before, term)):
        if entry.raw["kind"] == "toxicity":
            return int(entry.raw["grade"])
        grades = laboratory_grades(entry, None)
        if None not in grades:
            return min(grade for grade in grades if grade is not None)
    return 0


# Laboratory results


def conversion(analyte: str, unit: str) -> Fraction:
    """How many mg/dL one of the unit is; 1 where the analyte has one unit."""
    factors = {
        ("creatinine", "umol/L"): 1 / Fraction("88.4"),
        ("bilirubin", "umol/L"): 1 / Fraction("17.1"),
        ("fibrinogen", "g/L"): Fraction(100),
    }
    return factors.get((analyte, unit), Fraction(1))


def baseline_of(chart: Chart, result: Entry) -> Fraction | None:
    """The baseline in the unit of the result being graded."""
    analyte, unit = result.raw["analyte"], result.raw["unit"]
    if BASELINE_FIELD.get(analyte) in chart.baseline:
        return chart.baseline[BASELINE_FIELD[analyte]] / conversion(analyte, unit)
    results = [
        entry
        for entry in chart.before
        if entry.raw["kind"] == "lab" and entry.raw["analyte"] == analyte
    ]
    if not results:
        return None
    canonical = number(results[-1].raw["value"]) * conversion(analyte, results[-1].raw["unit"])
    return canonical / conversion(analyte, unit)


def laboratory_grades(entry: Entry, baseline: Fraction | None) -> set[int | None]:
    """The CTCAE grades of all values that a result allows; None among them: not gradable."""
    raw = entry.raw
    value, comparator = number(raw["value"]), raw.get("comparator")
    upper, lower = (
        None if raw.get(name) is None else number(raw[name])
        for name in ("upper_limit", "lower_limit")
    )
    if comparator is None:
        values = [value]
    else:
        values = [
            x for x in samples(value, [upper, lower, baseline]) if allowed(x, comparator, value)
        ]
    return {ctcae(raw["analyte"], raw["unit"], x, upper, lower, baseline) for x in values}


def allowed(x: Fraction, comparator: str, value: Fraction) -> bool:
    return x < value if comparator == "<" else x > value


def samples(value: Fraction, references: list[Fraction | None]) -> list[Fraction]:
    """Every value at which a grade could change, and one between each two of them."""
    marks = {Fraction(mark) for mark in (0, 20, 40, 50)} | {Fraction(1, 2), value}
    multiples = ["0.25", "0.5", "0.75", "1", "1.5", "2.5", "3", "5", "6", "10", "20"]
    for reference in references:
        if reference is not None:
            marks |= {reference * Fraction(multiple) for multiple in multiples}
            marks |= {reference - 10, reference - 20}
    points = sorted(mark for mark in marks if mark >= 0)
    between = [(a + b) / 2 for a, b in pairwise(points)]
    return sorted([*points, *between, points[-1] + 1])


def ctcae(
    analyte: str,
    unit: str,
    value: Fraction,
    upper: Fraction | None,
    lower: Fraction | None,
    baseline: Fraction | None,
) -> int | None:
    if analyte == "lvef":
        return ejection_fraction_grade(value, baseline)
    if analyte == "fibrinogen":
        return fibrinogen_grade(value, value * conversion(analyte, unit), lower, baseline)
    if upper is None:
        return None
    grade = sum(value > multiple * upper for multiple in UPPER_MULTIPLES[analyte])
    if analyte == "creatinine" and baseline is not None and value > upper:
        multiples = (Fraction(1), Fraction(3, 2), Fraction(3))
        grade = max(grade, sum(value > multiple * baseline for multiple in multiples))
    return grade


def ejection_fraction_grade(value: Fraction, baseline: Fraction | None) -> int:
    grade = 4 if value < 20 else 3 if value < 40 else 2 if value <= 50 else 0
    fall = Fraction(0) if baseline is None else baseline - value
    return max(grade, 3 if fall >= 20 else 2 if fall >= 10 else 0)


def fibrinogen_grade(
    value: Fraction, mg_per_dl: Fraction, lower: Fraction | None, baseline: Fraction | None
) -> int | None:
    if mg_per_dl < 50:
        return 4
    if lower is None:
        return None
    grade = sum(value < Fraction(quarters, 4) * lower for quarters in (1, 2, 3, 4))
    if value < lower and baseline is not None and value < baseline:
        fall = (baseline - value) / baseline
        by_fall = 1 + sum(fall >= Fraction(quarters, 4) for quarters in (1, 2, 3))
        grade = max(grade, by_fall)
    return grade


# The course


def clock_instants(chart: Chart) -> set[datetime]:
    """Every instant, past or to come, at which the clock alone could change something."""
    found = set()
    for bolus in charted(chart, chart.now, "fluid_bolus"):
        found.add(bolus.at + chart.minutes("fluid_hold_minutes"))
    for step in {e.at for e in chart.course if e.raw["kind"] in ("vasopressor", "weight")}:
        found.add(step + chart.minutes("gap_minutes"))
        credit = high_dose_run(chart, step)
        if credit is not None and high_now(chart, step):
            for name in ("high_dose_minutes", "life_threatening_minutes"):
                found.add(step + chart.minutes(name) - credit)
    return found


def graded_periods(chart: Chart) -> list[tuple[datetime, datetime, State]]:
    if chart.now < chart.infused_at:
        return []
    instants = {chart.infused_at, *(entry.at for entry in chart.course), *clock_instants(chart)}
    instants = {t for t in instants if chart.infused_at <= t <= chart.now}
    end = chart.now
    death = first_death(chart)
    if death is not None and attribution(death) == "other":
        end = death.at
        instants = {t for t in instants if t < end}
    starts = merged([(t, state_at(chart, t)) for t in sorted(instants)])
    ends = [*(t for t, _ in starts), end][1:]
    return [(start, to, state) for (start, state), to in zip(starts, ends, strict=True)]


def projected_periods(chart: Chart) -> list[tuple[datetime, datetime | None, State]]:
    instants = sorted(t for t in clock_instants(chart) if t > chart.now)
    starts = merged([(t, state_at(chart, t)) for t in [chart.now, *instants]])[1:]
    ends = [*(t for t, _ in starts), None][1:]
    return [(start, to, state) for (start, state), to in zip(starts, ends, strict=True)]


def merged(states: list[tuple[datetime, State]]) -> list[tuple[datetime, State]]:
    return [
        (t, state)
        for before, (t, state) in zip([None, *states], states, strict=False)
        if before is None or before[1].visible != state.visible
    ]


def as_json(
    start: datetime, to: datetime | None, state: State, *, projected: bool
) -> dict[str, Any]:
    return {
        "from": iso(start),
        "to": None if to is None else iso(to),
        "grade": state.grade,
        "at_most": state.at_most,
        "projected": projected,
        "criteria": dict(sorted(state.met.items())),
        "unknown": dict(sorted(state.unknown.items())),
    }
