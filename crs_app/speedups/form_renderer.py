"""Inputs and choices of forms, written without templates.

A bedside page has some thirty of them, and Django renders each by three or four templates. What is
written is the same, character for character but for white space between options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from types import NoneType
from typing import Any, Final

from django.forms import BoundField, Widget
from django.forms.renderers import DjangoTemplates
from django.forms.utils import ErrorList
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_WIDGETS: Final = "django/forms/widgets/"


class PlainBoundField(BoundField):
    """A field of an empty form is written once, as long as it is the same object.

    Forms that share their fields are written anew only where they say something of their own.
    """

    @property
    def errors(self) -> ErrorList:
        """Those of this field; one empty list serves for all that have none."""
        found: ErrorList = self.form.errors.get(self.name, _NO_ERRORS)
        return found

    def as_widget(
        self,
        widget: Widget | None = None,
        attrs: dict[str, Any] | None = None,
        only_initial: bool = False,
    ) -> SafeString:
        """The input; what was typed and what is hidden, like a form's own id, is never kept."""
        form, field = self.form, self.field
        is_plain = widget is None and attrs is None and not only_initial
        is_plain = is_plain and isinstance(form.renderer, PlainRenderer)
        if not is_plain or form.is_bound or form.errors or field.widget.is_hidden:
            return super().as_widget(widget, attrs, only_initial)
        value = self.value()
        if type(value) not in _PLAIN:
            return super().as_widget()
        said = (field, self.html_name, value, form.auto_id, form.use_required_attribute)
        html = _WRITTEN.get(said)
        if html is None:
            if len(_WRITTEN) >= _AT_MOST:
                _WRITTEN.clear()
            html = _WRITTEN[said] = super().as_widget()
        return html


_AT_MOST: Final = 1024
_WRITTEN: Final[dict[tuple[Any, ...], SafeString]] = {}
# A text that is marked as safe HTML is not among them: it equals the same text unmarked.
_PLAIN: Final = frozenset({NoneType, str, date, time})


class PlainRenderer(DjangoTemplates):
    """Django's renderer, with the widgets of these forms written out."""

    bound_field_class = PlainBoundField

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> Any:
        """One widget's HTML."""
        write = _WRITERS.get(template_name)
        if write is None:
            return super().render(template_name, context, request)
        return write(context["widget"])


_RENDERER: Final = PlainRenderer()
_NO_ERRORS: Final = ErrorList(renderer=_RENDERER)


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
