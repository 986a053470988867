"""Forms that correct one thing of a round: ICE, CAPD, how awake, a seizure, a sign."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms

from grading.engine.scale_vocabulary import (
    CAPD_SCORE,
    ICE_PARTS,
    ICE_SCORE,
    SEIZURE_MINUTES,
    ConsciousnessLevel,
    NeuroSignName,
    NotPerformedReason,
    SeizureType,
)
from patients.display.ice_questions import PARTS
from patients.forms.entry_form import EntryForm
from patients.forms.fields import NO, WORD_OF, YES, TickField, TypedNumberField, choices_of
from patients.forms.presence import PresenceForm
from patients.models import Entry, EntryKind

NOT_STATED: Final = "not_stated"
_ANSWERS: Final = (("", "not stated"), (YES, "yes"), (NO, "no"))


def _not_done() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Could not be done",
        choices=[
            *choices_of(NotPerformedReason, "it was done"),
            (NOT_STATED, "reason not stated"),
        ],
        required=False,
    )


class _AssessmentForm(EntryForm):
    """A score, or why there is none."""

    field_of_place: ClassVar = {"reason": "not_done", "performed": "not_done", "": "score"}

    def body(self) -> dict[str, Any]:
        body = super().body()
        reason = body.pop("not_done", "")
        if not reason:
            return body
        return body | {"performed": False} | ({} if reason == NOT_STATED else {"reason": reason})

    def clean_kind(self) -> None:
        body = self.bodies[0] if self.bodies else {}
        points = {name for name in self.own_fields() if body.get(name)}
        if self.cleaned_data.get("not_done") and points:
            self.add_error("not_done", "There are points too: clear either them or this reason.")
        elif not self.cleaned_data.get("not_done") and not points and not self.errors:
            self.add_error("score", "Enter the points, or why it could not be done.")

    def values_of(self, entry: Entry) -> dict[str, Any]:
        values = super().values_of(entry)
        why = entry.body.get("reason") or NOT_STATED
        # The form's own ``reason`` is that of the correction.
        return {
            **values,
            "reason": "",
            "not_done": why if entry.body.get("performed") is False else "",
        }


class IceForm(_AssessmentForm):
    """The points of ICE by part, or its whole score."""

    kind = EntryKind.ICE
    generated_fields: ClassVar = {
        part.name: forms.ChoiceField(
            label=part.label,
            choices=[
                ("", "not asked"),
                *((str(n), f"{n} of {most}") for n in range(most, -1, -1)),
            ],
            required=False,
        )
        for part in PARTS
        for most in (ICE_PARTS[part.name],)
    }

    score = TypedNumberField(
        label="Whole score",
        limits=ICE_SCORE,
        help_text="Only where the parts are not known",
    )
    not_done = _not_done()

    def own_fields(self) -> list[str]:
        return [*(part.name for part in PARTS), "score", "not_done"]

    def clean_kind(self) -> None:
        if self.cleaned_data.get("score") and any(
            self.cleaned_data.get(part.name) for part in PARTS
        ):
            self.add_error("score", "Enter the whole score or the parts, not both.")
        super().clean_kind()


class CapdForm(_AssessmentForm):
    """The sum of CAPD."""

    kind = EntryKind.CAPD

    score = TypedNumberField(label="CAPD total score", limits=CAPD_SCORE)
    not_done = _not_done()


class ConsciousnessForm(EntryForm):
    """How awake the patient is."""

    kind = EntryKind.CONSCIOUSNESS

    level = forms.ChoiceField(
        label="How awake",
        choices=choices_of(ConsciousnessLevel, "Choose"),
        error_messages={"required": "Choose how awake the patient is."},
    )


class SeizureForm(EntryForm):
    """A seizure that began at the time of the entry."""

    kind = EntryKind.SEIZURE

    seizure_type = forms.ChoiceField(
        label="Seizure",
        choices=choices_of(SeizureType, "Choose the kind"),
        error_messages={"required": "Choose the kind of seizure."},
    )
    duration_minutes = TypedNumberField(label="How long", unit="min", limits=SEIZURE_MINUTES)
    resolved = forms.ChoiceField(label="It has stopped", choices=_ANSWERS, required=False)
    repetitive_without_recovery = TickField(label="Several, not awake between")

    def body(self) -> dict[str, Any]:
        body = super().body()
        stopped = body.pop("resolved", "")
        if body.pop("repetitive_without_recovery", ""):
            body["repetitive_without_recovery"] = True
        return body | ({"resolved": stopped == YES} if stopped else {})

    def values_of(self, entry: Entry) -> dict[str, Any]:
        repeated = entry.body.get("repetitive_without_recovery") is True
        return {
            **super().values_of(entry),
            "resolved": WORD_OF[entry.body.get("resolved")],
            "repetitive_without_recovery": YES if repeated else "",
        }


class NeuroSignForm(PresenceForm):
    """One sign: weakness, raised pressure, or swelling on a scan."""

    kind = EntryKind.NEURO_SIGN

    sign = forms.ChoiceField(
        label="Sign",
        choices=choices_of(NeuroSignName, "Choose the sign"),
        error_messages={"required": "Choose the sign."},
    )
    present = forms.ChoiceField(label="Now", choices=((YES, "present"), (NO, "not present")))
