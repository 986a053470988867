"""The two base classes of all forms about a course."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple, cast

from django import forms
from django.conf import settings
from django.utils.module_loading import import_string

from patients.forms.fields import DECIMAL_COMMA, prepare_fields, with_decimal_point
from patients.queries.laboratory import ReportedLimits

_PLAIN_INPUTS: Final = (forms.TextInput, forms.HiddenInput, forms.DateInput, forms.TimeInput)


@cache
def _field_copier() -> Callable[[dict[str, forms.Field]], dict[str, forms.Field]]:
    """Return what copies the fields of a form class for one form; see ``crs_app.speedups``."""
    return cast(Callable[..., dict[str, forms.Field]], import_string(settings.FIELD_COPIER))


class _CopiedFields(dict[str, forms.Field]):
    """Fields that are copied by ``settings.FIELD_COPIER`` where Django copies them for a form."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> dict[str, forms.Field]:
        return _field_copier()(dict(self))


class BedsideForm(forms.Form):
    """Form whose fields complain in the sentences of ``prepare_fields``.

    ``generated_fields`` are fields that a vocabulary lists, by name: a class has them as if its
    body declared them, and Django copies them into each form.
    """

    generated_fields: ClassVar[Mapping[str, forms.Field]] = {}
    has_errors_on_top: ClassVar[bool] = True
    shown_in_their_row: ClassVar[frozenset[str]] = frozenset()
    """Fields with a row of their own, which has room for their errors."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # At this point Django has collected the fields of the class body, and no inherited ones.
        own: dict[str, forms.Field] = vars(cls)["declared_fields"]
        own |= vars(cls).get("generated_fields", {})
        prepare_fields(own)
        for field in own.values():
            if isinstance(field.widget, _PLAIN_INPUTS):
                # One template for an input, where Django's includes two more.
                field.widget.template_name = "patients/input.html"

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        # BaseForm copies the fields that the instance has: here by ``settings.FIELD_COPIER``.
        self.base_fields = _CopiedFields(type(self).base_fields)  # type: ignore[misc]
        super().__init__(data, label_suffix="", **options)
        self.remedies: dict[str, Remedy] = {}

    def add_error(self, field: str | None, error: Any) -> None:
        """Note an error, and one tap that writes a number with a decimal point for its comma."""
        super().add_error(field, error)
        if field is not None and getattr(error, "code", None) == DECIMAL_COMMA:
            number = with_decimal_point(self[field].value().strip())
            if number:
                self.remedies[field] = Remedy(f"Use {number}", field, number)

    @property
    def errors_on_top(self) -> list[forms.BoundField]:
        """The wrong fields whose errors stand above the form, where there is room for them."""
        return [
            field
            for field in self.visible_fields()
            if self.has_errors_on_top and field.errors and field.name not in self.shown_in_their_row
        ]


class Remedy(NamedTuple):
    """One tap that corrects a refused value: the field ``name`` gets ``value``."""

    label: str
    name: str
    value: str


class SubmittedForm(BedsideForm):
    """Form that is recorded once: ``form_id`` is its idempotency key.

    A form that the browser sends again is answered as before.
    """

    form_id = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "invalid"), "This form was opened too long ago. Reload the page."
        ),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data, initial={"form_id": uuid.uuid4(), **(initial or {})}, **options)

    def submission_answers(self) -> dict[str, Any]:
        """Return what is recorded with the act and is no fact of an entry, like a reason."""
        reason = self.cleaned_data.get("reason")
        return {"reason": reason} if reason else {}

    def reported_limits(self) -> Sequence[ReportedLimits]:
        """Return the limits of normal that are to be remembered for the next patient."""
        return ()
