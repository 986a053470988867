"""Forms of second factors and passkeys."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from crs_app.accounts.factors.code_field import CodeField
from crs_app.accounts.factors.codes import is_code_for
from crs_app.accounts.people_forms import PlainName

LONGEST_KEY_NAME: Final = 40


class SecondStepForm(forms.Form):
    """The code that a user is asked for after the password."""

    code = CodeField(
        label="Code of your app, or a recovery code",
        error_messages={"required": "Enter the 6 digits that your app shows, or a recovery code."},
    )


class CodeAppForm(forms.Form):
    """The code by which a user shows that the app holds the secret."""

    code = CodeField(
        label="Code that the app shows now",
        error_messages={"required": "Enter the 6 digits that the app shows."},
    )

    def __init__(self, secret: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.secret = secret

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not is_code_for(self.secret, code):
            raise forms.ValidationError(
                "This code does not fit the key above. Is the time of your telephone right?"
            )
        return code


class KeyNameForm(forms.Form):
    """The name by which a user knows a key."""

    name = PlainName(
        label="Name",
        help_text="To know it by, such as: telephone, key of the ward.",
        error_messages={"required": "Give it a name, to know it by in the list."},
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if len(name) > LONGEST_KEY_NAME:
            raise forms.ValidationError(f"At most {LONGEST_KEY_NAME} characters.")
        return name


class NewKeyForm(KeyNameForm):
    """A name for a new key, and what the browser answered; the script fills in the latter."""

    credential = forms.CharField(widget=forms.HiddenInput)
