"""Collect the page parts that a save changed, and answer with them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from grading.course_file import read_entry
from grading.engine.entries import Weight
from patients.bedside.page import TIMELINE_KINDS, shared_context
from patients.bedside.timeline import row_below, timeline_of
from patients.display.banner import Banner, banner_of
from patients.display.grade_card import GradeCard, grade_card
from patients.display.previous_values import (
    Infusion,
    PreviousValue,
    previous_values,
    running_infusions,
)
from patients.display.text import clock_text, entry_text
from patients.display.timeline import (
    Timeline,
    TimelineRow,
    answer_row,
    build_rows,
    change_row,
    in_timeline_order,
)
from patients.forms.concentrations import SyringeConcentration, concentrations_charted
from patients.forms.registry import CORRECTION_FORMS
from patients.forms.unchanged import UnchangedItem, unchanged_items
from patients.guidance.advice import advice_for_status
from patients.guidance.panel import GuidancePanel, build_panel
from patients.models import Course, EntryKind
from patients.queries.attributions import AttributionProposal, read_latest_attributions
from patients.queries.entries import parse_entry
from patients.queries.grades import GradeHistory
from patients.queries.guidance_answers import AnswerRow, read_latest_answers
from patients.queries.status import read_course_status, read_history_for, weights_among
from patients.queries.timeline import (
    TimelinePosition,
    new_timeline_entries,
    read_correction_chains,
)
from patients.recording.inputs import NewEntry
from patients.recording.record import RecordingResult

SHOWN_HEADER: Final = "CRS-Shown"
"""What a page shows as it saves: ``guidance=<signature>; timeline=<kind>``.

The guidance panel is sent only where its signature differs. In the answer the header names the
signature that the page should show: where the panel was replaced meanwhile, the page asks for it.
"""
_AFTER_EVERYTHING: Final = datetime.max.replace(tzinfo=UTC)
_TOP: Final = "afterbegin:#timeline-rows"
_SHOWN_IN_BANNER: Final = frozenset({EntryKind.WEIGHT, EntryKind.BASELINE})


class ShownOnPage(NamedTuple):
    """The signature of the guidance panel that a page shows, and the kind of its timeline."""

    guidance: str = ""
    timeline: str = ""


def shown_on_page(request: HttpRequest) -> ShownOnPage:
    """What the page that sent ``request`` shows, from its header; empty where it has none."""
    pairs = (
        part.strip().partition("=") for part in request.headers.get(SHOWN_HEADER, "").split(";")
    )
    values = {name: value for name, _, value in pairs}
    kind = values.get("timeline", "")
    return ShownOnPage(values.get("guidance", ""), kind if kind in dict(TIMELINE_KINDS) else "")


@dataclass(frozen=True, slots=True)
class NewRows:
    """New timeline rows of one place, in their order; ``placement`` is htmx's (hx-swap-oob)."""

    rows: list[TimelineRow]
    placement: str


@dataclass(frozen=True, slots=True)
class AfterSave:
    """The page parts after a save.

    ``announcement`` says how the grade now changed, "" where it did not; ``changes`` are the
    changes of grade that the act brought into the history, where they are not that one alone.
    ``new_rows`` are added to the timeline, the lowest place first; where other rows changed too,
    they are None and ``timeline`` is whole.
    """

    course: Course
    text: str
    announcement: str
    changes: list[str]
    card: GradeCard
    banner: Banner | None
    new_rows: list[NewRows] | None
    timeline: Timeline | None
    previous: dict[str, PreviousValue]
    running: list[Infusion]
    unchanged: list[UnchangedItem]
    concentrations: list[SyringeConcentration]
    attributions: Mapping[str, AttributionProposal]
    guidance: GuidancePanel
    is_replay: bool


def after_save(
    result: RecordingResult, shown: ShownOnPage, answer: AnswerRow | None = None
) -> AfterSave:
    """Collect what ``result`` changed on a page that shows ``shown``.

    ``answer`` is the answer to guidance that was recorded with it.
    """
    course, status = result.course, result.status
    new_entries = [parse_entry(row) for row in result.new_rows]
    history = read_history_for(course.pk, status, new_entries, act=result.act.pk)
    weights = weights_among(history.weights)
    unchanged = unchanged_items(status, weights)
    answers = read_latest_answers(course.pk) if history.may_have_answers else {}
    advice = advice_for_status(course, status, history.grades, result.for_guidance, answers)
    entry_rows = _entry_rows(result, weights)
    new_rows = None if shown.timeline else _new_rows(result, history, entry_rows, answer)
    return AfterSave(
        course=course,
        text="; ".join(row.text for row in reversed(entry_rows)),
        announcement=_announcement(result),
        changes=_changes(result),
        card=grade_card(course.pk, status, history.grades, history.authors),
        banner=_banner(result),
        new_rows=new_rows,
        timeline=timeline_of(course.pk, result.now, kind=shown.timeline, can_correct=True)
        if new_rows is None
        else None,
        previous=previous_values(status, weights),
        running=running_infusions(status, weights),
        unchanged=unchanged,
        concentrations=concentrations_charted(result.entries, result.now)
        if _is_newest(result)
        else [],
        attributions=read_latest_attributions(status.latest),
        guidance=build_panel(advice, history.authors, unchanged),
        is_replay=result.is_replay,
    )


