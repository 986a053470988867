"""Course files at random: valid, small, and crowded round the numbers at which grades change.

A course is built by asking a `Chooser` at every turn. `random_course` answers by a seeded
`random.Random`, for bulk comparison; the strategies module answers by Hypothesis draws. In every
pool the plainest value is first, so that a failing example shrinks towards it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol, TypeVar

Item = TypeVar("Item")
Raw = dict[str, Any]
Number = int | str


class Chooser(Protocol):
    """Answers every question that building a course asks."""

    def pick(self, pool: Sequence[Item]) -> Item: ...

    def chance(self, percent: int) -> bool: ...


Content = dict[str, Callable[[Chooser], Raw]]


@dataclass(frozen=True)
class RandomChooser:
    """Answers from a seeded generator."""

    rng: Random

    def pick(self, pool: Sequence[Item]) -> Item:
        return self.rng.choice(pool)

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent


@dataclass(frozen=True)
class Scenario:
    """Which kinds are charted, how often, and at which minutes after the infusion."""

    name: str
    kinds: tuple[str, ...] = field(repr=False)
    minutes: tuple[int, ...] = field(repr=False)
    policies: tuple[Raw, ...] = field(repr=False)
    before_percent: int = field(default=5, repr=False)
    baseline_percent: int = field(default=60, repr=False)
    longest: int = field(default=14, repr=False)


# Patients: the birth dates lie on either side of every age limit at the infusion times

INFUSED_AT = (
    "2024-03-01T06:00:00+00:00",
    "2024-03-01T00:30:00+02:00",
    "2024-02-29T22:00:00-05:00",
)
ADULTS: tuple[Raw, ...] = (
    {"age_years": 40},
    {"age_years": 18},
    {"birth_date": "2006-03-01"},
    {"birth_date": "2004-02-29"},
)
CHILDREN: tuple[Raw, ...] = (
    {"age_years": 5},
    {"age_years": 0},
    {"age_years": "9.5"},
    {"age_years": 10},
    {"age_years": 17},
    {"birth_date": "2024-02-20"},
    {"birth_date": "2024-02-03"},
    {"birth_date": "2024-02-02"},
    {"birth_date": "2023-03-02"},
    {"birth_date": "2023-03-01"},
    {"birth_date": "2019-03-01"},
    {"birth_date": "2014-03-02"},
    {"birth_date": "2014-03-01"},
    {"birth_date": "2006-03-02"},
    {"birth_date": "2006-02-28"},
)
CIRCULATION_POLICIES: tuple[Raw, ...] = (
    {"norepinephrine_expressed_as": "bitartrate"},
    {"adult_age_years": 16},
    {"sbp_floor_adult_mmhg": 85, "map_floor_adult_mmhg": 60},
    {"relative_fraction": "0.80"},
    {"relative_drop_mmhg": 30},
    {"at_baseline_fraction": "0.95", "at_baseline_margin_mmhg": 10},
    {"fluid_window_minutes": 30, "fluid_hold_minutes": 120},
    {"gap_minutes": 30},
    {"high_dose_minutes": 60},
    {"refractory_minutes": 30},
    {"life_threatening_minutes": 90},
)
LABORATORY_POLICIES: tuple[Raw, ...] = (
    {"neuro_counts": False},
    {"worsened_only": False},
    {"laboratory_grade_1_counts": True},
)
OXYGEN_POLICIES: tuple[Raw, ...] = (
    {"cpap_grade": 4},
    {"bipap_grade": 3},
    {"nasal_cannula_rule": "low_flow_up_to_6"},
    {"fever_threshold_c": "38.3"},
    {"simple_mask_fio2_percent": 38, "blow_by_fio2_percent": 36},
    {"non_rebreather_fio2_percent": 39, "partial_rebreather_fio2_percent": 35},
)

# Values

PRESSURE_FIELDS = ("diastolic_mmhg", "mean_arterial_pressure_mmhg", "systolic_mmhg")
WEIGHTS: tuple[Number, ...] = (80, 70, 40, 20, 100, "62.5")
TEMPERATURES: tuple[Number, ...] = ("36.8", "38.0", "37.9", "37.95", "38.3", "39.4", "40.7", 38)
SYSTOLIC: tuple[Number, ...] = (
    *(120, 85, 89, 90, "89.9", 84, 86, 91, 92, 95, 98, 100, 105, 106, 110, 111, 82, "84.6"),
    *(60, 59, 57, 58, 66, 67, 69, 70, 71, 72, 75, 76, 79, 80, 81, "87.5", 88, 64),
)
DIASTOLIC: tuple[Number, ...] = (60, 52, 53, 50, 40, 54, 30, 45)
MEAN: tuple[Number, ...] = (75, 64, 65, "64.9", 60, 62, "62.1", 63, 69, 70, 54, "59.4", 52, 59)
BASE_SYSTOLIC: tuple[Number, ...] = (125, 94, 95, 150, 130, 100, 88, 92, 140, 64, 74, 84, 75, 85)
BASE_DIASTOLIC: tuple[Number, ...] = (60, 55, 57, 50, 40)
BASE_MEAN: tuple[Number, ...] = (80, 69, 70, "69.9", 66, 60, 72)

Setting = tuple[str, tuple[Number, ...], tuple[Number, ...]]
DRUGS: dict[str, tuple[Setting, ...]] = {
    "norepinephrine": (
        ("ug/min", (5, 20, "19.9", "19.95", 10, "9.9", 12, 40, 30, 16, 25, 4), ()),
        ("ug/kg/min", ("0.25", "0.28", "0.29", "0.5", "0.1", 1), ()),
        ("mg/h", ("1.2", "1.194", "0.6"), ()),
        ("ml/h", (75, "74.9", "37.5"), (16, 8, 32)),
    ),
    "epinephrine": (
        ("ug/min", (2, 10, "9.9", 1, 5, 20), ()),
        ("ug/kg/min", ("0.125", "0.1", "0.05", "0.2"), ()),
        ("mg/h", ("0.6", "0.59", "0.3"), ()),
        ("ml/h", ("37.5", 10, "7.5"), (16, 8)),
    ),
    "phenylephrine": (
        ("ug/min", (40, 200, 199, "199.5", 100, 20), ()),
        ("ug/kg/min", ("2.5", "2.4", 1, 5), ()),
        ("mg/h", (12, "11.9", 6), ()),
        ("ml/h", (120, 119, 60), (100, 200)),
    ),
    "dopamine": (
        ("ug/kg/min", (5, 10, "9.9", 8, "7.9", 20, 2), ()),
        ("ug/min", (400, 800, 700, 699, 200), ()),
        ("ml/h", (30, "29.9", 15), (1600, 800)),
    ),
    "vasopressin": (
        ("units/min", ("0.03", "0.04"), ()),
        ("units/h", ("1.8", "2.4"), ()),
        ("ml/h", ("4.5",), ("0.4",)),
    ),
    "angiotensin_ii": (("ng/kg/min", (20, 5), ()),),
    "dobutamine": (("ug/kg/min", (5, 2), ()),),
    "milrinone": (("ug/kg/min", ("0.5",), ()),),
}
DRUG_POOL = (
    *("norepinephrine",) * 6,
    *("vasopressin", "epinephrine", "dopamine", "phenylephrine") * 2,
    *("angiotensin_ii", "other_vasopressor", "dobutamine", "milrinone"),
)
NEEDS_FIO2 = ("venturi_mask", "high_flow_nasal_cannula", "tracheostomy_mask")
MASKS = ("simple_mask", "non_rebreather_mask", "partial_rebreather_mask", "blow_by")
SUPPORTS = ("cpap", "bipap", "invasive_ventilation", "ecmo")
DEVICES = ("room_air", *("nasal_cannula",) * 5, *NEEDS_FIO2, *MASKS, *SUPPORTS)
FLOWS: tuple[Number, ...] = (2, 4, "3.9", "4.5", "4.9", 5, 6, "6.5", 0, "0.2", 10)
FIO2: tuple[Number, ...] = (
    *(30, 40, "39.9", 21, "21.5", 22, 35, 36, 50, 100),
    *("0.395", "0.40", "0.21", "0.99", "0.399"),
)

LIVER_VALUES = (30, 40, 41, 120, "120.5", 121, 200, 201, 800, 801, 2400)
ALP_VALUES = (90, 100, 101, 250, 251, 500, 501, 2000, 2001)
Result = tuple[str, str, tuple[Number, ...], str, tuple[Number, ...]]
RESULTS: tuple[Result, ...] = (
    ("alt", "U/L", LIVER_VALUES, "upper_limit", (40,)),
    ("ast", "U/L", LIVER_VALUES, "upper_limit", (40, 35)),
    ("alp", "U/L", ALP_VALUES, "upper_limit", (100,)),
    ("ggt", "U/L", ALP_VALUES, "upper_limit", (100,)),
    (
        *("bilirubin", "mg/dL", ("1.0", "1.2", "1.3", "1.8", "1.9", "3.6", "3.7", 12, "12.1")),
        *("upper_limit", ("1.2",)),
    ),
    (
        *("bilirubin", "umol/L", (15, 20, 21, 30, 31, 60, 61, 200, 201)),
        *("upper_limit", (20, "20.52")),
    ),
    (
        *("creatinine", "mg/dL", ("0.8", "0.9", "1.2", "1.21", "1.3", "1.8", "2.4", "2.41")),
        *("upper_limit", ("1.2", "1.0")),
    ),
    (
        *("creatinine", "mg/dL", ("0.8", "2.5", "3.6", "3.61", "7.2", "7.21", "0.4", "0.62")),
        *("upper_limit", ("1.2",)),
    ),
    (
        *("creatinine", "umol/L", ("70.72", 100, "106.08", "106.1", "159.12", "212.16", 213)),
        *("upper_limit", ("106.08", 100)),
    ),
    (
        *("creatinine", "umol/L", ("70.72", 300, "318.24", 319, "636.48", 637)),
        *("upper_limit", ("106.08",)),
    ),
    (
        *("fibrinogen", "mg/dL", (300, 200, 199, 195, 196, 150, 149, 131, 130, 100, 99)),
        *("lower_limit", (200, 180)),
    ),
    (
        *("fibrinogen", "mg/dL", (300, 66, 65, 51, 50, 49, 340)),
        *("lower_limit", (200,)),
    ),
    (
        *("fibrinogen", "g/L", (3, 2, "1.99", "1.95", "1.5", "1.3", 1, "0.99", "0.5", "0.49")),
        *("lower_limit", (2, "1.5")),
    ),
    ("aptt", "s", (30, 35, 36, "52.5", 53, "87.5", 88), "upper_limit", (35,)),
    ("inr", "ratio", (1, "1.1", "1.2", "1.65", "1.7", "2.75", "2.8"), "upper_limit", ("1.1",)),
    ("lvef", "%", (60, 55, 50, "50.5", 51, 45, 42, 41, 40, "39.5", 20, 19, 70, 65), "", ()),
    ("lvef", "%", (60, 50, 40, 39, 30, 15), "", ()),
    ("crp", "mg/L", (50, 215), "upper_limit", (5,)),
    ("ferritin", "ng/mL", (500, 130000), "", ()),
    ("platelets", "10^9/L", (150, 8), "lower_limit", (150,)),
)
TOXICITIES = (
    *("rash", "confusion", "seizure", "headache", "diarrhea", "nausea", "heart_failure"),
    *("acute_kidney_injury", "alt", "ast", "bilirubin", "creatinine", "fibrinogen", "lvef"),
    *("fever", "hypoxia", "febrile_neutropenia", "sepsis"),
)
SYMPTOMS = (
    *("fatigue", "rigors", "nausea", "vomiting", "headache", "myalgia"),
    *("rash", "diarrhea", "confusion", "seizure", "dysphasia", "tremor", "tachycardia"),
)
JUDGEMENTS = ("relative_hypotension", "refractory_hypotension", "life_threatening")
RISKS = ("extensive_comorbidities", "older_age", "chronic_corticosteroids")

# Scenarios: steps of 15 minutes, so that 15, 60, 180 and 240 minutes are met exactly

GRID = (*range(0, 540, 15), *(1, 59, 61, 164, 165, 179, 181, 239, 241))
CIRCULATION = Scenario(
    name="circulation",
    kinds=(
        *("vasopressor",) * 8,
        *("vitals_pressure",) * 6,
        *("fluid_bolus",) * 2,
        *("judgement",) * 3,
        *("weight", "baseline"),
    ),
    minutes=GRID,
    policies=CIRCULATION_POLICIES,
    before_percent=3,
)
HYPOTENSION = Scenario(
    name="hypotension",
    kinds=(
        *("vitals_pressure",) * 6,
        *("fluid_bolus",) * 3,
        *("judgement_of_pressure",) * 3,
        *("vasopressor",) * 2,
    ),
    minutes=(*range(0, 315, 15), 60, 120, 180, 240, 59, 61),
    policies=CIRCULATION_POLICIES,
    before_percent=2,
    baseline_percent=85,
)
INFUSIONS = Scenario(
    name="infusions",
    kinds=(*("vasopressor",) * 9, "weight", "vitals_pressure"),
    minutes=(*range(0, 435, 15), 60, 120, 180, 195, 240, 5, 14, 194, 196),
    policies=CIRCULATION_POLICIES,
    before_percent=2,
)
LABORATORY = Scenario(
    name="laboratory",
    kinds=(*("lab",) * 7, *("toxicity",) * 3, *("symptom",) * 2, "baseline"),
    minutes=(0, 60, 120, 180, 240, 360),
    policies=LABORATORY_POLICIES,
    before_percent=30,
)
OXYGEN = Scenario(
    name="oxygen",
    kinds=(*("oxygen",) * 6, "vitals"),
    minutes=(0, 60, 120, 180, 240, 360),
    policies=OXYGEN_POLICIES,
    longest=6,
)
EVERYTHING = Scenario(
    name="everything",
    kinds=(
        *("vasopressor",) * 6,
        *("vitals_pressure",) * 4,
        *("lab",) * 4,
        *("vitals", "oxygen", "toxicity", "symptom", "judgement", "fluid_bolus") * 2,
        *("weight", "baseline", "risk", "treatment", "death"),
    ),
    minutes=GRID,
    policies=(*CIRCULATION_POLICIES, *LABORATORY_POLICIES, *OXYGEN_POLICIES),
    before_percent=12,
    longest=20,
)
SCENARIOS = (
    *(CIRCULATION, HYPOTENSION, INFUSIONS) * 2,
    *(LABORATORY, EVERYTHING) * 2,
    OXYGEN,
)


def random_course(rng: Random) -> Raw:
    """A valid course document; the same generator state always gives the same one."""
    choose = RandomChooser(rng)
    scenario = choose.pick(SCENARIOS)
    document = course_facts(choose, scenario)
    infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
    number_of_entries = rng.randint(1, scenario.longest)
    entries = [entry(choose, scenario, infused_at) for _ in range(number_of_entries)]
    for _ in range(rng.choice((0, 0, 0, 1, 2, 3))):
        amend(choose, entries)
    return finished(document, entries)


def random_times(rng: Random, document: Raw) -> tuple[str | None, str | None]:
    """`now` and `known_at` for a document; each is often None."""
    choose = RandomChooser(rng)
    pool = instants(document)
    now = choose.pick(pool) if choose.chance(40) else None
    return now, choose.pick(pool) if choose.chance(30) else None


def instants(document: Raw) -> list[str]:
    """Instants at which an answer may turn: the document's own, and the clock's after them."""
    infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
    own = {infused_at}
    for raw in document["entries"]:
        own.add(datetime.fromisoformat(raw["at"]))
        own.add(datetime.fromisoformat(raw.get("recorded_at", raw["at"])))
    steps = [timedelta(minutes=minutes) for minutes in (0, 1, -1, 15, 60, 180, 195, 240, 1440)]
    return [text(moment + step) for step in steps for moment in sorted(own)]


def course_facts(choose: Chooser, scenario: Scenario) -> Raw:
    """A document without entries."""
    born = choose.pick(CHILDREN) if choose.chance(30) else choose.pick(ADULTS)
    document: Raw = {
        "format": "crs-course/1",
        "patient": {"mrn": "0001", "name": "Random Patient", "sex": "unknown", **born},
        "therapy": {"product": "CAR-T", "infused_at": choose.pick(INFUSED_AT)},
    }
    if choose.chance(scenario.baseline_percent):
        document["baseline"] = baseline(choose)
    if choose.chance(40):
        document["weight_kg"] = choose.pick(WEIGHTS)
    if choose.chance(30):
        document["policy"] = {**choose.pick(scenario.policies), **choose.pick(scenario.policies)}
    return document


def finished(document: Raw, entries: list[Raw]) -> Raw:
    return {**document, "entries": entries}


def entry(
    choose: Chooser, scenario: Scenario, infused_at: datetime, content: Content | None = None
) -> Raw:
    """One entry with its times; its id is set when it is amended, if it is."""
    kind = choose.pick(scenario.kinds)
    raw = (content or CONTENT)[kind](choose)
    at = infused_at + timedelta(minutes=choose.pick(scenario.minutes))
    before_percent = scenario.before_percent
    if raw["kind"] in ("weight", "baseline"):
        before_percent = 30
    if raw["kind"] == "death":
        at = max(at, infused_at + timedelta(minutes=120))
    elif choose.chance(before_percent):
        at = infused_at - timedelta(minutes=choose.pick((60, 1, 1440, 4320)))
    raw["at"] = text(at)
    if choose.chance(25):
        delay = timedelta(minutes=choose.pick((1, 15, 60, 240, -5, 720)))
        raw["recorded_at"] = text(at + delay)
    return raw


def amend(choose: Chooser, entries: list[Raw], content: Content | None = None) -> None:
    """Correct or retract one entry that is still in force (a correction may be amended in turn)."""
    for place, raw in enumerate(entries):
        raw.setdefault("id", f"e{place}")
    gone = {raw.get("replaces") for raw in entries}
    in_force = [raw for raw in entries if raw["id"] not in gone and raw["kind"] != "retraction"]
    if not in_force:
        return
    target = choose.pick(in_force)
    charted_at: str = target["recorded_at"] if "recorded_at" in target else target["at"]
    recorded_at = datetime.fromisoformat(charted_at)
    recorded_at += timedelta(minutes=choose.pick((5, 15, 60, 240)))
    if choose.chance(35):
        raw = {"kind": "retraction", "at": text(recorded_at)}
    else:
        raw = corrected(choose, target, recorded_at, content or CONTENT)
    raw["id"] = f"e{len(entries)}"
    raw["replaces"] = target["id"]
    entries.insert(choose.pick((len(entries), 0)), raw)


def corrected(choose: Chooser, target: Raw, recorded_at: datetime, content: Content) -> Raw:
    """The same kind of entry with other content, at the same time or another."""
    kind = target["kind"]
    if kind == "vitals" and choose.chance(80):
        kind = "vitals_pressure"
    at = datetime.fromisoformat(target["at"])
    if kind != "death" and choose.chance(25):
        at += timedelta(minutes=choose.pick((15, -15, 60, -60)))
    at = min(at, recorded_at)
    raw = content[kind](choose)
    return {**raw, "at": text(at), "recorded_at": text(recorded_at)}


def text(moment: datetime) -> str:
    return moment.isoformat()


# Content of each kind


def attributed(choose: Chooser, raw: Raw, percent: int = 20) -> Raw:
    if choose.chance(percent):
        raw["attribution"] = choose.pick(("other", "uncertain", "crs"))
    return raw


def pressures(choose: Chooser, pools: tuple[tuple[Number, ...], ...]) -> Raw:
    """Some of systolic, diastolic and mean; never a mean outside the other two."""
    systolic_pool, diastolic_pool, mean_pool = pools
    shape = choose.pick(("s", "sd", "m", "sd", "sdm", "sm", "s", "dm", "d"))
    raw: Raw = {}
    if "s" in shape:
        raw["systolic_mmhg"] = choose.pick(systolic_pool)
    if "d" in shape:
        raw["diastolic_mmhg"] = choose.pick(diastolic_pool)
    if "m" in shape:
        raw["mean_arterial_pressure_mmhg"] = choose.pick(mean_pool)
    ascending = [float(raw[name]) for name in PRESSURE_FIELDS if name in raw]
    if ascending != sorted(set(ascending)):
        return {next(iter(raw)): next(iter(raw.values()))}
    return raw


def vitals_pressure(choose: Chooser) -> Raw:
    fields = pressures(choose, (SYSTOLIC, DIASTOLIC, MEAN))
    if choose.chance(15):
        fields["temperature_c"] = choose.pick(TEMPERATURES)
    return vitals_of(choose, fields)


def vitals(choose: Chooser) -> Raw:
    fields: Raw = {"temperature_c": choose.pick(TEMPERATURES)}
    if choose.chance(10):
        fields = {"temperature_f": choose.pick(("100.4", "100.399", 101, "97.9"))}
    if choose.chance(30):
        fields = {"heart_rate": 110, "respiratory_rate": 24, "spo2_percent": 93}
    return vitals_of(choose, fields)


def vitals_of(choose: Chooser, fields: Raw) -> Raw:
    raw = {"kind": "vitals", **fields}
    if choose.chance(12):
        raw["attribution"] = {
            name.replace("temperature_f", "temperature_c"): choose.pick(
                ("other", "crs", "uncertain")
            )
            for name in fields
            if choose.chance(60)
        }
        return raw
    return attributed(choose, raw, percent=8)


def oxygen(choose: Chooser) -> Raw:
    device = choose.pick(DEVICES)
    raw: Raw = {"kind": "oxygen", "device": device}
    if device != "room_air" and device not in SUPPORTS and choose.chance(75):
        raw["flow_l_per_min"] = choose.pick(FLOWS)
    if device != "room_air" and choose.chance(30 if device == "nasal_cannula" else 50):
        raw["fio2_percent"] = choose.pick(FIO2)
    return attributed(choose, raw)


def vasopressor(choose: Chooser) -> Raw:
    drug = choose.pick(DRUG_POOL)
    raw: Raw = {"kind": "vasopressor", "drug": drug}
    if drug == "other_vasopressor":
        raw |= {"rate": 0 if choose.chance(30) else None, "note": "terlipressin"}
        return attributed(choose, raw, percent=8)
    unit, rates, concentrations = choose.pick(DRUGS[drug])
    raw |= {"rate": choose.pick(rates), "unit": unit}
    if choose.chance(30):
        raw["rate"] = choose.pick((0, 0, 0, None))
    if concentrations:
        raw["concentration_per_ml"] = choose.pick(concentrations)
    if choose.chance(10):
        raw["weight_kg"] = choose.pick(WEIGHTS)
    return attributed(choose, raw, percent=8)


def fluid_bolus(choose: Chooser) -> Raw:
    return attributed(choose, {"kind": "fluid_bolus", "volume_ml": choose.pick((500, 250, 1000))})


def weight(choose: Chooser) -> Raw:
    return {"kind": "weight", "weight_kg": choose.pick(WEIGHTS)}


def lab(choose: Chooser) -> Raw:
    analyte, unit, values, limit, limits = choose.pick(RESULTS)
    raw: Raw = {"kind": "lab", "analyte": analyte, "value": choose.pick(values), "unit": unit}
    if limits and choose.chance(85):
        raw[limit] = choose.pick(limits)
    if choose.chance(20):
        raw["comparator"] = choose.pick((">", "<"))
    return attributed(choose, raw, percent=12)


def baseline(choose: Chooser) -> Raw:
    raw: Raw = {}
    if choose.chance(75):
        raw |= pressures(choose, (BASE_SYSTOLIC, BASE_DIASTOLIC, BASE_MEAN))
    if choose.chance(40):
        raw["creatinine_mg_dl"] = choose.pick(("0.8", "1.0", "0.4", "1.3"))
    if choose.chance(40):
        raw["lvef_percent"] = choose.pick((60, 55, 70, 50, 45))
    if choose.chance(40):
        raw["fibrinogen_mg_dl"] = choose.pick((400, 260, 700, 180, 200))
    return raw or {"systolic_mmhg": choose.pick(BASE_SYSTOLIC)}


def baseline_entry(choose: Chooser) -> Raw:
    return {"kind": "baseline", **baseline(choose)}


def risk(choose: Chooser) -> Raw:
    return {"kind": "risk", choose.pick(RISKS): choose.pick((True, False))}


def toxicity(choose: Chooser) -> Raw:
    raw = {"kind": "toxicity", "term": choose.pick(TOXICITIES), "grade": choose.pick(range(5))}
    return attributed(choose, raw, percent=12)


def judgement(choose: Chooser) -> Raw:
    about = choose.pick(JUDGEMENTS)
    return {"kind": "judgement", "about": about, "present": choose.chance(65)}


def judgement_of_pressure(choose: Chooser) -> Raw:
    about = choose.pick(("relative_hypotension", "refractory_hypotension"))
    return {"kind": "judgement", "about": about, "present": choose.chance(65)}


def symptom(choose: Chooser) -> Raw:
    raw = {"kind": "symptom", "term": choose.pick(SYMPTOMS), "present": choose.chance(75)}
    return attributed(choose, raw, percent=12)


def treatment(choose: Chooser) -> Raw:
    agent = choose.pick(("tocilizumab", "dexamethasone", "methylprednisolone"))
    return {"kind": "treatment", "agent": agent, "dose_mg": 40}


def death(choose: Chooser) -> Raw:
    return attributed(choose, {"kind": "death"}, percent=60)


CONTENT: Content = {
    "vitals_pressure": vitals_pressure,
    "vitals": vitals,
    "oxygen": oxygen,
    "vasopressor": vasopressor,
    "fluid_bolus": fluid_bolus,
    "weight": weight,
    "lab": lab,
    "baseline": baseline_entry,
    "risk": risk,
    "toxicity": toxicity,
    "judgement": judgement,
    "judgement_of_pressure": judgement_of_pressure,
    "symptom": symptom,
    "treatment": treatment,
    "death": death,
}
