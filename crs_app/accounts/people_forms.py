"""Forms of the pages for administrators."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator

from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.hospital.identities import needs_address
from crs_app.accounts.models import Role, Ward
from crs_app.accounts.name_text import (
    composed,
    has_letter,
    not_in_a_name,
    word_of_two_alphabets,
)
from grading.plain_text import without_blanks_around

LONGEST_NAME: Final = 80
ROLE_WORDS: Final = {
    Role.WARD_CLINICIAN: "enters values, answers advice",
    Role.ICU_REVIEWER: "enters values, signs grades",
    Role.AUDITOR: "reads charts, enters nothing",
    Role.ADMINISTRATOR: "users and policy; enters nothing",
}
WAYS_TO_RECOGNISE: Final = (
    "In person, by a badge or identity card with a photograph",
    "In person, by somebody of the ward who knows them and was there",
    "By calling back the number in the hospital's directory, and asking their head of ward",
)
"""What counts as much as the first meeting, in which the person got the account."""
check_username: Final = RegexValidator(
    r"\A[a-z][a-z0-9._-]{1,29}\Z",
    "Use 2 to 30 of a–z, 0–9, dot, hyphen and underscore, with a letter first.",
)


class PlainName(forms.CharField):
    """Name in one line, without what nobody sees and without controls that change how it reads."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_NAME, **options)

    def to_python(self, value: Any) -> str:
        text = composed(without_blanks_around(super().to_python(value) or ""))
        found = not_in_a_name(text)
        if found is not None:
            raise forms.ValidationError(f"This name has a character that no name holds: {found}.")
        return text


class PersonName(PlainName):
    """Name of a person, which has a letter, and no letter that stands for another one."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if text and not has_letter(text):
            raise forms.ValidationError("A name has a letter.")
        if (word := word_of_two_alphabets(text)) is not None:
            raise forms.ValidationError(
                f"“{word}” has letters of two alphabets, which look alike. Type it in one of them."
            )
        return text


class RoleForm(ConfirmedForm):
    """One of the roles."""

    role = forms.ChoiceField(
        choices=[(role.value, role.label) for role in ROLE_WORDS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role."},
    )

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class WardsForm(ConfirmedForm):
    """The wards that a user works on."""

    wards = forms.ModelMultipleChoiceField(
        queryset=Ward.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of the wards is not there any more."},
    )


class EmailForm(ConfirmedForm):
    """The address by which the hospital's sign-in names a user."""

    email = forms.EmailField(
        label="E-mail address at the hospital",
        required=False,
        max_length=254,
        help_text="Leave it empty, and the hospital's sign-in cannot name this user.",
    )


class LinkForm(ConfirmedForm):
    """What is asked before a link is made for a user who signs in at the hospital alone."""

    adds_password = forms.BooleanField(
        label="Add a password",
        error_messages={"required": "Tick this, or leave the user without a password."},
    )

    def __init__(self, request: Any, *args: Any, adds_password: bool, **options: Any) -> None:
        super().__init__(request, *args, **options)
        if not adds_password:
            del self.fields["adds_password"]


class RecognisedForm(ConfirmedForm):
    """How an administrator recognised the person whose second factors are removed."""

    recognised = forms.ChoiceField(
        label="How did you recognise this person?",
        choices=[(way, way) for way in WAYS_TO_RECOGNISE],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you recognised this person."},
    )


class NewPersonForm(RoleForm, WardsForm):
    """A new user."""

    first_name = PersonName(label="First name")
    last_name = PersonName(label="Last name", help_text="As it will stand on entries: J. Ruiz.")
    username = forms.CharField(
        label="User name",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        help_text="For signing in, such as j.ruiz. It cannot be changed later.",
    )
    email = forms.EmailField(
        label="E-mail address at the hospital",
        required=False,
        max_length=254,
        help_text="By it the hospital's sign-in names the user.",
    )
    field_order = ("first_name", "last_name", "username", "email", "role", "wards")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not needs_address():
            del self.fields["email"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"].lower()
        check_username(username)
        return username
