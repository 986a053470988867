"""Sources, citations and thresholds: where every clinical number comes from.

Each number of the paper is defined here once, with its citation. What the paper leaves open is in
``policy``, where a site may change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from grading.engine.analytes import Analyte
from grading.engine.units import EXACT
from grading.engine.vocabulary import Limits, TreatmentAgent, VasopressorDrug

SOURCES: Final[dict[str, str]] = {
    "lee-2014": (
        "Lee DW, Gardner R, Porter DL, et al. Current concepts in the diagnosis and management of "
        "cytokine release syndrome. Blood 2014;124(2):188-195"
    ),
    "ctcae-4.03": (
        "National Cancer Institute. Common Terminology Criteria for Adverse Events, v4.03, 2010"
    ),
    "pals": "Pediatric Advanced Life Support: systolic pressure limits by age",
    "mahadeo-2019": "Mahadeo KM, et al. Nat Rev Clin Oncol 2019;16:45-63",
    "us-label-tocilizumab": (
        "US prescribing information of tocilizumab, cytokine release syndrome after CAR T cells"
    ),
    "astct-2019": (
        "Lee DW, et al. ASTCT consensus grading for cytokine release syndrome and neurologic "
        "toxicity. Biol Blood Marrow Transplant 2019;25:625-638"
    ),
    "penn-2018": "Porter D, et al. J Hematol Oncol 2018;11:35",
    "cartox-2018": "Neelapu SS, et al. Nat Rev Clin Oncol 2018;15:47-62",
    "mskcc-2018": "Park JH, et al. N Engl J Med 2018;378:449-459",
    "ctcae-5.0": (
        "National Cancer Institute. Common Terminology Criteria for Adverse Events, v5.0, 2017"
    ),
    "ctcae-6.0": (
        "National Cancer Institute. Common Terminology Criteria for Adverse Events, v6.0, 2025"
    ),
    "decision": "Decision of this ruleset where the paper is silent; see the grading rules",
}


_SHORT_NAMES: Final = {
    "lee-2014": "Lee 2014",
    "ctcae-4.03": "CTCAE v4.03",
    "us-label-tocilizumab": "US label, tocilizumab",
    "astct-2019": "ASTCT 2019",
    "penn-2018": "Penn 2018",
    "cartox-2018": "CARTOX 2018",
    "mskcc-2018": "MSKCC 2018",
    "ctcae-5.0": "CTCAE v5.0",
    "ctcae-6.0": "CTCAE v6.0",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a source, precise enough to open the page."""

    source: str
    place: str

    def __str__(self) -> str:
        if self.source in _SHORT_NAMES:
            return f"{_SHORT_NAMES[self.source]}, {self.place}"
        if self.source == "decision":
            return f"Site rule (not in the paper): {self.place}"
        return f"{SOURCES[self.source].split(':')[0].split(',')[0]}, {self.place}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that decides a grade, its unit and its citation."""

    value: Decimal
    unit: str
    citation: Citation


def _lee(place: str) -> Citation:
    return Citation("lee-2014", place)


def threshold(value: str, unit: str, citation: Citation) -> Threshold:
    """Return a threshold of ``value``, an exact decimal number."""
    return Threshold(Decimal(value), unit, citation)


OXYGEN_HIGH: Final = threshold("40", "% FiO2", _lee("Table 2, grades 2 and 3"))
ROOM_AIR_FIO2: Final = threshold("21", "% FiO2", Citation("decision", "air is no requirement"))
FIO2_ESTIMATE_DOUBTFUL_FROM: Final = threshold(
    "36", "% FiO2", Citation("decision", "an estimate close to 40 % leaves the grade open")
)
CANNULA_FIO2_BASE: Final = threshold(
    "20", "% FiO2", Citation("decision", "nasal cannula rule, 20 + 4 x L/min")
)
CANNULA_FIO2_PER_L: Final = threshold(
    "4", "% FiO2 per L/min", Citation("decision", "nasal cannula rule, 20 + 4 x L/min")
)
CANNULA_FIO2_FARTHEST: Final = threshold(
    "40", "% FiO2", Citation("decision", "a charted FiO2 this far from the estimate is asked about")
)


