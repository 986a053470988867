"""What an item of guidance asks to be charted or decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grading.engine.algorithm import Item
from grading.engine.entries import Entry, Vasopressor, Vitals
from grading.engine.periods import Unknown
from grading.engine.vocabulary import VITAL_SIGN, JudgementAbout, RiskQuestion, VasopressorDrug
from patients.display.text import capital, thing_label
from patients.forms.fields import NO, YES
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import UnchangedItem
from patients.models import EntryKind


@dataclass(frozen=True, slots=True)
class QuickAction:
    """A button that charts something at once: ``says`` what, ``mark`` stands for what was seen.

    ``holds``: this is what the chart says now.
    """

    label: str
    says: str
    mark: str = ""
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """Something to chart: by one tap, or by the form of ``form_kind`` ("" where there is none)."""

    key: str
    label: str
    note: str = ""
    taps: tuple[QuickAction, ...] = ()
    form_kind: str = ""
    form_label: str = ""

    @property
    def told(self) -> str:
        """The task with the answer that holds, "" where none does."""
        label = self.label.removesuffix("?").lower()
        return next((f"{label} {tap.label.lower()}" for tap in self.taps if tap.holds), "")


RISK: Final = "risk"
JUDGEMENT: Final = "judgement"
UNCHANGED: Final = "unchanged"
STOPPED: Final = "stopped"

JUDGED: Final = {
    "hypotension.relative": JudgementAbout.RELATIVE_HYPOTENSION,
    "hypotension.refractory": JudgementAbout.REFRACTORY_HYPOTENSION,
    "life_threatening": JudgementAbout.LIFE_THREATENING,
}
"""The unknowns that only a clinician's judgement answers."""
_ASKED: Final = {
    JudgementAbout.RELATIVE_HYPOTENSION: "Is this pressure low for this patient?",
    JudgementAbout.REFRACTORY_HYPOTENSION: (
        "Is the hypotension refractory to fluids and one low-dose vasopressor?"
    ),
    JudgementAbout.LIFE_THREATENING: "Is the toxicity immediately life-threatening?",
}
RISK_ASKED: Final = {
    RiskQuestion.EXTENSIVE_COMORBIDITIES: "Extensive comorbidities?",
    RiskQuestion.OLDER_AGE: "Older age?",
    RiskQuestion.CHRONIC_CORTICOSTEROIDS: "Chronic corticosteroids?",
}
_FORM_OF_UNKNOWN: Final = {
    "oxygen.fio2": (EntryKind.OXYGEN, "Chart oxygen"),
    "oxygen.fio2_estimated": (EntryKind.OXYGEN, "Chart the FiO2"),
    "hypotension.no_systolic": (EntryKind.VITALS, "Chart a pressure"),
    "hypotension.no_baseline": (EntryKind.BASELINE, "Chart the baseline"),
    "vasopressor.dose": (EntryKind.VASOPRESSOR, "Chart the dose"),
    "organ_toxicity.ungraded": (EntryKind.TOXICITY, "Grade it"),
}
_FORM_OF_LABORATORY: Final = (EntryKind.LAB, "Chart the result")
_FORM_OF_STALE: Final = {
    EntryKind.VITALS.value: "Chart a new set",
    EntryKind.OXYGEN.value: "Changed",
    EntryKind.VASOPRESSOR.value: "Changed",
    EntryKind.LAB.value: "Chart a new result",
}
_FORM_OF_MISSING: Final = {
    "weight.missing": (EntryKind.WEIGHT, "Chart the weight"),
    "baseline_pressure.missing": (EntryKind.BASELINE, "Chart the baseline"),
}


def tasks_of(
    item: Item,
    status: Any,
    risk: Mapping[RiskQuestion, bool],
    carried_on: Sequence[UnchangedItem],
) -> tuple[Task, ...]:
    """What answering ``item`` takes; ``risk`` are the answers so far."""
    if item.code == "bound.resolve":
        open_ones = [u for u in status.unknown if u.could_reach > status.grade]
        return tuple(_of_unknown(unknown) for unknown in open_ones)
    if item.code == "evidence.stale":
        return tuple(_of_stale(item, status, carried_on))
    if item.code == "risk.unanswered":
        asked = (RiskQuestion.EXTENSIVE_COMORBIDITIES, RiskQuestion.OLDER_AGE)
        return tuple(risk_task(question, None) for question in asked if question not in risk)
    if item.code in _FORM_OF_MISSING:
        kind, label = _FORM_OF_MISSING[item.code]
        return (_by_form(item.code, "", kind, label),)
    return ()


def risk_task(question: RiskQuestion, answer: bool | None, note: str = "") -> Task:
    """A question of the algorithm with its two answers; ``answer`` is the one that holds."""
    says = f"{RISK}:{question.value}"
    taps = _yes_no(says, answer)
    return Task(says.replace(":", "-"), RISK_ASKED[question], note, taps)


def _yes_no(says: str, answer: bool | None) -> tuple[QuickAction, QuickAction]:
    return (
        QuickAction("Yes", f"{says}:{YES}", holds=answer is True),
        QuickAction("No", f"{says}:{NO}", holds=answer is False),
    )


def _of_unknown(unknown: Unknown) -> Task:
    about = JUDGED.get(unknown.code)
    if about is not None:
        says = f"{JUDGEMENT}:{about.value}"
        return Task(
            says.replace(":", "-"), _ASKED[about], capital(unknown.why), _yes_no(says, None)
        )
    kind, label = _FORM_OF_UNKNOWN.get(unknown.code, _FORM_OF_LABORATORY)
    return _by_form(unknown.code, capital(unknown.why), kind, label)


def _by_form(key: str, text: str, kind: EntryKind, label: str) -> Task:
    has_form = kind in ENTRY_FORMS
    return Task(
        key=key.replace(".", "-"),
        label=text,
        form_kind=kind.value if has_form else "",
        form_label=label if has_form else "",
    )


def _of_stale(item: Item, status: Any, carried_on: Sequence[UnchangedItem]) -> Iterable[Task]:
    used = {(used.entry_id, used.what) for used in item.inputs}
    can_go_on = {thing.field_name: thing for thing in carried_on}
    for key in sorted(status.stale):
        entry = status.latest[key]
        label = VITAL_SIGN[key].label if isinstance(entry, Vitals) else ""
        if any(entry.id == entry_id and label in ("", what) for entry_id, what in used):
            yield _stale(key, entry, can_go_on)


def _stale(key: str, entry: Entry, can_go_on: Mapping[str, UnchangedItem]) -> Task:
    drug = entry.drug if isinstance(entry, Vasopressor) else None
    name = f"{key}_unchanged" if drug is None else running_name(drug)
    thing = can_go_on.get(name)
    taps: tuple[QuickAction, ...] = ()
    if thing is not None:
        taps += (QuickAction("Unchanged", f"{UNCHANGED}:{name}", thing.mark),)
    if thing is not None and drug is not None:
        taps += (QuickAction("Stopped", f"{STOPPED}:{drug.value}", thing.mark),)
    has_form = entry.kind in ENTRY_FORMS
    return Task(
        key=f"stale-{key.replace('.', '-')}",
        label=thing_label(key),
        note=thing.text if thing is not None else "",
        taps=taps,
        form_kind=entry.kind if has_form else "",
        form_label=_FORM_OF_STALE.get(entry.kind, "Chart anew") if has_form else "",
    )


def running_name(drug: VasopressorDrug) -> str:
    """The name under which a running infusion can go on as it was."""
    return f"unchanged_{drug.value}"
