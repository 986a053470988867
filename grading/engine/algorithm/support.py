"""Supportive care, monitoring and infection: the paper's advice apart from immunosuppression."""

from __future__ import annotations

from typing import Final

from grading.engine.algorithm import chart_text
from grading.engine.algorithm.evidence import NEUTROPHILS_LOW
from grading.engine.algorithm.item import ACTION, Indicator, Input, RuleResult
from grading.engine.algorithm.situation import Situation
from grading.engine.algorithm.tree import CORTICOSTEROIDS, SEVERE, just_given
from grading.engine.analytes import Analyte
from grading.engine.entries import Lab, Symptom, Toxicity, Treatment
from grading.engine.vocabulary import TOXICITY_TERMS, TermGroup, TreatmentAgent

_NEUTROPHILS: Final = f"lab.{Analyte.ANC}"
_EJECTION_FRACTION: Final = "lvef"


def vigilant(situation: Situation) -> RuleResult:
    """Supportive care, at every grade."""
    return RuleResult(
        indicator=Indicator.INFO,
        summary="Vigilant supportive care: hydration, blood pressure, antipyretics and analgesics "
        "as needed",
        detail="The paper recommends vigilant supportive care at every grade: adequate hydration "
        "and blood pressure, and empiric treatment of concurrent bacterial infection.",
        answers=ACTION,
    )


def infection_workup(situation: Situation) -> RuleResult:
    """Cultures and antibiotics, at every grade; more urgent in neutropenia."""
    neutropenia = _neutropenia(situation)
    recent = just_given(situation, TreatmentAgent.ANTIBIOTICS)
    stress = " This matters even more while the patient is neutropenic." if neutropenia else ""
    return RuleResult(
        indicator=Indicator.WARNING if neutropenia else Indicator.INFO,
        summary=f"{'Neutropenic: c' if neutropenia else 'C'}onsider infection: cultures"
        + (", then empiric antibiotics" if recent is None else f"; {situation.given_text(recent)}"),
        detail="Many features of CRS look like infection, so the paper wants it considered in "
        f"every patient, with cultures taken and empiric antibiotics started.{stress}",
        inputs=(*neutropenia, *situation.treatment_inputs(() if recent is None else (recent,))),
        unknown=() if situation.newest(_NEUTROPHILS) else ("neutrophils, never charted.",),
        answers=ACTION,
    )


def _neutropenia(situation: Situation) -> tuple[Input, ...]:
    """Entries that show neutropenia: low neutrophils, or neutropenia charted by a clinician."""
    found = []
    for key in (_NEUTROPHILS, *_CHARTED_NEUTROPENIA):
        entry = situation.newest(key)
        low = isinstance(entry, Lab) and _is_low(entry)
        charted = isinstance(entry, Toxicity | Symptom) and chart_text.is_finding(entry, situation)
        if entry is not None and (low or charted):
            found.append(chart_text.as_input(key, entry, situation))
    return tuple(found)


_CHARTED_NEUTROPENIA: Final = tuple(
    f"{kind}.{term}"
    for kind in ("toxicity", "symptom")
    for term in ("neutropenia", "febrile_neutropenia")
)


def _is_low(result: Lab) -> bool:
    limit = NEUTROPHILS_LOW.value
    return result.value < limit or (result.comparator == "<" and result.value == limit)


def intensive_care(situation: Situation) -> RuleResult | None:
    """Intensive care, from grade 3 on."""
    if situation.grade < SEVERE:
        return None
    return RuleResult(
        indicator=Indicator.CRITICAL,
        summary="Monitor very closely: likely intensive care with 1:1 nursing",
        detail="The paper says that patients with grade 3 CRS need very close monitoring, likely "
        "in an intensive care unit with 1:1 nursing care; grade 4 is life-threatening.",
        inputs=situation.criteria_inputs(),
        answers=ACTION,
    )


def cardiac(situation: Situation) -> RuleResult | None:
    """The heart: from grade 2 on with low pressure or vasopressors, and with cardiac toxicity."""
    unstable = situation.grade >= 2 and (
        situation.meets("hypotension.", "vasopressor.") or bool(chart_text.running(situation))
    )
    charted = _cardiac_toxicity(situation)
    if not unstable and not charted:
        return None
    infusions = tuple(
        chart_text.as_input(f"vasopressor.{item.drug}", item, situation)
        for item in chart_text.running(situation)
    )
    return RuleResult(
        indicator=Indicator.WARNING,
        summary="Check heart function; repeat echocardiography if there is any concern",
        detail="In grade 2 and 3 CRS the heart may decompensate without being noticed unless it is "
        "monitored with care; the paper considers frequent echocardiography where there is "
        "concern. Cardiac dysfunction in CRS can come fast and be severe; it is typically "
        "reversible.",
        inputs=(*charted, *infusions),
        unknown=() if situation.newest("lab.lvef") else ("the ejection fraction, never charted.",),
        answers=ACTION,
    )


