"""Layout objects of crispy-forms for the template pack ``crs``, and the helper of every form.

The templates of the pack are in ``templates/crs``. They see the form, what a layout object passes,
and of the page ``previous``, the values charted before, and ``running``, the infusions.
"""

from __future__ import annotations

from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout, LayoutObject
from crispy_forms.utils import TEMPLATE_PACK
from django import forms
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe


def form_helper(*parts: Any) -> FormHelper:
    """Return the helper of a form that stands in the page's own form element, with its token."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    helper.layout = Layout(*parts)
    return helper


class Part(LayoutObject):
    """Part of a form that one template shows whole; ``%s`` in its name is the template pack."""

    template: ClassVar[str]

    def __init__(self) -> None:
        self.fields: list[Any] = []

    def render(
        self, form: forms.Form, context: Any, template_pack: str = TEMPLATE_PACK, **_: Any
    ) -> SafeString:
        """Return the HTML of the part."""
        template = get_template(self.get_template_name(template_pack))
        # Escaped by Jinja2.
        return mark_safe(template.render(context.flatten()))  # nosec B308, B703 # noqa: S308


class EntryHead(Part):
    """The hidden fields of an entry form."""

    template = "%s/entry_head.html"


class UnchangedCheckboxes(Part):
    """The checkboxes for what can be charted again unchanged."""

    template = "%s/unchanged_checkboxes.html"


class TimeShortcuts(Part):
    """Buttons for a time some minutes ago, the date, and which of two times is meant."""

    template = "%s/time_shortcuts.html"


class CorrectionReason(Part):
    """The reason for a correction or a retraction, with buttons for the usual ones."""

    template = "%s/correction_reason.html"


class SaveRow(Part):
    """The save button, and a way back where the form took the place of another."""

    template = "%s/save_row.html"


class AttributionAndNote(Part):
    """Attribution, its reason and a note, folded until one of them is used."""

    template = "%s/attribution.html"


class Conversion(Part):
    """The place in which the browser shows a dose or a temperature in another unit."""

    template = "%s/conversion.html"


class RunningInfusions(Part):
    """Buttons that start a change of an infusion that runs."""

    template = "%s/running_infusions.html"


class Concentrations(Part):
    """The proposed concentrations of syringes, and how norepinephrine is charted here."""

    template = "%s/concentrations.html"


class LaboratoryPanel(Part):
    """The rows of a laboratory report, by group."""

    template = "%s/laboratory_panel.html"


class SymptomList(Part):
    """The symptoms of Table 1, by organ system."""

    template = "%s/symptom_list.html"


class ToxicityFields(Part):
    """A toxicity, found by its name, and its CTCAE grade."""

    template = "%s/toxicity_fields.html"


class NoteField(Part):
    """A note as long as the form is wide."""

    template = "%s/note_field.html"


class IceRound(Part):
    """A round of ICE in three steps, with its own time, note and save button."""

    template = "%s/ice_round.html"


class AnswerReasons(Part):
    """The reasons why advice is not appropriate."""

    template = "%s/answer_reasons.html"


class SignOffChoices(Part):
    """Agree with a computed grade, or state another one with its reason."""

    template = "%s/sign_off_choices.html"


class TimeField(Field):
    """A time of day, typed on the 24-hour clock."""

    template = "%s/time_field.html"


class FieldWithUnit(Field):
    """A field with the choice of its unit in the same row."""

    def __init__(self, name: str, unit_name: str) -> None:
        super().__init__(name)
        self.unit_name = unit_name

    def render(self, form: forms.Form, context: Any, **options: Any) -> SafeString:
        """Return the HTML of both."""
        extra = {"unit_field": form[self.unit_name]}
        html: SafeString = super().render(form, context, extra_context=extra, **options)
        return html


class Checkboxes(LayoutObject):
    """Checkboxes in a row."""

    def __init__(self, *names: str) -> None:
        self.fields = list(names)

    def render(
        self, form: forms.Form, context: Any, template_pack: str = TEMPLATE_PACK, **_: Any
    ) -> SafeString:
        """Return their HTML."""
        row = Div(
            *(Field(name, template=f"{template_pack}/checkbox.html") for name in self.fields),
            css_class="ticks",
        )
        html: SafeString = row.render(form, context, template_pack)
        return html


def fields_row(*fields: Any, **attributes: str) -> Div:
    """Return fields in a row that wraps, as wide as the form."""
    return Div(*fields, css_class="fields", **attributes)


def span_2(*fields: Any) -> Div:
    """Return fields over two columns of their row."""
    return Div(*fields, css_class="span-2")


def wide(*fields: Any) -> Div:
    """Return fields over the whole width of their row."""
    return Div(*fields, css_class="wide")