def cannula_fio2_percent(flow_l_per_min: Decimal) -> Decimal:
    """Return the FiO2, in percent, that a nasal cannula is estimated to give at its flow."""
    by_flow = EXACT.multiply(CANNULA_FIO2_PER_L.value, flow_l_per_min)
    return EXACT.add(CANNULA_FIO2_BASE.value, by_flow)


CANNULA_LOW_FLOW_UP_TO: Final = threshold(
    "6", "L/min", Citation("decision", "alternative nasal cannula rule, low flow up to 6 L/min")
)

TABLE_3_MONOTHERAPY: Final[dict[VasopressorDrug, Threshold]] = {
    VasopressorDrug.NOREPINEPHRINE: threshold("20", "ug/min", _lee("Table 3, norepinephrine")),
    VasopressorDrug.DOPAMINE: threshold("10", "ug/kg/min", _lee("Table 3, dopamine")),
    VasopressorDrug.PHENYLEPHRINE: threshold("200", "ug/min", _lee("Table 3, phenylephrine")),
    VasopressorDrug.EPINEPHRINE: threshold("10", "ug/min", _lee("Table 3, epinephrine")),
}
TABLE_3_WITH_VASOPRESSIN: Final = threshold(
    "10", "ug/min norepinephrine equivalent", _lee("Table 3, if on vasopressin")
)
TABLE_3_COMBINATION: Final = threshold(
    "20", "ug/min norepinephrine equivalent", _lee("Table 3, combination without vasopressin")
)
VASST_DIVISOR: Final[dict[VasopressorDrug, Threshold]] = {
    VasopressorDrug.NOREPINEPHRINE: threshold(
        "1", "per ug/min", _lee("Table 3, footnote VASST, norepinephrine")
    ),
    VasopressorDrug.DOPAMINE: threshold(
        "2", "per ug/kg/min", _lee("Table 3, footnote VASST, dopamine")
    ),
    VasopressorDrug.EPINEPHRINE: threshold(
        "1", "per ug/min", _lee("Table 3, footnote VASST, epinephrine")
    ),
    VasopressorDrug.PHENYLEPHRINE: threshold(
        "10", "per ug/min", _lee("Table 3, footnote VASST, phenylephrine")
    ),
}
"""VASST trial: norepinephrine + dopamine / 2 + epinephrine + phenylephrine / 10."""

ASTCT_LOW_FLOW_UP_TO: Final = threshold("6", "L/min", Citation("astct-2019", "Table 2, footnote"))
PROLONGED_SEIZURE: Final = threshold("5", "min", Citation("astct-2019", "Table 5, grade 4"))
MSKCC_LONG_SUPPORT: Final = threshold(
    "1440", "min of vasopressor", Citation("mskcc-2018", "grades 2 and 3")
)
ICE_GRADES: Final = ((7, 9, 1), (3, 6, 2), (0, 2, 3))
"""ICE from, to, and the ICANS grade it is (ASTCT 2019, Table 5); 10 is none."""
CAPD_SEVERE_FROM: Final = threshold("9", "points", Citation("astct-2019", "Table 6, grade 3"))

BITARTRATE_PER_BASE: Final = threshold(
    "2", "ug bitartrate per ug base", Citation("decision", "norepinephrine expressed as bitartrate")
)

