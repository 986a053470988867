"""Forms of weight and baseline."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.unusual import Circumstances
from grading.engine.vocabulary import VITAL_SIGN, WEIGHT_CHANGE_WITHIN, WEIGHT_KG
from patients.forms.entry_form import EntryForm
from patients.forms.fields import TypedNumberField
from patients.models import EntryKind
from patients.queries.status import read_weights


class WeightForm(EntryForm):
    """A weight that doses charted later are reckoned with."""

    kind = EntryKind.WEIGHT
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a weight has no cause

    weight_kg = TypedNumberField(
        label="Weight",
        unit="kg",
        limits=WEIGHT_KG,
        required=True,
        error_messages={"required": "Give the weight."},
    )

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        weights = read_weights(self.course.pk, entry.at - WEIGHT_CHANGE_WITHIN)
        corrected = str(self.correcting.pk) if self.correcting is not None else None
        beside = tuple(weight for weight in weights if weight.id != corrected)
        return replace(super().circumstances(entry), weights=beside)


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
