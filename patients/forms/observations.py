"""Forms of vital signs and oxygen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Final

from django import forms

from grading.engine.vocabulary import (
    FAHRENHEIT,
    FIO2_PERCENT,
    FLOW_L_PER_MIN,
    VITAL_SIGN,
    VITAL_SIGNS,
    OxygenDevice,
)
from patients.forms.entry_form import EntryForm
from patients.forms.fields import TypedNumberField, choices_of, set_error_messages
from patients.models import Entry, EntryKind

CELSIUS_UNIT: Final = "c"
FAHRENHEIT_UNIT: Final = "f"
TEMPERATURE: Final = "temperature"
TEMPERATURE_UNIT: Final = "temperature_unit"
TICKED: Final = "yes"


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
    set_error_messages(made)
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
