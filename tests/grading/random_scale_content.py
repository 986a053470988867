"""Entries at random of the kinds that the scales beside Lee's ask for."""

from __future__ import annotations

from tests.grading import random_courses
from tests.grading.random_courses import CONTENT, Chooser, Number, Raw, attributed

TEMPERATURES = ("38.0", "36.8", "37.9", "39.4", "37.99", "38.3", "36.8", 40, "38.7")
AGENTS = (
    *("antipyretic",) * 4,
    *("tocilizumab", "dexamethasone", "antibiotics") * 2,
    *("methylprednisolone", "hydrocortisone", "siltuximab", "anakinra", "etanercept"),
    *("infliximab", "other"),
)
DOSES = {"tocilizumab": 560, "dexamethasone": 10, "anakinra": 100}
NEUROLOGIC_TERMS = (
    *("confusion", "encephalopathy", "seizure", "dysphasia", "delirium", "hallucinations"),
    *("somnolence", "agitation", "dysarthria", "depressed_consciousness", "cerebral_edema"),
    *("tremor", "ataxia", "headache"),
)
ORGAN_TERMS = (
    *("alt", "ast", "bilirubin", "ggt", "fibrinogen", "aptt", "inr", "creatinine", "lvef"),
    *("disseminated_intravascular_coagulation", "acute_kidney_injury", "heart_failure", "rash"),
    *("diarrhea", "capillary_leak_syndrome", "troponin_increased", "hypotension", "sepsis"),
)
TICKS = (
    *("rash", "diarrhea", "fatigue", "rigors", "nausea", "headache", "confusion", "seizure"),
    *("dysphasia", "encephalopathy", "delirium", "hallucinations", "tremor", "ataxia"),
)
PARTS = {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1}
REASONS = ("unarousable", "sedated", "intubated", "language", "refused", None)
SIGNS = (
    *("focal_weakness", "focal_edema", "diffuse_edema", "posturing", "sixth_nerve_palsy"),
    *("papilledema", "cushing_triad"),
)
PRODUCTS = (
    *("fresh_frozen_plasma", "cryoprecipitate", "fibrinogen_concentrate") * 2,
    *("platelets", "red_cells"),
)
JUDGEMENTS = (
    *("prolonged_reaction", "life_threatening") * 3,
    *("relative_hypotension", "refractory_hypotension"),
)


def temperature(choose: Chooser) -> Raw:
    return attributed(choose, {"kind": "vitals", "temperature_c": choose.pick(TEMPERATURES)}, 12)


def vitals(choose: Chooser) -> Raw:
    return temperature(choose) if choose.chance(70) else random_courses.vitals(choose)


def treatment(choose: Chooser) -> Raw:
    agent = choose.pick(AGENTS)
    raw: Raw = {"kind": "treatment", "agent": agent}
    if agent in DOSES:
        raw["dose_mg"] = DOSES[agent]
    return attributed(choose, raw)


def oxygen(choose: Chooser) -> Raw:
    raw = random_courses.oxygen(choose)
    if choose.chance(25):
        raw["purpose"] = choose.pick(("airway_protection", "hypoxia"))
    return raw


def not_performed(choose: Chooser, kind: str) -> Raw:
    return {"kind": kind, "performed": False, "reason": choose.pick(REASONS)}


def lab(choose: Chooser) -> Raw:
    """Often without a limit of normal, or by a bound alone."""
    raw = random_courses.lab(choose)
    if choose.chance(20):
        return {name: value for name, value in raw.items() if not name.endswith("_limit")}
    if choose.chance(25):
        raw["comparator"] = choose.pick((">", "<"))
    return raw


def ice(choose: Chooser) -> Raw:
    shape = choose.pick(("score", "parts", "score", "some parts", "not performed", "nought"))
    raw: Raw = {"kind": "ice"}
    if shape == "not performed":
        raw = not_performed(choose, "ice")
    elif shape == "score":
        raw["score"] = choose.pick((10, 9, 7, 6, 3, 2, 0))
    elif shape == "nought":
        raw |= dict.fromkeys(PARTS, 0)
        if choose.chance(30):
            del raw[choose.pick(tuple(PARTS))]
    else:
        raw |= {name: choose.pick((most, most, 0, most - 1)) for name, most in PARTS.items()}
        for _ in range(choose.pick((1, 2, 3)) if shape == "some parts" else 0):
            raw.pop(choose.pick(tuple(PARTS)), None)
    return attributed(choose, raw, 12)


