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
from patients.display.text import clock_text, describe
from patients.display.timeline import Timeline, TimelineRow, change_row
from patients.forms.attribution import Proposal, last_said
from patients.forms.treatments import Syringe, syringes_in
from patients.forms.unchanged import CarriedOn, carried_on
from patients.guidance.advice import advised_by
from patients.guidance.panel import GuidancePanel, panel_on
from patients.models import Entry, EntryKind
from patients.queries.entries import all_charted
from patients.queries.guidance_answers import latest_answers
from patients.queries.status import held_beside, reading_of, weights_among
from patients.recording.inputs import Draft
from patients.recording.record import Recorded

_SHOWN_IN_BANNER = frozenset({EntryKind.WEIGHT, EntryKind.BASELINE})


@dataclass(frozen=True, slots=True)
class Saved:
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
    carried_on: list[CarriedOn]
    syringes: list[Syringe]
    proposed: Mapping[str, Proposal]
    guidance: GuidancePanel
    repeated: bool


def saved_of(recorded: Recorded) -> Saved:
    """The answer to whoever saved ``recorded``."""
    course, standing = recorded.course, recorded.standing
    adds_rows = _adds_rows(recorded)
    held = held_beside(course.pk, standing, all_charted(recorded.entries))
    weights = weights_among(held.weights)
    entry_rows = _entry_rows(recorded, weights)
    going_on = carried_on(standing, weights)
    answers = latest_answers(course.pk) if held.may_have_answers else {}
    advised = advised_by(course, standing, held.grades, recorded.for_guidance, answers)
    return Saved(
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
        syringes=syringes_in(recorded.entries, recorded.now) if _is_latest(recorded) else [],
        proposed=last_said(standing.latest),
        guidance=panel_on(advised, held.authors, going_on),
        repeated=recorded.repeated,
    )


def described(drafts: Iterable[Draft]) -> str:
    """What is not recorded yet, as the timeline would say it."""
    words = [
        {**draft.body, "id": str(draft.id), "kind": draft.kind, "at": draft.at.isoformat()}
        for draft in drafts
    ]
    return "; ".join(describe(read_entry(said)) for said in words)


def _adds_rows(recorded: Recorded) -> bool:
    """Whether every row of the timeline stays as it was, and the act's come to them.

    A weight that is charted late tells the doses after it anew.
    """
    if recorded.repeated or not recorded.keeps_changes:
        return False
    if any(entry.replaces_id is not None for entry in recorded.entries):
        return False
    weighs = any(entry.kind == EntryKind.WEIGHT for entry in recorded.entries)
    return not weighs or _is_latest(recorded)


def _is_latest(recorded: Recorded) -> bool:
    """Whether nothing on the chart is of a later time than the act."""
    new = {entry.pk for entry in recorded.entries}
    first = min((entry.at for entry in recorded.entries), default=recorded.now)
    return all(entry.at <= first for entry in recorded.in_force if entry.pk not in new)


def _entry_rows(recorded: Recorded, weights: Sequence[Weight]) -> list[TimelineRow]:
    newest_first: Sequence[Entry] = recorded.entries[::-1]
    return rows_of(recorded.course.pk, newest_first, can_correct=True, is_new=True, weights=weights)


def _change_rows(recorded: Recorded) -> list[TimelineRow]:
    changes = reversed(recorded.grade_changes)
    return [change_row(each.at, each.before, each.after, each.findings) for each in changes]


def _banner(recorded: Recorded) -> Banner | None:
    if not any(entry.kind in _SHOWN_IN_BANNER for entry in recorded.entries):
        return None
    return banner_of(reading_of(recorded.course, recorded.now))


def _changes(recorded: Recorded) -> list[str]:
    changes = recorded.grade_changes
    is_the_announced = len(changes) == 1 and changes[0].after == recorded.standing.grade
    if is_the_announced and _announcement(recorded):
        return []
    return [
        f"{clock_text(change.at, recorded.now)} grade {change.before} → {change.after}"
        for change in changes
    ]


def _announcement(recorded: Recorded) -> str:
    before, after = recorded.grade_before, recorded.standing.grade
    if before == after or before is None or after is None:
        return ""
    return f"Grade {before} to grade {after}"
