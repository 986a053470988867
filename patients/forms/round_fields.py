"""The fields of a round: ICE or CAPD, how awake, a seizure, weakness and signs of pressure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django import forms

from grading.engine.scale_vocabulary import (
    CAPD_SCORE,
    SEIZURE_MINUTES,
    ConsciousnessLevel,
    NeuroSignName,
    NotPerformedReason,
    SeizureType,
)
from grading.engine.vocabulary import Attribution
from patients.display.ice_due import CAPD, ICE
from patients.display.ice_questions import QUESTIONS
from patients.forms.base import BedsideForm
from patients.forms.fields import (
    NO,
    YES,
    ClockTimeField,
    IsoDateField,
    TickField,
    TypedNumberField,
    choices_of,
)
from patients.forms.times import WHICH_CHOICES
from patients.models import EntryKind

RIGHT: Final = "right"
WRONG: Final = "wrong"
NO_SEIZURE: Final = "none"
ASKED: Final = "ask_"
SIGN: Final = "sign_"
CAUSE: Final = "cause_"
CAUSE_REASON: Final = "cause_reason_"
REASON_LENGTH: Final = 90
EXAMINED: Final = (
    NeuroSignName.FOCAL_WEAKNESS,
    NeuroSignName.POSTURING,
    NeuroSignName.SIXTH_NERVE_PALSY,
    NeuroSignName.PAPILLEDEMA,
    NeuroSignName.CUSHING_TRIAD,
)
"""The signs that are looked for at the bed."""
SCANNED: Final = (NeuroSignName.FOCAL_EDEMA, NeuroSignName.DIFFUSE_EDEMA)
"""The signs that only a scan shows."""
THINGS: Final = {
    EntryKind.ICE.value: "ICE",
    EntryKind.CAPD.value: "CAPD",
    EntryKind.CONSCIOUSNESS.value: "How awake",
    EntryKind.SEIZURE.value: "Seizure",
    EntryKind.NEURO_SIGN.value: "Weakness, pressure, scan",
}
"""What has a cause of its own, with the words of the form."""


def _radios(choices: Iterable[tuple[str, str]], label: str, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=list(choices), required=False, widget=forms.RadioSelect, **options
    )


def _generated() -> dict[str, forms.Field]:
    """Return a field for each question, sign and cause."""
    answers = ((RIGHT, "Right"), (WRONG, "Wrong"))
    fields: dict[str, forms.Field] = {
        ASKED + question.name: _radios(answers, question.label) for question in QUESTIONS
    }
    for sign in NeuroSignName:
        fields[SIGN + sign] = _radios(((YES, "present"), (NO, "not present")), sign.label)
    for thing, label in THINGS.items():
        fields[CAUSE + thing] = forms.ChoiceField(
            label=f"{label}: due to",
            choices=(
                ("", "CRS or its neurotoxicity"),
                (Attribution.OTHER.value, "another cause: not counted"),
                (Attribution.UNCERTAIN.value, "uncertain: counted"),
            ),
            required=False,
        )
        fields[CAUSE_REASON + thing] = forms.CharField(
            label=f"{label}: which cause, or why uncertain",
            required=False,
            max_length=REASON_LENGTH,
        )
    return fields


class RoundFields(BedsideForm):
    """What a round asks; nothing of it is required but which tool the form offered."""

    generated_fields: ClassVar = _generated()

    tool = forms.ChoiceField(choices=((ICE, "ICE"), (CAPD, "CAPD")), widget=forms.HiddenInput)
    capd_score = _radios(
        ((str(n), str(n)) for n in range(int(CAPD_SCORE.lowest), int(CAPD_SCORE.highest) + 1)),
        "CAPD total score",
    )
    not_done = _radios(choices_of(NotPerformedReason), "Why it could not be done")
    handwriting = forms.CharField(label="How it was written", required=False, max_length=200)
    level = _radios(choices_of(ConsciousnessLevel), "How awake")
    seizure_type = _radios(
        ((NO_SEIZURE, "No seizure"), *choices_of(SeizureType)), "Seizure since the last round"
    )
    seizure_minutes = TypedNumberField(label="How long", unit="min", limits=SEIZURE_MINUTES)
    seizure_time = ClockTimeField(
        label="Began at", required=False, widget=forms.TimeInput(format="%H:%M")
    )
    seizure_date = IsoDateField(
        label="Day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    seizure_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )
    seizure_stopped = _radios(
        ((YES, "It has stopped"), (NO, "It has not stopped")), "Whether the seizure has stopped"
    )
    seizure_repeated = TickField(label="Several, not awake between")
    signs_none = TickField(label="All looked for, none present")
    scan_none = TickField(label="Scan seen, no swelling")
    bleeding = TickField(label="Around a bleeding")
