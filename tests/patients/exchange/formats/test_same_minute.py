"""What people charted in the minute of a statement, of kinds and in units of every sort."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from patients.exchange.formats.code_rows import COURSE_FILE_1
from patients.exchange.formats.convert import convert
from patients.exchange.formats.fhir_read import read_bundle
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    Resource,
    bundle,
    concept,
    context,
    infusion,
    measured,
    observation,
    quantity,
)

NOW = datetime.fromisoformat("2026-03-02T18:00:00+01:00")
EARLIER = "2026-03-02T08:00:00+01:00"
BASELINE = {"category": [{"text": "baseline"}]}


def answer(question: str, value: bool) -> Resource:
    code = concept(question, f"{COURSE_FILE_1}risk")
    return observation(code=code, valueBoolean=value)


def rate(number: str, unit: str) -> Resource:
    return infusion(dosage={"rateQuantity": quantity(number, unit)})


def people(kind: str, **words: Any) -> dict[str, Any]:
    return {"kind": kind, "at": AT, **words}


CONFIRMED, HELD, CHARTED = "confirmed", "conflict.same_minute", "charted"
CRP = people("lab", analyte="crp", value="120", unit="mg/L")
PER_KG = people("vasopressor", drug="norepinephrine", rate="0.1", unit="ug/kg/min")
PER_MINUTE = people("vasopressor", drug="norepinephrine", rate="5", unit="ug/min")
PER_HOUR = people("vasopressor", drug="norepinephrine", rate="0.3", unit="mg/h")
RISK = people("risk", older_age=True, extensive_comorbidities=False)
CREATININE = people("baseline", creatinine_mg_dl="1.0", measured_at=EARLIER)

CASES: list[tuple[str, dict[str, Any], Resource, str]] = [
    ("a result in another unit", CRP, measured("1988-5", "12.0", "mg/dL"), CONFIRMED),
    ("another result in another unit", CRP, measured("1988-5", "12.1", "mg/dL"), HELD),
    ("a rate by the hour", PER_MINUTE, rate("0.3", "mg/h"), CONFIRMED),
    ("a rate by the minute", PER_HOUR, rate("5.0", "ug/min"), CONFIRMED),
    ("another rate by the hour", PER_MINUTE, rate("0.4", "mg/h"), HELD),
    ("a rate that only a weight makes equal", PER_KG, rate("8", "ug/min"), HELD),
    ("the same number per kg", people("vasopressor", drug="norepinephrine", rate="0.1",
                                      unit="ug/min"), rate("0.1", "ug/kg/min"), HELD),
    ("an answer about risk", RISK, answer("older_age", True), CONFIRMED),
    ("another answer about risk", RISK, answer("older_age", False), HELD),
    ("another question about risk", RISK, answer("chronic_corticosteroids", False), CHARTED),
    ("a question that people left open", people("risk", older_age=None,
                                                extensive_comorbidities=False),
     answer("older_age", True), CHARTED),
    ("a baseline of the time of measurement", CREATININE,
     measured("2160-0", "1.00", "mg/dL", effectiveDateTime=EARLIER, **BASELINE), CONFIRMED),
    ("another baseline of it", CREATININE,
     measured("2160-0", "0.8", "mg/dL", effectiveDateTime=EARLIER, **BASELINE), HELD),
    ("another field of the baseline", CREATININE,
     measured("10230-1", "60", "%", effectiveDateTime=EARLIER, **BASELINE), CHARTED),
]  # fmt: skip


@pytest.mark.parametrize(("charted", "resource", "expected"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_equal_values_confirm_and_others_are_held(
    charted: dict[str, Any], resource: Resource, expected: str
) -> None:
    course = context().course | {"entries": [{"id": "e1", **charted}]}
    known = context(course=course)
    converted = convert(read_bundle(bundle(resource).encode(), known), known, NOW)
    found = [one.reason for one in (*converted.held, *converted.remarks)]
    assert found == ([] if expected == CHARTED else [expected])
    assert len(converted.entries) == (1 if expected == CHARTED else 0)


def test_two_equal_results_in_different_units_are_one_entry() -> None:
    known = context()
    sent = bundle(
        measured("1988-5", "120", "mg/L", id="a"), measured("1988-5", "12", "mg/dL", id="b")
    )
    converted = convert(read_bundle(sent.encode(), known), known, NOW)
    assert converted.held == ()
    assert [entry["kind"] for entry in converted.entries] == ["lab"]
