"""Fields, checks and error messages that several forms need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.forms.renderers import BaseRenderer
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from grading.engine.plausibility import pressure_contradiction
from grading.engine.sentences import inside_a_sentence
from grading.engine.units import NotANumberError, exact_decimal, is_plain_number
from grading.engine.vocabulary import VITAL_SIGN, Labelled, Limits
from grading.plain_text import disallowed_character
from patients.forms.not_numbers import why_no_number
from patients.models.identifiers import visible_text

YES: Final = "yes"
NO: Final = "no"
WORD_OF: Final = {True: YES, False: NO, None: ""}
"""The value of a choice of yes and no, by what is stored of its answer."""
DECIMAL_COMMA: Final = "decimal_comma"
"""The code of the error about a number with a comma."""
_LOST: Final = "\ufffd"
"""Stands for bytes that were no text in the character set of the request."""
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"-?\d+,(\d{1,2}|\d{4,})", re.ASCII)
_CLOCK_TIME: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?", re.ASCII)


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
            raise forms.ValidationError(_comma_refused(typed), code=DECIMAL_COMMA)
        number = self._number(typed)
        if self.limits is not None and not self.limits.allow(number):
            unit = f" {self.unit}" if self.unit else ""
            raise forms.ValidationError(
                f"{typed}{unit} is not possible: expected {self.limits.lowest:f} to "
                f"{self.limits.highest:f}{unit}. Check the value and its unit."
            )
        if number.is_signed() or (self.above_zero and number == 0):
            lowest = "a number above 0" if self.above_zero else "0 or more"
            raise forms.ValidationError(f"Expected {lowest}, found {typed}.")
        return typed

    def _number(self, typed: str) -> Decimal:
        if not is_plain_number(typed):
            raise forms.ValidationError(why_no_number(typed, self.unit))
        try:
            return exact_decimal(typed)
        except NotANumberError:
            raise forms.ValidationError("This number has too many digits.") from None


def with_decimal_point(typed: str) -> str:
    """Return the number that a decimal comma was typed in; "" where it may group thousands."""
    return typed.replace(",", ".") if _DECIMAL_COMMA.fullmatch(typed) else ""


def _comma_refused(typed: str) -> str:
    number = with_decimal_point(typed[:30])
    example = f": {number}" if number else ", like 39.1"
    return f"Write the number with a decimal point{example}."


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


class IsoDateField(forms.DateField):
    """Date as year, month and day, the form that a date input of a browser sends; no other.

    03/09/2026 is in March to some and in September to others.
    """

    default_error_messages: ClassVar = {
        "invalid": "Write the date as year-month-day: 28 Nov 2026 is written 2026-11-28.",
        "no_such": "There is no such day. Check the date: 28 Nov 2026 is written 2026-11-28.",
    }

    def to_python(self, value: Any) -> date | None:
        """Return the date; None where nothing is typed."""
        _require_form(self, value, _ISO_DATE)
        try:
            return super().to_python(value)
        except forms.ValidationError:
            raise forms.ValidationError(self.error_messages["no_such"], code="no_such") from None


class ClockTimeField(forms.TimeField):
    """Time of day on the 24-hour clock, in ASCII digits."""

    default_error_messages: ClassVar = {
        "invalid": "Enter the time of day on the 24-hour clock, like 13:05.",
    }

    def to_python(self, value: Any) -> time | None:
        """Return the time; None where nothing is typed."""
        _require_form(self, value, _CLOCK_TIME)
        return super().to_python(value)


def _require_form(field: forms.Field, value: Any, form: re.Pattern[str]) -> None:
    if isinstance(value, str) and value.strip() and not form.fullmatch(value.strip()):
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")


class FlatSelect(forms.Select):
    """Select without groups, rendered by one template instead of Django's two for each option."""

    template_name = "patients/select.html"


def checkbox_html(attributes: Mapping[str, Any]) -> SafeString:
    """Return the HTML of a checkbox; an attribute that is None or False is left out."""
    written = "".join(
        f" {key}" if shown is True else f' {key}="{conditional_escape(shown)}"'
        for key, shown in attributes.items()
        if shown is not None and shown is not False
    )
    # Escaped above.
    return mark_safe(f'<input type="checkbox"{written}>')  # nosec B308, B703 # noqa: S308


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
        return checkbox_html({"name": name, **self.attrs, **(attrs or {}), "checked": bool(value)})

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
    sentence: str = "",
) -> None:
    """Add an error to a diastolic pressure that is not below the systolic, or to a mean outside.

    ``systolic``, ``diastolic`` and ``mean`` name fields; without ``mean`` the two are compared.
    """
    high, low, average = (
        Decimal(typed) if (typed := form.cleaned_data.get(name)) else None
        for name in (systolic, diastolic, mean)
    )
    contradiction = pressure_contradiction(high, low, average)
    if contradiction is not None and contradiction.place == "diastolic_mmhg":
        form.add_error(diastolic, sentence or contradiction.sentence)
    elif contradiction is not None:
        form.add_error(mean, contradiction.sentence)


def prepare_fields(fields: Mapping[str, forms.Field]) -> None:
    """Give ``fields`` the error messages of this product, and its rule for text."""
    set_error_messages(fields)
    for name, field in fields.items():
        if type(field) is forms.CharField and not field.widget.is_hidden:
            may_break = name == "note" or isinstance(field.widget, forms.Textarea)
            others = (
                validator
                for validator in field.validators
                if not isinstance(validator, ProhibitNullCharactersValidator)
            )
            field.validators = [*others, _TextRule(line_breaks=may_break)]


class _TextRule:
    """Refuses characters that no text of a chart holds, by their names, and text without any that
    can be seen.
    """

    def __init__(self, *, line_breaks: bool) -> None:
        self.line_breaks = line_breaks

    def __call__(self, typed: str) -> None:
        name = disallowed_character(typed, line_breaks=self.line_breaks)
        if name is not None:
            raise forms.ValidationError(
                f"Remove the character {name}: it cannot be seen, or changes how text is read."
            )
        if _LOST in typed:
            raise forms.ValidationError(f"A character was lost where {_LOST} stands. Enter it.")
        if not visible_text(typed):
            raise forms.ValidationError("This has no character that can be seen. Enter text.")


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
    name = inside_a_sentence(str(field.label or "value"))
    return {
        "required": f"{'Select' if isinstance(field, forms.ChoiceField) else 'Enter'} the {name}.",
        "invalid_choice": "Choose one of the list.",
        "max_length": f"Too long: at most {getattr(field, 'max_length', None)} characters.",
    }
