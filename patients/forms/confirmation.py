"""Questions that a form asks before it is saved, and how they are answered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from patients.forms.base import BedsideForm
from patients.models import CONFIRMED, Patient

OBSERVED_THEN: Final = "observed_then"
"""Name of the button that answers: observed when it was typed."""


@dataclass(frozen=True, slots=True)
class ConfirmQuestion:
    """``sentence`` is what is unusual about ``field_name``, in the entry at ``place`` of the act.

    ``alternative`` is a second answer: the label, the name and the value of its button.
    """

    field_name: str
    sentence: str
    place: int = 0
    alternative: tuple[str, str, str] | None = None


def questions_digest(questions: Sequence[ConfirmQuestion]) -> str:
    """Return the value that a yes to exactly these questions is sent with."""
    words = repr([(question.field_name, question.sentence) for question in questions])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _is_short_number(typed: str) -> bool:
    return len(typed) <= 8 and typed.replace(".", "", 1).isdecimal()


class ConfirmedForm(BedsideForm):
    """Form that is valid only after its questions were answered with yes.

    A yes holds for the questions that were shown: values typed later are asked about again.
    ``named`` are the patients whom questions name, and whom the address of the page does not.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.questions: list[ConfirmQuestion] = []
        self.named: list[Patient] = []
        super().__init__(*args, **options)

    def is_valid(self) -> bool:
        """Return whether nothing is wrong and everything unusual was confirmed."""
        return super().is_valid() and not self.unconfirmed

    def ask(self, field_name: str, sentence: str, place: int = 0) -> None:
        """Ask before saving about a value that is possible and unusual."""
        self.questions.append(ConfirmQuestion(field_name, sentence, place))

    def ask_about(self, patient: Patient, field_name: str, sentence: str) -> None:
        """Ask whether this is ``patient``, whom the sentence names."""
        self.named.append(patient)
        self.ask(field_name, sentence)

    @property
    def questions_digest(self) -> str:
        return questions_digest(self.questions)

    @property
    def unconfirmed(self) -> bool:
        """Whether a question was not answered with yes."""
        return bool(self.questions) and self.data.get(CONFIRMED) != self.questions_digest

    @property
    def confirm_label(self) -> str:
        """What the button says that confirms the questions: "38 is right, save"."""
        if len(self.questions) > 1:
            return "Values are right, save"
        typed = str(self.data.get(self.questions[0].field_name) or "")
        return f"{typed} is right, save" if _is_short_number(typed) else "Value is right, save"

    @property
    def unconfirmed_fields(self) -> set[str]:
        """Names of the fields that an unanswered question is about."""
        return {question.field_name for question in self.questions} if self.unconfirmed else set()
