"""Checkpoints: the state of a course as JSON, from which grading can resume."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from grading.engine.analytes import Analyte
from grading.engine.boluses import Boluses
from grading.engine.circulation import Circulation
from grading.engine.entries import Entry, Toxicity
from grading.engine.entry_json import from_words, to_words
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.grading_system import GradingSystem
from grading.engine.organ_toxicity import OrganToxicity
from grading.engine.pressure import Reading
from grading.engine.scale_facts import ScaleFacts
from grading.engine.state import CourseState
from grading.engine.vasopressors import TimedRun
from grading.engine.vocabulary import JudgementAbout, VasopressorDrug

_MICROSECOND: Final = timedelta(microseconds=1)
_OTHER_SCALES: Final = "other_scales"
"""Key of a state: what scales other than Lee's ask."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after all entries of the instant ``at``; ``state`` is plain JSON.

    ``system`` and ``version`` are those of the grading system; empty where they are not known.
    """

    at: datetime
    state: dict[str, Any]
    system: str = ""
    version: str = ""

    @property
    def holds_other_scales(self) -> bool:
        """Return whether the state holds what other scales ask."""
        return _OTHER_SCALES in self.state

    def to_resume_point(self) -> ResumePoint:
        """Return the checkpoint with its state as JSON text."""
        return ResumePoint(self.at, json.dumps(self.state), self.system, self.version)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A stored checkpoint to resume from: ``state`` is its JSON as text."""

    at: datetime
    state: str
    system: str = ""
    version: str = ""

    @property
    def holds_other_scales(self) -> bool:
        """Return whether the state holds what other scales ask, so that they can resume here."""
        return f'"{_OTHER_SCALES}"' in self.state

    def is_of(self, system: GradingSystem) -> bool:
        """Return whether ``system`` can resume here; a point that names no system is trusted."""
        return not self.system or (self.system, self.version) == (system.key, system.version)


def save_state(state: CourseState, cached_words: dict[str, Any] | None = None) -> Checkpoint:
    """Make the checkpoint of ``state``; raises ValueError before the first instant.

    ``cached_words`` holds entries as JSON by their id; it is filled here, so that the next
    checkpoint of the same course converts only new entries.
    """
    if state.at is None:
        raise ValueError("a course without an instant has nothing to save")
    words_by_id = {} if cached_words is None else cached_words
    needed = {entry.id: entry for entry in _entries(state) if entry is not None}
    for key, entry in needed.items():
        if key not in words_by_id:
            words_by_id[key] = to_words(entry)
    words = {
        "entries": {key: words_by_id[key] for key in needed},
        "policy_number": state.policy_number,
        "begun": state.begun,
        "death": _id(state.death),
        "latest": {key: entry.id for key, entry in state.latest.items()},
        "weight": _id(state.weight),
        "weight_kg": None if state.weight_kg is None else str(state.weight_kg),
        "shown": state.shown,
        "temperature": _id(state.constitutional.temperature),
        "symptoms": [symptom.id for symptom in state.constitutional.symptoms.values()],
        "oxygen": _id(state.oxygen.entry),
        "circulation": _circulation_words(state.circulation),
        "organs": _organs_words(state.organs),
    }
    if state.other_scales is not None:
        words[_OTHER_SCALES] = {
            **state.other_scales.as_json(),
            **_boluses_and_support_words(state.circulation),
        }
    return Checkpoint(state.at, words, state.system.key, state.system.version)


def restore_state(
    point: ResumePoint, facts: CourseFacts, baseline: Baseline, system: GradingSystem
) -> CourseState:
    """Restore the state saved in ``point``; facts and baseline must be those it was saved under.

    Only policies later than the point may differ. Raises ValueError where another grading system,
    or another version of it, made the point.
    """
    if not point.is_of(system):
        raise ValueError(
            f"a checkpoint of {point.system} {point.version} cannot be resumed"
            f" by {system.key} {system.version}"
        )
    words, entries = _read(point.state)
    state = CourseState.at_start(facts, baseline, system, policy_number=words["policy_number"])
    state.at, state.begun = point.at, words["begun"]
    state.death = _entry(entries, words["death"])
    state.latest = {key: entries[entry] for key, entry in words["latest"].items()}
    state.weight = _entry(entries, words["weight"])
    state.weight_kg = None if words["weight_kg"] is None else Decimal(words["weight_kg"])
    shown = words["shown"]
    if shown is not None:
        state.shown = (shown[0], shown[1], tuple(shown[2]), tuple(shown[3]), shown[4])
    state.constitutional.temperature = _entry(entries, words["temperature"])
    for symptom in words["symptoms"]:
        state.constitutional.note_symptom(_entry(entries, symptom))
    state.oxygen.entry = _entry(entries, words["oxygen"])
    _restore_circulation(state.circulation, words["circulation"], entries)
    _restore_organs(state.organs, words["organs"], entries)
    _restore_for_other_scales(state, words.get(_OTHER_SCALES), entries)
    if state.is_over:
        state.next_policy_at = None
    else:
        state.assessed = [
            system.constitutional.assess(state.constitutional),
            system.oxygen.assess(state.oxygen),
            system.circulation.assess(state.circulation, point.at),
            system.organs.assess(state.organs),
        ]
        state.next_clock = state.circulation.next_change(point.at)
    return state


@lru_cache
def _read(state: str) -> tuple[Mapping[str, Any], Mapping[str, Entry]]:
    """Parse a saved state and its entries; cached, as many saves and pages resume at one point."""
    words = json.loads(state)
    return words, {key: from_words(entry) for key, entry in words["entries"].items()}


