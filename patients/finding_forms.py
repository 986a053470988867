"""Forms for what is found and given: results, toxicities, symptoms, treatments, the baseline."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django import forms

from grading.engine.vocabulary import (
    CONSTITUTIONAL_SYMPTOMS,
    LAB_UNITS,
    SIGNS_SHOWN_ONLY,
    TICKS_TO_GRADE,
    TOXICITY_TERMS,
    VITAL_SIGN,
    Analyte,
    TermGroup,
    TreatmentAgent,
    term_label,
)
from patients.entry_form import EntryForm
from patients.fields import TypedNumberField, choices_of
from patients.lab_panel import LabPanelForm
from patients.models import Entry, EntryKind
from patients.wording import lab_unit_text

_YES: Final = "yes"
_NO: Final = "no"


def _unit_choices() -> list[tuple[str, str]]:
    """Every unit that a result is reported in, once; the reader holds each analyte to its own."""
    names = dict.fromkeys(unit.name for units in LAB_UNITS.values() for unit in units)
    return [
        ("", "Choose the unit"),
        *((name, lab_unit_text(name) or name) for name in names),
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _term_choices() -> list[tuple[str, Any]]:
    """CTCAE terms by why they count, the countable groups first."""
    groups = groupby(TOXICITY_TERMS.items(), key=lambda item: item[1])
    return [
        ("", "Choose the toxicity"),
        *(
            (group.label, [(term, _capital(term_label(term))) for term, _ in terms])
            for group, terms in groups
            if group is not TermGroup.LABORATORY
        ),
        (
            TermGroup.LABORATORY.label,
            [
                (t, _capital(term_label(t)))
                for t, g in TOXICITY_TERMS.items()
                if g is TermGroup.LABORATORY
            ],
        ),
    ]


def _symptom_choices() -> list[tuple[str, Any]]:
    """Table 1 as it is ticked: constitutional, those that want a CTCAE grade, other signs."""

    def listed(terms: Any) -> list[tuple[str, str]]:
        return [(term, _capital(term_label(term))) for term in terms]

    organs = sorted(
        term for term in TICKS_TO_GRADE if TOXICITY_TERMS[term] is not TermGroup.LABORATORY
    )
    return [
        ("", "Choose the symptom"),
        ("Constitutional", listed(CONSTITUTIONAL_SYMPTOMS)),
        ("Asks for a CTCAE grade", listed(organs)),
        ("Shown, graded elsewhere", listed(SIGNS_SHOWN_ONLY)),
    ]


class LabForm(EntryForm):
    """One result with the limits of normal of its report: what a correction of it asks."""

    kind = EntryKind.LAB
    graded_from_infusion = False

    analyte = forms.ChoiceField(
        label="Analyte",
        choices=choices_of(Analyte, "Choose the analyte"),
        error_messages={"required": "Choose the analyte."},
    )
    comparator = forms.ChoiceField(
        label="Reported as",
        choices=(("", "the value"), ("<", "below (<)"), (">", "above (>)")),
        required=False,
    )
    value = TypedNumberField(
        label="Result", required=True, error_messages={"required": "Give the result."}
    )
    unit = forms.ChoiceField(
        label="Unit",
        choices=_unit_choices(),
        error_messages={"required": "Choose the unit of the report."},
    )
    upper_limit = TypedNumberField(label="Upper limit of normal", above_zero=True)
    lower_limit = TypedNumberField(label="Lower limit of normal")


class ToxicityForm(EntryForm):
    """A CTCAE grade that a clinician gives; 0 says that it is resolved."""

    kind = EntryKind.TOXICITY
    graded_from_infusion = False

    term = forms.ChoiceField(
        label="Toxicity",
        choices=_term_choices(),
        error_messages={"required": "Choose the toxicity."},
    )
    grade = forms.ChoiceField(
        label="CTCAE grade",
        choices=(("", "Choose the grade"), ("0", "0, resolved"), *((n, n) for n in "1234")),
        error_messages={"required": "Choose the CTCAE grade; 0 says that it is resolved."},
    )


class SymptomForm(EntryForm):
    """A symptom of Table 1, there or gone."""

    kind = EntryKind.SYMPTOM

    term = forms.ChoiceField(
        label="Symptom",
        choices=_symptom_choices(),
        error_messages={"required": "Choose the symptom."},
    )
    present = forms.ChoiceField(
        label="Now", choices=((_YES, "present"), (_NO, "absent")), initial=_YES
    )

    def body(self) -> dict[str, Any]:
        body = super().body()
        return {**body, "present": body.get("present") == _YES} if "present" in body else body

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        said = super()._typed_before(entry)
        return {**said, "present": _YES if entry.body["present"] else _NO}


class TreatmentForm(EntryForm):
    """A drug given against the syndrome or beside it."""

    kind = EntryKind.TREATMENT
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a treatment has no cause

    agent = forms.ChoiceField(
        label="Given",
        choices=choices_of(TreatmentAgent, "Choose what was given"),
        error_messages={"required": "Choose what was given."},
    )
    dose_mg = TypedNumberField(label="Dose", unit="mg", above_zero=True)

    def clean_kind(self) -> None:
        other = self.cleaned_data.get("agent") == TreatmentAgent.OTHER
        if other and not self.cleaned_data.get("note"):
            self.add_error("note", "Name the treatment here.")


class BaselineForm(EntryForm):
    """What was normal before therapy; it holds for the whole course, back to its start."""

    kind = EntryKind.BASELINE
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a baseline has no cause

    systolic_mmhg = TypedNumberField(
        label="Systolic", unit="mmHg", limits=VITAL_SIGN["systolic_mmhg"].limits
    )
    diastolic_mmhg = TypedNumberField(
        label="Diastolic", unit="mmHg", limits=VITAL_SIGN["diastolic_mmhg"].limits
    )
    mean_arterial_pressure_mmhg = TypedNumberField(
        label="MAP", unit="mmHg", limits=VITAL_SIGN["mean_arterial_pressure_mmhg"].limits
    )
    creatinine_mg_dl = TypedNumberField(label="Creatinine", unit="mg/dL")
    lvef_percent = TypedNumberField(label="LVEF", unit="%")
    fibrinogen_mg_dl = TypedNumberField(label="Fibrinogen", unit="mg/dL")

    def clean_kind(self) -> None:
        if not self.body() and not self.errors:
            self.add_error(None, "Nothing is given yet: give at least one baseline value.")
        high, low = (self.cleaned_data.get(key) for key in ("systolic_mmhg", "diastolic_mmhg"))
        if high and low and Decimal(low) >= Decimal(high):
            self.add_error("diastolic_mmhg", f"{low} is not below the systolic pressure, {high}.")


FINDING_FORMS: Final = (LabPanelForm, ToxicityForm, SymptomForm, TreatmentForm, BaselineForm)
