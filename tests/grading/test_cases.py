"""Runs the worked cases of ``cases/*.md``, which are written for a clinician to read and sign.

A case is a heading, a line ``Given: ...`` and one table. With a ``time`` column the rows are
instants of one course, an empty ``charted`` cell being a look at the clock. Without one, every
row is a course of its own. The parser is strict: a word that it does not know fails the case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grading.course_result import result_json
from grading.engine.units import celsius

CASES = Path(__file__).parent / "cases"
DEMO = Path(__file__).parents[2] / "patients" / "demo"
DAY_OF_INFUSION = datetime(2014, 1, 1, tzinfo=UTC)
INFUSED_AT = DAY_OF_INFUSION + timedelta(hours=8)
REQUIRED = {"charted", "grade", "at most", "criteria", "unknown"}
OPTIONAL = {"case", "time", "known at"}

VITALS = {
    "temp": "temperature_c", "HR": "heart_rate", "RR": "respiratory_rate", "SBP": "systolic_mmhg",
    "DBP": "diastolic_mmhg", "MAP": "mean_arterial_pressure_mmhg", "SpO2": "spo2_percent",
}  # fmt: skip
DEVICES = {
    "room air": "room_air", "nasal cannula": "nasal_cannula", "simple mask": "simple_mask",
    "venturi mask": "venturi_mask", "non-rebreather mask": "non_rebreather_mask",
    "partial rebreather mask": "partial_rebreather_mask",
    "high-flow nasal cannula": "high_flow_nasal_cannula", "tracheostomy mask": "tracheostomy_mask",
    "blow-by": "blow_by", "CPAP": "cpap", "BiPAP": "bipap", "ventilated": "invasive_ventilation",
    "ECMO": "ecmo",
}  # fmt: skip
DRUGS = {
    "NE": ("norepinephrine", "ug/min"), "epinephrine": ("epinephrine", "ug/min"),
    "dopamine": ("dopamine", "ug/kg/min"), "phenylephrine": ("phenylephrine", "ug/min"),
    "vasopressin": ("vasopressin", "units/min"), "angiotensin II": ("angiotensin_ii", "ng/kg/min"),
    "dobutamine": ("dobutamine", "ug/kg/min"), "milrinone": ("milrinone", "ug/kg/min"),
    "terlipressin": ("other_vasopressor", None),
}  # fmt: skip
RATE_UNITS = {
    "mcg/min": "ug/min", "mcg/kg/min": "ug/kg/min", "ng/kg/min": "ng/kg/min", "mg/h": "mg/h",
    "units/min": "units/min", "units/h": "units/h", "mL/h": "ml/h",
}  # fmt: skip
LABS = {
    "ALT": "alt", "AST": "ast", "ALP": "alp", "GGT": "ggt", "bilirubin": "bilirubin",
    "creatinine": "creatinine", "fibrinogen": "fibrinogen", "aPTT": "aptt", "INR": "inr",
    "LVEF": "lvef", "CRP": "crp", "ferritin": "ferritin", "platelets": "platelets", "ANC": "anc",
}  # fmt: skip
BASELINES = {
    "systolic": "systolic_mmhg", "MAP": "mean_arterial_pressure_mmhg",
    "creatinine": "creatinine_mg_dl", "LVEF": "lvef_percent", "fibrinogen": "fibrinogen_mg_dl",
}  # fmt: skip

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One worked case: its course without entries, and the rows of its table."""

    place: str
    heading: str
    course: Json
    rows: list[dict[str, str]]

    @property
    def is_one_course(self) -> bool:
        return "time" in self.rows[0]


def instant(text: str) -> datetime:
    """``d5 10:00`` is day 5 after the day of infusion; without a day, day 1."""
    found = re.fullmatch(r"(?:d(-?\d+) )?(\d\d):(\d\d)", text)
    if not found:
        raise ValueError(f"not a time: {text!r}")
    day, hour, minute = (int(part) for part in found.groups(default="1"))
    return DAY_OF_INFUSION + timedelta(days=day, hours=hour, minutes=minute)


def one_of(words: Any) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return "(" + "|".join(re.escape(word) for word in longest_first) + ")"


NUMBER = r"(\d+(?:\.\d+)?)"


def pressure(found: re.Match[str]) -> Json:
    return {"kind": "vitals", "systolic_mmhg": found[1], "diastolic_mmhg": found[2]}


def oxygen(found: re.Match[str]) -> Json:
    words = {"device": DEVICES[found[1]], "flow_l_per_min": found[2], "fio2_percent": found[3]}
    return {"kind": "oxygen"} | {key: word for key, word in words.items() if word is not None}


