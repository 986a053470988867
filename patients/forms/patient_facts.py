"""Forms of weight and baseline."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import Weight
from grading.engine.plausibility import Circumstances
from grading.engine.vocabulary import WEIGHT_CHANGE_WITHIN, WEIGHT_KG
from patients.forms.doses import refusals_of_a_weight
from patients.forms.entry_form import EntryForm
from patients.forms.fields import TypedNumberField, VitalSignField, check_pressures
from patients.models import EntryKind
from patients.queries.status import read_weights


class WeightForm(EntryForm):
    """A weight that doses charted later are computed with."""

    kind = EntryKind.WEIGHT
    graded_from_infusion = False
    has_attribution = False

    weight_kg = TypedNumberField(
        label="Weight",
        unit="kg",
        limits=WEIGHT_KG,
        required=True,
        error_messages={"required": "Enter the weight."},
    )

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        weights = read_weights(self.course.pk, entry.at - WEIGHT_CHANGE_WITHIN)
        corrected = str(self.correcting.pk) if self.correcting is not None else None
        others = tuple(weight for weight in weights if weight.id != corrected)
        return replace(super().circumstances(entry), weights=others)

    def clean_kind(self) -> None:
        typed, at = self.cleaned_data.get("weight_kg"), self.observed_at
        if self.errors or not typed or at is None:
            return
        weight = Weight(id="form", at=at, recorded_at=at, weight_kg=Decimal(typed))
        replaced = self.correcting.pk if self.correcting is not None else None
        for sentence in refusals_of_a_weight(
            self.course, self.now, replaced=replaced, weight=weight
        ):
            self.add_error("weight_kg", sentence)


def _if_abnormal(when: str) -> str:
    """Return the hint that an abnormal result is charted as a result too.

    Only a result from before the infusion has a CTCAE grade of which a later one must be worse.
    """
    return f"{when} before? Enter it under Labs too, or the same value later may count as new"


class BaselineForm(EntryForm):
    """Values before therapy; they are valid for the whole course, back to its start."""

    kind = EntryKind.BASELINE
    graded_from_infusion = False
    has_attribution = False

    systolic_mmhg = VitalSignField("systolic_mmhg", label="Systolic")
    diastolic_mmhg = VitalSignField("diastolic_mmhg", label="Diastolic")
    mean_arterial_pressure_mmhg = VitalSignField("mean_arterial_pressure_mmhg", label="MAP")
    creatinine_mg_dl = TypedNumberField(
        label="Creatinine", unit="mg/dL", help_text=_if_abnormal("High")
    )
    lvef_percent = TypedNumberField(label="LVEF", unit="%", help_text=_if_abnormal("50 or less"))
    fibrinogen_mg_dl = TypedNumberField(
        label="Fibrinogen", unit="mg/dL", help_text=_if_abnormal("Low")
    )

    def clean_kind(self) -> None:
        if self.bodies == [{}] and not self.errors:
            self.add_error(None, "Nothing is given yet: enter at least one baseline value.")
        check_pressures(self, "systolic_mmhg", "diastolic_mmhg")
