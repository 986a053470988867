"""Collect the page parts that a save changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grading.course_file import read_entry
from grading.engine.entries import Weight
from patients.bedside.timeline import rows_of, timeline_of
from patients.display.banner import Banner, banner_of
from patients.display.grade_card import GradeCard, grade_card
from patients.display.previous_values import (
    Infusion,
    PreviousValue,
    previous_values,
    running_infusions,
)
from patients.display.text import clock_text, entry_text
from patients.display.timeline import Timeline, TimelineRow, change_row
from patients.forms.attribution import AttributionProposal, latest_attributions
from patients.forms.concentrations import SyringeConcentration, concentrations_charted
from patients.forms.unchanged import UnchangedItem, unchanged_items
from patients.guidance.advice import advice_for_status
from patients.guidance.panel import GuidancePanel, build_panel
from patients.models import Entry, EntryKind
from patients.queries.entries import parse_entries
from patients.queries.guidance_answers import read_latest_answers
from patients.queries.status import read_course_status, read_history_for, weights_among
from patients.recording.inputs import NewEntry
from patients.recording.record import RecordingResult

_SHOWN_IN_BANNER = frozenset({EntryKind.WEIGHT, EntryKind.BASELINE})


@dataclass(frozen=True, slots=True)
class AfterSave:
    """``rows`` are put in their places; where others changed with them, ``timeline`` is whole.

    ``announcement`` says in words how the grade now changed, empty where it did not; ``changes``
    which changes of grade the act brought into the history, where they are not that one alone.
    """

    text: str
    announcement: str
    changes: list[str]
    card: GradeCard
    banner: Banner | None
    rows: list[TimelineRow]
    timeline: Timeline | None
    previous: dict[str, PreviousValue]
    running: list[Infusion]
    carried_on: list[UnchangedItem]
    syringes: list[SyringeConcentration]
    proposed: Mapping[str, AttributionProposal]
    guidance: GuidancePanel
    repeated: bool


def after_save(recorded: RecordingResult) -> AfterSave:
    """The answer to whoever saved ``recorded``."""
    course, standing = recorded.course, recorded.standing
    adds_rows = _adds_rows(recorded)
    held = read_history_for(course.pk, standing, parse_entries(recorded.entries))
    weights = weights_among(held.weights)
    entry_rows = _entry_rows(recorded, weights)
    going_on = unchanged_items(standing, weights)
    answers = read_latest_answers(course.pk) if held.may_have_answers else {}
    advised = advice_for_status(course, standing, held.grades, recorded.for_guidance, answers)
    return AfterSave(
        text="; ".join(row.text for row in reversed(entry_rows)),
        announcement=_announcement(recorded),
        changes=_changes(recorded),
        card=grade_card(course.pk, standing, held.grades, held.authors),
        banner=_banner(recorded),
        rows=[*_change_rows(recorded), *entry_rows] if adds_rows else [],
        timeline=None if adds_rows else timeline_of(course.pk, recorded.now, can_correct=True),
        previous=previous_values(standing, weights),
        running=running_infusions(standing, weights),
        carried_on=going_on,
        syringes=concentrations_charted(recorded.entries, recorded.now)
        if _is_newest(recorded)
        else [],
        proposed=latest_attributions(standing.latest),
        guidance=build_panel(advised, held.authors, going_on),
        repeated=recorded.repeated,
    )


def text_of_entries(drafts: Iterable[NewEntry]) -> str:
    """What is not recorded yet, as the timeline would say it."""
    words = [
        {**draft.body, "id": str(draft.id), "kind": draft.kind, "at": draft.at.isoformat()}
        for draft in drafts
    ]
    return "; ".join(entry_text(read_entry(said)) for said in words)


def _adds_rows(recorded: RecordingResult) -> bool:
    """Whether every row of the timeline stays as it was, and the act's come to them.

    A weight that is charted late tells the doses after it anew.
    """
    if recorded.repeated or not recorded.keeps_changes:
        return False
    if any(entry.replaces_id is not None for entry in recorded.entries):
        return False
    weighs = any(entry.kind == EntryKind.WEIGHT for entry in recorded.entries)
    return not weighs or _is_newest(recorded)


def _is_newest(recorded: RecordingResult) -> bool:
    """Whether nothing on the chart is of a later time than the act."""
    new = {entry.pk for entry in recorded.entries}
    first = min((entry.at for entry in recorded.entries), default=recorded.now)
    return all(entry.at <= first for entry in recorded.in_force if entry.pk not in new)


def _entry_rows(recorded: RecordingResult, weights: Sequence[Weight]) -> list[TimelineRow]:
    newest_first: Sequence[Entry] = recorded.entries[::-1]
    return rows_of(recorded.course.pk, newest_first, can_correct=True, is_new=True, weights=weights)


def _change_rows(recorded: RecordingResult) -> list[TimelineRow]:
    changes = reversed(recorded.grade_changes)
    return [change_row(each.at, each.before, each.after, each.findings) for each in changes]


def _banner(recorded: RecordingResult) -> Banner | None:
    if not any(entry.kind in _SHOWN_IN_BANNER for entry in recorded.entries):
        return None
    return banner_of(read_course_status(recorded.course, recorded.now))


def _changes(recorded: RecordingResult) -> list[str]:
    changes = recorded.grade_changes
    is_the_announced = len(changes) == 1 and changes[0].after == recorded.standing.grade
    if is_the_announced and _announcement(recorded):
        return []
    return [
        f"{clock_text(change.at, recorded.now)} grade {change.before} → {change.after}"
        for change in changes
    ]


def _announcement(recorded: RecordingResult) -> str:
    before, after = recorded.grade_before, recorded.standing.grade
    if before == after or before is None or after is None:
        return ""
    return f"Grade {before} to grade {after}"
