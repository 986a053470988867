"""Forms for what is found and given: results, treatments, the baseline."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django import forms

from grading.engine.analytes import Analyte
from grading.engine.vocabulary import VITAL_SIGN, TreatmentAgent
from patients.display.text import lab_unit_text
from patients.entry_form import EntryForm
from patients.fields import TypedNumberField, choices_of
from patients.lab_panel import LabPanelForm
from patients.models import EntryKind
from patients.symptom_forms import SymptomForm
from patients.toxicity_form import ToxicityForm


def _unit_choices() -> list[tuple[str, str]]:
    """Every unit that a result is reported in, once; the reader holds each analyte to its own."""
    names = dict.fromkeys(unit.name for analyte in Analyte for unit in analyte.units)
    return [
        ("", "Choose the unit"),
        *((name, lab_unit_text(name) or name) for name in names),
    ]


class LabForm(EntryForm):
    """One result with the limits of normal of its report: what a correction of it asks."""

    kind = EntryKind.LAB
    graded_from_infusion = False

    analyte = forms.ChoiceField(
        label="Analyte",
        choices=choices_of(Analyte, "Choose the analyte"),
        error_messages={"required": "Choose the analyte."},
    )
    comparator = forms.ChoiceField(
        label="Reported as",
        choices=(("", "the value"), ("<", "below (<)"), (">", "above (>)")),
        required=False,
    )
    value = TypedNumberField(
        label="Result", required=True, error_messages={"required": "Give the result."}
    )
    unit = forms.ChoiceField(
        label="Unit",
        choices=_unit_choices(),
        error_messages={"required": "Choose the unit of the report."},
    )
    upper_limit = TypedNumberField(label="Upper limit of normal", above_zero=True)
    lower_limit = TypedNumberField(label="Lower limit of normal")


class TreatmentForm(EntryForm):
    """A drug given against the syndrome or beside it."""

    kind = EntryKind.TREATMENT
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a treatment has no cause

    agent = forms.ChoiceField(
        label="Given",
        choices=choices_of(TreatmentAgent, "Choose what was given"),
        error_messages={"required": "Choose what was given."},
    )
    dose_mg = TypedNumberField(label="Dose", unit="mg", above_zero=True)

    def clean_kind(self) -> None:
        other = self.cleaned_data.get("agent") == TreatmentAgent.OTHER
        if other and not self.cleaned_data.get("note"):
            self.add_error("note", "Name the treatment here.")


class BaselineForm(EntryForm):
    """What was normal before therapy; it holds for the whole course, back to its start."""

    kind = EntryKind.BASELINE
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a baseline has no cause

    systolic_mmhg = TypedNumberField(
        label="Systolic", unit="mmHg", limits=VITAL_SIGN["systolic_mmhg"].limits
    )
    diastolic_mmhg = TypedNumberField(
        label="Diastolic", unit="mmHg", limits=VITAL_SIGN["diastolic_mmhg"].limits
    )
    mean_arterial_pressure_mmhg = TypedNumberField(
        label="MAP", unit="mmHg", limits=VITAL_SIGN["mean_arterial_pressure_mmhg"].limits
    )
    creatinine_mg_dl = TypedNumberField(label="Creatinine", unit="mg/dL")
    lvef_percent = TypedNumberField(label="LVEF", unit="%")
    fibrinogen_mg_dl = TypedNumberField(label="Fibrinogen", unit="mg/dL")

    def clean_kind(self) -> None:
        if not self.body() and not self.errors:
            self.add_error(None, "Nothing is given yet: give at least one baseline value.")
        high, low = (self.cleaned_data.get(key) for key in ("systolic_mmhg", "diastolic_mmhg"))
        if high and low and Decimal(low) >= Decimal(high):
            self.add_error("diastolic_mmhg", f"{low} is not below the systolic pressure, {high}.")


FINDING_FORMS: Final = (LabPanelForm, ToxicityForm, SymptomForm, TreatmentForm, BaselineForm)
