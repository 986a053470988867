"""The vocabulary of a chart: what can be charted, in which units, within which hard limits.

Each vital sign, device, drug, analyte and term is defined here once; forms, columns, course file
and criteria derive from it. Hard limits refuse what cannot be (values after MIMIC-Extract's
variable ranges, widened where a patient with CRS has gone beyond them); usual ranges are narrower,
and a form asks about what lies outside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self


class Labelled(StrEnum):
    """A closed vocabulary: a stable key that is stored, and a label that is shown."""

    label: str

    def __new__(cls, key: str, label: str = "") -> Self:
        member = str.__new__(cls, key)
        member._value_ = key
        member.label = label
        return member


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits, both inclusive: a value outside is refused."""

    lowest: Decimal
    highest: Decimal

    @classmethod
    def of(cls, lowest: str, highest: str) -> Limits:
        return cls(Decimal(lowest), Decimal(highest))

    def allow(self, value: Decimal) -> bool:
        return self.lowest <= value <= self.highest


class AgeBand(Labelled):
    """Ages whose pulse, breathing and pressure differ; from 18 years the adult's limits hold."""

    INFANT = "infant", "under 1 year"
    TODDLER = "toddler", "1 to 4 years"
    CHILD = "child", "5 to 11 years"
    ADOLESCENT = "adolescent", "12 to 17 years"

    @classmethod
    def of(cls, age_years: int) -> AgeBand | None:
        """Return the band of an age in completed years; None for an adult."""
        until = {1: cls.INFANT, 5: cls.TODDLER, 12: cls.CHILD, 18: cls.ADOLESCENT}
        return next((band for years, band in until.items() if age_years < years), None)


def by_age(ranges: str) -> dict[AgeBand, Limits]:
    """Limits for each band in turn, written "50-120 60-140 …"."""
    pairs = (text.split("-") for text in ranges.split())
    return {band: Limits.of(*pair) for band, pair in zip(AgeBand, pairs, strict=True)}


class Attribution(Labelled):
    """Whether a finding is ascribed to cytokine release (the paper's demand before any grading)."""

    CRS = "crs", "CRS"
    OTHER = "other", "another cause"
    UNCERTAIN = "uncertain", "uncertain"


class Sex(Labelled):
    FEMALE = "female", "female"
    MALE = "male", "male"
    OTHER = "other", "other"
    UNKNOWN = "unknown", "unknown"


@dataclass(frozen=True, slots=True)
class VitalSign:
    """One number of a set of vital signs.

    ``short`` names it on a form, ``abbreviation`` in a line. Outside ``limits`` it cannot be;
    outside ``usual`` an adult's value is asked about, a child's outside that of its age band.
    """

    key: str
    label: str
    unit: str
    limits: Limits
    short: str
    abbreviation: str
    usual: Limits
    usual_of_children: Mapping[AgeBand, Limits] = field(default_factory=dict)

    def usual_in(self, band: AgeBand | None) -> Limits:
        """Return what is usual in an age band; None is an adult."""
        return self.usual if band is None else self.usual_of_children.get(band, self.usual)


VITAL_SIGNS: Final = (
    VitalSign(
        "temperature_c", "Temperature", "°C", Limits.of("25", "45"), "Temperature", "Temp",
        usual=Limits.of("35", "41.5"),
    ),
    VitalSign(
        "systolic_mmhg", "Systolic pressure", "mmHg", Limits.of("20", "300"), "Systolic", "SBP",
        usual=Limits.of("70", "200"),
        usual_of_children=by_age("50-120 60-140 65-160 70-180"),
    ),
    VitalSign(
        "diastolic_mmhg", "Diastolic pressure", "mmHg", Limits.of("10", "200"), "Diastolic", "DBP",
        usual=Limits.of("30", "130"),
        usual_of_children=by_age("20-85 25-95 30-105 30-120"),
    ),
    VitalSign(
        "mean_arterial_pressure_mmhg", "Mean arterial pressure", "mmHg", Limits.of("15", "250"),
        "MAP", "MAP",
        usual=Limits.of("50", "140"),
        usual_of_children=by_age("35-95 40-110 45-120 50-135"),
    ),
    VitalSign(
        "heart_rate", "Heart rate", "/min", Limits.of("20", "300"), "Heart rate", "HR",
        usual=Limits.of("40", "180"),
        usual_of_children=by_age("80-220 70-200 60-190 45-180"),
    ),
    VitalSign(
        "respiratory_rate", "Respiratory rate", "/min", Limits.of("3", "100"), "Resp. rate", "RR",
        usual=Limits.of("8", "40"),
        usual_of_children=by_age("20-80 15-60 12-50 8-40"),
    ),
    VitalSign(
        "spo2_percent", "SpO₂", "%", Limits.of("30", "100"), "SpO₂", "SpO₂",
        usual=Limits.of("85", "100"),
    ),
)  # fmt: skip
"""In the order in which a set is taken. Children's are PALS ranges, widened for illness."""
VITAL_SIGN: Final = {sign.key: sign for sign in VITAL_SIGNS}