def _entries(state: CourseState) -> Iterator[Entry | None]:
    circulation, organs = state.circulation, state.organs
    single = (
        state.death,
        state.weight,
        state.constitutional.temperature,
        state.oxygen.entry,
        circulation.reading,
        circulation.last_low,
        circulation.bolus,
    )
    return chain(
        state.latest.values(),
        state.constitutional.symptoms.values(),
        circulation.judged.values(),
        circulation.infusions.entries.values(),
        (item.entry for item in organs.by_term.values()),
        organs.ticks.values(),
        organs.prior.results.values(),
        () if state.other_scales is None else state.other_scales.entries(),
        circulation.boluses_for_low,
        circulation.boluses,
        single,
    )


def _circulation_words(circulation: Circulation) -> dict[str, Any]:
    infusions, run = circulation.infusions, circulation.run
    return {
        "reading": _id(circulation.reading),
        "reading_says": circulation.reading_class.name,
        "low": circulation.low,
        "last_low": _id(circulation.last_low),
        "bolus": _id(circulation.bolus),
        "bolus_for": circulation.bolus_for,
        "judged": {str(about): entry.id for about, entry in circulation.judged.items()},
        "infusions": {str(drug): entry.id for drug, entry in infusions.entries.items()},
        "running_since": {
            str(drug): at.isoformat() for drug, at in infusions.running_since.items()
        },
        "doses": {str(drug): None if v is None else str(v) for drug, v in infusions.doses.items()},
        "awaiting_weight": sorted(str(drug) for drug in infusions.awaiting_weight),
        "as_salt": sorted(str(drug) for drug in infusions.as_salt),
        "run": _run_words(run),
    }


def _run_words(run: TimedRun) -> dict[str, Any]:
    return {
        "credit_us": run.credit // _MICROSECOND,
        "high": run.high,
        "since": None if run.since is None else run.since.isoformat(),
        "evidence": list(run.evidence),
    }


def _boluses_and_support_words(circulation: Circulation) -> dict[str, Any]:
    return {
        "boluses_for_low": [_id(bolus) for bolus in circulation.boluses_for_low],
        "boluses": [_id(bolus) for bolus in circulation.boluses],
        "support": _run_words(circulation.support),
    }


def _restore_for_other_scales(
    state: CourseState, words: Mapping[str, Any] | None, entries: Mapping[str, Any]
) -> None:
    """Restore what other scales ask; an older checkpoint has none of it."""
    if words is None:
        state.other_scales = None
        return
    state.other_scales = ScaleFacts.from_json(words, entries)
    circulation = state.circulation
    circulation.boluses_for_low = Boluses(*[_entry(entries, b) for b in words["boluses_for_low"]])
    circulation.boluses = Boluses(*[_entry(entries, bolus) for bolus in words["boluses"]])
    circulation.support = _run(circulation, words["support"])


def _restore_circulation(
    circulation: Circulation, words: Mapping[str, Any], entries: Mapping[str, Any]
) -> None:
    circulation.reading = _entry(entries, words["reading"])
    circulation.reading_class = Reading[words["reading_says"]]
    circulation.low = words["low"]
    circulation.last_low = _entry(entries, words["last_low"])
    circulation.bolus = _entry(entries, words["bolus"])
    circulation.bolus_for = words["bolus_for"]
    circulation.judged = {
        JudgementAbout(about): entries[entry] for about, entry in words["judged"].items()
    }
    infusions = circulation.infusions
    infusions.entries = {
        VasopressorDrug(drug): entries[entry] for drug, entry in words["infusions"].items()
    }
    infusions.running_since = {
        VasopressorDrug(drug): datetime.fromisoformat(at)
        for drug, at in words["running_since"].items()
    }
    infusions.doses = {
        VasopressorDrug(drug): None if dose is None else Fraction(dose)
        for drug, dose in words["doses"].items()
    }
    infusions.awaiting_weight = {VasopressorDrug(drug) for drug in words["awaiting_weight"]}
    infusions.as_salt = {VasopressorDrug(drug) for drug in words["as_salt"]}
    circulation.run = _run(circulation, words["run"])


def _run(circulation: Circulation, words: Mapping[str, Any]) -> TimedRun:
    return TimedRun(
        circulation.policy,
        words["credit_us"] * _MICROSECOND,
        words["high"],
        None if words["since"] is None else datetime.fromisoformat(words["since"]),
        tuple(words["evidence"]),
    )


def _organs_words(organs: OrganToxicity) -> dict[str, Any]:
    return {
        "prior_grades": organs.prior.grades,
        "prior_results": {
            str(analyte): entry.id for analyte, entry in organs.prior.results.items()
        },
        "held": [item.entry.id for item in organs.by_term.values()],
        "ticks": [tick.id for tick in organs.ticks.values()],
        "charted_at": {term: at.isoformat() for term, at in organs.charted_at.items()},
    }


def _restore_organs(
    organs: OrganToxicity, words: Mapping[str, Any], entries: Mapping[str, Any]
) -> None:
    organs.prior.grades = dict(words["prior_grades"])
    organs.prior.results = {
        Analyte(analyte): entries[entry] for analyte, entry in words["prior_results"].items()
    }
    for key in words["held"]:
        entry = entries[key]
        if isinstance(entry, Toxicity):
            organs.note_toxicity(entry)
        else:
            organs.note_lab(entry)
    for tick in words["ticks"]:
        organs.note_tick(entries[tick])
    organs.charted_at = {
        term: datetime.fromisoformat(at) for term, at in words["charted_at"].items()
    }


def _id(entry: Entry | None) -> str | None:
    return None if entry is None else entry.id


def _entry(entries: Mapping[str, Any], key: str | None) -> Any:
    return None if key is None else entries[key]
