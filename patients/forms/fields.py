"""Fields, checks and error messages that several forms need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString

from grading.engine.units import NotANumberError, exact_decimal
from grading.engine.vocabulary import VITAL_SIGN, Labelled, Limits

YES: Final = "yes"
NO: Final = "no"
_PLAIN_NUMBER: Final = re.compile(r"-?(\d+(\.\d*)?|\.\d+)", re.ASCII)


class TypedNumberField(forms.CharField):
    """Number in ``unit`` within hard ``limits``; cleans to the text as typed, "" where empty.

    A decimal comma is refused: it could as well group thousands.
    """

    def __init__(
        self,
        *,
        unit: str = "",
        limits: Limits | None = None,
        above_zero: bool = False,
        **options: Any,
    ) -> None:
        self.unit = unit
        self.limits = limits
        self.above_zero = above_zero
        options.setdefault("required", False)
        super().__init__(**options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "data-number": ""}
        if self.limits is not None:
            attributes["data-limits"] = limits_attribute(self.limits)
        return {**super().widget_attrs(widget), **attributes}

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        if not typed:
            return typed
        if "," in typed:
            raise forms.ValidationError("Write the number with a decimal point, like 39.1.")
        number = self._number(typed)
        if self.limits is not None and not self.limits.allow(number):
            unit = f" {self.unit}" if self.unit else ""
            raise forms.ValidationError(
                f"{typed}{unit} cannot be: expected {self.limits.lowest:f} to "
                f"{self.limits.highest:f}{unit}. Check the value and its unit."
            )
        if number < 0 or (self.above_zero and number == 0):
            lowest = "a number above 0" if self.above_zero else "0 or more"
            raise forms.ValidationError(f"Expected {lowest}, found {typed}.")
        return typed

    def _number(self, typed: str) -> Decimal:
        if not _PLAIN_NUMBER.fullmatch(typed):
            raise forms.ValidationError(f"“{typed[:30]}” is not a number. Type digits only.")
        try:
            return exact_decimal(typed)
        except NotANumberError:
            raise forms.ValidationError("This number has too many digits.") from None


def limits_attribute(limits: Limits, unit: str = "") -> str:
    """Return limits for the browser; ``unit`` is the value of the select that they hold for."""
    return f"{unit}:{limits.lowest:f}:{limits.highest:f}"


class VitalSignField(TypedNumberField):
    """Number within the limits of the vital sign ``key``."""

    def __init__(self, key: str, **options: Any) -> None:
        sign = VITAL_SIGN[key]
        super().__init__(
            **{"label": sign.short, "unit": sign.unit, "limits": sign.limits, **options}
        )


class FlatSelect(forms.Select):
    """Select without groups, rendered by one template instead of Django's two for each option."""

    template_name = "patients/select.html"


class _CheckboxInput(forms.CheckboxInput):
    """Checkbox that sends its own value instead of "on"."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        """Return the input; without a template, because every answer to a save has some."""
        attributes = self.build_attrs(self.attrs, attrs)
        if value:
            attributes["checked"] = True
        return format_html('<input type="checkbox" name="{}"{}>', name, flatatt(attributes))

    def value_from_datadict(self, data: Mapping[str, Any], _files: Any, name: str) -> Any:
        return data.get(name, "")


class TickField(forms.CharField):
    """Checkbox that sends ``value``; cleans to what was sent, "" where it is not ticked."""

    def __init__(self, *, value: str = YES, label: str, help_text: str = "") -> None:
        widget = _CheckboxInput(attrs={"value": value})
        super().__init__(required=False, label=label, help_text=help_text, widget=widget)

    def to_python(self, value: Any) -> str:
        return value if isinstance(value, str) else ""


def choices_of(words: type[Labelled], empty: str = "") -> list[tuple[str, str]]:
    """Return a vocabulary as choices, after one labelled ``empty`` where that is not ""."""
    listed = [(word.value, word.label) for word in words]
    return [("", empty), *listed] if empty else listed


def without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` without those that were left empty."""
    return {key: value for key, value in values.items() if value not in ("", None)}


def check_pressures(
    form: forms.Form,
    systolic: str,
    diastolic: str,
    mean: str = "",
    *,
    sentence: str = "{low} is not below the systolic pressure, {high}.",
) -> None:
    """Add an error to a diastolic pressure that is not below the systolic, or to a mean outside.

    ``systolic``, ``diastolic`` and ``mean`` name fields; without ``mean`` the two are compared.
    """
    high, low, average = (
        Decimal(typed) if (typed := form.cleaned_data.get(name)) else None
        for name in (systolic, diastolic, mean)
    )
    if high is not None and low is not None and low >= high:
        form.add_error(diastolic, sentence.format(low=low, high=high))
    elif average is not None and (
        (high is not None and average > high) or (low is not None and average < low)
    ):
        form.add_error(mean, f"{average} does not lie between diastolic and systolic pressure.")


def set_error_messages(fields: Mapping[str, forms.Field]) -> None:
    """Replace Django's error messages of ``fields``; those that a field brought itself stay."""
    for field in fields.values():
        defaults: dict[str, Any] = {}
        for parent in reversed(type(field).__mro__):
            defaults |= getattr(parent, "default_error_messages", {})
        for key, sentence in _sentences(field).items():
            if field.error_messages.get(key) == defaults.get(key):
                field.error_messages[key] = sentence


def _sentences(field: forms.Field) -> dict[str, str]:
    label = str(field.label or "value")
    name = label if label.isupper() else label[:1].lower() + label[1:]
    sentences = {
        "required": f"Give the {name}.",
        "invalid_choice": "Choose one of the list.",
        "max_length": f"Too long: at most {getattr(field, 'max_length', None)} characters.",
    }
    if isinstance(field, forms.DateField):
        sentences["invalid"] = "Give the date as year, month and day, like 2026-03-09."
    elif isinstance(field, forms.TimeField):
        sentences["invalid"] = "Give the time of day on the 24-hour clock, like 13:05."
    return sentences
