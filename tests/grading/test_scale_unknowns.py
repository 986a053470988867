"""Answering one unknown of a scale leaves its grade at or below the former bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given

from grading.course_file import CourseFileError, read_course
from tests.grading.random_courses import Raw
from tests.grading.random_scale_content import PARTS
from tests.grading.scale_answers import KEYS, graded, past, scale_laws, with_ids
from tests.grading.strategies import scale_courses

Entries = list[Raw]


def in_force(document: Raw, now: str, kind: str) -> Entries:
    """The entries of a kind that hold up to ``now``, in the order in which they apply."""
    entries = document["entries"]
    replaced = {entry.get("replaces") for entry in entries}
    begins = datetime.fromisoformat(document["therapy"]["infused_at"])
    charted = [
        entry
        for entry in entries
        if entry["kind"] == kind
        and entry["id"] not in replaced
        and begins <= datetime.fromisoformat(entry["at"]) <= datetime.fromisoformat(now)
    ]
    return sorted(charted, key=lambda entry: [moment(entry, "at"), moment(entry, "recorded_at")])


def moment(entry: Raw, name: str) -> datetime:
    return datetime.fromisoformat(entry.get(name, entry["at"]))


def charted_instead(document: Raw, entry: Raw, **other: Any) -> Raw:
    """The document with one entry as it should have been charted; None leaves a value out."""
    better = {name: value for name, value in {**entry, **other}.items() if value is not None}
    return {**document, "entries": [better if e is entry else e for e in document["entries"]]}


def charted_now(document: Raw, now: str, **entry: Any) -> Raw:
    return {**document, "entries": [*document["entries"], {"id": "answer", "at": now, **entry}]}


def judged(about: str) -> Callable[[Raw, str, Raw], Iterator[Raw]]:
    def answers(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
        for present in (True, False):
            yield charted_now(document, now, kind="judgement", about=about, present=present)

    return answers


def fio2(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    latest = in_force(document, now, "oxygen")[-1]
    for percent in (22, 30, 39, 40, 60, 100):
        yield charted_instead(document, latest, fio2_percent=percent)


def flow(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    latest = in_force(document, now, "oxygen")[-1]
    for litres in (1, 6, "6.1", 15):
        yield charted_instead(document, latest, flow_l_per_min=litres)


def baseline(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for systolic in (92, 126, 160):
        yield charted_now(document, now, kind="baseline", systolic_mmhg=systolic)


def systolic(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for mmhg in (40, 110):
        yield charted_now(document, now, kind="vitals", systolic_mmhg=mmhg)


TABLE_3 = {
    "norepinephrine": ("ug/min", 30),
    "epinephrine": ("ug/min", 20),
    "phenylephrine": ("ug/min", 300),
    "dopamine": ("ug/kg/min", 20),
}


def dose(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    """The same infusions at doses that are known, all of them low or all of them high."""
    for is_high in (False, True):
        answered = document
        for entry in document["entries"]:
            if (
                entry["kind"] == "vasopressor"
                and entry["rate"] is None
                and entry["drug"] in TABLE_3
            ):
                unit, high = TABLE_3[entry["drug"]]
                known = {"unit": unit, "rate": high if is_high else 1}
                answered = charted_instead(answered, entry, **known, concentration_per_ml=None)
        yield answered


def result(document: Raw, now: str, unknown: Raw) -> Iterator[Raw]:
    """What the result may be exactly, as far as a course file may say so."""
    for answered in exact_results(document, now, unknown):
        try:
            read_course(answered)
        except CourseFileError:
            continue
        yield answered


def exact_results(document: Raw, now: str, unknown: Raw) -> Iterator[Raw]:
    """The same result exactly, and with the limit of normal that it lacked."""
    analyte = unknown["code"].removeprefix("lab.")
    latest = next(e for e in in_force(document, now, "lab")[::-1] if e["analyte"] == analyte)
    value = Decimal(str(latest["value"]))
    factors = {">": ("1.01", "2", "50"), "<": ("0.99", "0.5", "0.01")}
    for factor in factors.get(latest.get("comparator", ""), ("1",)):
        exact = str((value * Decimal(factor)).quantize(Decimal("0.0001")))
        better = {"value": exact, "comparator": None}
        if latest.keys() & {"upper_limit", "lower_limit"}:
            yield charted_instead(document, latest, **better)
            continue
        side = "lower_limit" if analyte == "fibrinogen" else "upper_limit"
        for multiple in ("0.03", "0.3", "1", "1.7", "3.5", "30"):
            limit = str((value * Decimal(multiple)).quantize(Decimal("0.0001")))
            yield charted_instead(document, latest, **better, **{side: limit})


def graded_toxicity(document: Raw, now: str, unknown: Raw) -> Iterator[Raw]:
    for term in unknown["params"]["terms"]:
        for grade in range(5):
            yield charted_now(document, now, kind="toxicity", term=term, grade=grade)


def temperature(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for degrees in (37, 39):
        yield charted_now(document, now, kind="vitals", temperature_c=degrees)


def ice(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    """The points that were missing; where it could not be done, any score."""
    latest = in_force(document, now, "ice")[-1]
    if latest.get("performed") is False:
        for score in (0, 2, 3, 6, 7, 9, 10):
            yield charted_now(document, now, kind="ice", score=score)
        yield charted_now(document, now, kind="ice", performed=False, reason="unarousable")
        return
    missing = {name: most for name, most in PARTS.items() if name not in latest}
    for share in (0, 1, 2):
        points = {name: min(most, share) for name, most in missing.items()}
        yield charted_instead(document, latest, **points)
    yield charted_instead(document, latest, **missing)


def capd(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for score in (0, 8, 9, 32):
        yield charted_now(document, now, kind="capd", score=score)
    yield charted_now(document, now, kind="capd", performed=False, reason="unarousable")


def level(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for how in ("alert", "spontaneous", "voice", "tactile", "unarousable"):
        yield charted_now(document, now, kind="consciousness", level=how)


def seizure_duration(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for minutes in (0, 5, "5.1", 60):
        answered = document
        for entry in in_force(document, now, "seizure"):
            if "duration_minutes" not in entry:
                answered = charted_instead(answered, entry, duration_minutes=minutes)
        yield answered


def assessment(document: Raw, now: str, unknown: Raw) -> Iterator[Raw]:
    yield from level(document, now, unknown)
    yield from capd(document, now, unknown)
    for score in (0, 3, 10):
        yield charted_now(document, now, kind="ice", score=score)


def admission(document: Raw, now: str, _unknown: Raw) -> Iterator[Raw]:
    for setting in ("home", "icu"):
        for because in (True, False):
            yield charted_now(
                document, now, kind="admission", setting=setting, because_of_crs=because
            )


ANSWERS: dict[str, Callable[[Raw, str, Raw], Iterator[Raw]]] = {
    "oxygen.fio2": fio2,
    "oxygen.fio2_estimated": fio2,
    "oxygen.flow": flow,
    "hypotension.relative": judged("relative_hypotension"),
    "hypotension.refractory": judged("refractory_hypotension"),
    "hypotension.no_baseline": baseline,
    "hypotension.no_systolic": systolic,
    "life_threatening": judged("life_threatening"),
    "mskcc.refractory": judged("life_threatening"),
    "ctcae4.prolonged": judged("prolonged_reaction"),
    "vasopressor.dose": dose,
    "penn.vasopressor.dose": dose,
    "penn.hospitalised": admission,
    "organ_toxicity.ungraded": graded_toxicity,
    "astct.fever": temperature,
    "icans.ice": ice,
    "icans.capd": capd,
    "icans.consciousness": level,
    "icans.seizure_duration": seizure_duration,
    "icans.not_assessed": assessment,
    "lab": result,
}


def answers_to(document: Raw, now: str, unknown: Raw) -> Iterator[Raw]:
    code = unknown["code"]
    yield from ANSWERS["lab" if code.startswith("lab.") else code](document, now, unknown)


@scale_laws
@given(scale_courses())
def test_answering_one_unknown_stays_at_or_below_the_former_bound(document: Raw) -> None:
    document = with_ids({**document, "format": "crs-course/2"})
    before = graded(document)
    now = before["now"]
    asked = {
        (key, unknown["code"]): unknown
        for key in KEYS
        if before["scales"][key]["current"]["grade"] is not None
        for unknown in past(before, key)[-1]["unknown"]
    }
    for code in {code for _, code in asked}:
        scales = [key for key in KEYS if (key, code) in asked]
        for answered in answers_to(document, now, asked[scales[0], code]):
            after = graded(answered, now)
            for key in scales:
                grade = after["scales"][key]["current"]["grade"]
                assert grade <= before["scales"][key]["current"]["at_most"], (key, code)
