"""Course files at random for the scales beside Lee's: ICE, seizures, treatments, products.

The circulation, oxygen and laboratory come from `random_courses`; the times here lie days apart,
so that holds of exactly 24 h are met; values lie round the numbers at which a scale turns.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from tests.grading import random_courses
from tests.grading.random_courses import (
    ADULTS,
    CHILDREN,
    CIRCULATION_POLICIES,
    LABORATORY_POLICIES,
    OXYGEN_POLICIES,
    Chooser,
    RandomChooser,
    Raw,
    Scenario,
)
from tests.grading.random_scale_content import SCALE_CONTENT

# Patients on either side of 12 years, where CAPD gives way to ICE

ABOUT_12: tuple[Raw, ...] = (
    {"age_years": 12},
    {"age_years": 11},
    {"age_years": "11.9"},
    {"birth_date": "2012-03-01"},
    {"birth_date": "2012-03-02"},
    {"birth_date": "2012-02-29"},
    {"age_years": 13, "developmental_delay": True},
    {"age_years": 30, "developmental_delay": True},
    {"age_years": 13, "developmental_delay": False},
    {"age_years": 7, "developmental_delay": None},
)

ASTCT_POLICIES: tuple[Raw, ...] = (
    {"astct_fever_hold_minutes": 0},
    {"astct_fever_hold_minutes": 720},
    {"astct_fever_waived_by": "anticytokine_only"},
    {"astct_vasopressin_alone_grade": 2},
    {"astct_high_flow_by": "device"},
)
ICANS_POLICIES: tuple[Raw, ...] = (
    {"icans_seizure_hold_minutes": 720},
    {"icans_capd_1_to_8_grade": 0},
    {"icans_capd_below_years": 10},
)
PENN_POLICIES: tuple[Raw, ...] = (
    {"penn_neuro_counts": True},
    {"penn_ctcae_4_grade": 3},
    {"penn_single_bolus_grade": 1},
    {"penn_multiple_bolus_minutes": 240},
    {"penn_iv_therapy_hold_minutes": 720},
    {"penn_product_hold_minutes": 720},
)
PAPER_POLICIES: tuple[Raw, ...] = (
    {"cartox_neuro_counts": True},
    {"cartox_child_bipap_grade": 4},
    {"mskcc_fluids_grade": 2},
    {"mskcc_noninvasive_grade": 4},
    {"ctcae_positive_pressure_grade": 3},
    {"ctcae_4_symptomatic_hold_minutes": 720},
    {"ctcae_5_multiple_vasopressors_grade": 3},
)
SCALE_POLICIES = (*ASTCT_POLICIES, *ICANS_POLICIES, *PENN_POLICIES, *PAPER_POLICIES)

NEW_KINDS = frozenset(
    {"ice", "capd", "consciousness", "seizure", "neuro_sign", "admission", "blood_product"}
)
NEW_PARAMETERS = frozenset(name for policy in SCALE_POLICIES for name in policy)

# Scenarios

DAYS = (
    *(0, 0, 15, 30, 60, 61, 240, 720, 1380, 1439, 1440, 1441, 1455, 1500, 1680, 1695, 2160),
    *(2880, 2881, 4320),
)
NEURO = Scenario(
    name="neuro",
    kinds=(
        *("ice",) * 5,
        *("seizure",) * 3,
        *("capd", "consciousness", "neuro_sign", "symptom", "neurologic_toxicity") * 2,
        *("vitals", "oxygen", "death"),
    ),
    minutes=DAYS,
    policies=(*ICANS_POLICIES, *PENN_POLICIES[:1], *PAPER_POLICIES[:1], *LABORATORY_POLICIES),
    before_percent=4,
)
GATE = Scenario(
    name="gate",
    kinds=(
        *("temperature", "treatment", "oxygen") * 3,
        *("vitals_pressure",) * 2,
        *("long_infusion", "vasopressor", "fluid_bolus"),
    ),
    minutes=DAYS,
    policies=(*ASTCT_POLICIES, *OXYGEN_POLICIES),
    before_percent=4,
    longest=10,
)
HOSPITAL = Scenario(
    name="hospital",
    kinds=(
        *("lab",) * 5,
        *("admission", "treatment", "toxicity") * 3,
        *("temperature", "symptom", "blood_product", "vitals_pressure", "judgement") * 2,
        "oxygen",
    ),
    minutes=DAYS,
    policies=(*PENN_POLICIES, *PAPER_POLICIES, *LABORATORY_POLICIES),
    before_percent=10,
    longest=16,
)
BOLUSES = Scenario(
    name="boluses",
    kinds=(
        *("fluid_bolus",) * 4,
        *("vitals_pressure",) * 4,
        *("judgement_of_pressure", "judgement", "treatment", "admission", "temperature"),
    ),
    minutes=(0, 0, 15, 60, 61, 180, 240, 241, 300, 1380, 1440, 1440, 1455, 1500, 1501, 1740),
    policies=(*PENN_POLICIES, *PAPER_POLICIES, *CIRCULATION_POLICIES),
    before_percent=3,
)
SUPPORT = Scenario(
    name="support",
    kinds=(
        *("long_infusion",) * 5,
        *("vitals_pressure",) * 3,
        *("judgement_of_pressure",) * 2,
        *("judgement", "oxygen", "temperature", "vasopressor"),
    ),
    minutes=(
        *(0, 0, 10, 15, 16, 120, 180, 200, 720, 730, 735, 736, 1425, 1439, 1440, 1450, 1455),
        *(1456, 1465, 1500, 2880, 2890, 2900),
    ),
    policies=(*PAPER_POLICIES, *ASTCT_POLICIES, *CIRCULATION_POLICIES),
    before_percent=2,
    longest=10,
)
DEVICES = Scenario(
    name="devices",
    kinds=(*("oxygen",) * 5, *("temperature",) * 2, "treatment", "judgement", "admission"),
    minutes=DAYS,
    policies=(*OXYGEN_POLICIES, *ASTCT_POLICIES, *PAPER_POLICIES),
    before_percent=3,
    longest=8,
)
EVERYTHING = Scenario(
    name="everything of every scale",
    kinds=(
        *("temperature", "oxygen", "treatment", "vitals_pressure", "vasopressor", "ice") * 2,
        *("lab", "toxicity", "symptom", "fluid_bolus", "judgement", "seizure", "admission") * 2,
        *("capd", "consciousness", "neuro_sign", "blood_product", "long_infusion", "death"),
        *("weight", "baseline", "vitals"),
    ),
    minutes=DAYS,
    policies=(*(*SCALE_POLICIES, *CIRCULATION_POLICIES, *LABORATORY_POLICIES, *OXYGEN_POLICIES),),
    before_percent=8,
    longest=24,
)
SCALE_SCENARIOS = (
    NEURO,
    NEURO,
    GATE,
    GATE,
    HOSPITAL,
    HOSPITAL,
    BOLUSES,
    SUPPORT,
    DEVICES,
    EVERYTHING,
)


def numbered_course(seed: int) -> tuple[Raw, str | None, str | None]:
    """A course with the `now` and `known_at` to grade it at, always the same for a number."""
    rng = Random(seed)  # noqa: S311, reproducible on purpose
    document = random_scale_course(rng)
    return document, *random_scale_times(rng, document)


def random_scale_course(rng: Random) -> Raw:
    """A valid course document; the same generator state always gives the same one."""
    choose = RandomChooser(rng)
    scenario = choose.pick(SCALE_SCENARIOS)
    document = scale_facts(choose, scenario)
    infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
    entries = [
        random_courses.entry(choose, scenario, infused_at, SCALE_CONTENT)
        for _ in range(rng.randint(3, scenario.longest))
    ]
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        random_courses.amend(choose, entries, SCALE_CONTENT)
    return with_format(random_courses.finished(document, entries))


def scale_facts(choose: Chooser, scenario: Scenario) -> Raw:
    """A document without entries; its patient is often near 12 years of age."""
    document = random_courses.course_facts(choose, scenario)
    group = choose.pick((ADULTS, ADULTS, ABOUT_12, CHILDREN))
    patient = {"mrn": "0001", "name": "Random Patient", "sex": "unknown", **choose.pick(group)}
    if choose.chance(35):
        policy = {**choose.pick(scenario.policies), **choose.pick(SCALE_POLICIES)}
        document["policy"] = {**document.get("policy", {}), **policy}
    return {**document, "patient": patient}


def with_format(document: Raw) -> Raw:
    """The document under the first format that has everything it uses."""
    return {**document, "format": f"crs-course/{2 if needs_format_2(document) else 1}"}


def needs_format_2(document: Raw) -> bool:
    return (
        "developmental_delay" in document["patient"]
        or bool(NEW_PARAMETERS & document.get("policy", {}).keys())
        or any(
            entry["kind"] in NEW_KINDS
            or "purpose" in entry
            or "due_to" in entry
            or entry.get("about") == "prolonged_reaction"
            for entry in document["entries"]
        )
    )


def random_scale_times(rng: Random, document: Raw) -> tuple[str | None, str | None]:
    """`now` and `known_at` for a document; each is often None."""
    choose = RandomChooser(rng)
    pool = random_courses.instants(document)
    now = choose.pick(pool) if choose.chance(30) else None
    known_at = choose.pick(pool) if choose.chance(25) else None
    if now is None and choose.chance(50):
        latest = max(datetime.fromisoformat(text) for text in pool)
        now = (latest + timedelta(days=2)).isoformat()
    return now, known_at
