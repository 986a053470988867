"""Forms of symptoms, toxicities, judgements and risk."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from django import forms

from grading.engine.ctcae import CTCAE_WORDS, SOURCE, TermWords
from grading.engine.table_1 import TABLE_1
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
from patients.models import Entry, EntryKind

YES: Final = "yes"
NO: Final = "no"
_WORD: Final = {True: YES, False: NO, None: ""}


class JudgementForm(EntryForm):
    """A judgement that the grade waits for: made, or unmade."""

    kind = EntryKind.JUDGEMENT
    attribution = None  # type: ignore[assignment]  # a judgement has no cause

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

    def body(self) -> dict[str, Any]:
        body = super().body()
        return {**body, "present": body.get("present") == YES}

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        said = super()._typed_before(entry)
        return {**said, "present": _WORD[entry.body["present"]]}


class RiskForm(EntryForm):
    """The algorithm's three questions; what is not answered stays as it was."""

    kind = EntryKind.RISK
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # an answer has no cause
    questions: ClassVar = tuple(question.value for question in RiskQuestion)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {
            question.value: forms.ChoiceField(
                label=capital(question.label),
                choices=(("", "not answered"), (YES, "yes"), (NO, "no")),
                required=False,
            )
            for question in RiskQuestion
        }

    def body(self) -> dict[str, Any]:
        return {name: said == YES for name, said in super().body().items()}

    def clean_kind(self) -> None:
        if not self.body() and not self.errors:
            self.add_error(None, "Nothing is answered yet: answer at least one question.")

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        said = super()._typed_before(entry)
        return {**said, **{name: _WORD[entry.body.get(name)] for name in self.questions}}


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
    charted_template: ClassVar = "forms/symptom_list.html"

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
            System(
                label, tuple(Ticked(self[_PREFIX + term], _symptom_remark(term)) for term in terms)
            )
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


def _symptom_remark(term: str) -> str:
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
    """A CTCAE grade that a clinician gives; 0 says that it is resolved."""

    kind = EntryKind.TOXICITY
    graded_from_infusion = False
    charted_template: ClassVar = "forms/toxicity_fields.html"
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
