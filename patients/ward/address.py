"""What the address of the board asks for, and the address that asks for something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from crs_app.searches import seal

LONGEST_SEARCH: Final = 100
LONGEST_WARD: Final = 60
PAGES_AT_MOST: Final = 999

SHOWS: Final = {
    "": "All",
    "severe": "Grade 3–5",
    "could_be_higher": "Could be higher",
    "late": "Late",
    "rise": "Will rise",
    "sign_off": "Sign-off",
}
"""What the open board can be limited to, in the order of its buttons."""
SORTS: Final = {
    "": "Most urgent first",
    "could_be": "Could be, highest first",
    "place": "By ward and bed",
    "observed": "Longest without observations",
}


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """A view of the board: a search, one ward, open or closed courses.

    ``ward`` "" is all. ``show`` and ``sort`` are keys of ``SHOWS`` and ``SORTS``, for open courses;
    ``page`` counts from 1, for closed ones.
    """

    q: str = ""
    ward: str = ""
    show: str = ""
    sort: str = ""
    ended: bool = False
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> BoardAddress:
        """Return the view that the parameters of a request ask for; what is unknown is left out."""
        show, sort, page = asked.get("show", ""), asked.get("sort", ""), asked.get("page", "")
        is_number = page.isascii() and page.isdigit() and len(page) <= len(str(PAGES_AT_MOST))
        return cls(
            q=_one_line(asked.get("q", "")),
            ward=_one_line(asked.get("ward", ""))[: LONGEST_WARD + 1],
            show=show if show in SHOWS else "",
            sort=sort if sort in SORTS else "",
            ended="ended" in asked,
            page=max(1, int(page)) if is_number else 1,
        )

    @property
    def is_too_long(self) -> bool:
        """Whether the search is longer than any name: it finds nothing."""
        return len(self.q) > LONGEST_SEARCH

    def url(self, **changes: Any) -> str:
        """Return the address of this view with ``changes``, without what is empty.

        Another view begins on its first page.
        """
        asked = replace(self, **({"page": 1} | changes))
        values = {field.name: getattr(asked, field.name) for field in fields(asked)}
        values["ended"] = "1" if asked.ended else ""
        values["page"] = asked.page if asked.page > 1 else ""
        values["q"] = asked.sealed_search
        query = urlencode({name: value for name, value in values.items() if value})
        board = reverse("patients:board")
        return f"{board}?{query}" if query else board

    @property
    def sealed_search(self) -> str:
        """The search as it may stand in an address."""
        return seal(self.q[:LONGEST_SEARCH])

    @property
    def scales_url(self) -> str:
        """The address of ASTCT and ICANS of the same open courses."""
        _, _, query = self.url().partition("?")
        page = reverse("patients:ward_scales")
        return f"{page}?{query}" if query else page

    def poll_url(self, stamp: str) -> str:
        """Return the address that asks for this view again, where ``stamp`` is no longer true."""
        own = self.url(page=self.page)
        return f"{own}{'&' if '?' in own else '?'}seen={stamp}"


def _one_line(typed: str) -> str:
    """Return what was typed with control and invisible characters and doubled blanks removed."""
    return " ".join("".join(c if c.isprintable() else " " for c in typed).split())
