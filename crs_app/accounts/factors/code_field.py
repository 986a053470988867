"""The field that takes a code, and what is answered to a wrong one."""

from __future__ import annotations

from typing import Any, Final

from django import forms

LONGEST_CODE: Final = 20
WRONG_CODE: Final = "This code is not right, or it was used before. Wait for the next one."


class CodeField(forms.CharField):
    """A code of an app, or a recovery code; blanks in it do not matter."""

    def __init__(self, **options: Any) -> None:
        code = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
        options.setdefault("label", "Code")
        super().__init__(max_length=LONGEST_CODE, widget=forms.TextInput(attrs=code), **options)
