"""Guards inside the engine: states that no course file and no call of grading.service can reach.

These tests follow the structure of the code, and change with it; a rule of grading is tested
through ``grading.service`` or a worked case instead.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from grading.course_file import read_entry
from grading.engine import circulation_explainer as words
from grading.engine.analytes import Analyte
from grading.engine.checkpoint import save_state
from grading.engine.circulation import Circulation
from grading.engine.constitutional import ConstitutionalSymptoms
from grading.engine.entries import Entry
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.laboratory import in_common_unit
from grading.engine.organ_toxicity import OrganToxicity, TermResult
from grading.engine.oxygen import OxygenSupport
from grading.engine.periods import Explained
from grading.engine.policy import DEFAULT_POLICY
from grading.engine.state import CourseState
from grading.engine.systems.lee_2014 import LEE_2014, toxicity_code
from grading.engine.vasopressors import Infusions, TimedRun

START = datetime(2014, 1, 1, tzinfo=UTC)
FACTS = CourseFacts(infused_at=START, age_years=Decimal(54), weight_kg=Decimal(80))
NOREPINEPHRINE = {"kind": "vasopressor", "drug": "norepinephrine", "rate": "20", "unit": "ug/min"}


def charted(minutes: float, **raw: Any) -> Entry:
    at = START + timedelta(minutes=minutes)
    return read_entry({"id": f"at-{minutes}-{raw['kind']}", "at": at.isoformat(), **raw})


def test_a_state_before_its_first_instant_cannot_be_saved() -> None:
    with pytest.raises(ValueError, match="nothing to save"):
        save_state(CourseState.at_start(FACTS, Baseline(), LEE_2014))


def empty() -> Circulation:
    return CourseState.at_start(FACTS, Baseline(), LEE_2014).circulation


@pytest.mark.parametrize(
    "explain", [words.explain_low_pressure, words.explain_fluid_bolus, words.explain_relative]
)
def test_what_is_not_met_cannot_be_explained(
    explain: Callable[[Circulation, datetime], Explained],
) -> None:
    with pytest.raises(ValueError, match="is charted"):
        explain(empty(), START)


def test_no_part_explains_what_was_never_charted() -> None:
    with pytest.raises(ValueError, match="no temperature"):
        ConstitutionalSymptoms(DEFAULT_POLICY).explain_fever()
    with pytest.raises(ValueError, match="no oxygen"):
        OxygenSupport(DEFAULT_POLICY).explain_fio2()
    with pytest.raises(ValueError, match="no death"):
        CourseState.at_start(FACTS, Baseline(), LEE_2014).opening_of_death()
    with pytest.raises(ValueError, match="not reported in"):
        in_common_unit(Analyte.ALT, Decimal(1), "mg/dL")
    assert TimedRun(DEFAULT_POLICY).credited(START) == timedelta(0)


def test_only_a_result_can_be_in_doubt() -> None:
    toxicity = charted(0, kind="toxicity", term="alt", grade=2)
    organs = OrganToxicity(DEFAULT_POLICY, Baseline())
    organs.by_term["alt"] = TermResult(toxicity, 1, 2, True, True)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="laboratory"):
        organs.explain_doubt("alt")


def test_a_result_that_cannot_be_graded_meets_no_criterion() -> None:
    result = charted(0, kind="lab", analyte="alt", value="300", unit="U/L")
    with pytest.raises(ValueError, match="alt cannot be graded"):
        toxicity_code(TermResult(result, None, 4, False, True))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rate", [NOREPINEPHRINE, {**NOREPINEPHRINE, "drug": "dopamine", "unit": "ug/kg/min"}]
)
def test_infusions_without_a_concentration_have_no_dose(rate: dict[str, Any]) -> None:
    """Neither in mcg/min nor by weight."""
    infusions = Infusions(DEFAULT_POLICY)
    entry = charted(0, **rate)
    object.__setattr__(entry, "unit", type(entry.unit)("ml/h"))  # type: ignore[attr-defined]
    infusions.note(entry)  # type: ignore[arg-type]
    infusions.settle(START, Decimal(80))
    assert infusions.doses == {entry.drug: None}  # type: ignore[attr-defined]
