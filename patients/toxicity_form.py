"""The form of an organ toxicity: a term found by its words, and the grades that CTCAE gives it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, NamedTuple

from django import forms

from grading.engine.ctcae import CTCAE_WORDS, SOURCE, TermWords
from grading.engine.vocabulary import HEADACHE, TOXICITY_TERMS, TermGroup, term_label
from patients.display.text import capital
from patients.entry_form import EntryForm
from patients.models import EntryKind

RESOLVED: Final = "0"
_GRADES: Final = (1, 2, 3, 4)
_LISTED_FIRST: Final = (
    TermGroup.CARDIAC,
    TermGroup.NEUROLOGIC,
    TermGroup.OTHER_ORGAN,
    TermGroup.LABORATORY,
    TermGroup.NEVER,
)
"""What only a clinician can grade stands before what a result grades by itself."""
_GRADED_BY_ITS_RESULT: Final = (
    "A result grades this by itself: chart the result under Labs instead, where there is one."
)
_NEVER_COUNTED: Final = "Shown on the chart, never counted towards the grade."
_FROM_GRADE_3: Final = "Counts as organ toxicity from grade 3; below that it is a symptom."


class Criteria(NamedTuple):
    """A term as it is looked up: where it stands, what its grades mean, what to know before."""

    term: str
    label: str
    group: str
    also: str
    grades: tuple[tuple[int, str], ...]
    remark: str


def criteria() -> Iterable[Criteria]:
    """Every term with its criteria, in the order of the list."""
    for group in _LISTED_FIRST:
        for term, belongs_to in TOXICITY_TERMS.items():
            if belongs_to is group:
                words = CTCAE_WORDS[term]
                label = capital(term_label(term))
                grades = tuple((grade, words.of(grade)) for grade in _GRADES)
                yield Criteria(term, label, group.label, words.also, grades, _remark(term, group))


def _remark(term: str, group: TermGroup) -> str:
    if term == HEADACHE:
        return _FROM_GRADE_3
    if group is TermGroup.LABORATORY:
        return _GRADED_BY_ITS_RESULT
    return _NEVER_COUNTED if group is TermGroup.NEVER else ""


_CRITERIA: Final = tuple(criteria())


def _term_choices() -> list[tuple[str, Any]]:
    return [
        ("", "Choose the toxicity"),
        *(
            (group.label, [(c.term, c.label) for c in _CRITERIA if c.group == group.label])
            for group in _LISTED_FIRST
        ),
    ]


class ToxicityForm(EntryForm):
    """A CTCAE grade that a clinician gives; 0 says that it is resolved."""

    kind = EntryKind.TOXICITY
    graded_from_infusion = False
    charted_template: ClassVar = "patients/_toxicity_fields.html"
    criteria: ClassVar = _CRITERIA
    source: ClassVar = SOURCE

    term = forms.ChoiceField(
        label="Toxicity",
        choices=_term_choices(),
        error_messages={"required": "Choose the toxicity."},
    )
    grade = forms.ChoiceField(
        label="CTCAE grade",
        choices=((RESOLVED, "0, resolved"), *((str(n), str(n)) for n in _GRADES)),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the CTCAE grade; 0 says that it is resolved."},
    )

    def clean_kind(self) -> None:
        term, grade = self.cleaned_data.get("term"), self.cleaned_data.get("grade")
        if not term or not grade or grade == RESOLVED:
            return
        words = CTCAE_WORDS[term]
        if int(grade) not in words.grades:
            has = ", ".join(str(number) for number in words.grades)
            self.add_error(
                "grade",
                f"CTCAE v4.03 has no grade {grade} for {term_label(term)}, only {has}: "
                "choose the grade whose criteria are met.",
            )

    @property
    def chosen(self) -> TermWords | None:
        """The criteria of the term that the form holds, None where none is chosen."""
        return CTCAE_WORDS.get(self["term"].value() or "")

    @property
    def grade_cards(self) -> list[tuple[Any, str]]:
        """Each grade's radio button with what it means for the chosen term."""
        words = self.chosen
        if words is None:
            return [(radio, "") for radio in self["grade"]]
        meanings = ["", *(words.of(n) or f"no grade {n} in CTCAE v4.03" for n in _GRADES)]
        return list(zip(self["grade"], meanings, strict=True))
