"""The bedside forms, one per kind of entry: its fields in the course file's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import Vasopressor, Weight
from grading.engine.policy import DEFAULT_POLICY
from grading.engine.unusual import Circumstances
from grading.engine.vasopressors import charted_dose, needs_weight
from grading.engine.vocabulary import (
    DRUGS,
    FAHRENHEIT,
    FIO2_PERCENT,
    FLOW_L_PER_MIN,
    VITAL_SIGN,
    VITAL_SIGNS,
    WEIGHT_CHANGE_WITHIN,
    WEIGHT_KG,
    DoseUnit,
    OxygenDevice,
    VasopressorDrug,
)
from patients.death_form import DeathForm
from patients.display.text import weight_at
from patients.entry_form import EntryForm
from patients.fields import TickField, TypedNumberField, choices_of, say_plainly
from patients.finding_forms import FINDING_FORMS, LabForm
from patients.judgement_forms import JudgementForm, RiskForm
from patients.models import Entry, EntryKind
from patients.queries.policies import holding_at, rulings_of
from patients.queries.status import infusion_before, weights_of
from patients.remark_forms import NoteForm, NotObservedForm
from patients.syringes import Syringe, syringes_of

CELSIUS_UNIT: Final = "c"
FAHRENHEIT_UNIT: Final = "f"
TEMPERATURE: Final = "temperature"
TEMPERATURE_UNIT: Final = "temperature_unit"
_TICKED: Final = "yes"


class VitalsForm(EntryForm):
    """One set of vital signs, in the order in which they are taken."""

    kind = EntryKind.VITALS
    graded_from_infusion = False
    field_of_place: ClassVar = {"temperature_c": TEMPERATURE, FAHRENHEIT.key: TEMPERATURE}
    parts = tuple((sign.key, sign.short) for sign in VITAL_SIGNS)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields = {**_vital_sign_fields(), **self.fields}

    def body(self) -> dict[str, Any]:
        body = super().body()
        typed, unit = body.pop(TEMPERATURE, ""), body.pop(TEMPERATURE_UNIT, CELSIUS_UNIT)
        if typed:
            body[FAHRENHEIT.key if unit == FAHRENHEIT_UNIT else "temperature_c"] = typed
        return body

    def charts(self, body: Mapping[str, Any], part: str) -> bool:
        return part in body or (part == "temperature_c" and FAHRENHEIT.key in body)

    def clean_kind(self) -> None:
        self._clean_temperature()
        self._clean_mean_pressure()
        if not self.body() and self._says_something() and not self.errors:
            self.add_error(None, "Nothing is charted yet: give at least one vital sign.")

    def _clean_temperature(self) -> None:
        typed = self.cleaned_data.get(TEMPERATURE)
        if not typed:
            return
        in_fahrenheit = self.cleaned_data.get(TEMPERATURE_UNIT) == FAHRENHEIT_UNIT
        chosen, other = VITAL_SIGN["temperature_c"], FAHRENHEIT
        if in_fahrenheit:
            chosen, other = other, chosen
        if chosen.limits.allow(Decimal(typed)):
            return
        sentence = (
            f"{typed} {chosen.unit} cannot be: expected {chosen.limits.lowest:f} to "
            f"{chosen.limits.highest:f} {chosen.unit}."
        )
        if other.limits.allow(Decimal(typed)):
            sentence += f" Is it in {other.unit}?"
        self.add_error(TEMPERATURE, sentence)

    def _clean_mean_pressure(self) -> None:
        """A mean that is not between the two it is the mean of is a typing error."""
        keys = ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")
        high, low, mean = (
            Decimal(typed) if (typed := self.cleaned_data.get(key)) else None for key in keys
        )
        if high is not None and low is not None and low >= high:
            self.add_error("diastolic_mmhg", f"{low} is not below the systolic pressure, {high}.")
        elif mean is not None and (
            (high is not None and mean > high) or (low is not None and mean < low)
        ):
            self.add_error(
                "mean_arterial_pressure_mmhg",
                f"{mean} does not lie between diastolic and systolic pressure.",
            )

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        said = super()._typed_before(entry)
        in_fahrenheit = FAHRENHEIT.key in said
        said[TEMPERATURE] = said.pop(FAHRENHEIT.key, said.pop("temperature_c", ""))
        said[TEMPERATURE_UNIT] = FAHRENHEIT_UNIT if in_fahrenheit else CELSIUS_UNIT
        return said


@cache
def _vital_sign_fields() -> Mapping[str, forms.Field]:
    """Made once and shared by all forms, which change none."""
    made: dict[str, forms.Field] = {}
    for sign in VITAL_SIGNS:
        if sign.key == "temperature_c":
            made[TEMPERATURE] = TypedNumberField(label=sign.short, unit=sign.unit)
            made[TEMPERATURE_UNIT] = _temperature_unit()
        else:
            made[sign.key] = TypedNumberField(label=sign.short, unit=sign.unit, limits=sign.limits)
    say_plainly(made)
    return made


def _temperature_unit() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Temperature unit",
        choices=((CELSIUS_UNIT, "°C"), (FAHRENHEIT_UNIT, FAHRENHEIT.unit)),
        initial=CELSIUS_UNIT,
    )


class OxygenForm(EntryForm):
    """The device and what is set on it; the entry replaces the one before as a whole."""

    kind = EntryKind.OXYGEN

    device = forms.ChoiceField(
        label="Device",
        choices=choices_of(OxygenDevice, "Choose the device"),
        error_messages={"required": "Choose the device; room air is one of them."},
    )
    flow_l_per_min = TypedNumberField(label="Flow", unit="L/min", limits=FLOW_L_PER_MIN)
    fio2_percent = TypedNumberField(label="FiO2", unit="%")

    def clean_fio2_percent(self) -> str:
        typed: str = self.cleaned_data["fio2_percent"]
        if typed and Decimal(typed) == 1:
            self.ask("fio2_percent", f"FiO2 {typed}: is that pure oxygen, 100 %?")
        elif typed and not _is_fio2(Decimal(typed)):
            limits = FIO2_PERCENT
            raise forms.ValidationError(
                f"{typed} % cannot be: expected {limits.lowest:f} to {limits.highest:f} %."
            )
        return typed

    def body(self) -> dict[str, Any]:
        """A fraction of one is charted as the percentage that was confirmed."""
        body = super().body()
        if "fio2_percent" in body and Decimal(body["fio2_percent"]) == 1:
            body["fio2_percent"] = f"{FIO2_PERCENT.highest:f}"
        return body


def _is_fio2(number: Decimal) -> bool:
    """As a percentage, or as a fraction that is read as one."""
    return FIO2_PERCENT.allow(number) or (FIO2_PERCENT.lowest / 100 <= number < 1)


_Before = tuple[tuple[VasopressorDrug, datetime], tuple[Vasopressor | None, list[Weight]]]


class VasopressorForm(EntryForm):
    """An infusion from now on: its rate, or that it was stopped, or that its dose is not known."""

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
    stopped = TickField(seen=_TICKED, label="Stopped")
    dose_not_known = TickField(
        seen=_TICKED, label="Dose not known", help_text="It runs; the dose cannot be found out now"
    )

    _read_before: _Before | None = None

    @property
    def syringes(self) -> list[Syringe]:
        """What to propose for the concentration, drug by drug."""
        return syringes_of(self.course, timezone.now())

    @property
    def norepinephrine_convention(self) -> str:
        """How this site charts norepinephrine: "base" or "bitartrate"."""
        ruling = holding_at(rulings_of(self.course), timezone.now())
        return (ruling.policy if ruling else DEFAULT_POLICY).norepinephrine_expressed_as

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
        """Whether the infusion is charted without a rate; says so where the answers contradict."""
        stopped, unknown = (self.cleaned_data.get(key) for key in ("stopped", "dose_not_known"))
        typed = self.cleaned_data.get("rate")
        if stopped and unknown:
            self.add_error("stopped", "It cannot be stopped and run at an unknown dose.")
        elif typed and unknown:
            self.add_error("rate", "Leave the rate empty, or untick that the dose is not known.")
        elif typed and stopped and Decimal(typed) != 0:
            self.add_error("rate", "Leave the rate empty, or untick that it was stopped.")
        elif not typed and not stopped and not unknown and "rate" not in self.errors:
            self.add_error("rate", "Give the rate, or say that it was stopped or is not known.")
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
            given = "Choose the unit" if not unit else f"Not a unit of {_name(drug)}"
            self.add_error("unit", f"{given}: {listed}.")
        elif unit == DoseUnit.ML_PER_H and not self.cleaned_data.get("concentration_per_ml"):
            self.add_error("concentration_per_ml", "How much is in one mL? mL/h alone is no dose.")
        elif unit != DoseUnit.ML_PER_H and self.cleaned_data.get("concentration_per_ml"):
            self.add_error(
                "concentration_per_ml", "Only with mL/h: leave empty, or change the unit."
            )
        elif not self.errors:
            self._clean_weight(VasopressorDrug(drug), DoseUnit(unit))

    def _clean_weight(self, drug: VasopressorDrug, unit: DoseUnit) -> None:
        if self.observed_at is None or not needs_weight(drug, unit):
            return
        typed = self.cleaned_data.get("weight_kg")
        weight = Decimal(typed) if typed else self._charted_weight(drug, self.observed_at)
        if weight is None:
            self.add_error(
                "weight_kg",
                "No weight is charted for this time: give the weight in the pump, or tick that the "
                "dose is not known.",
            )
            return
        body = self.body()
        infusion = Vasopressor(
            id="form",
            at=self.observed_at,
            recorded_at=self.observed_at,
            drug=drug,
            rate=Decimal(body["rate"]),
            unit=unit,
            concentration_per_ml=Decimal(body.get("concentration_per_ml", 0)),
        )
        dose, facts = charted_dose(infusion, weight), DRUGS[drug]
        if dose is not None and facts.limits and facts.canonical:
            highest = facts.limits.highest
            if dose > Fraction(highest):
                self.add_error(
                    "rate",
                    f"At {weight:f} kg this is above {highest:f} {facts.canonical.label}, which "
                    f"{_name(drug)} never reaches: check rate, unit and weight.",
                )

    def _charted_weight(self, drug: VasopressorDrug, at: datetime) -> Decimal | None:
        """The weight that holds at ``at``, of those since the drug was last charted."""
        _, weights = self._before(drug)
        return weight_at([weight for weight in weights if weight.at <= at], at)

    def _before(self, drug: VasopressorDrug) -> tuple[Vasopressor | None, list[Weight]]:
        """What was charted about the drug before, and the weights from then on; read once."""
        if self.observed_at is None:
            raise ValueError("there is no before without a time")
        key = (drug, self.observed_at)
        if self._read_before is None or self._read_before[0] != key:
            read = infusion_before(self.course.pk, self.observed_at, drug, self.correcting)
            self._read_before = (key, read)
        return self._read_before[1]

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        held = super().circumstances(entry)
        if not isinstance(entry, Vasopressor) or not entry.rate:
            return held
        weight_kg = self._charted_weight(entry.drug, entry.at)
        before, _ = self._before(entry.drug)
        dose = None
        if before is not None:
            held_then = before.weight_kg or self._charted_weight(entry.drug, before.at)
            dose = charted_dose(before, held_then)
        return replace(held, weight_kg=weight_kg, dose_before=dose)

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        said = super()._typed_before(entry)
        rate = said.get("rate")
        if rate is None:
            said["dose_not_known"] = _TICKED
        elif Decimal(rate) == 0:
            said["stopped"], said["rate"] = _TICKED, ""
        return said


def _name(drug: str) -> str:
    return VasopressorDrug(drug).label.lower()


class FluidBolusForm(EntryForm):
    """A bolus of any volume; whether it was for low pressure follows from the readings."""

    kind = EntryKind.FLUID_BOLUS

    volume_ml = TypedNumberField(
        label="Volume",
        unit="mL",
        above_zero=True,
        required=True,
        error_messages={"required": "Give the volume."},
    )


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
        weights = weights_of(self.course.pk, entry.at - WEIGHT_CHANGE_WITHIN)
        corrected = str(self.correcting.pk) if self.correcting is not None else None
        beside = tuple(weight for weight in weights if weight.id != corrected)
        return replace(super().circumstances(entry), weights=beside)


ENTRY_FORMS: Final[dict[str, type[EntryForm]]] = {
    form.kind.value: form
    for form in (
        VitalsForm,
        OxygenForm,
        VasopressorForm,
        FluidBolusForm,
        WeightForm,
        *FINDING_FORMS,
        RiskForm,
        JudgementForm,
        NoteForm,
        NotObservedForm,
        DeathForm,
    )
}

CORRECTION_FORMS: Final = ENTRY_FORMS | {LabForm.kind.value: LabForm}
"""The form that corrects an entry of each kind: of a panel of results, one is corrected."""
