"""What a paraphrase of CTCAE's criteria is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SOURCE: Final = "CTCAE v4.03, in our words: for the exact wording see CTCAE v4.03"
NOT_IN_CTCAE: Final = ""
"""Stands where CTCAE v4.03 has no such grade for a term."""


@dataclass(frozen=True, slots=True)
class TermWords:
    """The criteria of one CTCAE term, each grade in one line; NOT_IN_CTCAE where it has none.

    ``also`` are other words by which the term is looked for, those of patients among them.
    """

    grade_1: str
    grade_2: str
    grade_3: str
    grade_4: str
    also: str = ""

    def of(self, grade: int) -> str:
        """Return the criterion of CTCAE grade 1 to 4."""
        return (self.grade_1, self.grade_2, self.grade_3, self.grade_4)[grade - 1]

    @property
    def grades(self) -> tuple[int, ...]:
        """The grades that CTCAE has for the term."""
        return tuple(grade for grade in (1, 2, 3, 4) if self.of(grade))
