"""Symptoms: Table 1 as a list to tick, and one symptom where an entry is corrected."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from django import forms

from grading.engine.table_1 import TABLE_1
from grading.engine.vocabulary import (
    CONSTITUTIONAL_SYMPTOMS,
    SIGNS_SHOWN_ONLY,
    SYMPTOM_TERMS,
    TICKS_TO_GRADE,
    term_label,
)
from patients.display.text import capital
from patients.entry_form import EntryForm
from patients.models import Entry, EntryKind

YES: Final = "yes"
NO: Final = "no"
_SAYS: Final = (("", "not said"), (YES, "present"), (NO, "absent"))
_PREFIX: Final = "symptom_"
_GRADED_ELSEWHERE: Final = "shown only"
_ASKS_FOR_A_GRADE: Final = "asks for a CTCAE grade"


class Ticked(NamedTuple):
    """A symptom of the list: its field, and what a tick of it does beside being shown."""

    field: forms.BoundField
    remark: str


class System(NamedTuple):
    """An organ system of Table 1 with its symptoms."""

    label: str
    symptoms: tuple[Ticked, ...]


class SymptomForm(EntryForm):
    """What of Table 1 is there and what is not; what is not said stays as it was.

    One entry for each symptom that is said. A correction is of one symptom.
    """

    kind = EntryKind.SYMPTOM
    charted_template: ClassVar = "patients/_symptom_list.html"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.correcting is not None:
            self.fields |= _single_fields()
        else:
            self.fields |= {
                _PREFIX + term: _tick(term) for system in TABLE_1 for term in system.symptoms
            }

    @property
    def systems(self) -> list[System]:
        """The list as a page shows it; nothing where one symptom is corrected."""
        if self.correcting is not None:
            return []
        return [
            System(label, tuple(Ticked(self[_PREFIX + term], _remark(term)) for term in terms))
            for label, terms in TABLE_1
        ]

    def bodies(self) -> list[dict[str, Any]]:
        if self.correcting is not None:
            return [body | {"present": body["present"] == YES} for body in super().bodies()]
        return [
            {"term": name.removeprefix(_PREFIX), "present": said == YES}
            for name in self.own_fields()
            if (said := self.cleaned_data.get(name))
        ]

    def field_of(self, index: int, place: str) -> str:
        if self.correcting is not None or place != "term":
            return super().field_of(index, place)
        return _PREFIX + str(self.bodies()[index]["term"])

    def clean_kind(self) -> None:
        bodies = self.bodies()
        if not bodies and not self.errors:
            self.add_error(
                None, "Nothing is charted yet: say of a symptom that it is present or absent."
            )
        wanting = [
            term_label(body["term"])
            for body in bodies
            if body["present"] and body["term"] in TICKS_TO_GRADE
        ]
        if wanting:
            self.remarks.append(
                f"A tick is not a grade: give {', '.join(wanting)} a CTCAE grade under Toxicity."
            )

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        said = super()._typed_before(entry)
        return {**said, "present": YES if entry.body["present"] else NO}


@cache
def _tick(term: str) -> forms.ChoiceField:
    """Made once and shared by all forms, which change none."""
    return forms.ChoiceField(
        label=capital(term_label(term)), choices=_SAYS, required=False, widget=forms.RadioSelect
    )


def _remark(term: str) -> str:
    if term in TICKS_TO_GRADE:
        return _ASKS_FOR_A_GRADE
    return _GRADED_ELSEWHERE if term in SIGNS_SHOWN_ONLY else ""


def _single_fields() -> dict[str, forms.Field]:
    return {
        "term": forms.ChoiceField(
            label="Symptom",
            choices=_symptom_choices(),
            error_messages={"required": "Choose the symptom."},
        ),
        "present": forms.ChoiceField(
            label="Now", choices=((YES, "present"), (NO, "absent")), initial=YES
        ),
    }


def _symptom_choices() -> list[tuple[str, Any]]:
    """Every symptom that an entry can name, those of Table 1's list and others."""

    def listed(terms: Iterable[str]) -> list[tuple[str, str]]:
        return [(term, capital(term_label(term))) for term in terms]

    other = SYMPTOM_TERMS - {*CONSTITUTIONAL_SYMPTOMS, *TICKS_TO_GRADE}
    return [
        ("", "Choose the symptom"),
        ("Constitutional", listed(CONSTITUTIONAL_SYMPTOMS)),
        ("Asks for a CTCAE grade", listed(sorted(TICKS_TO_GRADE))),
        ("Shown, graded elsewhere", listed(sorted(other))),
    ]