FAHRENHEIT: Final = VitalSign(
    "temperature_f", "Temperature", "°F", Limits.of("77", "113"), "Temperature", "Temp",
    usual=Limits.of("95", "106.7"),
)  # fmt: skip
"""Temperature as a form may take it; kept as typed, read exactly."""

WEIGHT_KG: Final = Limits.of("1", "350")
USUAL_WEIGHT_KG: Final = Limits.of("2.5", "200")
WEIGHT_CHANGE: Final = Decimal("0.1")
WEIGHT_CHANGE_WITHIN: Final = timedelta(days=7)
"""A weight that differs by more than this part from one charted so close to it is asked about."""
DOSE_JUMP: Final = 5
"""A dose that is this many times the one before, or its part, may be a slip of unit or point."""
AT_MOST_AHEAD: Final = timedelta(minutes=5)
"""How far a clinical time may lie after the time of charting."""
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""First and last time that can be charted or read from a file."""
FAR_FROM_INFUSION: Final = timedelta(days=60)
"""An entry further before the infusion, or an infusion further back, is asked about in a form."""
TOO_FAR_FROM_INFUSION: Final = timedelta(days=1826, hours=6)
"""Five years: a form refuses an entry further from the infusion, or an infusion further back."""
AGE_YEARS: Final = Limits.of("0", "120")
FLOW_L_PER_MIN: Final = Limits.of("0", "70")
FIO2_PERCENT: Final = Limits.of("21", "100")
FIO2_FRACTION_LOWEST: Final = Decimal("0.21")
FIO2_FRACTION_BELOW: Final = Decimal(1)


class OxygenDevice(Labelled):
    ROOM_AIR = "room_air", "Room air"
    NASAL_CANNULA = "nasal_cannula", "Nasal cannula"
    SIMPLE_MASK = "simple_mask", "Simple face mask"
    VENTURI_MASK = "venturi_mask", "Venturi mask"
    NON_REBREATHER_MASK = "non_rebreather_mask", "Non-rebreather mask"
    HIGH_FLOW_NASAL_CANNULA = "high_flow_nasal_cannula", "High-flow nasal cannula"
    CPAP = "cpap", "CPAP"
    BIPAP = "bipap", "BiPAP"
    INVASIVE_VENTILATION = "invasive_ventilation", "Invasive ventilation"
    BLOW_BY = "blow_by", "Blow-by oxygen"
    TRACHEOSTOMY_MASK = "tracheostomy_mask", "Tracheostomy mask"
    PARTIAL_REBREATHER_MASK = "partial_rebreather_mask", "Partial rebreather mask"
    ECMO = "ecmo", "ECMO"


USUAL_FLOW_L_PER_MIN: Final = {
    OxygenDevice.NASAL_CANNULA: Limits.of("0", "6"),
    OxygenDevice.SIMPLE_MASK: Limits.of("5", "70"),
    OxygenDevice.NON_REBREATHER_MASK: Limits.of("10", "70"),
    OxygenDevice.HIGH_FLOW_NASAL_CANNULA: Limits.of("0", "60"),
}


class DoseUnit(Labelled):
    UG_PER_MIN = "ug/min", "mcg/min"
    UG_PER_KG_PER_MIN = "ug/kg/min", "mcg/kg/min"
    NG_PER_KG_PER_MIN = "ng/kg/min", "ng/kg/min"
    MG_PER_H = "mg/h", "mg/h"
    UNITS_PER_MIN = "units/min", "units/min"
    UNITS_PER_H = "units/h", "units/h"
    ML_PER_H = "ml/h", "mL/h"

    @property
    def per_kg(self) -> bool:
        return "/kg/" in self


class VasopressorDrug(Labelled):
    NOREPINEPHRINE = "norepinephrine", "Norepinephrine"
    EPINEPHRINE = "epinephrine", "Epinephrine"
    DOPAMINE = "dopamine", "Dopamine"
    PHENYLEPHRINE = "phenylephrine", "Phenylephrine"
    VASOPRESSIN = "vasopressin", "Vasopressin"
    ANGIOTENSIN_II = "angiotensin_ii", "Angiotensin II"
    DOBUTAMINE = "dobutamine", "Dobutamine"
    MILRINONE = "milrinone", "Milrinone"
    OTHER_VASOPRESSOR = "other_vasopressor", "Other vasopressor"


@dataclass(frozen=True, slots=True)
class DrugFacts:
    """How an infusion is charted. ``canonical`` is the unit of Table 3 and of the limits.

    Above ``usual_highest``, or ``usual_highest_per_kg`` in the canonical unit per kg, a dose is
    asked about.
    """

    counted: bool
    canonical: DoseUnit | None
    units: tuple[DoseUnit, ...]
    limits: Limits | None
    usual_highest: Decimal | None = None
    usual_highest_per_kg: Decimal | None = None


_MASS_UNITS = (
    DoseUnit.UG_PER_MIN,
    DoseUnit.UG_PER_KG_PER_MIN,
    DoseUnit.MG_PER_H,
    DoseUnit.ML_PER_H,
)
_PER_KG_ONLY = (DoseUnit.UG_PER_KG_PER_MIN,)

DRUGS: Final[dict[VasopressorDrug, DrugFacts]] = {
    VasopressorDrug.NOREPINEPHRINE: DrugFacts(
        True, DoseUnit.UG_PER_MIN, _MASS_UNITS, Limits.of("0", "300"), Decimal(100), Decimal(3)
    ),
    VasopressorDrug.EPINEPHRINE: DrugFacts(
        True, DoseUnit.UG_PER_MIN, _MASS_UNITS, Limits.of("0", "200"), Decimal(50)
    ),
    VasopressorDrug.DOPAMINE: DrugFacts(
        True,
        DoseUnit.UG_PER_KG_PER_MIN,
        (DoseUnit.UG_PER_KG_PER_MIN, DoseUnit.UG_PER_MIN, DoseUnit.ML_PER_H),
        Limits.of("0", "50"),
        Decimal(20),
    ),
    VasopressorDrug.PHENYLEPHRINE: DrugFacts(
        True, DoseUnit.UG_PER_MIN, _MASS_UNITS, Limits.of("0", "1000"), Decimal(400)
    ),
    VasopressorDrug.VASOPRESSIN: DrugFacts(
        True,
        DoseUnit.UNITS_PER_MIN,
        (DoseUnit.UNITS_PER_MIN, DoseUnit.UNITS_PER_H, DoseUnit.ML_PER_H),
        Limits.of("0", "0.5"),
        Decimal("0.1"),
    ),
    VasopressorDrug.ANGIOTENSIN_II: DrugFacts(
        True,
        DoseUnit.NG_PER_KG_PER_MIN,
        (DoseUnit.NG_PER_KG_PER_MIN,),
        Limits.of("0", "500"),
        Decimal(80),
    ),
    VasopressorDrug.DOBUTAMINE: DrugFacts(
        False, DoseUnit.UG_PER_KG_PER_MIN, _PER_KG_ONLY, Limits.of("0", "40"), Decimal(20)
    ),
    VasopressorDrug.MILRINONE: DrugFacts(
        False, DoseUnit.UG_PER_KG_PER_MIN, _PER_KG_ONLY, Limits.of("0", "1.5"), Decimal("0.75")
    ),
    VasopressorDrug.OTHER_VASOPRESSOR: DrugFacts(True, None, (), None),
}


class TermGroup(Labelled):
    """Why a CTCAE term counts, or never does."""

    LABORATORY = "laboratory", "Laboratory and measured"
    CARDIAC = "cardiac", "Cardiac"
    NEUROLOGIC = "neurologic", "Neurologic"
    OTHER_ORGAN = "other_organ", "Other organs"
    NEVER = "never", "Shown, never counted"


_TERMS: Final[dict[TermGroup, str]] = {
    TermGroup.LABORATORY: "alt ast alp ggt bilirubin creatinine fibrinogen aptt inr lvef",
    TermGroup.CARDIAC: (
        "heart_failure left_ventricular_systolic_dysfunction supraventricular_tachycardia "
        "atrial_fibrillation ventricular_arrhythmia ventricular_fibrillation cardiac_arrest "
        "qtc_prolonged troponin_increased"
    ),
    TermGroup.NEUROLOGIC: (
        "encephalopathy confusion delirium hallucinations agitation seizure dysphasia dysarthria "
        "tremor ataxia somnolence depressed_consciousness cerebral_edema headache"
    ),
    TermGroup.OTHER_ORGAN: (
        "acute_kidney_injury urine_output_decreased ards pulmonary_edema pleural_effusion "
        "disseminated_intravascular_coagulation hemorrhage hepatic_failure ck_increased "
        "capillary_leak_syndrome multi_organ_failure hemophagocytic_lymphohistiocytosis rash "
        "nausea vomiting diarrhea"
    ),
    TermGroup.NEVER: (
        "fever chills fatigue malaise myalgia hypotension hypoxia dyspnea respiratory_failure "
        "sinus_tachycardia neutropenia febrile_neutropenia thrombocytopenia anemia "
        "tumor_lysis_syndrome sepsis"
    ),
}
_ABBREVIATIONS: Final = {"alt": "ALT", "ast": "AST", "alp": "ALP", "ggt": "GGT", "aptt": "aPTT"} | {
    "inr": "INR", "lvef": "LVEF", "ards": "ARDS", "ck_increased": "CK increased",
    "qtc_prolonged": "QTc prolonged", "il6": "IL-6", "elevated_d_dimer": "elevated D-dimer",
}  # fmt: skip

TOXICITY_TERMS: Final[dict[str, TermGroup]] = {
    term: group for group, terms in _TERMS.items() for term in terms.split()
}
TRANSAMINASES: Final = frozenset({"alt", "ast"})
HEADACHE: Final = "headache"

CONSTITUTIONAL_SYMPTOMS: Final = (
    "malaise", "fatigue", "anorexia", "myalgia", "arthralgia", "nausea", "vomiting", "headache",
    "rigors",
)  # fmt: skip
"""Table 1's constitutional row without fever, which is graded by the thermometer."""