PALS_NEONATE_DAYS: Final = threshold("28", "days", Citation("pals", "up to 28 days"))
PALS_NEONATE_SBP: Final = threshold("60", "mmHg", Citation("pals", "up to 28 days"))
PALS_INFANT_YEARS: Final = threshold("1", "years", Citation("pals", "1 to 12 months"))
PALS_INFANT_SBP: Final = threshold("70", "mmHg", Citation("pals", "1 to 12 months"))
PALS_CHILD_YEARS: Final = threshold("10", "years", Citation("pals", "1 to 10 years"))
PALS_CHILD_SBP: Final = threshold("70", "mmHg", Citation("pals", "70 + 2 x age in years"))
PALS_CHILD_SBP_PER_YEAR: Final = threshold("2", "mmHg", Citation("pals", "70 + 2 x age in years"))
PALS_OLDER_SBP: Final = threshold("90", "mmHg", Citation("pals", "10 years and over"))


LABEL_DOSE: Final = Citation("us-label-tocilizumab", "dosage")
LABEL_BELOW_STEP: Final = threshold("12", "mg/kg below the step", LABEL_DOSE)
LABEL_MOST: Final = threshold("800", "mg a dose", LABEL_DOSE)
LABEL_DOSES: Final = threshold("4", "doses in all", LABEL_DOSE)
LABEL_INTERVAL: Final = threshold("8", "h between doses", LABEL_DOSE)


@dataclass(frozen=True, slots=True)
class DoseLimits:
    """Amounts of one dose: outside ``limits`` impossible, above a ``usual`` one asked about.

    ``is_expected``: a treatment charted without its dose is asked about.
    """

    limits: Limits
    usual_highest: Decimal | None = None
    usual_highest_per_kg: Decimal | None = None
    is_expected: bool = True


FLUID_BOLUS_ML: Final = DoseLimits(Limits.of("1", "5000"), Decimal(1000), Decimal(20))
"""A bolus of an adult below ``FLUID_BOLUS_SMALL_ML`` is asked about too (decision)."""
FLUID_BOLUS_SMALL_ML: Final = Decimal(50)
TREATMENT_MG: Final[dict[TreatmentAgent, DoseLimits]] = {
    TreatmentAgent.TOCILIZUMAB: DoseLimits(
        Limits.of("1", "1600"), LABEL_MOST.value, LABEL_BELOW_STEP.value
    ),
    TreatmentAgent.METHYLPREDNISOLONE: DoseLimits(
        Limits.of("1", "5000"), Decimal(1000), Decimal(30)
    ),
    TreatmentAgent.DEXAMETHASONE: DoseLimits(Limits.of("0.1", "200"), Decimal(40)),
    TreatmentAgent.HYDROCORTISONE: DoseLimits(Limits.of("1", "1000"), Decimal(300)),
    TreatmentAgent.SILTUXIMAB: DoseLimits(Limits.of("1", "3000"), usual_highest_per_kg=Decimal(12)),
    TreatmentAgent.ANAKINRA: DoseLimits(Limits.of("1", "1000"), Decimal(200)),
    TreatmentAgent.ETANERCEPT: DoseLimits(Limits.of("1", "200"), Decimal(50)),
    TreatmentAgent.INFLIXIMAB: DoseLimits(Limits.of("1", "2000"), usual_highest_per_kg=Decimal(10)),
    TreatmentAgent.ANTIBIOTICS: DoseLimits(
        Limits.of("1", "30000"), Decimal(10000), is_expected=False
    ),
    TreatmentAgent.ANTIPYRETIC: DoseLimits(
        Limits.of("1", "4000"), Decimal(1000), Decimal(15), is_expected=False
    ),
    TreatmentAgent.OTHER: DoseLimits(
        Limits.of("0.001", "300000"), Decimal(10000), is_expected=False
    ),
}
"""Decisions: none grades anything; each keeps a slip of the hand out of the record.

The limits of antibiotics, antipyretics and other treatments are wide, for they stand for many
drugs; those of an antipyretic are the dose and the day's amount of paracetamol.
"""


