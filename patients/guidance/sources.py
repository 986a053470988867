"""The sources of the grade and of the guidance, as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from grading.engine.algorithm import ITEMS
from grading.engine.algorithm.evidence import JUST_GIVEN, LATER_SOURCES, cited
from grading.engine.evidence import SOURCES
from grading.engine.policy import DEFAULT_POLICY, PARAMETERS, Policy
from grading.systems import HEADLINE
from patients.guidance.panel import slug_of

RULESET_DATED: Final = date(2026, 11, 22)
"""Date of the present version of the ruleset."""

AUTHORS: Final = (
    "Daniel W. Lee, Rebecca Gardner, David L. Porter, Chrystal U. Louis, Nabil Ahmed, Michael "
    "Jensen, Stephan A. Grupp and Crystal L. Mackall. All eight wrote and edited it."
)
FUNDING: Final = (
    "In part the intramural research program of the National Cancer Institute, National "
    "Institutes of Health.",
    "D. W. Lee: research support from the St. Baldrick's Foundation. S. A. Grupp: research "
    "support from the Pennsylvania Department of Health.",
    "A pediatric translational research grant of Stand Up To Cancer and St. Baldrick's, "
    "administered by the American Association for Cancer Research.",
)
INTERESTS: Final = (
    "M. Jensen has an ownership interest in Juno Therapeutics.",
    "D. L. Porter holds a patent on adoptive immunotherapy and has research support from Novartis.",
    "S. A. Grupp consults for Novartis and has research support from it.",
    "C. L. Mackall holds a patent on adoptive immunotherapy and has research support from Neomune.",
    "C. U. Louis sits on the scientific advisory boards of three children's cancer charities "
    "(TeamConnor, Solving Kids' Cancer, Kids' Cancer Research Foundation).",
    "N. Ahmed: the Center for Cell and Gene Therapy has a research collaboration with Celgene.",
    "The other authors declare none.",
)
DECISIONS: Final = (
    "The paper gives no number for fever or for hypotension: thresholds, the patient's own "
    "baseline and what only a clinician can judge are decided as listed below.",
    "It does not say how three hours at a high dose are counted: minutes at or above the dose are "
    "added up; a gap shorter than the one below does not end the run, and is not counted.",
    "Oxygen by cannula or mask is compared with 40 % by an estimate where no FiO2 is charted, and "
    "the estimate is shown as one.",
    "CPAP and BiPAP are not in Table 2 and are given the grades below.",
    "Organ toxicities count where they are worse than before the infusion; cytopenias and fever "
    "are not organ toxicities here.",
    "What is not known is never taken as normal: the grade is shown with what it could be.",
    "Daily CRP is this ruleset's reading of routine monitoring.",
    "No age is given for older age: the hint below is a suggestion, the question is asked.",
    f"No treatment is suggested again within {JUST_GIVEN.value} h after it was charted; it is "
    "named with its time.",
    "Tocilizumab from before the infusion was not for this CRS: it is not reassessed, and is none "
    "of the label's four doses.",
)
LIMITS: Final = (
    "The paper is of 2014 and rests on uncontrolled experience of a few centers. Later consensus "
    "grading, doses and indications differ; where a current label is shown, it is marked.",
    "Grades and guidance know only what is charted here, and when it was charted.",
    "No guidance here has been validated as a device; it is text with its basis, and the "
    "clinician decides.",
    "Guidance covers CRS. It does not grade neurotoxicity by later scales, and advises nothing on "
    "infection beyond considering it.",
    "Figure 2 was read from its legend and from the text that describes it.",
)
CHART_USED: Final[Mapping[str, str]] = {
    "support.vigilant": "grade",
    "infection.workup": "grade; neutrophils; neutropenia as charted; antibiotics given",
    "bound.resolve": "what is not known about oxygen, pressure, doses, results and judgements",
    "evidence.stale": "the age of the values that decide the grade",
    "immunosuppression.not_advised": "grade and what it could be; both risk answers; tocilizumab",
    "risk.unanswered": "grade; both risk answers; age",
    "immunosuppression.consider": "grade; both risk answers; treatments",
    "immunosuppression.indicated": "grade and the criteria that decide it; neurologic and other "
    "toxicities; treatments",
    "tocilizumab.dose": "grade; risk answers; weight; age; tocilizumab given",
    "corticosteroid.first_line": "grade; neurologic and other toxicities; pressure; vasopressors; "
    "ventilation; corticosteroids given",
    "dexamethasone.dose": "grade; neurologic toxicities; weight; corticosteroids given",
    "methylprednisolone.dose": "grade; weight; tocilizumab and corticosteroids given",
    "icu.one_to_one": "grade and the criteria that decide it",
    "cardiac.echo": "grade; pressure; vasopressors; cardiac toxicities; ejection fraction",
    "tocilizumab.awaiting": "the latest tocilizumab and its time",
    "tocilizumab.reassess": "tocilizumab and corticosteroids given; the grades since; the answer "
    "stabilised",
    "hydrocortisone.stress": "grade; the answer on chronic corticosteroids; hydrocortisone given",
    "second_agents.not_routine": "tocilizumab, corticosteroids and agents against TNF and IL-1 "
    "given; the grades since",
    "support.wean": "tocilizumab and corticosteroids given; the grades since",
    "crp.monitor": "grade; CRP; tocilizumab given",
    "other_cause.treat": "findings attributed to another cause",
    "baseline_pressure.missing": "baseline pressure",
    "weight.missing": "weight; vasopressors; the doses asked for",
    "paediatric.dose_limits": "weight; vasopressors",
}


@dataclass(frozen=True, slots=True)
class ItemSource:
    """Source of a guidance item, and what it uses of the chart."""

    code: str
    slug: str
    places: str
    uses: str


@dataclass(frozen=True, slots=True)
class ParameterLine:
    """A parameter of the policy in force, with its default."""

    name: str
    label: str
    value: str
    default: str
    basis: str
    differs: bool
    display_only: bool


@dataclass(frozen=True, slots=True)
class Sources:
    """Values of the page of sources."""

    paper: str
    authors: str
    funding: Sequence[str]
    interests: Sequence[str]
    others: Sequence[str]
    ruleset: str
    version: str
    dated: date
    parameters: Sequence[ParameterLine]
    items: Sequence[ItemSource]
    decisions: Sequence[str]
    limits: Sequence[str]


def build_sources(policy: Policy) -> Sources:
    """Build the values of the page, with the parameters of ``policy`` and their defaults."""
    others = [full for name, full in SOURCES.items() if name not in (HEADLINE.key, "decision")]
    return Sources(
        paper=SOURCES[HEADLINE.key],
        authors=AUTHORS,
        funding=FUNDING,
        interests=INTERESTS,
        others=[*others, *(full for _, full in LATER_SOURCES.values())],
        ruleset=HEADLINE.key,
        version=HEADLINE.version,
        dated=RULESET_DATED,
        parameters=_parameters(policy.all_values()),
        items=[
            ItemSource(
                code=row.code,
                slug=slug_of(row.code),
                places="; ".join(cited(place) for place in row.citations),
                uses=CHART_USED[row.code],
            )
            for row in ITEMS
        ],
        decisions=DECISIONS,
        limits=LIMITS,
    )


def _parameters(values: Mapping[str, Any]) -> list[ParameterLine]:
    defaults = DEFAULT_POLICY.all_values()
    return [
        ParameterLine(
            name=name,
            label=name.replace("_", " "),
            value=_text(values[name], parameter.unit),
            default=_text(defaults[name], parameter.unit),
            basis=parameter.basis,
            differs=Decimal(values[name]) != Decimal(defaults[name])
            if _is_number(defaults[name])
            else values[name] != defaults[name],
            display_only=parameter.display_only,
        )
        for name, parameter in PARAMETERS.items()
    ]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or value.replace(".", "", 1).isdigit()


def _text(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{str(value).replace('_', ' ')} {unit}".strip()