def infusion(found: re.Match[str]) -> Json:
    drug, usual_unit = DRUGS[found[1]]
    words: Json = {"kind": "vasopressor", "drug": drug, "rate": found[2]}
    if drug == "other_vasopressor":
        words["note"] = found[1]
    if found[2] is not None:
        return words | {"unit": RATE_UNITS[found[3]]}
    if found[4] == "off":
        return words | {"rate": "0"} | ({"unit": usual_unit} if usual_unit else {})
    return words


def laboratory(found: re.Match[str]) -> Json:
    words = {"analyte": LABS[found[1]], "value": found[3], "unit": found[4] or "ratio"}
    return {"kind": "lab"} | words | ({"comparator": found[2]} if found[2] else {})


def judgement(found: re.Match[str]) -> Json:
    about = found[1].replace(" ", "_").replace("-", "_")
    return {"kind": "judgement", "about": about, "present": found[2] == "yes"}


def symptom(found: re.Match[str]) -> Json:
    return {"kind": "symptom", "term": found[1].replace(" ", "_"), "present": not found[2]}


def toxicity(found: re.Match[str]) -> Json:
    return {"kind": "toxicity", "term": found[1].replace(" ", "_"), "grade": int(found[2])}


def baseline(found: re.Match[str]) -> Json:
    return {"kind": "baseline", **baseline_fields(found[1])}


def baseline_fields(text: str) -> Json:
    if both := re.fullmatch(rf"{NUMBER}/{NUMBER}", text):
        return {"systolic_mmhg": both[1], "diastolic_mmhg": both[2]}
    one = re.fullmatch(rf"{one_of(BASELINES)} {NUMBER}(?: mg/dL| %)?", text)
    if not one:
        raise ValueError(f"not a baseline: {text!r}")
    return {BASELINES[one[1]]: one[2]}


Builder = Callable[[re.Match[str]], Json]
SHORTHAND: list[tuple[str, Builder]] = [
    (rf"BP {NUMBER}/{NUMBER}", pressure),
    (rf"{one_of(VITALS)} {NUMBER}", lambda m: {"kind": "vitals", VITALS[m[1]]: m[2]}),
    (rf"{one_of(DEVICES)}(?: {NUMBER} L/min)?(?: FiO2 {NUMBER})?", oxygen),
    (rf"{one_of(DRUGS)} (?:{NUMBER} {one_of(RATE_UNITS)}|(running|off))", infusion),
    (rf"bolus {NUMBER} mL", lambda m: {"kind": "fluid_bolus", "volume_ml": m[1]}),
    (rf"weight {NUMBER} kg", lambda m: {"kind": "weight", "weight_kg": m[1]}),
    (rf"{one_of(LABS)} ([<>])?{NUMBER}(?: (\S+))?", laboratory),
    (r"toxicity ([a-z ]+) ([0-4])", toxicity),
    (r"judged ([a-z -]+): (yes|no)", judgement),
    (r"symptom ([a-z ]+?)( gone)?", symptom),
    (
        rf"given ([a-z]+) {NUMBER} mg",
        lambda m: {"kind": "treatment", "agent": m[1], "dose_mg": m[2]},
    ),
    (r"baseline (.+)", baseline),
    (r"death", lambda m: {"kind": "death"}),
    (r"entered in error: (\w+)", lambda m: {"kind": "retraction", "replaces": m[1]}),
]
MODIFIERS: list[tuple[str, Builder]] = [
    (r"(other|uncertain)", lambda m: {"attribution": m[1]}),
    (rf"(upper|lower) {NUMBER}", lambda m: {f"{m[1]}_limit": m[2]}),
    (rf"pump {NUMBER} kg", lambda m: {"weight_kg": m[1]}),
    (rf"{NUMBER} (?:mcg|units)/mL", lambda m: {"concentration_per_ml": m[1]}),
    (r"id (\w+)", lambda m: {"id": m[1]}),
    (r"corrects (\w+)", lambda m: {"replaces": m[1]}),
    (r"charted (.+)", lambda m: {"recorded_at": instant(m[1]).isoformat()}),
]


def first_match(text: str, patterns: list[tuple[str, Builder]]) -> Json:
    for pattern, build in patterns:
        if found := re.fullmatch(pattern, text):
            return build(found)
    raise ValueError(f"not understood: {text!r}")


def charted_item(text: str) -> Json:
    found = re.fullmatch(r"([^()]+?)(?: \(([^()]+)\))?", text)
    if not found:
        raise ValueError(f"not understood: {text!r}")
    entry = first_match(found[1], SHORTHAND)
    for modifier in (found[2] or "").split(", ") if found[2] else []:
        entry |= first_match(modifier, MODIFIERS)
    if entry["kind"] == "vitals" and "attribution" in entry:
        fields = [key for key in entry if key in VITALS.values()]
        entry["attribution"] = dict.fromkeys(fields, entry["attribution"])
    return entry


