"""Form that sets aside what another system sent, with a reason."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from patients.forms.base import BedsideForm

LONGEST_REASON: Final = 300


class SetAsideForm(BedsideForm):
    """A reason: the words of a button, or typed ones, which go first."""

    reason = forms.CharField(label="Reason", required=False, max_length=LONGEST_REASON)
    why = forms.CharField(label="Reason", required=False, max_length=LONGEST_REASON)

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data.get("reason") or self.cleaned_data.get("why")
        if not typed and not self.errors:
            self.add_error("reason", "Say why it is not needed.")
        self.cleaned_data["why"] = typed
        return self.cleaned_data

    @property
    def sentence(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(str(text) for texts in self.errors.values() for text in texts)
