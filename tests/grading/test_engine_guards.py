"""Guards inside the engine: states that no course file and no call of grading.service can reach.

These tests follow the structure of the code, and change with it; a rule of grading is tested
through ``grading.service`` or a worked case instead.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from grading.course_file import read_entry
from grading.engine import circulation, constitutional, oxygen
from grading.engine.analytes import Analyte
from grading.engine.checkpoint import save_state
from grading.engine.circulation_explainer import CirculationExplainer
from grading.engine.entries import Entry
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.laboratory import in_common_unit
from grading.engine.organ_toxicity import OrganToxicity, TermResult
from grading.engine.policy import DEFAULT_POLICY
from grading.engine.state import CourseState
from grading.engine.systems.lee_2014 import LEE_2014
from grading.engine.vasopressors import HighDoseRun, Infusions

START = datetime(2014, 1, 1, tzinfo=UTC)
FACTS = CourseFacts(infused_at=START, age_years=Decimal(54), weight_kg=Decimal(80))
NOREPINEPHRINE = {"kind": "vasopressor", "drug": "norepinephrine", "rate": "20", "unit": "ug/min"}


def charted(minutes: float, **raw: Any) -> Entry:
    at = START + timedelta(minutes=minutes)
    return read_entry({"id": f"at-{minutes}-{raw['kind']}", "at": at.isoformat(), **raw})


def test_a_state_before_its_first_instant_cannot_be_saved() -> None:
    with pytest.raises(ValueError, match="nothing to save"):
        save_state(CourseState.at_start(FACTS, Baseline(), LEE_2014))


def empty() -> circulation.Circulation:
    return CourseState.at_start(FACTS, Baseline(), LEE_2014).circulation


@pytest.mark.parametrize(
    "code", [circulation.LOW_PRESSURE, circulation.FLUID_BOLUS, circulation.RELATIVE]
)
def test_what_is_not_met_cannot_be_explained(code: str) -> None:
    with pytest.raises(ValueError, match="is charted"):
        CirculationExplainer(empty(), START).explain(code)


def test_no_part_explains_what_was_never_charted() -> None:
    with pytest.raises(ValueError, match="no temperature"):
        constitutional.ConstitutionalSymptoms(DEFAULT_POLICY).explain(constitutional.FEVER)
    with pytest.raises(ValueError, match="no oxygen"):
        oxygen.OxygenSupport(DEFAULT_POLICY).explain(oxygen.BELOW_40)
    with pytest.raises(ValueError, match="no death"):
        CourseState.at_start(FACTS, Baseline(), LEE_2014).opening_of_death()
    with pytest.raises(ValueError, match="not reported in"):
        in_common_unit(Analyte.ALT, Decimal(1), "mg/dL")
    assert HighDoseRun(DEFAULT_POLICY).credited(START) == timedelta(0)


def test_only_a_result_can_be_in_doubt() -> None:
    toxicity = charted(0, kind="toxicity", term="alt", grade=2)
    organs = OrganToxicity(DEFAULT_POLICY, Baseline())
    organs.by_term["alt"] = TermResult(toxicity, None, 3, 2)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="laboratory"):
        organs.explain("lab.alt")


def test_infusions_without_a_concentration_have_no_dose() -> None:
    infusions = Infusions(DEFAULT_POLICY)
    entry = charted(0, **NOREPINEPHRINE)
    object.__setattr__(entry, "unit", type(entry.unit)("ml/h"))  # type: ignore[attr-defined]
    infusions.note(entry)  # type: ignore[arg-type]
    infusions.settle(START, None)
    assert infusions.doses == {entry.drug: None}  # type: ignore[attr-defined]