def charted_entries(text: str, at: datetime) -> list[Json]:
    """The entries of one cell. Plain vital signs of a cell are one set, charted together."""
    entries: list[Json] = []
    vitals_set: Json | None = None
    for item in filter(None, text.split("; ")):
        entry = {"at": at.isoformat()} | charted_item(item)
        if entry["kind"] != "vitals" or {"id", "replaces", "recorded_at"} & entry.keys():
            entries.append(entry)
        elif vitals_set is None:
            vitals_set = entry
            entries.append(entry)
        else:
            attribution = vitals_set.get("attribution", {}) | entry.get("attribution", {})
            vitals_set |= entry | ({"attribution": attribution} if attribution else {})
    return entries


def given_course(text: str) -> Json:
    """The line ``Given: age 58 y; weight 70 kg; baseline 126/74; policy cpap_grade 4``."""
    patient: Json = {"mrn": "CASE", "name": "Worked case", "sex": "unknown"}
    course: Json = {"format": "crs-course/1", "patient": patient, "baseline": {}, "policy": {}}
    course["therapy"] = {"product": "worked case", "infused_at": INFUSED_AT.isoformat()}
    for item in text.split("; "):
        if age := re.fullmatch(rf"age {NUMBER} y", item):
            patient["age_years"] = age[1]
        elif born := re.fullmatch(r"born (\d{4}-\d\d-\d\d)", item):
            patient["birth_date"] = born[1]
        elif weight := re.fullmatch(rf"weight {NUMBER} kg", item):
            course["weight_kg"] = weight[1]
        elif item.startswith("baseline "):
            course["baseline"] |= baseline_fields(item.removeprefix("baseline "))
        elif policy := re.fullmatch(r"policy (\w+) (\S+)", item):
            course["policy"][policy[1]] = {"true": True, "false": False}.get(policy[2], policy[2])
            if re.fullmatch(r"\d+", policy[2]):
                course["policy"][policy[1]] = int(policy[2])
        else:
            raise ValueError(f"not understood: {item!r}")
    return {key: value for key, value in course.items() if value != {}}


