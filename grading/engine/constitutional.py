"""Fever and constitutional symptoms: Table 2, grade 1."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Self

from grading.engine.entries import Symptom, Vitals
from grading.engine.periods import Assessed, Explain, Explained
from grading.engine.policy import Policy
from grading.engine.units import at_least, format_number
from grading.engine.vocabulary import Attribution

FEVER: Final = "symptom.fever"
CONSTITUTIONAL: Final = "symptom.constitutional"

_NOTHING: Final[Assessed] = ((), ())
_BY_FINDING: Final[dict[tuple[bool, bool], Assessed]] = {
    (False, False): _NOTHING,
    (True, False): ((FEVER,), ()),
    (False, True): ((CONSTITUTIONAL,), ()),
    (True, True): ((FEVER, CONSTITUTIONAL), ()),
}


@dataclass(slots=True)
class ConstitutionalSymptoms:
    """The latest temperature and every constitutional symptom now present."""

    policy: Policy
    temperature: Vitals | None = None
    symptoms: dict[str, Symptom] = field(default_factory=dict)

    def copied(self) -> Self:
        return replace(self, symptoms=dict(self.symptoms))

    def explainer(self) -> Explain:
        """Return an explainer of the present findings that later entries do not change."""
        return ConstitutionalSymptoms(self.policy, self.temperature, dict(self.symptoms)).explain

    def read_under(self, policy: Policy) -> None:
        self.policy = policy

    def note_temperature(self, vitals: Vitals) -> None:
        self.temperature = vitals

    def note_symptom(self, symptom: Symptom) -> None:
        if symptom.present and symptom.counts:
            self.symptoms[symptom.term] = symptom
        else:
            self.symptoms.pop(symptom.term, None)

    def assess(self) -> Assessed:
        return _BY_FINDING[self._fever(), bool(self.symptoms)]

    def _fever(self) -> bool:
        vitals = self.temperature
        return (
            vitals is not None
            and vitals.temperature_c is not None
            and at_least(vitals.temperature_c, self.policy.fever_threshold_c)
            and vitals.counted("temperature_c")
        )

    def explain(self, code: str) -> Explained:
        if code == FEVER:
            return self._explain_fever()
        named = sorted(self.symptoms.values(), key=lambda symptom: symptom.term)
        return Explained(
            tuple(symptom.id for symptom in named),
            {"terms": [symptom.term for symptom in named]},
            any(symptom.attribution is Attribution.UNCERTAIN for symptom in named),
        )

    def _explain_fever(self) -> Explained:
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
