"""Inputs and choices of forms, written without templates.

A bedside page has some thirty of them, and Django renders each by three or four templates. What is
written is the same, character for character but for white space between options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_WIDGETS: Final = "django/forms/widgets/"


class PlainRenderer(DjangoTemplates):
    """Django's renderer, with the widgets of these forms written out."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> Any:
        """One widget's HTML."""
        write = _WRITERS.get(template_name)
        if write is None:
            return super().render(template_name, context, request)
        return write(context["widget"])


def _input(widget: Mapping[str, Any]) -> SafeString:
    value = widget["value"]
    said = "" if value is None else f' value="{conditional_escape(str(value))}"'
    named = f'<input type="{widget["type"]}" name="{conditional_escape(widget["name"])}"'
    return mark_safe(f"{named}{said}{_attributes(widget)}>")  # noqa: S308 - escaped above


def _select(widget: Mapping[str, Any]) -> SafeString:
    groups = "".join(
        f'<optgroup label="{conditional_escape(name)}">{_options(options)}</optgroup>'
        if name
        else _options(options)
        for name, options, _ in widget["optgroups"]
    )
    named = f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget)}>'
    return mark_safe(f"{named}{groups}</select>")  # noqa: S308 - escaped above


def _options(options: list[dict[str, Any]]) -> str:
    return "".join(
        f'<option value="{conditional_escape(str(option["value"]))}"{_attributes(option)}>'
        f"{conditional_escape(option['label'])}</option>"
        for option in options
    )


def _attributes(widget: Mapping[str, Any]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{conditional_escape(str(value))}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


_WRITERS: Final[dict[str, Callable[[Mapping[str, Any]], SafeString]]] = {
    f"{_WIDGETS}select.html": _select,
    f"{_WIDGETS}checkbox.html": _input,
    **{
        f"{_WIDGETS}{kind}.html": _input
        for kind in ("text", "hidden", "date", "time", "number", "password", "email")
    },
}
