"""CTCAE's own term, cytokine release syndrome: versions 4.03, 5.0 and 6.0.

Version 4.03 was written for infusion reactions; here it is read by analogy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from grading.engine import scale_findings as found
from grading.engine.chart import HIGH_FLOW, LOW_FLOW, Chart
from grading.engine.evidence import Citation
from grading.engine.organ_toxicity import TermResult
from grading.engine.periods import Explained
from grading.engine.scale import Axis, Doubt, Finding, Met, Rule, Scale
from grading.engine.scale_findings import of_entry
from grading.engine.systems.lee_2014 import is_transaminitis
from grading.engine.vocabulary import JudgementAbout

_CTCAE_3: Final = 3
_CTCAE_4: Final = 4
_PROLONGED_REACHES: Final = 3
_FLOW_REACHES: Final = 3
_MILD: Final = (1, 2)
_POSITIVE_PRESSURE: Final = Citation("decision", "positive pressure; CTCAE is silent")


def _ctcae_4(grade: int) -> Citation:
    return Citation("ctcae-4.03", f"cytokine release syndrome, grade {grade}")


def _never(_chart: Chart) -> bool:
    """Leave neurologic terms out: CTCAE grades them by terms of their own."""
    return False


def _grade_4(chart: Chart) -> list[TermResult]:
    """Return toxicities that a clinician graded 4, but for ALT and AST."""
    return [
        item
        for item in chart.toxicities(neurologic=False)
        if item.ctcae == _CTCAE_4
        and not item.from_laboratory
        and not is_transaminitis(item.term, item.ctcae)
    ]


def _grade_3(chart: Chart) -> list[TermResult]:
    """Return toxicities of grade 3, and those of grade 4 that grade 4 leaves out."""
    return [
        item
        for item in chart.toxicities(neurologic=False)
        if item.ctcae == _CTCAE_3
        or (
            item.ctcae == _CTCAE_4
            and (item.from_laboratory or is_transaminitis(item.term, item.ctcae))
        )
    ]


def _organ_rule(grade: int, counted: Callable[[Chart], list[TermResult]]) -> Rule:
    return Rule(
        f"ctcae4.organ_toxicity.grade_{grade}",
        Axis.ORGAN,
        grade,
        lambda chart: bool(counted(chart)),
        lambda chart: found.toxicities(counted(chart)),
        _ctcae_4(grade),
        lambda chart: found.phrase_of_toxicities(counted(chart)),
    )


def _show_symptomatic(chart: Chart) -> Finding:
    entry = chart.past.antipyretic
    if entry is None:
        raise ValueError("no antipyretic is charted")
    params = {
        "agent": str(entry.agent),
        "hold_minutes": str(chart.policy.ctcae_4_symptomatic_hold_minutes),
    }
    return Finding("treatment.given", of_entry(entry, params))


def _show_prolonged(chart: Chart) -> Finding:
    judgement = chart.circulation.judged.get(JudgementAbout.PROLONGED_REACTION)
    if judgement is None:
        return Finding("judgement.prolonged", Explained((), {"judged": False}))
    return Finding("judgement.prolonged", Explained((judgement.id,), {"judged": True}))


def _prolonged_reach(chart: Chart, met: Met) -> int:
    judged = chart.judged(JudgementAbout.PROLONGED_REACTION)
    return _PROLONGED_REACHES if met.grade in _MILD and judged is None else 0


def _result_grade(_chart: Chart, _result: TermResult, ctcae: int) -> int:
    return _CTCAE_3 if ctcae >= _CTCAE_3 else 0


def _phrase_of_pressors(chart: Chart) -> str:
    return f"one pressor is 3, several {chart.policy.ctcae_5_multiple_vasopressors_grade}"


def _positive_pressure(code: str) -> Rule:
    return Rule(
        code, Axis.OXYGEN, "ctcae_positive_pressure_grade", lambda chart: chart.positive_pressure,
        found.device, _POSITIVE_PRESSURE, "positive pressure is support",
    )  # fmt: skip


RULES_4: Final = (
    Rule(
        "ctcae4.fever", Axis.FEVER, 1, lambda chart: chart.fever, found.fever, _ctcae_4(1),
        found.phrase_of_fever,
    ),
    Rule(
        "ctcae4.constitutional", Axis.CONSTITUTIONAL, 1, lambda chart: chart.symptoms,
        found.symptoms, _ctcae_4(1), "symptoms without fever count",
    ),
    Rule(
        "ctcae4.hypotension", Axis.HYPOTENSION, 2, lambda chart: chart.low_or_held,
        found.hypotension, _ctcae_4(2), found.phrase_of_hypotension,
    ),
    Rule(
        "ctcae4.symptomatic_treatment", Axis.SETTING, 2,
        lambda chart: chart.within(
            chart.past.antipyretic, chart.policy.ctcae_4_symptomatic_hold_minutes
        ),
        _show_symptomatic, _ctcae_4(2), "symptomatic treatment was given", beside_others=True,
    ),
    Rule(
        "ctcae4.oxygen", Axis.OXYGEN, 3,
        lambda chart: chart.needed is not None and not chart.positive_pressure, found.oxygen,
        Citation("decision", "oxygen as a clinical sequela of grade 3"),
        "any oxygen is grade 3 in CTCAE v4.03",
    ),
    _organ_rule(3, _grade_3),
    Rule(
        "ctcae4.prolonged", Axis.JUDGEMENT, 3,
        lambda chart: chart.judged(JudgementAbout.PROLONGED_REACTION) is True, _show_prolonged,
        _ctcae_4(3), "judged prolonged", beside_others=True,
    ),
    Rule(
        "ctcae4.pressor", Axis.VASOPRESSOR, 4, lambda chart: bool(chart.running), found.running,
        _ctcae_4(4), "any vasopressor is grade 4 in CTCAE v4.03",
    ),
    _positive_pressure("ctcae4.ventilatory_support"),
    _organ_rule(4, _grade_4),
    Rule(
        "life_threatening", Axis.JUDGEMENT, 4, lambda chart: chart.life_threatening,
        found.life_threatening, _ctcae_4(4), found.phrase_of_judged,
    ),
)  # fmt: skip

CTCAE_4_03: Final = Scale(
    key="ctcae-4.03",
    title="CTCAE 4.03",
    short="CTCAE 4.03",
    sources=("ctcae-4.03",),
    rules=RULES_4,
    silence={Axis.NEURO: "neurotoxicity is graded apart"},
    doubts=(
        Doubt("ctcae4.prolonged", _prolonged_reach, _show_prolonged),
        found.ungraded_doubt(lambda _chart: _CTCAE_4, _never),
        *found.pressure_doubts(lambda _chart: 2),
        found.LIFE_THREATENING_DOUBT,
    ),
    more_doubts=found.result_doubts(_result_grade),
    parameters=("ctcae_positive_pressure_grade", "ctcae_4_symptomatic_hold_minutes"),
    unverified=("read by analogy: written for infusion reactions",),
    death_citation=_ctcae_4(5),
)


def _later(prefix: str, version: str, *oxygen: Rule) -> tuple[Rule, ...]:
    """Return the rules that versions 5.0 and 6.0 share, with their own of oxygen."""

    def citation(grade: int) -> Citation:
        return Citation(f"ctcae-{version}", f"cytokine release syndrome, grade {grade}")

    return (
        Rule(
            f"{prefix}.fever", Axis.FEVER, 1, lambda chart: chart.fever, found.fever,
            citation(1), found.phrase_of_fever,
        ),
        Rule(
            f"{prefix}.hypotension", Axis.HYPOTENSION, 2, lambda chart: chart.low_or_held,
            found.hypotension, citation(2), found.phrase_of_hypotension,
        ),
        *oxygen,
        Rule(
            f"{prefix}.one_pressor", Axis.VASOPRESSOR, 3, lambda chart: len(chart.running) == 1,
            found.running, citation(3), _phrase_of_pressors,
        ),
        Rule(
            f"{prefix}.several_pressors", Axis.VASOPRESSOR, "ctcae_5_multiple_vasopressors_grade",
            lambda chart: len(chart.running) > 1, found.running,
            Citation("decision", f"several pressors; CTCAE v{version} is silent"),
            _phrase_of_pressors,
        ),
        _positive_pressure(f"{prefix}.positive_pressure"),
        Rule(
            "life_threatening", Axis.JUDGEMENT, 4, lambda chart: chart.life_threatening,
            found.life_threatening, citation(4), found.phrase_of_judged,
        ),
    )  # fmt: skip


_SILENCE: Final = {
    Axis.CONSTITUTIONAL: "symptoms without fever do not count",
    Axis.ORGAN: "does not grade organ toxicity",
    Axis.NEURO: "neurotoxicity is graded apart",
    Axis.SETTING: "does not grade the place of care",
}

RULES_5: Final = _later(
    "ctcae5", "5.0",
    Rule(
        "ctcae5.oxygen.below_40", Axis.OXYGEN, 2,
        lambda chart: chart.needed is not None and not chart.needed.is_high, found.oxygen,
        Citation("ctcae-5.0", "cytokine release syndrome, grade 2"),
        found.phrase_below_40,
    ),
    Rule(
        "ctcae5.oxygen.at_least_40", Axis.OXYGEN, 3,
        lambda chart: chart.needed is not None and chart.needed.is_high, found.oxygen,
        Citation("ctcae-5.0", "cytokine release syndrome, grade 3"),
        found.phrase_at_least_40,
    ),
)  # fmt: skip

CTCAE_5_0: Final = Scale(
    key="ctcae-5.0",
    title="CTCAE 5.0",
    short="CTCAE 5.0",
    sources=("ctcae-5.0",),
    rules=RULES_5,
    silence=_SILENCE,
    doubts=(
        *found.FIO2_DOUBTS,
        *found.pressure_doubts(lambda _chart: 2),
        found.LIFE_THREATENING_DOUBT,
    ),
    parameters=("ctcae_positive_pressure_grade", "ctcae_5_multiple_vasopressors_grade"),
    death_citation=Citation("ctcae-5.0", "cytokine release syndrome, grade 5"),
)

RULES_6: Final = _later(
    "ctcae6", "6.0",
    Rule(
        "ctcae6.low_flow", Axis.OXYGEN, 2, lambda chart: chart.flow_class == LOW_FLOW,
        found.by_flow, Citation("ctcae-6.0", "cytokine release syndrome, grade 2"),
        lambda chart: f"{found.phrase_of_flow(chart)} is low flow",
    ),
    Rule(
        "ctcae6.high_flow", Axis.OXYGEN, 3, lambda chart: chart.flow_class == HIGH_FLOW,
        found.by_flow, Citation("ctcae-6.0", "cytokine release syndrome, grade 3"),
        found.phrase_of_high_flow,
    ),
)  # fmt: skip

CTCAE_6_0: Final = Scale(
    key="ctcae-6.0",
    title="CTCAE 6.0",
    short="CTCAE 6.0",
    sources=("ctcae-6.0",),
    rules=RULES_6,
    silence=_SILENCE,
    doubts=(
        Doubt(
            "oxygen.flow",
            lambda chart, _met: _FLOW_REACHES if chart.lacks_flow else 0,
            found.lacks_flow,
        ),
        *found.pressure_doubts(lambda _chart: 2),
        found.LIFE_THREATENING_DOUBT,
    ),
    parameters=(
        "ctcae_positive_pressure_grade", "ctcae_5_multiple_vasopressors_grade",
        "astct_high_flow_by",
    ),
    unverified=("one source",),
    death_citation=Citation("ctcae-6.0", "cytokine release syndrome, grade 5"),
)  # fmt: skip
