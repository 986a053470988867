"""Forms of the PIN: setting one, and switching to a user by one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator

from crs_app.accounts.forms import ConfirmedForm

DIGITS: Final = 4
_COLUMN_OF_THE_PAD: Final = "2580"
_WEAK: Final = (
    "This PIN is easy to guess. Take three different digits or more, not in a row like 1234 or "
    "4321, no year, no middle column of the pad, nothing of your user name."
)


def is_weak(pin: str, username: str) -> bool:
    """Return whether a PIN of four digits is one of those that are tried first."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return (
        len(set(pin)) < 3
        or steps in ({1}, {9})
        or pin.startswith(("19", "20"))
        or pin in (_COLUMN_OF_THE_PAD, _COLUMN_OF_THE_PAD[::-1])
        or pin in username
    )


def _pin_field(label: str, **options: Any) -> forms.CharField:
    attributes = {
        "inputmode": "numeric", "maxlength": DIGITS, "autocomplete": "off", "pattern": "[0-9]{4}",
    }  # fmt: skip
    return forms.CharField(
        label=label,
        strip=False,
        widget=forms.PasswordInput(attrs=attributes),
        validators=[RegexValidator(rf"\A[0-9]{{{DIGITS}}}\Z", "Type four digits, 0 to 9.")],
        **options,
    )


class PinForm(ConfirmedForm):
    """A new PIN, typed twice."""

    pin = _pin_field(
        "New PIN, four digits",
        help_text="Three different digits or more; not in a row, no year.",
    )
    pin_again = _pin_field("New PIN, once more")

    def clean_pin(self) -> str:
        pin: str = self.cleaned_data["pin"]
        if is_weak(pin, self.request.user.username):
            raise forms.ValidationError(_WEAK)
        return pin

    def clean_pin_again(self) -> str:
        again: str = self.cleaned_data["pin_again"]
        if self.cleaned_data.get("pin", again) != again:
            raise forms.ValidationError("The two PINs are not the same.")
        return again


class SwitchForm(forms.Form):
    """Who works now, and their PIN; a PIN without a name is refused unread."""

    who = forms.IntegerField(min_value=1, error_messages={"required": "Choose your name first."})
    pin = _pin_field("PIN, four digits")
