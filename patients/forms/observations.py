"""Forms of vital signs and oxygen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms

from grading.engine.scale_vocabulary import OxygenPurpose
from grading.engine.units import celsius, format_number
from grading.engine.vocabulary import (
    FAHRENHEIT,
    FIO2_PERCENT,
    FLOW_L_PER_MIN,
    VITAL_SIGN,
    VITAL_SIGNS,
    AgeBand,
    OxygenDevice,
)
from patients.forms.base import Remedy
from patients.forms.entry_form import EntryForm
from patients.forms.fields import (
    NO,
    YES,
    TypedNumberField,
    VitalSignField,
    check_pressures,
    choices_of,
    limits_attribute,
)
from patients.forms.layout import FieldWithUnit, fields_row, wide
from patients.models import Entry, EntryKind
from patients.queries.ages import age_at_infusion

CELSIUS_UNIT: Final = "c"
FAHRENHEIT_UNIT: Final = "f"
TEMPERATURE: Final = "temperature"
TEMPERATURE_UNIT: Final = "temperature_unit"
_TEMPERATURE_C: Final = VITAL_SIGN["temperature_c"]
_PARTS: Final = tuple((sign.key, sign.short) for sign in VITAL_SIGNS)


_TEMPERATURE_LIMITS: Final = {
    f"data-{name}": " ".join(
        (limits_attribute(in_c, CELSIUS_UNIT), limits_attribute(in_f, FAHRENHEIT_UNIT))
    )
    for name, in_c, in_f in (
        ("limits", _TEMPERATURE_C.limits, FAHRENHEIT.limits),
        ("usual", _TEMPERATURE_C.usual, FAHRENHEIT.usual),
    )
}


class VitalsForm(EntryForm):
    """One set of vital signs, in the order in which they are taken."""

    kind = EntryKind.VITALS
    graded_from_infusion = False
    field_of_place: ClassVar = {_TEMPERATURE_C.key: TEMPERATURE, FAHRENHEIT.key: TEMPERATURE}
    parts = _PARTS
    generated_fields: ClassVar = {
        sign.key: VitalSignField(sign.key) for sign in VITAL_SIGNS if sign != _TEMPERATURE_C
    }

    # Without limits: those depend on the unit.
    temperature = TypedNumberField(
        label=_TEMPERATURE_C.short,
        unit=_TEMPERATURE_C.unit,
        widget=forms.TextInput(attrs=_TEMPERATURE_LIMITS),
    )
    temperature_unit = forms.ChoiceField(
        label="Temperature unit",
        choices=((CELSIUS_UNIT, "°C"), (FAHRENHEIT_UNIT, FAHRENHEIT.unit)),
        initial=CELSIUS_UNIT,
    )

    def layout(self) -> Sequence[Any]:
        others = [sign.key for sign in VITAL_SIGNS if sign != _TEMPERATURE_C]
        band = AgeBand.of(age_at_infusion(self.course))
        for key in others:
            usual = VITAL_SIGN[key].usual_in(band)
            self.fields[key].widget.attrs["data-usual"] = limits_attribute(usual)
        return [self.inputs_row(FieldWithUnit(TEMPERATURE, TEMPERATURE_UNIT), *others)]

    def body(self) -> dict[str, Any]:
        body = super().body()
        typed, unit = body.pop(TEMPERATURE, ""), body.pop(TEMPERATURE_UNIT, CELSIUS_UNIT)
        if typed:
            body[FAHRENHEIT.key if unit == FAHRENHEIT_UNIT else _TEMPERATURE_C.key] = typed
        return body

    def charts(self, body: Mapping[str, Any], part: str) -> bool:
        return part in body or (part == _TEMPERATURE_C.key and FAHRENHEIT.key in body)

    def clean_kind(self) -> None:
        self._clean_temperature()
        check_pressures(self, "systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")
        if self.bodies == [{}] and not self.errors:
            self.add_error(None, "Nothing is charted yet: enter at least one vital sign.")

    def _clean_temperature(self) -> None:
        typed = self.cleaned_data.get(TEMPERATURE)
        if not typed:
            return
        in_fahrenheit = self.cleaned_data.get(TEMPERATURE_UNIT) == FAHRENHEIT_UNIT
        chosen, other = _TEMPERATURE_C, FAHRENHEIT
        if in_fahrenheit:
            chosen, other = other, chosen
        if chosen.limits.allow(Decimal(typed)):
            return
        sentence = (
            f"{typed} {chosen.unit} is not possible: expected {chosen.limits.lowest:f} to "
            f"{chosen.limits.highest:f} {chosen.unit}."
        )
        if other.limits.allow(Decimal(typed)):
            sentence += f" Did you mean {other.unit}?"
            self.remedies[TEMPERATURE] = self._other_unit(typed, in_fahrenheit=in_fahrenheit)
        self.add_error(TEMPERATURE, sentence)

    def _other_unit(self, typed: str, *, in_fahrenheit: bool) -> Remedy:
        if in_fahrenheit:
            label = f"Use {typed} {_TEMPERATURE_C.unit}"
            return Remedy(label, TEMPERATURE_UNIT, CELSIUS_UNIT)
        converted = format_number(celsius(Decimal(typed)), 1)
        sign = "≈" if converted.startswith("≈") else "="
        number = converted.removeprefix("≈")
        label = f"Use {typed} {FAHRENHEIT.unit} {sign} {number} {_TEMPERATURE_C.unit}"
        return Remedy(label, TEMPERATURE_UNIT, FAHRENHEIT_UNIT)

    def values_of(self, entry: Entry) -> dict[str, Any]:
        values = super().values_of(entry)
        in_fahrenheit = FAHRENHEIT.key in values
        values[TEMPERATURE] = values.pop(FAHRENHEIT.key, values.pop(_TEMPERATURE_C.key, ""))
        values[TEMPERATURE_UNIT] = FAHRENHEIT_UNIT if in_fahrenheit else CELSIUS_UNIT
        return values


NEEDS_OXYGEN: Final = "needs_oxygen"
PURPOSE: Final = "purpose"


class OxygenForm(EntryForm):
    """The device and its settings; an entry replaces the one before it as a whole.

    That a ventilator only protects the airway is offered after the question whether the patient
    needs oxygen was answered with no.
    """

    kind = EntryKind.OXYGEN

    device = forms.ChoiceField(
        label="Device",
        choices=choices_of(OxygenDevice, "Choose the device"),
        error_messages={"required": "Choose the device; room air is one of them."},
    )
    flow_l_per_min = TypedNumberField(label="Flow", unit="L/min", limits=FLOW_L_PER_MIN)
    fio2_percent = TypedNumberField(label="FiO2", unit="%")
    needs_oxygen = forms.ChoiceField(
        label="On a ventilator: did the patient need oxygen before, or need more than 40 % now?",
        choices=(("", "not answered"), (YES, "yes"), (NO, "no")),
        required=False,
    )
    purpose = forms.ChoiceField(
        label="The ventilator is for",
        choices=(
            ("", "low oxygen, or not known"),
            (
                OxygenPurpose.AIRWAY_PROTECTION.value,
                f"{OxygenPurpose.AIRWAY_PROTECTION.label} alone, with healthy lungs",
            ),
        ),
        required=False,
    )

    def layout(self) -> Sequence[Any]:
        numbers = ("device", "flow_l_per_min", "fio2_percent")
        purpose = fields_row(wide(NEEDS_OXYGEN), wide(PURPOSE), data_purpose="")
        return [self.inputs_row(*numbers), purpose]

    def clean_kind(self) -> None:
        if not self.cleaned_data.get(PURPOSE) or self._keeps_purpose():
            return
        if self.cleaned_data.get("device") != OxygenDevice.INVASIVE_VENTILATION:
            self.add_error(PURPOSE, "Only for a ventilator: clear this, or change the device.")
        elif self.cleaned_data.get(NEEDS_OXYGEN) != NO:
            self.add_error(NEEDS_OXYGEN, "Answer with no, or clear what the ventilator is for.")

    def _keeps_purpose(self) -> bool:
        """Return whether a correction leaves device and purpose as a file brought them."""
        before = self.correcting.body if self.correcting is not None else {}
        names = ("device", PURPOSE)
        return bool(before) and all(before.get(n) == self.cleaned_data.get(n) for n in names)

    def clean_fio2_percent(self) -> str:
        typed: str = self.cleaned_data["fio2_percent"]
        if typed and Decimal(typed) == 1:
            self.ask("fio2_percent", f"FiO2 {typed}: is that pure oxygen, 100 %?")
        elif typed and not _is_fio2(Decimal(typed)):
            limits = FIO2_PERCENT
            raise forms.ValidationError(
                f"{typed} % is not possible: expected {limits.lowest:f} to {limits.highest:f} %."
            )
        return typed

    def body(self) -> dict[str, Any]:
        """Return the entry; an FiO2 of 1 that was confirmed is charted as 100 %."""
        body = super().body()
        body.pop(NEEDS_OXYGEN, None)
        if "fio2_percent" in body and Decimal(body["fio2_percent"]) == 1:
            body["fio2_percent"] = f"{FIO2_PERCENT.highest:f}"
        return body

    def values_of(self, entry: Entry) -> dict[str, Any]:
        values = super().values_of(entry)
        protects = values.get(PURPOSE) == OxygenPurpose.AIRWAY_PROTECTION
        return values | ({NEEDS_OXYGEN: NO} if protects else {PURPOSE: ""})


def _is_fio2(number: Decimal) -> bool:
    """Return whether ``number`` is a percentage, or a fraction that is read as one."""
    return FIO2_PERCENT.allow(number) or (FIO2_PERCENT.lowest / 100 <= number < 1)
