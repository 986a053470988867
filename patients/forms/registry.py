"""The form that charts each kind of entry, and the form that corrects it."""

from __future__ import annotations

from typing import Final

from patients.forms.care import BloodProductForm, PlaceOfCareForm
from patients.forms.entry_form import EntryForm
from patients.forms.findings import (
    JudgementForm,
    RiskForm,
    SymptomCorrectionForm,
    SymptomForm,
    ToxicityForm,
)
from patients.forms.ice_round import IceRoundForm
from patients.forms.laboratory import LabForm, LabPanelForm
from patients.forms.neurology import (
    CapdForm,
    ConsciousnessForm,
    IceForm,
    NeuroSignForm,
    SeizureForm,
)
from patients.forms.notes import DeathForm, NoteForm, NotObservedForm
from patients.forms.observations import OxygenForm, VitalsForm
from patients.forms.patient_facts import BaselineForm, WeightForm
from patients.forms.treatments import FluidBolusForm, TreatmentForm, VasopressorForm

FINDING_FORMS: Final = (LabPanelForm, ToxicityForm, SymptomForm, TreatmentForm, BaselineForm)

ENTRY_FORMS: Final[dict[str, type[EntryForm]]] = {
    form.kind.value: form
    for form in (
        VitalsForm,
        OxygenForm,
        VasopressorForm,
        FluidBolusForm,
        WeightForm,
        *FINDING_FORMS,
        RiskForm,
        JudgementForm,
        IceRoundForm,
        PlaceOfCareForm,
        BloodProductForm,
        NoteForm,
        NotObservedForm,
        DeathForm,
    )
}

CORRECTION_FORMS: Final = ENTRY_FORMS | {
    form.kind.value: form
    for form in (
        LabForm,
        SymptomCorrectionForm,
        IceForm,
        CapdForm,
        ConsciousnessForm,
        SeizureForm,
        NeuroSignForm,
    )
}
"""Form that corrects an entry of each kind: one result of a panel, one thing of a round."""
