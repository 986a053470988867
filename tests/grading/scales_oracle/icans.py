"""ICANS at one instant: the worst of its domains, whatever the vital signs."""

from __future__ import annotations

from datetime import datetime

from tests.grading import oracle
from tests.grading.oracle import Entry, charted
from tests.grading.scales_oracle import facts
from tests.grading.scales_oracle.facts import Answer, Criterion, ScaleChart

PARTS = {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1}
LEVELS = {"alert": 0, "spontaneous": 1, "voice": 2, "tactile": 3, "unarousable": 4}
PRESSURE_SIGNS = oracle.words("diffuse_edema posturing sixth_nerve_palsy papilledema cushing_triad")
SIGNS = {
    "focal_weakness": ("icans.motor", 4),
    "focal_edema": ("icans.edema.focal", 3),
    **dict.fromkeys(sorted(PRESSURE_SIGNS), ("icans.pressure", 4)),
}
ASSESSED_TERMS = oracle.words(
    """
    encephalopathy confusion delirium hallucinations agitation seizure dysphasia dysarthria
    somnolence depressed_consciousness cerebral_edema
    """
)


def icans(chart: ScaleChart, t: datetime) -> Answer:
    answer = Answer.empty()
    if uses_capd(chart):
        capd(chart, t, answer)
    else:
        ice(chart, t, answer)
    consciousness = facts.current(chart, t, "consciousness")
    if consciousness is not None:
        meets(answer, "icans.consciousness", LEVELS[consciousness.raw["level"]])
    seizures(chart, t, answer)
    for sign, (code, grade) in SIGNS.items():
        entry = facts.current(chart, t, "neuro_sign", sign=sign)
        if entry is not None and entry.raw["present"]:
            meets(answer, code, grade)
    if not_assessed(chart, t):
        answer.unknown["icans.not_assessed"] = 4
    return answer


def meets(answer: Answer, code: str, grade: int) -> None:
    if grade > 0:
        answer.met[code] = Criterion(grade, "neuro")


def uses_capd(chart: ScaleChart) -> bool:
    young = chart.age_years < chart.policy["icans_capd_below_years"]
    return young or chart.developmental_delay


def could_not(entry: Entry, tool: str, answer: Answer) -> bool:
    """Whether an assessment could not be done; unarousable is an answer, the rest is not."""
    if entry.raw.get("performed") is not False:
        return False
    if entry.raw.get("reason") == "unarousable":
        meets(answer, f"icans.{tool}.unable", 4)
    else:
        answer.unknown[f"icans.{tool}"] = 4
    return True


def capd(chart: ScaleChart, t: datetime, answer: Answer) -> None:
    entry = facts.current(chart, t, "capd")
    if entry is None or could_not(entry, "capd", answer):
        return
    score = int(oracle.number(entry.raw["score"]))
    if score >= 9:
        meets(answer, "icans.capd", 3)
    elif score >= 1:
        meets(answer, "icans.capd", facts.grade_of(chart, "icans_capd_1_to_8_grade"))


def ice(chart: ScaleChart, t: datetime, answer: Answer) -> None:
    entry = facts.current(chart, t, "ice")
    if entry is None or could_not(entry, "ice", answer):
        return
    lowest, highest = ice_range(entry)
    meets(answer, "icans.ice", ice_grade(highest))
    if ice_grade(lowest) > ice_grade(highest):
        answer.unknown["icans.ice"] = ice_grade(lowest)
    if highest == 0 and not charted(chart, t, "consciousness"):
        answer.unknown["icans.consciousness"] = 4


def ice_range(entry: Entry) -> tuple[int, int]:
    """The lowest and the highest score that the charted parts allow."""
    if entry.raw.get("score") is not None:
        score = int(oracle.number(entry.raw["score"]))
        return score, score
    parts = {name: entry.raw.get(name) for name in PARTS}
    lowest = sum(int(oracle.number(value)) for value in parts.values() if value is not None)
    return lowest, lowest + sum(PARTS[name] for name, value in parts.items() if value is None)


def ice_grade(score: int) -> int:
    return 0 if score == 10 else 1 if score >= 7 else 2 if score >= 3 else 3


def seizures(chart: ScaleChart, t: datetime, answer: Answer) -> None:
    for seizure in charted(chart, t, "seizure"):
        held = facts.within(chart, t, seizure, "icans_seizure_hold_minutes")
        if not held or not facts.counts(seizure):
            continue
        if is_prolonged(seizure):
            meets(answer, "icans.seizure.prolonged", 4)
            continue
        meets(answer, "icans.seizure", 3)
        if seizure.raw.get("duration_minutes") is None:
            answer.unknown["icans.seizure_duration"] = 4


def is_prolonged(seizure: Entry) -> bool:
    minutes = seizure.raw.get("duration_minutes")
    return (
        (minutes is not None and oracle.number(minutes) > 5)
        or seizure.raw.get("repetitive_without_recovery") is True
        or seizure.raw.get("resolved") is False
    )


def not_assessed(chart: ScaleChart, t: datetime) -> bool:
    signs = (sign for term in sorted(ASSESSED_TERMS) for sign in signs_of(chart, t, term))
    if any(not assessed_since(chart, t, sign, ANY_ASSESSMENT) for sign in signs):
        return True
    return any(
        facts.counts(seizure)
        and t >= seizure.at + chart.minutes("icans_seizure_hold_minutes")
        and not assessed_since(chart, t, seizure, BEDSIDE_ASSESSMENT)
        for seizure in charted(chart, t, "seizure")
    )


def signs_of(chart: ScaleChart, t: datetime, term: str) -> list[Entry]:
    """The latest CTCAE grade and the latest tick of a term, where they say that it is there."""
    graded = facts.current(chart, t, "toxicity", term=term)
    ticked = facts.current(chart, t, "symptom", term=term)
    signs = []
    if graded is not None and int(graded.raw["grade"]) >= 1:
        signs.append(graded)
    if ticked is not None and ticked.raw["present"]:
        signs.append(ticked)
    return signs


ANY_ASSESSMENT = ("ice", "capd", "consciousness", "seizure", "neuro_sign")
BEDSIDE_ASSESSMENT = ("ice", "capd", "consciousness")


def assessed_since(chart: ScaleChart, t: datetime, entry: Entry, kinds: tuple[str, ...]) -> bool:
    return any(later.at >= entry.at for kind in kinds for later in charted(chart, t, kind))
