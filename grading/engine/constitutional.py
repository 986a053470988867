"""Fever and constitutional symptoms: what a chart says of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from grading.engine.entries import Symptom, Vitals
from grading.engine.periods import Explained
from grading.engine.policy import Policy
from grading.engine.units import at_least, format_number
from grading.engine.vocabulary import Attribution


@dataclass(slots=True)
class ConstitutionalSymptoms:
    """The latest temperature and every constitutional symptom now present."""

    policy: Policy
    temperature: Vitals | None = None
    symptoms: dict[str, Symptom] = field(default_factory=dict)

    def copied(self) -> Self:
        return replace(self, symptoms=dict(self.symptoms))

    def frozen_copy(self) -> ConstitutionalSymptoms:
        """Copy the state for explanations; the copy is never advanced."""
        return ConstitutionalSymptoms(self.policy, self.temperature, dict(self.symptoms))

    def read_under(self, policy: Policy) -> None:
        self.policy = policy

    def note_temperature(self, vitals: Vitals) -> None:
        self.temperature = vitals

    def note_symptom(self, symptom: Symptom) -> None:
        if symptom.present and symptom.counts:
            self.symptoms[symptom.term] = symptom
        else:
            self.symptoms.pop(symptom.term, None)

    @property
    def fever(self) -> bool:
        """Whether the latest temperature counts and reaches the policy's threshold."""
        vitals = self.temperature
        return (
            vitals is not None
            and vitals.temperature_c is not None
            and at_least(vitals.temperature_c, self.policy.fever_threshold_c)
            and vitals.counted("temperature_c")
        )

    def fever_charted_at(self, at: datetime) -> Vitals | None:
        """Return the temperature charted at ``at`` where it is a fever."""
        temperature = self.temperature
        if temperature is None or temperature.at != at or not self.fever:
            return None
        return temperature

    def explain_symptoms(self) -> Explained:
        named = sorted(self.symptoms.values(), key=lambda symptom: symptom.term)
        return Explained(
            tuple(symptom.id for symptom in named),
            {"terms": [symptom.term for symptom in named]},
            any(symptom.attribution is Attribution.UNCERTAIN for symptom in named),
        )

    def explain_fever(self) -> Explained:
        vitals = self.temperature
        if vitals is None or vitals.temperature_c is None:
            raise ValueError("no temperature is charted")
        params = {
            "temperature_c": format_number(vitals.temperature_c, 2),
            "threshold_c": str(self.policy.fever_threshold_c),
        }
        if vitals.temperature_f is not None:
            params["temperature_f"] = format_number(vitals.temperature_f)
        uncertain = vitals.attribution_of("temperature_c") is Attribution.UNCERTAIN
        return Explained((vitals.id,), params, uncertain)
