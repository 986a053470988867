"""Forms of vasopressors, fluid boluses and drugs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import Vasopressor, Weight
from grading.engine.plausibility import Circumstances
from grading.engine.sentences import inside_a_sentence
from grading.engine.vasopressors import charted_dose, needs_weight
from grading.engine.vocabulary import DRUGS, WEIGHT_KG, DoseUnit, TreatmentAgent, VasopressorDrug
from patients.display.text import weight_at
from patients.forms.doses import of_a_treatment, with_weight
from patients.forms.entry_form import EntryForm
from patients.forms.fields import YES, TickField, TypedNumberField, choices_of
from patients.forms.layout import Checkboxes, Concentrations, RunningInfusions
from patients.models import Entry, EntryKind
from patients.queries.status import read_infusion_before

_Before = tuple[tuple[VasopressorDrug, datetime], tuple[Vasopressor | None, list[Weight]]]


class VasopressorForm(EntryForm):
    """A vasopressor from a time on: its rate, that it was stopped, or that its dose is unknown."""

    kind = EntryKind.VASOPRESSOR

    drug = forms.ChoiceField(
        label="Drug",
        choices=choices_of(VasopressorDrug, "Choose the drug"),
        error_messages={"required": "Choose the drug."},
    )
    rate = TypedNumberField(label="Rate")
    unit = forms.ChoiceField(
        label="Unit", choices=choices_of(DoseUnit, "Choose the unit"), required=False
    )
    concentration_per_ml = TypedNumberField(
        label="Concentration",
        unit="mcg/mL",
        above_zero=True,
        help_text="Only for mL/h; for vasopressin in units per mL",
    )
    weight_kg = TypedNumberField(
        label="Weight in the pump",
        unit="kg",
        limits=WEIGHT_KG,
        help_text="Only if it differs from the charted weight",
    )
    stopped = TickField(label="Stopped")
    dose_not_known = TickField(label="Dose not known", help_text="Running, dose unknown")

    _read_before: _Before | None = None

    def layout(self) -> Sequence[Any]:
        running = [RunningInfusions()] if self.correcting is None else []
        dose = ("rate", "unit", "concentration_per_ml", "weight_kg")
        return [
            *running,
            self.inputs_row("drug", *dose),
            Concentrations(),
            Checkboxes("stopped", "dose_not_known"),
        ]

    def body(self) -> dict[str, Any]:
        body = super().body()
        stopped, unknown = body.pop("stopped", ""), body.pop("dose_not_known", "")
        if stopped or unknown or body.get("drug") == VasopressorDrug.OTHER_VASOPRESSOR:
            for key in ("unit", "concentration_per_ml", "weight_kg", "rate"):
                body.pop(key, None)
            body["rate"] = "0" if stopped else None
        return body

    def clean_kind(self) -> None:
        if self.cleaned_data.get("drug") == VasopressorDrug.OTHER_VASOPRESSOR:
            self._clean_other()
        elif not self._clean_state():
            self._clean_dose()

    def _clean_other(self) -> None:
        if self.cleaned_data.get("rate"):
            self.add_error("rate", "Leave the rate empty: no dose of this drug is graded.")
        if not self.cleaned_data.get("note"):
            self.add_error("note", "Name the drug here.")

    def _clean_state(self) -> bool:
        """Return whether the infusion has no rate; refuse answers that contradict each other."""
        stopped, unknown = (self.cleaned_data.get(key) for key in ("stopped", "dose_not_known"))
        typed = self.cleaned_data.get("rate")
        if stopped and unknown:
            self.add_error("stopped", "It cannot be stopped and run at an unknown dose.")
        elif typed and unknown:
            self.add_error("rate", "Leave the rate empty, or untick that the dose is not known.")
        elif typed and stopped and Decimal(typed) != 0:
            self.add_error("rate", "Leave the rate empty, or untick that it was stopped.")
        elif not typed and not stopped and not unknown and "rate" not in self.errors:
            self.add_error("rate", "Enter the rate, or tick that it was stopped or is not known.")
        return bool(stopped or unknown or not typed)

    def _clean_dose(self) -> None:
        if Decimal(self.cleaned_data["rate"]) == 0:
            return
        drug, unit = self.cleaned_data.get("drug"), self.cleaned_data.get("unit")
        if not drug or "unit" in self.errors:
            return
        accepted = DRUGS[VasopressorDrug(drug)].units
        if not unit or DoseUnit(unit) not in accepted:
            listed = ", ".join(word.label for word in accepted)
            what = "Choose the unit" if not unit else f"Not a unit of {_name(drug)}"
            self.add_error("unit", f"{what}: {listed}.")
        elif unit == DoseUnit.ML_PER_H and not self.cleaned_data.get("concentration_per_ml"):
            self.add_error("concentration_per_ml", "Enter the syringe concentration.")
        elif unit != DoseUnit.ML_PER_H and self.cleaned_data.get("concentration_per_ml"):
            self.add_error(
                "concentration_per_ml", "Only with mL/h: leave empty, or change the unit."
            )
        elif not self.errors:
            self._clean_weight(VasopressorDrug(drug), DoseUnit(unit))

    def _clean_weight(self, drug: VasopressorDrug, unit: DoseUnit) -> None:
        if self.observed_at is None or not needs_weight(drug, unit):
            return
        if self.cleaned_data.get("weight_kg"):
            return
        if self._charted_weight(drug, self.observed_at) is None:
            self.add_error(
                "weight_kg",
                "No weight is charted for this time: enter the weight in the pump, or tick that "
                "the dose is not known.",
            )

    def _charted_weight(self, drug: VasopressorDrug, at: datetime) -> Decimal | None:
        """Return the weight at ``at``, of those since the drug was last charted."""
        _, weights = self._before(drug)
        return weight_at([weight for weight in weights if weight.at <= at], at)

    def _before(self, drug: VasopressorDrug) -> tuple[Vasopressor | None, list[Weight]]:
        """Return the entry about the drug before this one, and the weights since; read once."""
        if self.observed_at is None:
            raise ValueError("the form has no time yet")
        key = (drug, self.observed_at)
        if self._read_before is None or self._read_before[0] != key:
            read = read_infusion_before(self.course.pk, self.observed_at, drug, self.correcting)
            self._read_before = (key, read)
        return self._read_before[1]

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        circumstances = super().circumstances(entry)
        if not isinstance(entry, Vasopressor) or not entry.rate:
            return circumstances
        weight_kg = self._charted_weight(entry.drug, entry.at)
        before, _ = self._before(entry.drug)
        dose = None
        if before is not None:
            weight_then = before.weight_kg or self._charted_weight(entry.drug, before.at)
            dose = charted_dose(before, weight_then)
        return replace(circumstances, weight_kg=weight_kg, dose_before=dose)

    def values_of(self, entry: Entry) -> dict[str, Any]:
        values = super().values_of(entry)
        rate = values.get("rate")
        if rate is None:
            values["dose_not_known"] = YES
        elif Decimal(rate) == 0:
            values["stopped"], values["rate"] = YES, ""
        return values


def _name(drug: str) -> str:
    return inside_a_sentence(VasopressorDrug(drug).label)


class FluidBolusForm(EntryForm):
    """A fluid bolus; whether it was for hypotension is derived from the pressures."""

    kind = EntryKind.FLUID_BOLUS

    volume_ml = TypedNumberField(
        label="Volume",
        unit="mL",
        above_zero=True,
        required=True,
        error_messages={"required": "Enter the volume."},
    )

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        return with_weight(super().circumstances(entry), self.course, entry.at)


class TreatmentForm(EntryForm):
    """A drug against the syndrome or its complications."""

    kind = EntryKind.TREATMENT
    graded_from_infusion = False
    has_attribution = False

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

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        return of_a_treatment(super().circumstances(entry), self.course, entry, self.correcting)
