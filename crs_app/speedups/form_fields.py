"""The copy of a form class's fields that each form has of its own."""

from __future__ import annotations

from copy import copy, deepcopy
from functools import cache
from typing import Any, Final, TypeVar

from django import forms
from django.forms.widgets import ChoiceWidget

_PLAIN_COPIES: Final = (
    forms.Field.__deepcopy__,
    forms.Widget.__deepcopy__,
    forms.ChoiceField.__deepcopy__,
    ChoiceWidget.__deepcopy__,
)
"""The copying methods of Django that ``_copy_field`` and ``_copy_widget`` know."""


Part = TypeVar("Part", forms.Field, forms.Widget)


def copy_fields(fields: dict[str, forms.Field]) -> dict[str, forms.Field]:
    """Return what ``deepcopy(fields)`` returns, without asking each object how it is copied."""
    return {name: _copy_field(field) for name, field in fields.items()}


@cache
def _is_known(part: type[forms.Field | forms.Widget]) -> bool:
    """Return whether the fields or widgets of a class are copied by a method of Django."""
    return part.__deepcopy__ in _PLAIN_COPIES


def _copy_field(field: forms.Field) -> forms.Field:
    if not _is_known(type(field)):  # type: ignore[arg-type]  # a class can be hashed
        return deepcopy(field)
    copied = _copy_attributes(field)
    copied.widget = _copy_widget(field.widget)
    copied.error_messages = field.error_messages.copy()
    copied.validators = field.validators[:]
    if isinstance(field, forms.ChoiceField):
        vars(copied)["_choices"] = _copy_choices(vars(field)["_choices"])
    return copied


def _copy_choices(choices: Any) -> Any:
    """Return what ``deepcopy`` returns; pairs of texts, which nothing can change, stay as one."""
    if type(choices) is list and all(
        type(label) is str and type(value) is str for value, label in choices
    ):
        return choices[:]
    return deepcopy(choices)


def _copy_widget(widget: forms.Widget) -> forms.Widget:
    if not _is_known(type(widget)):
        return deepcopy(widget)
    copied = _copy_attributes(widget)
    copied.attrs = widget.attrs.copy()
    if isinstance(widget, ChoiceWidget):
        vars(copied)["_choices"] = copy(vars(widget)["_choices"])
    return copied


def _copy_attributes(of: Part) -> Part:
    """Return a new object of the same class with the same attributes."""
    copied = object.__new__(type(of))
    copied.__dict__ = of.__dict__.copy()
    return copied
