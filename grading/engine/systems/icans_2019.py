"""ICANS: neurotoxicity by the ASTCT consensus, graded apart from CRS and never merged with it."""

from __future__ import annotations

from typing import Any, Final

from grading.engine.chart import Chart
from grading.engine.entries import Capd, Entry, Ice, NeuroSign, Seizure, Symptom, Toxicity
from grading.engine.evidence import CAPD_SEVERE_FROM, ICE_GRADES, Citation
from grading.engine.periods import Explained
from grading.engine.scale import Axis, Doubt, Finding, Met, Rule, Scale
from grading.engine.scale_findings import of_entry
from grading.engine.scale_vocabulary import (
    ASKS_FOR_ICANS,
    ConsciousnessLevel,
    DeathCause,
    NeuroSignName,
    NotPerformedReason,
)
from grading.engine.units import format_number

_UNABLE: Final = 4
_REACHES: Final = 4
_CAPD_SEVERE: Final = 3
_LEVELS: Final = {
    ConsciousnessLevel.SPONTANEOUS: 1,
    ConsciousnessLevel.VOICE: 2,
    ConsciousnessLevel.TACTILE: 3,
    ConsciousnessLevel.UNAROUSABLE: 4,
}
_PRESSURE_SIGNS: Final = (
    NeuroSignName.DIFFUSE_EDEMA,
    NeuroSignName.POSTURING,
    NeuroSignName.SIXTH_NERVE_PALSY,
    NeuroSignName.PAPILLEDEMA,
    NeuroSignName.CUSHING_TRIAD,
)
_PHRASE: Final = "neurotoxicity is graded by ICE, consciousness, seizure, weakness and pressure"


def _table(place: str) -> Citation:
    return Citation("astct-2019", place)


def uses_capd(chart: Chart) -> bool:
    """Return whether CAPD is the tool: for a child, and with developmental delay."""
    facts = chart.facts
    is_young = facts.age_in_completed_years < chart.policy.icans_capd_below_years
    return is_young or facts.developmental_delay is True


def _ice(chart: Chart) -> Ice | None:
    """Return the ICE round that counts; None where CAPD is the tool."""
    entry = chart.past.ice
    return None if entry is None or not entry.counts or uses_capd(chart) else entry


def _capd(chart: Chart) -> Capd | None:
    entry = chart.past.capd
    return None if entry is None or not entry.counts or not uses_capd(chart) else entry


def grade_of_ice(score: int) -> int:
    """Return the ICANS grade of an ICE score (ASTCT 2019, Table 5)."""
    return next((grade for lowest, highest, grade in ICE_GRADES if lowest <= score <= highest), 0)


def _ice_grade(chart: Chart) -> int:
    entry = _ice(chart)
    return 0 if entry is None or not entry.performed else grade_of_ice(entry.highest)


def grade_of_capd(score: int, grade_of_1_to_8: int) -> int:
    """Return the ICANS grade of a CAPD sum (ASTCT 2019, Table 6; CTCAE v6.0)."""
    if score >= CAPD_SEVERE_FROM.value:
        return _CAPD_SEVERE
    return grade_of_1_to_8 if score else 0


def _capd_grade(chart: Chart) -> int:
    entry = _capd(chart)
    if entry is None or entry.score is None:
        return 0
    return grade_of_capd(entry.score, chart.policy.icans_capd_1_to_8_grade)


def _is_unarousable(entry: Ice | Capd | None) -> bool:
    return entry is not None and entry.reason is NotPerformedReason.UNAROUSABLE


def _is_unable_otherwise(entry: Ice | Capd | None) -> bool:
    return entry is not None and not entry.performed and not _is_unarousable(entry)


def _level_grade(chart: Chart) -> int:
    entry = chart.past.consciousness
    return 0 if entry is None or not entry.counts else _LEVELS.get(entry.level, 0)


def _held(chart: Chart, seizure: Seizure | None) -> bool:
    return chart.within(seizure, chart.policy.icans_seizure_hold_minutes)


def _present(chart: Chart, *names: NeuroSignName) -> list[NeuroSign]:
    signs = chart.past.signs
    return [
        sign
        for name in names
        if (sign := signs.get(name)) is not None and sign.present and sign.counts
    ]


def _charted_ice(chart: Chart) -> Ice:
    if chart.past.ice is None:
        raise ValueError("no ICE is charted")
    return chart.past.ice