@dataclass(frozen=True, slots=True)
class GradedBy:
    """A row of CTCAE for one analyte: what each grade from 1 up asks for.

    ``above_upper`` are multiples of the upper limit that the value must exceed, ``below_lower``
    fractions of the lower limit that it must be below. ``above_baseline`` (multiples) counts only
    above the upper limit, ``fall_percent`` only below the lower one. ``below`` and ``at_most`` are
    absolute values and ``fall_points`` absolute falls from baseline, each by its CTCAE grade.
    """

    citation: Citation
    above_upper: tuple[Decimal, ...] = ()
    below_lower: tuple[Decimal, ...] = ()
    above_baseline: tuple[Decimal, ...] = ()
    fall_percent: tuple[tuple[int, Decimal], ...] = ()
    below: tuple[tuple[int, Decimal], ...] = ()
    at_most: tuple[tuple[int, Decimal], ...] = ()
    fall_points: tuple[tuple[int, Decimal], ...] = ()


def _steps(text: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(step) for step in text.split())


def _by_grade(**steps: str) -> tuple[tuple[int, Decimal], ...]:
    return tuple((int(name.removeprefix("grade_")), Decimal(step)) for name, step in steps.items())


def _ctcae(term: str) -> Citation:
    return Citation("ctcae-4.03", term)


_TRANSAMINASE = "1 3 5 20"
_CHOLESTASIS = "1 2.5 5 20"
_CLOTTING = "1 1.5 2.5"

CTCAE_LABORATORY: Final[dict[Analyte, GradedBy]] = {
    Analyte.ALT: GradedBy(_ctcae("ALT increased"), above_upper=_steps(_TRANSAMINASE)),
    Analyte.AST: GradedBy(_ctcae("AST increased"), above_upper=_steps(_TRANSAMINASE)),
    Analyte.ALP: GradedBy(
        _ctcae("alkaline phosphatase increased"), above_upper=_steps(_CHOLESTASIS)
    ),
    Analyte.GGT: GradedBy(_ctcae("GGT increased"), above_upper=_steps(_CHOLESTASIS)),
    Analyte.BILIRUBIN: GradedBy(
        _ctcae("blood bilirubin increased"), above_upper=_steps("1 1.5 3 10")
    ),
    Analyte.CREATININE: GradedBy(
        _ctcae("creatinine increased"),
        above_upper=_steps("1 1.5 3 6"),
        above_baseline=_steps("1 1.5 3"),
    ),
    Analyte.FIBRINOGEN: GradedBy(
        _ctcae("fibrinogen decreased"),
        below_lower=_steps("1 0.75 0.5 0.25"),
        fall_percent=_by_grade(grade_2="25", grade_3="50", grade_4="75"),
        below=_by_grade(grade_4="50"),
    ),
    Analyte.APTT: GradedBy(_ctcae("aPTT prolonged"), above_upper=_steps(_CLOTTING)),
    Analyte.INR: GradedBy(_ctcae("INR increased"), above_upper=_steps(_CLOTTING)),
    Analyte.LVEF: GradedBy(
        _ctcae("ejection fraction decreased"),
        at_most=_by_grade(grade_2="50"),
        below=_by_grade(grade_3="40", grade_4="20"),
        fall_points=_by_grade(grade_2="10", grade_3="20"),
    ),
}

HEADACHE_COUNTS_FROM: Final = threshold(
    "3",
    "CTCAE grade",
    Citation("decision", "a headache below this grade is a constitutional symptom only"),
)

ONSET_LATE_AFTER: Final = threshold(
    "21", "days after the infusion", Citation("decision", "an onset so late is pointed out")
)
QUIET_BEFORE_END: Final = threshold(
    "24", "hours", Citation("decision", "no finding for so long before CRS has ended")
)
SAME_EPISODE_WITHIN: Final = threshold(
    "72", "hours", Citation("decision", "findings so soon after the end are the same episode")
)
"""Of the summary of an episode; no grade depends on them."""
