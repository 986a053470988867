"""The algorithm's doses, times and limits, each once, with its citation.

``lee-2014`` is the paper. What it does not say is a decision of this ruleset, or comes from a
source of its own and is shown apart from the paper's words.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from grading.engine.evidence import (
    LABEL_BELOW_STEP,
    LABEL_DOSE,
    LABEL_DOSES,
    LABEL_INTERVAL,
    LABEL_MOST,
    Citation,
    Threshold,
    threshold,
)

__all__ = ["LABEL_BELOW_STEP", "LABEL_DOSE", "LABEL_DOSES", "LABEL_INTERVAL", "LABEL_MOST"]

PAPER_YEAR: Final = 2014

LATER_SOURCES: Final[dict[str, tuple[str, str]]] = {
    "berman-2021": (
        "Berman 2021",
        "Berman M, et al. The effect of tocilizumab on inflammatory markers in patients "
        "hospitalized with serious infections. Life 2021;11(3):258",
    ),
}
"""Sources younger than the paper: how they are named in a line, and in full."""


def cited(citation: Citation) -> str:
    """Return a citation in one line, of the paper or of a later source."""
    later = LATER_SOURCES.get(citation.source)
    return str(citation) if later is None else f"{later[0]}, {citation.place}"


def _lee(place: str) -> Citation:
    return Citation("lee-2014", place)


def _label(place: str) -> Citation:
    return Citation("us-label-tocilizumab", place)


def _decision(place: str) -> Citation:
    return Citation("decision", place)


FIGURE_2: Final = _lee("Figure 2 and its legend")
TEXT_GRADES_1_AND_2: Final = _lee("text before Figure 2, grades 1 and 2")
TEXT_BASELINE_PRESSURE: Final = _lee("text before Figure 2, baseline blood pressure")
TEXT_GRADES_3_AND_4: Final = _lee("text after Figure 2, grades 3 and 4")
TEXT_CARDIAC: Final = _lee("text after Figure 2, cardiac function")
TEXT_INFECTION: Final = _lee("text on Table 1, infection")
TEXT_CRP: Final = _lee("text on C-reactive protein")
TEXT_ATTRIBUTION: Final = _lee("Grading system and treatment algorithm, attribution")
TEXT_DOSE: Final = _lee("Tocilizumab, dose")
TEXT_RESPONSE: Final = _lee("Tocilizumab, response within 24 hours")
TEXT_NEUROLOGIC: Final = _lee("Tocilizumab, neurologic symptoms")
TEXT_IL6: Final = _lee("Tocilizumab, IL-6 after the dose; Figure 3")
TEXT_CORTICOSTEROIDS: Final = _lee("Corticosteroids and other agents, corticosteroids")
TEXT_ADRENAL: Final = _lee("Corticosteroids and other agents, hydrocortisone")
TEXT_OTHER_AGENTS: Final = _lee("Corticosteroids and other agents, TNF and IL-1")
TABLE_3: Final = _lee("Table 3")
AT_MOST: Final = _decision("the grade that answering what is not known could reach")
STALE: Final = _decision("values older than their window are asked again, never dropped")
WEIGHT: Final = _decision("no dose and no conversion without a charted weight")
SMALL_PATIENT: Final = _decision("absolute limits in a patient of low weight")
CRP_MASKED: Final = Citation("berman-2021", "CRP under tocilizumab")


TOCILIZUMAB_ADULT: Final = threshold("4", "mg/kg, adults", TEXT_DOSE)
TOCILIZUMAB_CHILD: Final = threshold("8", "mg/kg, children", TEXT_DOSE)
TOCILIZUMAB_OVER: Final = threshold("1", "h, infusion", TEXT_DOSE)
REASSESS_AFTER: Final = threshold("24", "h after tocilizumab", TEXT_RESPONSE)
METHYLPREDNISOLONE: Final = threshold("2", "mg/kg/day", TEXT_CORTICOSTEROIDS)
DEXAMETHASONE: Final = threshold("0.5", "mg/kg", TEXT_CORTICOSTEROIDS)
DEXAMETHASONE_MOST: Final = threshold("10", "mg a dose", TEXT_CORTICOSTEROIDS)

LABEL_WEIGHT_STEP: Final = threshold("30", "kg", LABEL_DOSE)
LABEL_FROM_STEP: Final = threshold("8", "mg/kg from the step", LABEL_DOSE)
LABEL_AGE: Final = threshold("2", "years", _label("population"))

NEAR_WEIGHT_STEP: Final = threshold(
    "2", "kg on either side", _decision("a weight this close to the label's step is checked")
)
NEUTROPHILS_LOW: Final = threshold(
    "1.0", "10^9/L", _decision("neutrophils at which infection is stressed")
)
LOW_WEIGHT: Final = threshold("40", "kg", SMALL_PATIENT)
JUST_GIVEN: Final = threshold(
    "24", "h after a corticosteroid", _decision("no dose is proposed so soon after one")
)


def hours(threshold: Threshold) -> timedelta:
    """Return a threshold in hours as a duration, exactly."""
    return timedelta(hours=int(threshold.value))