def _show_ice(chart: Chart) -> Finding:
    entry = _charted_ice(chart)
    params = {"lowest": str(entry.lowest), "highest": str(entry.highest)}
    return Finding("icans.ice", of_entry(entry, params))


def _show_capd(chart: Chart) -> Finding:
    entry = chart.past.capd
    if entry is None:
        raise ValueError("no CAPD is charted")
    return Finding("icans.capd", of_entry(entry, {"score": str(entry.score)}))


def _show_unable(chart: Chart) -> Finding:
    entry: Ice | Capd | None = chart.past.capd if uses_capd(chart) else chart.past.ice
    if entry is None:
        raise ValueError("nothing was tried")
    reason = None if entry.reason is None else str(entry.reason)
    tool = "CAPD" if isinstance(entry, Capd) else "ICE"
    return Finding("icans.unable", of_entry(entry, {"tool": tool, "reason": reason}))


def _show_doubtful_ice(chart: Chart) -> Finding:
    return _show_unable(chart) if _is_unable_otherwise(_ice(chart)) else _show_ice(chart)


def _show_level(chart: Chart) -> Finding:
    entry = chart.past.consciousness
    if entry is None:
        raise ValueError("no level of consciousness is charted")
    return Finding("icans.consciousness", of_entry(entry, {"level": str(entry.level)}))


def _show_level_not_known(chart: Chart) -> Finding:
    return Finding("icans.level_not_known", Explained((_charted_ice(chart).id,), {}))


def _show_seizure(chart: Chart, seizure: Seizure | None, sentence: str) -> Finding:
    if seizure is None:
        raise ValueError("no seizure is charted")
    params: dict[str, Any] = {
        "seizure_type": str(seizure.seizure_type),
        "hold_minutes": str(chart.policy.icans_seizure_hold_minutes),
        "resolved": seizure.resolved,
        "repetitive": seizure.repetitive_without_recovery,
    }
    if seizure.duration_minutes is not None:
        params["duration_minutes"] = format_number(seizure.duration_minutes)
    return Finding(sentence, of_entry(seizure, params))


def _show_signs(signs: list[NeuroSign]) -> Finding:
    explained = Explained(
        tuple(sign.id for sign in signs), {"signs": [str(sign.sign) for sign in signs]}
    )
    return Finding("icans.signs", explained)


def _ice_reach(chart: Chart, _met: Met) -> int:
    entry = _ice(chart)
    if entry is None:
        return 0
    if not entry.performed:
        return _REACHES if _is_unable_otherwise(entry) else 0
    sure, possible = grade_of_ice(entry.highest), grade_of_ice(entry.lowest)
    return possible if possible > sure else 0


def _capd_reach(chart: Chart, _met: Met) -> int:
    return _REACHES if _is_unable_otherwise(_capd(chart)) else 0


def _level_reach(chart: Chart, _met: Met) -> int:
    """ICE 0 is grade 3 in one who is awake, and 4 in one who cannot be woken."""
    entry = _ice(chart)
    is_zero = entry is not None and entry.performed and entry.highest == 0
    return _REACHES if is_zero and chart.past.consciousness is None else 0


def _duration_reach(chart: Chart, _met: Met) -> int:
    return _REACHES if _held(chart, chart.past.untimed_seizure) else 0


def _not_assessed_terms(chart: Chart) -> list[Entry]:
    """Return what was charted of the nerves, counts, and was not followed by an assessment."""
    assessed_at = chart.past.assessed_at
    charted: list[Entry] = []
    for term in ASKS_FOR_ICANS:
        toxicity, symptom = (
            chart.latest.get(f"toxicity.{term}"),
            chart.latest.get(f"symptom.{term}"),
        )
        for entry in (toxicity, symptom):
            if entry is None or not entry.counts:
                continue
            is_there = (isinstance(entry, Toxicity) and entry.grade > 0) or (
                isinstance(entry, Symptom) and entry.present
            )
            if is_there and (assessed_at is None or assessed_at < entry.at):
                charted.append(entry)
    return charted


def _is_seizure_unassessed(chart: Chart) -> bool:
    seizure = chart.past.unassessed
    return seizure is not None and not _held(chart, seizure)


def _not_assessed_reach(chart: Chart, _met: Met) -> int:
    return _REACHES if _is_seizure_unassessed(chart) or _not_assessed_terms(chart) else 0