SIGNS_SHOWN_ONLY: Final = (
    "tachypnea", "hypoxemia", "tachycardia", "widened_pulse_pressure", "increased_cardiac_output",
    "diminished_cardiac_output", "elevated_d_dimer", "hypofibrinogenemia", "bleeding", "azotemia",
    "transaminitis", "hyperbilirubinemia",
)  # fmt: skip
"""Signs of Table 1 whose grade comes from a measurement or another criterion."""

TICKS_TO_GRADE: Final = frozenset(
    term for term, group in TOXICITY_TERMS.items() if group is not TermGroup.NEVER
) - frozenset(CONSTITUTIONAL_SYMPTOMS)
"""Symptoms that are also countable toxicities: a tick asks for a CTCAE grade."""

SYMPTOM_TERMS: Final = frozenset((*CONSTITUTIONAL_SYMPTOMS, *TOXICITY_TERMS, *SIGNS_SHOWN_ONLY))


def term_label(term: str) -> str:
    """Return a CTCAE term or Table 1 symptom as it is shown."""
    return _ABBREVIATIONS.get(term) or term.replace("_", " ")


class JudgementAbout(Labelled):
    RELATIVE_HYPOTENSION = "relative_hypotension", "relative hypotension"
    REFRACTORY_HYPOTENSION = "refractory_hypotension", "refractory hypotension"
    LIFE_THREATENING = "life_threatening", "immediately life-threatening toxicity"
    PROLONGED_REACTION = "prolonged_reaction", "prolonged or recurring reaction"


