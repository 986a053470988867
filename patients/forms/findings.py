"""Forms of symptoms, toxicities, judgements and risk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from django import forms

from grading.engine.ctcae import CTCAE_WORDS, SOURCE, TermWords
from grading.engine.symptom_list import TABLE_1
from grading.engine.vocabulary import (
    CONSTITUTIONAL_SYMPTOMS,
    HEADACHE,
    SIGNS_SHOWN_ONLY,
    SYMPTOM_TERMS,
    TICKS_TO_GRADE,
    TOXICITY_TERMS,
    JudgementAbout,
    RiskQuestion,
    TermGroup,
    term_label,
)
from patients.display.text import capital
from patients.forms.entry_form import EntryForm
from patients.forms.fields import NO, WORD_OF, YES
from patients.forms.layout import SymptomList, ToxicityFields
from patients.forms.presence import PresenceForm
from patients.models import Entry, EntryKind


class JudgementForm(PresenceForm):
    """A judgement that the grade waits for: made, or withdrawn."""

    kind = EntryKind.JUDGEMENT
    has_attribution = False

    about = forms.ChoiceField(
        label="Judged",
        choices=(
            ("", "Choose what is judged"),
            *((j.value, capital(j.label)) for j in JudgementAbout),
        ),
        error_messages={"required": "Choose what is judged."},
    )
    present = forms.ChoiceField(
        label="Judgement",
        choices=(("", "Choose"), (YES, "present"), (NO, "not present")),
        error_messages={"required": "Say whether it is present."},
    )


class RiskForm(EntryForm):
    """The algorithm's three questions; an earlier answer to one that is left out stays valid."""

    kind = EntryKind.RISK
    graded_from_infusion = False
    has_attribution = False
    generated_fields: ClassVar = {
        question.value: forms.ChoiceField(
            label=capital(question.label),
            choices=(("", "not answered"), (YES, "yes"), (NO, "no")),
            required=False,
        )
        for question in RiskQuestion
    }

    def body(self) -> dict[str, Any]:
        return {name: answer == YES for name, answer in super().body().items()}

    def clean_kind(self) -> None:
        if self.bodies == [{}] and not self.errors:
            self.add_error(None, "Nothing is answered yet: answer at least one question.")

    def values_of(self, entry: Entry) -> dict[str, Any]:
        answers = {name: WORD_OF[entry.body.get(name)] for name in self.generated_fields}
        return {**super().values_of(entry), **answers}


_SYMPTOM_CHOICES: Final = (("", "not assessed"), (YES, "yes"), (NO, "no"))
_PREFIX: Final = "symptom_"
_GRADED_ELSEWHERE: Final = "not used for grading"
_ASKS_FOR_A_GRADE: Final = "also enter a grade under Toxicity"


class ListedSymptom(NamedTuple):
    """A symptom of the list: its field, and what a tick of it does apart from being shown."""

    field: forms.BoundField
    remark: str


class SymptomGroup(NamedTuple):
    """An organ system of Table 1 with its symptoms."""

    label: str
    symptoms: tuple[ListedSymptom, ...]


class SymptomForm(EntryForm):
    """Which symptoms of Table 1 are present and which absent, as one entry for each.

    A symptom that is left out stays as it was charted before.
    """

    kind = EntryKind.SYMPTOM
    generated_fields: ClassVar = {
        _PREFIX + term: forms.ChoiceField(
            label=capital(term_label(term)),
            choices=_SYMPTOM_CHOICES,
            required=False,
            widget=forms.RadioSelect,
        )
        for system in TABLE_1
        for term in system.symptoms
    }
    shown_in_their_row = frozenset(generated_fields)

    @property
    def groups(self) -> list[SymptomGroup]:
        """The list as a page shows it."""
        return [
            SymptomGroup(
                label,
                tuple(ListedSymptom(self[_PREFIX + term], _symptom_remark(term)) for term in terms),
            )
            for label, terms in TABLE_1
        ]

    def layout(self) -> Sequence[Any]:
        return [SymptomList(), self.inputs_row()]

    def build_bodies(self) -> list[dict[str, Any]]:
        return [
            {"term": name.removeprefix(_PREFIX), "present": answer == YES}
            for name in self.own_fields()
            if (answer := self.cleaned_data.get(name))
        ]

    def field_of(self, index: int, place: str) -> str:
        if place != "term":
            return super().field_of(index, place)
        return _PREFIX + str(self.bodies[index]["term"])

    def clean_kind(self) -> None:
        if not self.bodies and not self.errors:
            self.add_error(
                None, "Nothing is charted yet: say of a symptom that it is present or absent."
            )
        self.remarks += _without_grade(self.bodies)