def _show_not_assessed(chart: Chart) -> Finding:
    charted = _not_assessed_terms(chart)
    terms = sorted({entry.term for entry in charted if isinstance(entry, Toxicity | Symptom)})
    seizure = chart.past.unassessed
    evidence = [entry.id for entry in charted]
    if _is_seizure_unassessed(chart) and seizure is not None:
        evidence.append(seizure.id)
    return Finding("icans.not_assessed", Explained(tuple(evidence), {"terms": terms}))


RULES: Final = (
    Rule(
        "icans.ice", Axis.NEURO, _ice_grade, lambda chart: _ice_grade(chart) > 0, _show_ice,
        _table("Table 5, ICE"), _PHRASE,
    ),
    Rule(
        "icans.capd", Axis.NEURO, _capd_grade, lambda chart: _capd_grade(chart) > 0, _show_capd,
        _table("Table 6, CAPD"), _PHRASE,
    ),
    Rule(
        "icans.ice.unable", Axis.NEURO, _UNABLE, lambda chart: _is_unarousable(_ice(chart)),
        _show_unable, _table("Table 5, grade 4"), _PHRASE,
    ),
    Rule(
        "icans.capd.unable", Axis.NEURO, _UNABLE, lambda chart: _is_unarousable(_capd(chart)),
        _show_unable, _table("Table 6, grade 4"), _PHRASE,
    ),
    Rule(
        "icans.consciousness", Axis.NEURO, _level_grade, lambda chart: _level_grade(chart) > 0,
        _show_level, _table("Table 5, depressed level of consciousness"), _PHRASE,
    ),
    Rule(
        "icans.seizure", Axis.NEURO, 3, lambda chart: _held(chart, chart.past.seizure),
        lambda chart: _show_seizure(chart, chart.past.seizure, "icans.seizure"),
        _table("Table 5, seizure, grade 3"), _PHRASE,
    ),
    Rule(
        "icans.seizure.prolonged", Axis.NEURO, 4,
        lambda chart: _held(chart, chart.past.prolonged_seizure),
        lambda chart: _show_seizure(chart, chart.past.prolonged_seizure, "icans.seizure"),
        _table("Table 5, seizure, grade 4"), _PHRASE,
    ),
    Rule(
        "icans.edema.focal", Axis.NEURO, 3,
        lambda chart: bool(_present(chart, NeuroSignName.FOCAL_EDEMA)),
        lambda chart: _show_signs(_present(chart, NeuroSignName.FOCAL_EDEMA)),
        _table("Table 5, cerebral edema, grade 3"), _PHRASE,
    ),
    Rule(
        "icans.motor", Axis.NEURO, 4,
        lambda chart: bool(_present(chart, NeuroSignName.FOCAL_WEAKNESS)),
        lambda chart: _show_signs(_present(chart, NeuroSignName.FOCAL_WEAKNESS)),
        _table("Table 5, motor findings"), _PHRASE,
    ),
    Rule(
        "icans.pressure", Axis.NEURO, 4, lambda chart: bool(_present(chart, *_PRESSURE_SIGNS)),
        lambda chart: _show_signs(_present(chart, *_PRESSURE_SIGNS)),
        _table("Table 5, elevated intracranial pressure, cerebral edema"), _PHRASE,
    ),
)  # fmt: skip

_APART: Final = "ICANS grades neurotoxicity alone"

ICANS_2019: Final = Scale(
    key="icans-2019",
    title="ICANS 2019",
    short="ICANS",
    sources=("astct-2019",),
    rules=RULES,
    silence={axis: _APART for axis in Axis if axis not in (Axis.NEURO, Axis.DEATH)},
    doubts=(
        Doubt("icans.ice", _ice_reach, _show_doubtful_ice),
        Doubt("icans.capd", _capd_reach, _show_unable),
        Doubt("icans.consciousness", _level_reach, _show_level_not_known),
        Doubt(
            "icans.seizure_duration",
            _duration_reach,
            lambda chart: _show_seizure(
                chart, chart.past.untimed_seizure, "icans.seizure_duration"
            ),
        ),
        Doubt("icans.not_assessed", _not_assessed_reach, _show_not_assessed),
    ),
    parameters=(
        "icans_seizure_hold_minutes", "icans_capd_1_to_8_grade", "icans_capd_below_years",
        "ice_due_minutes", "ice_due_reduced_minutes",
    ),
    dies_of=DeathCause.ICANS,
    death_citation=_table("Table 5, note"),
)  # fmt: skip
