"""Build the tasks of a guidance item: what to chart or decide, and the buttons for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from grading.engine.algorithm import Item
from grading.engine.entries import Entry, Vasopressor, Vitals
from grading.engine.periods import Unknown, results_last
from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import VITAL_SIGN, JudgementAbout, RiskQuestion, VasopressorDrug
from patients.display.text import capital, key_label
from patients.forms.fields import NO, YES
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import UnchangedItem
from patients.models import EntryKind


class QuickAction(NamedTuple):
    """A button that charts ``action`` at once (see ``QuickActionForm``).

    ``seen_version`` is the optimistic-lock token of the entry that the page shows. ``is_current``:
    the chart has this answer now.
    """

    label: str
    action: str
    seen_version: str = ""
    is_current: bool = False


class Task(NamedTuple):
    """Something to chart, by quick actions or by the form of ``form_kind`` ("" for none)."""

    key: str
    label: str
    note: str = ""
    actions: tuple[QuickAction, ...] = ()
    form_kind: str = ""
    form_label: str = ""

    @property
    def answer_in_force(self) -> str:
        """The question with its current answer, as "older age no"; "" where it has none."""
        label = inside_a_sentence(self.label.removesuffix("?"))
        current = next((action for action in self.actions if action.is_current), None)
        return "" if current is None else f"{label} {inside_a_sentence(current.label)}"


RISK: Final = "risk"
JUDGEMENT: Final = "judgement"
UNCHANGED: Final = "unchanged"
STOPPED: Final = "stopped"

JUDGED: Final = {
    "hypotension.relative": JudgementAbout.RELATIVE_HYPOTENSION,
    "hypotension.refractory": JudgementAbout.REFRACTORY_HYPOTENSION,
    "life_threatening": JudgementAbout.LIFE_THREATENING,
}
"""The unknowns that only a clinician's judgement resolves, by their code."""
_JUDGEMENT_QUESTIONS: Final = {
    JudgementAbout.RELATIVE_HYPOTENSION: "Is this pressure low for this patient?",
    JudgementAbout.REFRACTORY_HYPOTENSION: (
        "Is the hypotension refractory to fluids and one low-dose vasopressor?"
    ),
    JudgementAbout.LIFE_THREATENING: "Is the toxicity immediately life-threatening?",
}
RISK_QUESTIONS: Final = {
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
    unchanged: Sequence[UnchangedItem],
) -> tuple[Task, ...]:
    """Build the tasks of ``item``.

    ``risk`` are the risk questions answered so far; ``unchanged`` is what can be charted again.
    """
    if item.code == "bound.resolve":
        open_ones = results_last(u for u in status.unknown if u.could_reach > status.grade)
        return tuple(_task_of_unknown(unknown) for unknown in open_ones)
    if item.code == "evidence.stale":
        return tuple(_stale_tasks(item, status, unchanged))
    if item.code == "risk.unanswered":
        asked = (RiskQuestion.EXTENSIVE_COMORBIDITIES, RiskQuestion.OLDER_AGE)
        return tuple(risk_task(question, None) for question in asked if question not in risk)
    if item.code in _FORM_OF_MISSING:
        kind, label = _FORM_OF_MISSING[item.code]
        return (_form_task(item.code, "", kind, label),)
    return ()


def risk_task(question: RiskQuestion, answer: bool | None, note: str = "") -> Task:
    """Build the task of a risk question; ``answer`` is the current one, None where it has none."""
    prefix = f"{RISK}:{question.value}"
    actions = _yes_no_actions(prefix, answer)
    return Task(prefix.replace(":", "-"), RISK_QUESTIONS[question], note, actions)


def _yes_no_actions(prefix: str, answer: bool | None) -> tuple[QuickAction, QuickAction]:
    return (
        QuickAction("Yes", f"{prefix}:{YES}", is_current=answer is True),
        QuickAction("No", f"{prefix}:{NO}", is_current=answer is False),
    )


def _task_of_unknown(unknown: Unknown) -> Task:
    about = JUDGED.get(unknown.code)
    if about is not None:
        prefix = f"{JUDGEMENT}:{about.value}"
        return Task(
            prefix.replace(":", "-"),
            _JUDGEMENT_QUESTIONS[about],
            capital(unknown.why),
            _yes_no_actions(prefix, None),
        )
    kind, label = _FORM_OF_UNKNOWN.get(unknown.code, _FORM_OF_LABORATORY)
    return _form_task(unknown.code, capital(unknown.why), kind, label)


def _form_task(key: str, text: str, kind: EntryKind, label: str) -> Task:
    has_form = kind in ENTRY_FORMS
    return Task(
        key=key.replace(".", "-"),
        label=text,
        form_kind=kind.value if has_form else "",
        form_label=label if has_form else "",
    )


def _stale_tasks(item: Item, status: Any, unchanged: Sequence[UnchangedItem]) -> Iterable[Task]:
    used = {(used.entry_id, used.what) for used in item.inputs}
    unchanged_by_name = {item.field_name: item for item in unchanged}
    for key in sorted(status.stale):
        entry = status.latest[key]
        label = VITAL_SIGN[key].label if isinstance(entry, Vitals) else ""
        if any(entry.id == entry_id and label in ("", what) for entry_id, what in used):
            yield _stale_task(key, entry, unchanged_by_name)


def _stale_task(key: str, entry: Entry, unchanged_by_name: Mapping[str, UnchangedItem]) -> Task:
    drug = entry.drug if isinstance(entry, Vasopressor) else None
    name = f"{key}_unchanged" if drug is None else running_name(drug)
    item = unchanged_by_name.get(name)
    actions: tuple[QuickAction, ...] = ()
    if item is not None:
        actions += (QuickAction("Unchanged", f"{UNCHANGED}:{name}", item.version),)
    if item is not None and drug is not None:
        actions += (QuickAction("Stopped", f"{STOPPED}:{drug.value}", item.version),)
    has_form = entry.kind in ENTRY_FORMS
    return Task(
        key=f"stale-{key.replace('.', '-')}",
        label=key_label(key),
        note=item.text if item is not None else "",
        actions=actions,
        form_kind=entry.kind if has_form else "",
        form_label=_FORM_OF_STALE.get(entry.kind, "Chart again") if has_form else "",
    )


def running_name(drug: VasopressorDrug) -> str:
    """Return the field name of the ``UnchangedItem`` of a running infusion."""
    return f"unchanged_{drug.value}"