def table_rows(lines: list[str]) -> list[dict[str, str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    header = cells[0]
    if not REQUIRED <= set(header) <= REQUIRED | OPTIONAL or len(set(header)) < len(header):
        raise ValueError(f"columns: {header}")
    if any(len(row) != len(header) for row in cells):
        raise ValueError("a row has too many or too few cells")
    return [dict(zip(header, row, strict=True)) for row in cells[2:]]


def read_cases(path: Path) -> Iterator[Case]:
    for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        heading, *lines = section.splitlines()
        facts = [line.removeprefix("Given: ") for line in lines if line.startswith("Given: ")]
        rows = table_rows([line for line in lines if line.startswith("|")])
        if len(facts) != 1 or not rows:
            raise ValueError(f"{path.name}, {heading}: one Given line and one table are needed")
        yield Case(f"{path.stem}: {heading[:60]}", heading, given_course(facts[0]), rows)


def codes(text: str) -> set[str]:
    return set(filter(None, text.split(", ")))


def expected(row: dict[str, str]) -> tuple[Any, ...]:
    if row["grade"] in {"ended", "not graded"}:
        return (None, None, set(), set())
    return (int(row["grade"]), int(row["at most"]), codes(row["criteria"]), codes(row["unknown"]))


def outcome(period: Json) -> tuple[Any, ...]:
    met = {criterion["code"] for criterion in period["criteria"]}
    return (period["grade"], period["at_most"], met, {item["code"] for item in period["unknown"]})


def outcome_now(found: Json) -> tuple[Any, ...]:
    """Outcome at the answer's own ``now``; the current grade and the last period agree."""
    if found["current"]["grade"] is None:
        return (None, None, set(), set())
    last = [period for period in found["periods"] if not period["projected"]][-1]
    assert (last["grade"], last["at_most"]) == (
        found["current"]["grade"],
        found["current"]["at_most"],
    )
    return outcome(last)


def outcome_at(found: Json, at: datetime) -> tuple[Any, ...]:
    """Outcome at an instant in a longer answer, past or to come if nothing more is charted."""
    begun = [p for p in found["periods"] if datetime.fromisoformat(p["from"]) <= at]
    ended = found["current"]["grade"] is None
    if not begun or (ended and datetime.fromisoformat(found["periods"][-1]["to"]) <= at):
        return (None, None, set(), set())
    return outcome(begun[-1])


def mismatches_of_course(case: Case) -> Iterator[tuple[str, Any, Any]]:
    times = [instant(row["time"]) for row in case.rows]
    assert times == sorted(times), "rows in order of time"
    lists = [charted_entries(row["charted"], at) for row, at in zip(case.rows, times, strict=True)]
    document = case.course | {"entries": [entry for entries in lists for entry in entries]}
    history = result_json(document, now=times[-1])
    last_charted = None
    for row, at, entries in zip(case.rows, times, lists, strict=True):
        place, wanted = f"{row['time']} {row['charted']}", expected(row)
        if known_at := row.get("known at"):
            found = outcome_now(result_json(document, now=at, known_at=instant(known_at)))
            yield f"{place} as known at {known_at}", wanted, found
            continue
        yield place, wanted, outcome_now(result_json(document, now=at))
        yield f"{place} (in the whole history)", wanted, outcome_at(history, at)
        if entries:
            last_charted = at
        elif last_charted is not None and last_charted >= INFUSED_AT:
            projected = result_json(document, now=last_charted)
            yield f"{place} (as projected)", wanted, outcome_at(projected, at)


def mismatches_of_single_rows(case: Case) -> Iterator[tuple[str, Any, Any]]:
    at = instant("10:00")
    for row in case.rows:
        document = case.course | {"entries": charted_entries(row["charted"], at)}
        yield row["charted"], expected(row), outcome_now(result_json(document, now=at))


ALL_CASES = [case for path in sorted(CASES.glob("*.md")) for case in read_cases(path)]


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.place)
def test_the_grades_are_those_of_the_table(case: Case) -> None:
    compared = mismatches_of_course if case.is_one_course else mismatches_of_single_rows
    wrong = [(place, want, got) for place, want, got in compared(case) if want != got]
    assert wrong == []


def test_every_case_of_the_clinical_specification_is_worked() -> None:
    published = {"P01", "P02", *(f"P03{part}" for part in "abcdef"), *(f"P04{p}" for p in "abcd")}
    published |= {f"P{number:02}" for number in range(5, 14)}
    numbers = [*range(1, 5), *range(10, 26), *range(30, 35), *range(40, 66), *range(70, 94)]
    named = {row.get("case", "") for case in ALL_CASES for row in case.rows}
    named |= {word for case in ALL_CASES for word in re.findall(r"\b[PD]\d\d\b", case.heading)}
    assert published | {f"D{number:02}" for number in numbers} <= named


@pytest.mark.parametrize("path", sorted(CASES.glob("*.md")), ids=lambda path: path.stem)
def test_every_file_of_cases_opens_with_a_place_to_sign(path: Path) -> None:
    opening = path.read_text(encoding="utf-8").split("\n## ")[0]
    assert all(f"| {word} |" in opening for word in ("Reviewer", "Role", "Date"))


@pytest.mark.parametrize("text", ["temp high", "NE 20", "ALT 121 U/L (upper)", "symptom: rash"])
def test_an_unknown_word_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        charted_entries(text, INFUSED_AT)


@pytest.mark.parametrize(
    ("fahrenheit", "is_fever"), [("100.4", True), ("100.399", False), ("101.3", True)]
)
def test_fahrenheit_is_converted_exactly(fahrenheit: str, is_fever: bool) -> None:
    assert (celsius(Decimal(fahrenheit)) >= 38) is is_fever


EPISODES = {"case_1": 1, "case_2": 3, "case_3": 3, "figure_3": 3}
GRADE_BY_DAY = [
    ("case_3", {"2013-06-04T12:00": 0, "2013-06-07T12:00": 1, "2013-06-08T08:10": 2,
                "2013-06-08T12:00": 3, "2013-06-10T12:00": 2, "2013-06-12T12:00": 3}),
    ("figure_3", {"2013-09-05T12:00": 1, "2013-09-07T12:00": 2, "2013-09-08T12:00": 3,
                  "2013-09-10T12:00": 1}),
]  # fmt: skip


def demo_course(name: str) -> Json:
    course: Json = json.loads((DEMO / f"{name}.json").read_text(encoding="utf-8"))
    return course


@pytest.mark.parametrize(("name", "grade"), EPISODES.items())
def test_the_published_courses_reach_their_published_grade(name: str, grade: int) -> None:
    assert result_json(demo_course(name))["maximum"] == grade


@pytest.mark.parametrize(("name", "days"), GRADE_BY_DAY)
def test_the_published_courses_have_their_grade_of_the_day(name: str, days: dict[str, int]) -> None:
    course = demo_course(name)
    offset = course["therapy"]["infused_at"][-6:]
    instants = {at: datetime.fromisoformat(f"{at}:00{offset}") for at in days}
    found = {at: result_json(course, now=now)["current"]["grade"] for at, now in instants.items()}
    assert found == days