def _without_grade(bodies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence about the symptoms that count only with a CTCAE grade, or nothing."""
    terms = [
        term_label(body["term"])
        for body in bodies
        if body.get("present") and body.get("term") in TICKS_TO_GRADE
    ]
    if not terms:
        return []
    return [f"Not graded yet: enter a CTCAE grade for {', '.join(terms)} under Toxicity."]


def _symptom_remark(term: str) -> str:
    if term in TICKS_TO_GRADE:
        return _ASKS_FOR_A_GRADE
    return _GRADED_ELSEWHERE if term in SIGNS_SHOWN_ONLY else ""


def _symptom_choices() -> list[tuple[str, Any]]:
    """Return every symptom that an entry can name, those of Table 1 and others, in groups."""

    def listed(terms: Iterable[str]) -> list[tuple[str, str]]:
        return [(term, capital(term_label(term))) for term in terms]

    other = SYMPTOM_TERMS - {*CONSTITUTIONAL_SYMPTOMS, *TICKS_TO_GRADE}
    return [
        ("", "Choose the symptom"),
        ("Constitutional", listed(CONSTITUTIONAL_SYMPTOMS)),
        ("Asks for a CTCAE grade", listed(sorted(TICKS_TO_GRADE))),
        ("Shown, graded elsewhere", listed(sorted(other))),
    ]


class SymptomCorrectionForm(PresenceForm):
    """One symptom: what a correction of it asks."""

    kind = EntryKind.SYMPTOM

    term = forms.ChoiceField(
        label="Symptom",
        choices=_symptom_choices(),
        error_messages={"required": "Choose the symptom."},
    )
    present = forms.ChoiceField(label="Now", choices=((YES, "yes"), (NO, "no")), initial=YES)

    def clean_kind(self) -> None:
        self.remarks += _without_grade(self.bodies)


RESOLVED: Final = "0"
_GRADES: Final = (1, 2, 3, 4)
_LISTED_FIRST: Final = (
    TermGroup.CARDIAC,
    TermGroup.NEUROLOGIC,
    TermGroup.OTHER_ORGAN,
    TermGroup.LABORATORY,
    TermGroup.NEVER,
)
"""Terms that only a clinician can grade come before those that a result grades by itself."""
_GRADED_BY_ITS_RESULT: Final = (
    "A result grades this by itself: chart the result under Labs instead, where there is one."
)
_NEVER_COUNTED: Final = "Shown on the chart, never counted towards the grade."
_FROM_GRADE_3: Final = "Counts as organ toxicity from grade 3; below that it is a symptom."


class Criteria(NamedTuple):
    """A toxicity as it is looked up: its group, what its grades mean, what to know before."""

    term: str
    label: str
    group: str
    also: str
    grades: tuple[tuple[int, str], ...]
    remark: str


def criteria() -> Iterable[Criteria]:
    """Return every toxicity with its criteria, in the order of the list."""
    for group in _LISTED_FIRST:
        for term, belongs_to in TOXICITY_TERMS.items():
            if belongs_to is group:
                words = CTCAE_WORDS[term]
                label = capital(term_label(term))
                grades = tuple((grade, words.of(grade)) for grade in _GRADES)
                yield Criteria(
                    term, label, group.label, words.also, grades, _toxicity_remark(term, group)
                )


def _toxicity_remark(term: str, group: TermGroup) -> str:
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
    """A CTCAE grade by a clinician; 0 for one that is resolved."""

    kind = EntryKind.TOXICITY
    graded_from_infusion = False
    criteria: ClassVar = _CRITERIA
    source: ClassVar = SOURCE
    shown_in_their_row = frozenset({"term", "grade"})

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

    def layout(self) -> Sequence[Any]:
        return [ToxicityFields(), self.inputs_row()]

    def clean_kind(self) -> None:
        term, grade = self.cleaned_data.get("term"), self.cleaned_data.get("grade")
        if not term or not grade or grade == RESOLVED:
            return
        words = CTCAE_WORDS[term]
        if int(grade) not in words.grades:
            existing = ", ".join(str(number) for number in words.grades)
            self.add_error(
                "grade",
                f"CTCAE v4.03 has no grade {grade} for {term_label(term)}, only {existing}: "
                "choose the grade whose criteria are met.",
            )

    @property
    def chosen(self) -> TermWords | None:
        """The criteria of the term in the form, None where none is chosen."""
        return CTCAE_WORDS.get(self["term"].value() or "")

    @property
    def grade_cards(self) -> list[tuple[Any, str]]:
        """Each grade's radio button with what it means for the chosen term."""
        words = self.chosen
        if words is None:
            return [(radio, "") for radio in self["grade"]]
        meanings = ["", *(words.of(n) or f"no grade {n} in CTCAE v4.03" for n in _GRADES)]
        return list(zip(self["grade"], meanings, strict=True))
