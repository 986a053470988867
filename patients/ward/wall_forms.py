"""The form that makes a browser a wall screen."""

from __future__ import annotations

from typing import Any

from django import forms

from crs_app.accounts.models import User, Ward
from crs_app.accounts.permissions import wards_to_read


class WallForm(forms.Form):
    """The wards that the screen shows: those whose patients ``reader`` may see in lists."""

    wards = forms.ModelMultipleChoiceField(
        queryset=Ward.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label="Wards on this screen",
        error_messages={
            "required": "Choose the ward that this screen shows.",
            "invalid_choice": "One of the wards is not one of yours. Choose again.",
            "invalid_pk_value": "One of the wards is not one of yours. Choose again.",
        },
    )

    def __init__(self, data: Any, *, reader: User) -> None:
        super().__init__(data)
        wards, reachable = Ward.objects.filter(is_open=True), wards_to_read(reader)
        chosen_from = wards if reachable is None else wards.filter(pk__in=reachable)
        self.fields["wards"].queryset = chosen_from  # type: ignore[attr-defined]
