"""Collect the page parts that a save changed, and send them to htmx."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from crs_app.error_pages import STORED_HEADER
from grading.engine.entries import Weight
from patients.bedside.new_rows import NewRows, grade_changes_of, is_newest, new_rows_of
from patients.bedside.page import FORM_PARTS, build_card, form_parts, may_do, shared_context
from patients.bedside.timeline import ASKS_ITSELF, TimelineView, timeline_of
from patients.display.assessment import (
    grade_number,
    grade_words,
    missing_for_grade_0,
    was_assessed,
)
from patients.display.banner import Banner, banner_of
from patients.display.grade_card import GradeCard
from patients.display.previous_values import (
    Infusion,
    PreviousValue,
    previous_values,
    running_infusions,
)
from patients.display.text import capital, clock_text
from patients.display.timeline import (
    AS_TABLE,
    TIMELINE_KINDS,
    Timeline,
    TimelineRow,
    build_rows,
    in_panels,
)
from patients.forms.concentrations import SyringeConcentration, concentrations_charted
from patients.forms.registry import CORRECTION_FORMS
from patients.forms.unchanged import UnchangedItem, unchanged_items
from patients.guidance.advice import advice_for_status
from patients.guidance.panel import GuidancePanel, build_panel
from patients.models import Course, EntryKind
from patients.models.charted_times import ONE_TICK
from patients.queries.attributions import AttributionProposal, read_latest_attributions
from patients.queries.entries import parse_entry
from patients.queries.grades import GradeHistory
from patients.queries.guidance_answers import AnswerRow, read_latest_answers
from patients.queries.status import read_course_status, read_history_for, weights_among
from patients.queries.timeline import new_timeline_entries, read_correction_chains
from patients.recording.record import RecordingResult
from patients.requests import SignedInRequest

SHOWN_HEADER: Final = "CRS-Shown"
"""Header of a request: what its page shows.

It reads ``guidance=<signature>; timeline=<kind>; day=; until=<lowest row>; parts=``.

A page that shows the table in the place of the timeline has that for a kind, and gets no rows.

The response contains the guidance panel only where the signature differs. Its own header names the
current signature: a page whose panel was replaced meanwhile by an older one requests it again.
"""
_OF_A_DEATH: Final = frozenset({EntryKind.DEATH, EntryKind.RETRACTION})
_SHOWN_IN_BANNER: Final = frozenset({EntryKind.WEIGHT, EntryKind.BASELINE})


class ShownOnPage(NamedTuple):
    """What a page shows: signature of its guidance panel; kind, last day and lowest row of its
    timeline, "" where nothing is older; parts of its form.
    """

    guidance: str = ""
    timeline: str = ""
    day: str = ""
    until: str = ""
    parts: frozenset[str] = FORM_PARTS


def shown_on_page(request: HttpRequest) -> ShownOnPage:
    """Read what the page of ``request`` shows from its header; empty without one."""
    pairs = (
        part.strip().partition("=") for part in request.headers.get(SHOWN_HEADER, "").split(";")
    )
    values = {name: value for name, _, value in pairs}
    kind = values.get("timeline", "")
    return ShownOnPage(
        values.get("guidance", ""),
        kind if kind == AS_TABLE or kind in dict(TIMELINE_KINDS) else "",
        values.get("day", ""),
        values.get("until", ""),
        form_parts(values.get("parts")),
    )


@dataclass(frozen=True, slots=True)
class AfterSave:
    """Page parts after a save.

    ``announcement`` is the change of the current grade in words, "" where it did not change;
    ``changes`` are the changes of grade that the act added to the history, empty where the
    announcement is the only one. ``new_rows`` are added to the timeline, the lowest place first,
    none where the page asks for its rows itself. Where the page shows another timeline than the
    newest rows, or other rows changed too, they are None and ``timeline`` is the whole timeline.
    ``may_end_or_resume``: a death was charted, or something was retracted that may be one.
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
    may_end_or_resume: bool
    is_replay: bool


def after_save(
    result: RecordingResult, shown: ShownOnPage, answer: AnswerRow | None = None
) -> AfterSave:
    """Collect what ``result`` changed on a page that shows ``shown``.

    ``answer`` is the answer to guidance that was recorded with it.
    """
    course, status = result.course, result.status
    new_entries = [parse_entry(row) for row in result.new_rows]
    history = read_history_for(
        course.pk, status, new_entries, act=result.act.pk, shows_grade_0=_touches_grade_0(result)
    )
    weights = weights_among(history.weights)
    unchanged, running = unchanged_items(status, weights), running_infusions(status, weights)
    answers = read_latest_answers(course.pk) if history.may_have_answers else {}
    advice = advice_for_status(course, status, history.grades, result.for_guidance, answers)
    entry_rows = _entry_rows(result, weights)
    new_rows = _new_rows(result, history, entry_rows, answer, shown)
    return AfterSave(
        course=course,
        text=_saved_text(entry_rows),
        announcement=_announcement(result, history),
        changes=_changes(result, history),
        card=build_card(course, status, history),
        banner=_banner(result),
        new_rows=new_rows,
        timeline=_whole_timeline(result, shown) if new_rows is None else None,
        previous=previous_values(status, running),
        running=running,
        unchanged=unchanged,
        concentrations=concentrations_charted(result.entries, result.now)
        if is_newest(result)
        else [],
        attributions=read_latest_attributions(status.latest),
        guidance=build_panel(advice, history, unchanged),
        may_end_or_resume=any(entry.kind in _OF_A_DEATH for entry in result.entries),
        is_replay=result.is_replay,
    )