def capd(choose: Chooser) -> Raw:
    if choose.chance(25):
        return attributed(choose, not_performed(choose, "capd"), 12)
    raw = {"kind": "capd", "score": choose.pick((0, 1, 8, 9, 20, 32))}
    return attributed(choose, raw, 12)


def consciousness(choose: Chooser) -> Raw:
    level = choose.pick(("alert", "spontaneous", "voice", "tactile", "unarousable", "alert"))
    return attributed(choose, {"kind": "consciousness", "level": level})


def seizure(choose: Chooser) -> Raw:
    seizure_type = choose.pick(("generalised", "focal", "nonconvulsive"))
    raw: Raw = {"kind": "seizure", "seizure_type": seizure_type}
    if choose.chance(65):
        raw["duration_minutes"] = choose.pick((2, 5, 6, 0, "5.0", 30))
    if choose.chance(25):
        raw["resolved"] = choose.chance(60)
    if choose.chance(20):
        raw["repetitive_without_recovery"] = choose.chance(50)
    return attributed(choose, raw, 12)


def neuro_sign(choose: Chooser) -> Raw:
    raw = {"kind": "neuro_sign", "sign": choose.pick(SIGNS), "present": choose.chance(65)}
    return attributed(choose, raw, 15)


def admission(choose: Chooser) -> Raw:
    raw: Raw = {"kind": "admission", "setting": choose.pick(("ward", "icu", "home", "ward"))}
    if choose.chance(75):
        raw["because_of_crs"] = choose.pick((True, False, None, True))
    return attributed(choose, raw, 10)


def blood_product(choose: Chooser) -> Raw:
    return attributed(choose, {"kind": "blood_product", "product": choose.pick(PRODUCTS)}, 15)


def toxicity(choose: Chooser) -> Raw:
    term = choose.pick(choose.pick((NEUROLOGIC_TERMS, ORGAN_TERMS)))
    return attributed(choose, {"kind": "toxicity", "term": term, "grade": choose.pick(range(5))})


def neurologic_toxicity(choose: Chooser) -> Raw:
    term = choose.pick(NEUROLOGIC_TERMS)
    return attributed(choose, {"kind": "toxicity", "term": term, "grade": choose.pick(range(5))})


def symptom(choose: Chooser) -> Raw:
    raw = {"kind": "symptom", "term": choose.pick(TICKS), "present": choose.chance(75)}
    return attributed(choose, raw, 12)


def judgement(choose: Chooser) -> Raw:
    about = choose.pick(JUDGEMENTS)
    return {"kind": "judgement", "about": about, "present": choose.chance(60)}


def long_infusion(choose: Chooser) -> Raw:
    """Running at a low or high dose, or stopped: for support that lasts a day."""
    pool: tuple[tuple[str, str, tuple[Number, ...]], ...] = (
        ("norepinephrine", "ug/min", (5, 5, 20, 25)),
        ("vasopressin", "units/min", ("0.03",)),
        ("epinephrine", "ug/min", (4, 10)),
    )
    drug, unit, rates = choose.pick(pool)
    rate = choose.pick((0, 0, None)) if choose.chance(25) else choose.pick(rates)
    raw = {"kind": "vasopressor", "drug": drug, "rate": rate, "unit": unit}
    return attributed(choose, raw, 5)


def death(choose: Chooser) -> Raw:
    """With what it was due to only where that agrees with its attribution."""
    attribution = choose.pick(("crs", "uncertain", "other"))
    raw: Raw = {"kind": "death", "attribution": attribution}
    if choose.chance(60):
        pools: dict[str, tuple[list[str], ...]] = {
            "crs": (["crs"], ["icans"], ["crs", "icans"], ["iec_hs"]),
            "uncertain": (["icans", "crs"], ["icans"], ["iec_hs"], []),
            "other": ([], ["icans"], ["iec_hs"]),
        }
        raw["due_to"] = choose.pick(pools[attribution])
    return raw


SCALE_CONTENT = CONTENT | {
    "vitals": vitals,
    "temperature": temperature,
    "treatment": treatment,
    "oxygen": oxygen,
    "lab": lab,
    "ice": ice,
    "capd": capd,
    "consciousness": consciousness,
    "seizure": seizure,
    "neuro_sign": neuro_sign,
    "admission": admission,
    "blood_product": blood_product,
    "toxicity": toxicity,
    "neurologic_toxicity": neurologic_toxicity,
    "symptom": symptom,
    "judgement": judgement,
    "long_infusion": long_infusion,
    "death": death,
}
