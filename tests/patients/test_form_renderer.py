"""What is written without templates is what Django's templates write."""

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates

from crs_app.accounts.models import User
from crs_app.speedups.form_renderer import PlainRenderer
from patients.forms.registry import ENTRY_FORMS
from patients.models import Course
from tests.factories import chart

SAID = 'a "quote", <b>bold</b> & more'


class EveryWidget(forms.Form):
    """Values that must be escaped, attributes that are not there, groups, and nothing at all."""

    text = forms.CharField(
        initial=SAID,
        widget=forms.TextInput(attrs={"data-x": SAID, "data-y": True, "data-z": False}),
    )
    empty = forms.CharField(required=False)
    hidden = forms.UUIDField(widget=forms.HiddenInput, initial=7)
    password = forms.CharField(widget=forms.PasswordInput)
    ticked = forms.BooleanField(initial=True)
    chosen = forms.ChoiceField(
        choices=[("", "none"), (SAID, SAID), ("Group <1>", [(1, "one"), (2, "two")])], initial=2
    )
    many = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], initial=["b"])
    written = forms.CharField(widget=forms.Textarea, initial=SAID)


def written(form: forms.Form, renderer: DjangoTemplates) -> dict[str, str]:
    """The HTML of each field, without the space between the tags."""
    form.renderer = renderer
    return {field.name: re.sub(r">\s+<", "><", str(field)) for field in form}


def test_every_widget_is_written_alike() -> None:
    for form in (EveryWidget(), EveryWidget({"text": SAID, "chosen": SAID, "many": ["a"]})):
        assert written(form, PlainRenderer()) == written(form, DjangoTemplates())


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ENTRY_FORMS)
def test_every_form_of_the_bedside_is_written_alike(kind: str, course: Course) -> None:
    form = ENTRY_FORMS[kind](course=course)
    assert written(form, PlainRenderer()) == written(form, DjangoTemplates())


def test_what_is_typed_cannot_become_markup() -> None:
    fields = written(EveryWidget({"text": SAID, "chosen": SAID}), PlainRenderer())
    assert "<b>" not in "".join(fields.values())


@pytest.mark.django_db
def test_what_one_form_says_stands_in_no_other(course: Course, clinician: User) -> None:
    """They share their fields, and what an empty one writes is kept."""

    def pulse(form: forms.Form) -> str:
        return str(form["heart_rate"])

    vitals = ENTRY_FORMS["vitals"]
    empty = pulse(vitals(course=course))
    (entry,) = chart(course, clinician, "vitals", heart_rate="93").entries
    assert 'value="93"' in pulse(vitals(course=course, correcting=entry))
    wrong = pulse(vitals({"heart_rate": "94x"}, course=course))
    assert 'value="94x"' in wrong
    assert "aria-invalid" in wrong
    assert pulse(vitals(course=course)) == empty
    assert "value" not in empty
