"""Forms for what a clinician judges and answers; one tap of the guidance panel says the same."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms

from grading.engine.vocabulary import JudgementAbout, RiskQuestion
from patients.display.text import capital
from patients.entry_form import EntryForm
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
