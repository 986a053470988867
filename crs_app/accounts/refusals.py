"""Refusals that a page answers in a way of its own; of no model, for pages of errors need none."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from crs_app.accounts.placed import Placed


class OtherWardError(PermissionDenied):
    """The patient of ``course`` is on another ward; emergency access would allow the act."""

    def __init__(self, act: str, course: Placed) -> None:
        self.course = course
        super().__init__(f"This patient is not on one of your wards. To {act}, say why first.")
