"""The page on which the sign-off panel stands: the review page, or a page of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.urls import reverse

_KEPT = ("range", "axis", "view", "at")


@dataclass(frozen=True, slots=True)
class PanelPlace:
    """Where the panel stands; ``query`` has the other parts of the address, which links keep."""

    path: str
    is_review: bool
    query: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str, course_id: uuid.UUID) -> Self:
        """Return the place that ``url`` names; the page of its own for every other address."""
        parts = urlsplit(url)
        review = reverse("patients:review", args=[course_id])
        if parts.path != review:
            return cls(reverse("patients:sign_off", args=[course_id]), is_review=False)
        typed = dict(parse_qsl(parts.query))
        return cls(review, is_review=True, query={key: typed[key] for key in _KEPT if key in typed})

    @property
    def address(self) -> str:
        """The address to come back to after signing."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def at(self, instant: datetime) -> str:
        """Return the address of the period in which ``instant`` lies."""
        return f"{self.path}?{urlencode({**self.query, 'at': instant.isoformat()})}#sign-off"

    def again(self, instant: datetime) -> str:
        """Return the address that offers the form for a period whose sign-off stands."""
        query = {**self.query, "at": instant.isoformat(), "again": ""}
        return f"{self.path}?{urlencode(query)}#sign-off"