class TreatmentAgent(Labelled):
    TOCILIZUMAB = "tocilizumab", "Tocilizumab"
    METHYLPREDNISOLONE = "methylprednisolone", "Methylprednisolone"
    DEXAMETHASONE = "dexamethasone", "Dexamethasone"
    HYDROCORTISONE = "hydrocortisone", "Hydrocortisone"
    SILTUXIMAB = "siltuximab", "Siltuximab"
    ANAKINRA = "anakinra", "Anakinra"
    ETANERCEPT = "etanercept", "Etanercept"
    INFLIXIMAB = "infliximab", "Infliximab"
    ANTIBIOTICS = "antibiotics", "Antibiotics"
    ANTIPYRETIC = "antipyretic", "Antipyretic"
    OTHER = "other", "Other treatment"


class NotObservedReason(Labelled):
    """Why an observation that was due was not made."""

    ASLEEP = "asleep", "asleep"
    REFUSED = "refused", "refused"
    OFF_WARD = "off_ward", "off ward"
    OTHER = "other", "another reason"


class DueObservation(Labelled):
    """What was due and not observed."""

    VITAL_SIGNS = "vital_signs", "vital signs"


class RiskQuestion(Labelled):
    EXTENSIVE_COMORBIDITIES = "extensive_comorbidities", "extensive comorbidities"
    OLDER_AGE = "older_age", "older age"
    CHRONIC_CORTICOSTEROIDS = "chronic_corticosteroids", "chronic corticosteroids"