def render_after_save(
    request: SignedInRequest,
    saved: AfterSave,
    main_template: str,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Render ``main_template`` for htmx, with out-of-band swaps of all else that changed.

    ``context`` may have a form: with ``renew_form`` it replaces the form of the page and contains
    the message; ``main_template`` may then be empty.
    """
    shown = shown_on_page(request)
    parts = {
        "saved": saved,
        "main_template": main_template,
        "shows_guidance": shown.guidance != saved.guidance.signature,
        "parts": shown.parts,
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
        **shared_context(saved.course, may_do(request.user, saved.course)),
    }
    response = render(request, "bedside/after_save.html", parts | (context or {}))
    response[SHOWN_HEADER] = f"guidance={saved.guidance.signature}"
    response[STORED_HEADER] = "yes"
    if saved.may_end_or_resume:
        # The page asks at once whether the course is still graded.
        trigger_client_event(response, "crs:clock", after="settle")
    return response


def _entry_rows(result: RecordingResult, weights: list[Weight]) -> list[TimelineRow]:
    """Build the rows of the recorded entries, the last of the act first."""
    entries = new_timeline_entries(result.new_rows, result.act.answers)[::-1]
    return build_rows(
        entries, read_correction_chains(entries), weights, frozenset(CORRECTION_FORMS)
    )


def _new_rows(
    result: RecordingResult,
    history: GradeHistory,
    entry_rows: list[TimelineRow],
    answer: AnswerRow | None,
    shown: ShownOnPage,
) -> list[NewRows] | None:
    """Return the rows to add to the timeline of the page; None where it is sent whole."""
    if shown.timeline in ASKS_ITSELF:
        return []
    if shown.timeline or shown.day:
        return None
    return new_rows_of(result, history, in_panels(entry_rows), answer, shown.until)


def _whole_timeline(result: RecordingResult, shown: ShownOnPage) -> Timeline:
    view = TimelineView.of({"show": shown.timeline, "day": shown.day, "until": shown.until})
    return timeline_of(result.course.pk, result.now, view, can_correct=True)


def _saved_text(rows: list[TimelineRow]) -> str:
    """Return what was recorded; of a retraction, what was marked as entered in error."""
    return "; ".join(
        f"Marked as entered in error: {row.corrected[0].old_text}"
        if row.kind == EntryKind.RETRACTION and row.corrected
        else row.text
        for row in reversed(rows)
    )


def _banner(result: RecordingResult) -> Banner | None:
    """Read the banner; None where the act cannot have changed it."""
    if not any(entry.kind in _SHOWN_IN_BANNER for entry in result.entries):
        return None
    return banner_of(read_course_status(result.course, result.now))


def _touches_grade_0(result: RecordingResult) -> bool:
    """Whether the answer writes a grade 0: then it must be read since when one is known."""
    shown = {result.grade_before, *(g for c in result.grade_changes for g in (c.before, c.after))}
    return 0 in shown


def _changes(result: RecordingResult, history: GradeHistory) -> list[str]:
    changes = grade_changes_of(result, history)
    is_the_announced = len(changes) == 1 and changes[0].grade == result.status.grade
    if is_the_announced and _announcement(result, history):
        return []
    return [
        f"{clock_text(change.at, result.now)} "
        f"grade {grade_number(change.before, assessed=change.assessed_before)} → "
        f"{grade_number(change.grade, assessed=change.assessed)}"
        for change in changes
    ]


def _announcement(result: RecordingResult, history: GradeHistory) -> str:
    """Return the change of the current grade in words; "" where it did not change."""
    before, after = result.grade_before, result.status.grade
    if before == after or before is None or after is None:
        return ""
    first = min((change.at for change in result.grade_changes), default=result.now)
    was_known = before > 0 or was_assessed(before, first - ONE_TICK, history.assessed_since)
    is_known = not missing_for_grade_0(result.status)
    return capital(
        f"{grade_words(before, assessed=was_known)} to {grade_words(after, assessed=is_known)}"
    )
