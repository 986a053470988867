"""ASTCT consensus grading of CRS, Lee et al., Biol Blood Marrow Transplant 2019;25:625."""

from __future__ import annotations

from typing import Final

from grading.engine import scale_findings as found
from grading.engine.chart import HIGH_FLOW, LOW_FLOW, Chart
from grading.engine.evidence import Citation
from grading.engine.periods import Explained
from grading.engine.policy import ANTIPYRETIC_OR_ANTICYTOKINE
from grading.engine.scale import Axis, Doubt, Finding, Gate, GateRule, Rule, Scale
from grading.engine.scale_findings import of_entry
from grading.engine.sentences import minutes_text
from grading.engine.vocabulary import VasopressorDrug

FEVER: Final = "astct.fever"
_FLOW_REACHES: Final = 3
_PRESSURE_REACHES: Final = 2


def _table(grade: int) -> Citation:
    return Citation("astct-2019", f"Table 2, grade {grade}")


def _waiver(chart: Chart) -> Explained | None:
    """Return the treatment after a febrile reading for which a fever is no longer asked for."""
    past = chart.past
    treatments = [past.waiving_masking]
    if chart.policy.astct_fever_waived_by == ANTIPYRETIC_OR_ANTICYTOKINE:
        treatments.append(past.waiving_antipyretic)
    charted = [entry for entry in treatments if entry is not None]
    if not charted:
        return None
    first = min(charted, key=lambda entry: entry.at)
    return of_entry(first, {"agent": str(first.agent), "at": first.at.isoformat()})


def _masking(chart: Chart) -> Explained | None:
    """Return the first treatment since the infusion that may have masked a fever."""
    past = chart.past
    treatments = [past.first_masking]
    if chart.policy.astct_fever_waived_by == ANTIPYRETIC_OR_ANTICYTOKINE:
        treatments.append(past.first_antipyretic)
    charted = [entry for entry in treatments if entry is not None]
    if not charted:
        return None
    first = min(charted, key=lambda entry: entry.at)
    return of_entry(first, {"why": "masked", "agent": str(first.agent)})


def _gate(chart: Chart) -> Gate:
    """A fever now or lately, or one that was treated (table footnote)."""
    past, policy = chart.past, chart.policy
    if chart.fever or chart.within(past.latest_febrile, policy.astct_fever_hold_minutes):
        return Gate(is_open=True)
    waived_by = _waiver(chart)
    if waived_by is not None:
        return Gate(is_open=True, waived_by=waived_by)
    could_open = (
        not chart.has_temperature or past.latest_febrile is not None or _masking(chart) is not None
    )
    return Gate(is_open=False, could_open=could_open)


def _fever_not_known(chart: Chart) -> Finding:
    masking = _masking(chart)
    if not chart.has_temperature:
        explained = Explained((), {"why": "never"})
    elif masking is not None:
        explained = masking
    else:
        febrile = chart.past.latest_febrile
        evidence = () if febrile is None else (febrile.id,)
        explained = Explained(evidence, {"why": "past"})
    return Finding(FEVER, explained)


def _why_withheld(chart: Chart) -> str:
    """Say why the gate is closed."""
    if not chart.has_temperature:
        return "no temperature charted"
    if chart.past.latest_febrile is None:
        return "no fever charted, and none treated"
    hold = chart.policy.astct_fever_hold_minutes
    since = f" in the last {minutes_text(hold)}" if hold else " now"
    return f"no fever{since}, and none treated before"


def _one_vasopressor(chart: Chart) -> str:
    vasopressin = (
        "; vasopressin beside it is not counted"
        if VasopressorDrug.VASOPRESSIN in chart.running
        else ""
    )
    return f"one vasopressor counts at any dose{vasopressin} ({found.phrase_of_infusions(chart)})"


RULES: Final = (
    Rule(
        FEVER, Axis.FEVER, 1, lambda chart: chart.fever, found.fever, _table(1),
        found.phrase_of_fever,
    ),
    Rule(
        "astct.hypotension.no_vasopressor", Axis.HYPOTENSION, 2, lambda chart: chart.low_or_held,
        found.hypotension, _table(2), found.phrase_of_hypotension,
    ),
    Rule(
        "astct.hypoxia.low_flow", Axis.OXYGEN, 2,
        lambda chart: chart.for_hypoxia and chart.flow_class == LOW_FLOW, found.by_flow, _table(2),
        lambda chart: f"{found.phrase_of_flow(chart)} is low flow: {found.FLOW_LIMIT} is the line",
    ),
    Rule(
        "astct.vasopressor.one", Axis.VASOPRESSOR, 3,
        lambda chart: chart.running_besides_vasopressin == 1, found.running, _table(3),
        _one_vasopressor,
    ),
    Rule(
        "astct.vasopressor.vasopressin_alone", Axis.VASOPRESSOR, "astct_vasopressin_alone_grade",
        lambda chart: chart.running == (VasopressorDrug.VASOPRESSIN,), found.running,
        Citation("decision", "vasopressin alone; the table is silent"),
        "vasopressin alone is one vasopressor",
    ),
    Rule(
        "astct.hypoxia.high_flow", Axis.OXYGEN, 3,
        lambda chart: chart.for_hypoxia and chart.flow_class == HIGH_FLOW, found.by_flow, _table(3),
        found.phrase_of_high_flow,
    ),
    Rule(
        "astct.vasopressor.multiple", Axis.VASOPRESSOR, 4,
        lambda chart: chart.running_besides_vasopressin > 1, found.running, _table(4),
        "two vasopressors besides vasopressin",
    ),
    Rule(
        "astct.hypoxia.positive_pressure", Axis.OXYGEN, 4,
        lambda chart: chart.for_hypoxia and chart.positive_pressure, found.device, _table(4),
        "CPAP and BiPAP are positive pressure",
    ),
)  # fmt: skip

ASTCT_2019: Final = Scale(
    key="astct-2019",
    title="ASTCT 2019",
    short="ASTCT",
    sources=("astct-2019",),
    rules=RULES,
    silence={
        Axis.CONSTITUTIONAL: "symptoms without fever do not count",
        Axis.ORGAN: "does not grade organ toxicity",
        Axis.NEURO: "neurotoxicity is graded apart",
        Axis.SETTING: "does not grade the place of care",
        Axis.JUDGEMENT: "has no such judgement",
    },
    doubts=(
        Doubt(
            "oxygen.flow",
            lambda chart, _met: _FLOW_REACHES if chart.for_hypoxia and chart.lacks_flow else 0,
            found.lacks_flow,
        ),
        *found.pressure_doubts(lambda _chart: _PRESSURE_REACHES),
    ),
    gate=GateRule(FEVER, _gate, _fever_not_known, _why_withheld),
    parameters=(
        "astct_fever_hold_minutes", "astct_fever_waived_by", "astct_vasopressin_alone_grade",
        "astct_high_flow_by",
    ),
    unverified=("text beyond the table",),
    death_citation=_table(5),
)  # fmt: skip