def render_after_save(
    request: HttpRequest,
    saved: AfterSave,
    main_template: str,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Answer htmx with ``main_template``, the part that was sent, and with what else changed.

    ``context`` may bring a form: with ``renew_form`` it takes the place of the one on the page, its
    message in it, and ``main_template`` may be empty.
    """
    parts = {
        "saved": saved,
        "main_template": main_template,
        "shows_guidance": shown_on_page(request).guidance != saved.guidance.signature,
        "remarks": (),
        "renew_form": False,
        "renew_attribution": False,
        "charted_names": (),
        "form_id": uuid.uuid4(),
        "kind": "",
        "card": saved.card,
        "banner": saved.banner,
        "timeline": saved.timeline,
        "previous": saved.previous,
        "running": saved.running,
        "guidance": saved.guidance,
        **shared_context(saved.course, may_chart=True),
    }
    response = render(request, "bedside/after_save.html", parts | (context or {}))
    response[SHOWN_HEADER] = f"guidance={saved.guidance.signature}"
    return response


def text_of_entries(entries: Iterable[NewEntry]) -> str:
    """Entries that are not recorded yet in words, as the timeline would show them."""
    texts = []
    for entry in entries:
        parsed = entry.parsed or read_entry(
            {**entry.body, "id": str(entry.id), "kind": entry.kind, "at": entry.at.isoformat()}
        )
        texts.append(entry_text(parsed))
    return "; ".join(texts)


def _entry_rows(result: RecordingResult, weights: list[Weight]) -> list[TimelineRow]:
    """The rows of the recorded entries, the last of the act first."""
    entries = new_timeline_entries(result.new_rows, result.act.answers)[::-1]
    return build_rows(
        entries, read_correction_chains(entries), weights, frozenset(CORRECTION_FORMS)
    )


def _new_rows(
    result: RecordingResult,
    history: GradeHistory,
    entry_rows: list[TimelineRow],
    answer: AnswerRow | None,
) -> list[NewRows] | None:
    """The rows that the act adds, by place, the lowest first; None where other rows change too."""
    if not _only_adds_rows(result):
        return None
    changes = [change_row(c.at, c.before, c.after, c.findings) for c in result.grade_changes]
    answers = [] if answer is None else [answer_row(answer)]
    rows = in_timeline_order([*changes, *answers, *entry_rows])
    if not rows or _is_on_top(rows[-1], result, history):
        return [NewRows(rows, _TOP)]
    by_instant = [list(group) for _, group in groupby(rows, key=lambda row: row.at)]
    placed = [_placed(group, result, history) for group in reversed(by_instant)]
    return None if None in placed else [group for group in placed if group is not None]


def _placed(
    rows: list[TimelineRow], result: RecordingResult, history: GradeHistory
) -> NewRows | None:
    """New rows of one instant and their place; None where no row is below them."""
    lowest = rows[-1]
    if _is_on_top(lowest, result, history):
        return NewRows(rows, _TOP)
    position = TimelinePosition(lowest.at, _AFTER_EVERYTHING, 0)
    if lowest.entry_id is not None:
        position = TimelinePosition(lowest.at, result.act.recorded_at, 0)
    below = row_below(result.course.pk, result.now, position)
    return None if below is None else NewRows(rows, f"beforebegin:#{below}")


def _only_adds_rows(result: RecordingResult) -> bool:
    """Whether every other row of the timeline stays as it was.

    A weight that is charted late changes the doses that were charted after it.
    """
    if result.is_replay or not result.keeps_changes:
        return False
    if any(entry.replaces_id is not None for entry in result.entries):
        return False
    has_weight = any(entry.kind == EntryKind.WEIGHT for entry in result.entries)
    return not has_weight or _is_newest(result)


def _is_on_top(lowest: TimelineRow, result: RecordingResult, history: GradeHistory) -> bool:
    """Whether ``lowest`` of the new rows is above every row that was there before.

    Of one instant, a new entry is above older entries, and below everything else.
    """
    entry_at, other_at = history.latest_entry_at, history.latest_other_at
    change_at = result.latest_change_before
    return (
        (entry_at is None or entry_at <= lowest.at)
        and (other_at is None or other_at < lowest.at)
        and (change_at is None or change_at < lowest.at)
    )


def _is_newest(result: RecordingResult) -> bool:
    """Whether nothing on the chart is of a later time than the act."""
    new = {entry.pk for entry in result.entries}
    first = min((entry.at for entry in result.entries), default=result.now)
    return all(entry.at <= first for entry in result.in_force if entry.pk not in new)


def _banner(result: RecordingResult) -> Banner | None:
    if not any(entry.kind in _SHOWN_IN_BANNER for entry in result.entries):
        return None
    return banner_of(read_course_status(result.course, result.now))


def _changes(result: RecordingResult) -> list[str]:
    changes = result.grade_changes
    is_the_announced = len(changes) == 1 and changes[0].after == result.status.grade
    if is_the_announced and _announcement(result):
        return []
    return [
        f"{clock_text(change.at, result.now)} grade {change.before} → {change.after}"
        for change in changes
    ]


def _announcement(result: RecordingResult) -> str:
    before, after = result.grade_before, result.status.grade
    if before == after or before is None or after is None:
        return ""
    return f"Grade {before} to grade {after}"
