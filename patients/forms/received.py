"""Form that charts what another system sent and a person looked at, by one tap."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from grading.course_file import CourseFileError, read_entry
from grading.engine.dose_limits import impossible_dose
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.plausibility import questions
from grading.engine.vocabulary import AT_MOST_AHEAD, TOO_FAR_FROM_INFUSION
from patients.display.text import clock_text, date_text, day_of
from patients.forms.base import SubmittedForm
from patients.forms.confirmation import ConfirmedForm
from patients.forms.registry import CORRECTION_FORMS
from patients.models import CONFIRMED, Course, Entry, EntryKind
from patients.queries.courses import now_for
from patients.queries.exchange import ROW_KEYS
from patients.recording.inputs import NewEntry


class Proposed(NamedTuple):
    """An entry that is proposed: as the chart would hold it, and as grading reads it."""

    new: NewEntry
    parsed: ChartedEntry


class NotChartableError(ValueError):
    """A proposal is no entry as it stands; ``sentence`` says what is missing or wrong."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def proposed_entry(proposal: Mapping[str, Any]) -> Proposed:
    """Read a proposal, which is an entry in the words of the course file.

    Raises NotChartableError where it lacks something, such as a concentration.
    """
    entry_id = uuid.uuid4()
    try:
        parsed = read_entry({**_without_links(proposal), "id": str(entry_id)})
    except CourseFileError as error:
        raise NotChartableError(_sentence(error)) from None
    except (TypeError, ValueError, KeyError):
        raise NotChartableError("It cannot be read as an entry.") from None
    replaces = proposal.get("replaces")
    new = NewEntry(
        kind=EntryKind(parsed.kind),
        at=parsed.at,
        body={key: value for key, value in proposal.items() if key not in ROW_KEYS},
        replaces=uuid.UUID(replaces) if replaces else None,
        id=entry_id,
        parsed=parsed,
    )
    return Proposed(new, parsed)


def _without_links(proposal: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in proposal.items() if key not in {"recorded_at", "replaces"}}


def _sentence(error: CourseFileError) -> str:
    sentences = [fault.message.replace("ug/", "mcg/") for fault in error.faults]
    return "; ".join(one[:1].upper() + one[1:] for one in sentences)


class ProposalForm(ConfirmedForm, SubmittedForm):
    """Entries that another system proposed; it complains and asks as the forms of these kinds do.

    Nothing is typed in it: ``proposed`` is what it charts. It is valid once its questions were
    answered with yes.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        now: datetime,
        proposed: Sequence[Proposed],
    ) -> None:
        super().__init__(data)
        self.course, self.now, self.proposed = course, now, proposed

    def clean(self) -> dict[str, Any]:
        for place, one in enumerate(self.proposed):
            if one.new.kind == EntryKind.RETRACTION:
                continue  # its values were asked about when they were charted
            sentence = self._refusal(one)
            if sentence:
                self.add_error(None, sentence)
            else:
                self._ask(place, one)
        return self.cleaned_data

    def _refusal(self, one: Proposed) -> str:
        """Return why no form would chart this entry, "" where one would."""
        at, infused_at = one.new.at, self.course.infused_at
        latest = max(now_for(self.course), self.now) + AT_MOST_AHEAD
        if at > latest:
            return f"Its time, {clock_text(at, self.now)}, is ahead of the clock."
        if abs(at - infused_at) > TOO_FAR_FROM_INFUSION:
            where = "before" if at < infused_at else "after"
            return f"{date_text(day_of(at))} is more than 5 years {where} the infusion."
        if at < infused_at and CORRECTION_FORMS[one.new.kind].graded_from_infusion:
            infused = clock_text(infused_at, self.now)
            return f"Its time is before the infusion ({infused}) and does not count."
        return ""

    def _ask(self, place: int, one: Proposed) -> None:
        form = CORRECTION_FORMS[one.new.kind](course=self.course, now=self.now)
        form.observed_at = one.new.at
        if one.new.replaces is not None:  # what it corrects is no other dose or weight
            form.correcting = Entry.objects.filter(pk=one.new.replaces, course=self.course).first()
        circumstances = form.circumstances(one.parsed)
        impossible = impossible_dose(one.parsed, circumstances.weight_kg)
        if impossible is not None:
            self.add_error(None, impossible.sentence)
            return
        for question in questions(one.parsed, circumstances):
            self.ask(question.place, question.sentence, place)

    @property
    def confirm_label(self) -> str:
        """What the button says that confirms the questions: "78 is right, save"."""
        if len(self.questions) > 1:
            return "Values are right, save"
        question = self.questions[0]
        sent = str(self.proposed[question.place].new.body.get(question.field_name) or "")
        short = len(sent) <= 8 and sent.replace(".", "", 1).isdecimal()
        return f"{sent} is right, save" if short else "Value is right, save"

    def new_entries(self) -> list[NewEntry]:
        """Return the entries to record; call it on a valid form."""
        return [replace(one.new) for one in self.proposed]

    def submission_answers(self) -> dict[str, Any]:
        """Return the questions that were confirmed."""
        answers = super().submission_answers()
        if self.questions:
            answers[CONFIRMED] = [[each.place, each.sentence] for each in self.questions]
        return answers