def _cardiac_toxicity(situation: Situation) -> tuple[Input, ...]:
    """Cardiac toxicity as charted, and an ejection fraction that counts."""
    charted = tuple(
        chart_text.as_input(key, entry, situation)
        for key, entry in sorted(situation.latest.items())
        if isinstance(entry, Toxicity)
        and chart_text.is_finding(entry, situation)
        and TOXICITY_TERMS[entry.term] is TermGroup.CARDIAC
    )
    ejection = tuple(
        Input(item.entry_id, "Ejection fraction", f"CTCAE {item.ctcae}")
        for item in situation.toxicities
        if item.term == _EJECTION_FRACTION
    )
    return charted + ejection


def wean(situation: Situation) -> RuleResult | None:
    """After tocilizumab or a corticosteroid, while the last change of grade was a fall.

    None where an unknown could bring the grade back to what it was.
    """
    treatments = situation.doses_of(TreatmentAgent.TOCILIZUMAB, *CORTICOSTEROIDS)
    treatments = tuple(item for item in treatments if item.at >= situation.facts.infused_at)
    if not treatments:
        return None
    before = _grade_before_the_fall(situation, treatments[0])
    if before is None or situation.at_most >= before:
        return None
    advised = (
        ["wean vasopressors and support"] if chart_text.running(situation) else ["wean support"]
    )
    if any(item.agent in CORTICOSTEROIDS for item in treatments):
        advised.append("taper steroids over days")
    return RuleResult(
        indicator=Indicator.INFO,
        summary=f"Grade {before} to {situation.grade} since treatment: {'; '.join(advised)}",
        detail="With a response to tocilizumab fever and hypotension often resolve within a few "
        "hours, and vasopressors and other support can then be weaned quickly; in some patients "
        "support stays necessary for several days. A steroid taper generally takes several days.",
        inputs=situation.treatment_inputs(treatments),
        answers=ACTION,
    )


def _grade_before_the_fall(situation: Situation, first: Treatment) -> int | None:
    """Return the grade from which the last change came down, where that was after ``first``."""
    before, now = None, situation.grade_at(first.at)
    for interval in situation.history:
        if interval.start > first.at and interval.grade != now:
            before, now = now, interval.grade
    return before if before is not None and before > situation.grade else None


def crp_monitor(situation: Situation) -> RuleResult:
    """CRP, and what its fall does and does not say."""
    newest = situation.newest("lab.crp")
    doses = situation.doses_of(TreatmentAgent.TOCILIZUMAB)
    return RuleResult(
        indicator=Indicator.INFO,
        summary="CRP daily. A falling CRP can follow the peak of CRS by 1 to 2 days",
        detail="The paper finds routine CRP useful while there are symptoms of CRS: it follows "
        "IL-6, and its fall may show the peak although it can lag the cytokines by 1 to 2 days. "
        "It cannot tell infection from CRS. Daily is this ruleset's reading of routine.",
        other_source="Not from the paper: after tocilizumab CRP falls whatever an infection does."
        if doses
        else "",
        inputs=() if newest is None else (chart_text.as_input("lab.crp", newest, situation),),
        unknown=() if newest else ("CRP, never charted.",),
        answers=ACTION,
    )


def other_cause(situation: Situation) -> RuleResult | None:
    """Treatment of the other cause to which findings are attributed."""
    found = [
        (key, entry)
        for key in situation.excluded
        if (entry := situation.latest.get(key)) is not None
        and chart_text.is_finding(entry, situation)
    ]
    if not found:
        return None
    named = ", ".join(chart_text.label(key, entry) for key, entry in found)
    return RuleResult(
        indicator=Indicator.WARNING,
        summary="Findings attributed to another cause are not counted: treat that cause",
        detail=f"Not counted: {named}. Immunosuppression is not indicated for findings of another "
        "cause; the paper's example is hypotension from sepsis.",
        inputs=tuple(chart_text.as_input(key, entry, situation) for key, entry in found),
        answers=ACTION,
    )
