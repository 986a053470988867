"""Chart, correct and retract entries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.decorators import requires
from crs_app.accounts.permissions import check_can_chart
from crs_app.accounts.rights import Act
from grading.course_file import read_entry
from grading.engine.entries import Entry as GradingEntry
from patients.bedside.after_save import (
    AfterSave,
    after_save,
    render_after_save,
    shown_on_page,
)
from patients.bedside.page import (
    FIRST_KIND,
    BedsideData,
    empty_form,
    form_context,
    read_bedside_data,
    read_unchanged_items,
    render_in_form_place,
    render_page,
)
from patients.bedside.timeline import rows_of
from patients.display.closed import closed_notice
from patients.display.text import entry_text
from patients.forms.corrections import NOTHING_CHANGED, changes_nothing
from patients.forms.entry_form import EntryForm
from patients.forms.notes import NotObservedTap
from patients.forms.proposals import (
    NOTHING_PROPOSED,
    Proposals,
    read_correction_proposals,
    read_proposals,
)
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.forms.retraction import RetractionForm
from patients.forms.unchanged import EmptyTicks, is_unchanged_field
from patients.models import ChartingAct, Course, Entry, EntryKind
from patients.queries.acts import read_entries_of_act
from patients.queries.courses import now_for, read_closing
from patients.queries.entries import read_entry_to_replace
from patients.queries.timeline import reason_of
from patients.recording.inputs import (
    AheadOfClockError,
    ConflictError,
    CourseClosedError,
    FormReusedError,
    ImpossibleRateError,
    NewEntry,
    ReplacedAlreadyError,
)
from patients.recording.record import RecordingResult, record_entries, retract_entry
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    recorded_before,
    submission_from,
)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def entries(request: SignedInRequest, course_id: uuid.UUID, kind: str) -> HttpResponse:
    """Show the form of one kind; a POST records it and sends what changed."""
    if request.method == "POST":
        check_can_chart(request.user)
    kind, data, now = kind_or_404(kind), posted(request), timezone.now()
    course = course_or_404(request, course_id, Act.OPEN_CHART if data is None else Act.CHART)
    if data is None:
        bedside = read_bedside_data(course, now_for(course))
        form = empty_form(kind, bedside, request.GET.get("tool", ""))
        return _form_page(request, course, form, bedside)
    form = _posted_form(kind, data, course, now)
    return _record_or_show(request, course, form)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@requires(Act.CHART)
def correct(request: SignedInRequest, course_id: uuid.UUID, entry_id: uuid.UUID) -> HttpResponse:
    """Show the form of an entry with its values; a POST records the correction."""
    course = course_or_404(request, course_id, Act.CHART)
    entry = _entry(course_id, entry_id)
    form_class = CORRECTION_FORMS[entry.kind]
    form = form_class(posted(request), course=course, now=timezone.now(), correcting=entry)
    if not form.is_bound:
        return _form_page(request, course, form)
    return _record_or_show(request, course, form)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@requires(Act.CHART)
def retract(request: SignedInRequest, course_id: uuid.UUID, entry_id: uuid.UUID) -> HttpResponse:
    """Show the form that retracts an entry; a POST records that it was entered in error."""
    course = course_or_404(request, course_id, Act.CHART)
    entry = _entry(course_id, entry_id)
    form = RetractionForm(posted(request), entry=entry, now=timezone.now())
    if form.is_bound and form.is_valid():
        submission = submission_from(request, form)
        return _record(request, course, form, lambda: retract_entry(entry, submission))
    context = {
        "form": form,
        "entry": rows_of(course_id, [entry], can_correct=True)[0],
        "action": reverse("patients:retract", args=[course_id, entry_id]),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render_in_form_place(request, course, "bedside/retraction.html", context, status=status)


@require_POST
@requires(Act.CHART)
def not_observed(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Record why vital signs were not observed now; what is typed in the entry form stays."""
    course, now = course_or_404(request, course_id, Act.CHART), timezone.now()
    form = NotObservedTap(request.POST)
    new = [form.new_entry(now)] if form.is_valid() else recorded_before(request, course, form)
    if not new:
        return _not_saved(request, course, reused=str(form.errors.get("sent_at", [""])[0]))
    try:
        result = record_entries(course, new, submission_from(request, form))
    except FormReusedError as error:
        return _not_saved(request, course, reused=error.fact)
    except CourseClosedError:
        return _not_saved(request, course)
    saved = after_save(result, shown_on_page(request))
    if not request.htmx:
        messages.info(request, f"Saved. {saved.text}")
        return redirect("patients:bedside", course.pk)
    return render_after_save(request, saved, "bedside/not_observed.html", {"saved_reason": saved})


def _record_or_show(request: SignedInRequest, course: Course, form: EntryForm) -> HttpResponse:
    """Record a posted form; show it again where it is not valid and no replay."""
    is_valid = form.is_valid()
    before = recorded_before(request, course, form) if course.ended_at or not is_valid else []
    if course.ended_at and not before:
        return _not_saved(request, course, mine=_text_of_form(form) if is_valid else "")
    if is_valid and changes_nothing(form) and not recorded_before(request, course, form):
        form.add_error(None, NOTHING_CHANGED)
        is_valid = False
    new_entries = form.new_entries() if is_valid else before
    if not new_entries:
        return _form_page(request, course, form)
    submission = submission_from(request, form)
    return _record(request, course, form, lambda: record_entries(course, new_entries, submission))


def _record(
    request: SignedInRequest,
    course: Course,
    form: EntryForm | RetractionForm,
    record: Callable[[], RecordingResult],
) -> HttpResponse:
    """Record, then send htmx what changed; redirect a plain form to the page."""
    try:
        result = record()
    except ConflictError as error:
        return _refused(request, course, form, error)
    remarks = form.remarks if isinstance(form, EntryForm) else []
    if not request.htmx:
        for remark in ("Saved.", *remarks):
            messages.info(request, remark)
        return redirect("patients:bedside", course.pk)
    saved = after_save(result, shown_on_page(request))
    context = {"remarks": remarks, **_form_after_save(form, saved, timezone.now())}
    main = "" if context["renew_form"] else "bedside/saved_message.html"
    return render_after_save(request, saved, main, context)


def _form_after_save(
    form: EntryForm | RetractionForm, saved: AfterSave, now: datetime
) -> dict[str, Any]:
    """Return the context of the form after a save.

    A new form replaces the saved one where its proposals have changed; else the script of the page
    empties it, and only the fields that a save changes are sent.
    """
    if not isinstance(form, EntryForm) or form.correcting is not None or form.leads_back:
        return form_context(_next_form(FIRST_KIND, saved, now), FIRST_KIND) | {"renew_form": True}
    kind = form.kind.value
    renews_attribution = not form.is_renewed and (
        bool(form.proposals_among(saved.attributions)) or form.shows_attribution
    )
    context: dict[str, Any] = {
        "renew_form": form.is_renewed,
        "renew_attribution": renews_attribution,
        "charted_names": form.own_fields(),
    }
    if form.is_renewed:
        return context | form_context(_next_form(kind, saved, now), kind)
    unchanged = saved.unchanged if kind == EntryKind.VITALS else []
    if renews_attribution:
        proposed = Proposals(saved.attributions, unchanged)
        next_form = ENTRY_FORMS[kind](course=saved.course, now=now, proposed=proposed)
        return context | form_context(next_form, kind)
    return context | {"form": EmptyTicks(unchanged), "kind": kind}


def _next_form(kind: str, saved: AfterSave, now: datetime) -> EntryForm:
    proposed = read_proposals(
        kind, saved.course, now, attributions=saved.attributions, unchanged=saved.unchanged
    )
    return ENTRY_FORMS[kind](course=saved.course, now=now, proposed=proposed)


def _text_of_form(form: EntryForm | RetractionForm) -> str:
    """Return what a refused form would have recorded, in the words of the timeline."""
    if not isinstance(form, EntryForm):
        return "Entered in error"
    return "; ".join(entry_text(_parsed(entry)) for entry in form.new_entries())


def _parsed(entry: NewEntry) -> GradingEntry:
    """Return the value of an entry that is not recorded yet."""
    words = {"id": "form", "kind": entry.kind, "at": entry.at.isoformat()}
    return entry.parsed or read_entry({**entry.body, **words})


def _refused(
    request: SignedInRequest, course: Course, form: EntryForm | RetractionForm, error: ConflictError
) -> HttpResponse:
    """Show why nothing was recorded: in the form what can be corrected there, else as a message."""
    if isinstance(form, EntryForm) and isinstance(error, AheadOfClockError | ImpossibleRateError):
        field = "observed_time" if isinstance(error, AheadOfClockError) else None
        form.add_error(field, error.sentence)
        return _form_page(request, course, form)
    mine = _text_of_form(form)
    if isinstance(error, ReplacedAlreadyError):
        return _not_saved(request, course, error.successor, mine)
    if isinstance(error, CourseClosedError):
        return _not_saved(request, course, mine=mine)
    if isinstance(error, FormReusedError):
        return _not_saved(request, course, mine=mine, reused=error.fact, earlier=error.act)
    return _not_saved(request, course, mine=mine, reused=error.sentence)


def _not_saved(
    request: SignedInRequest,
    course: Course,
    successor: Entry | None = None,
    mine: str = "",
    reused: str = "",
    earlier: ChartingAct | None = None,
) -> HttpResponse:
    """Answer 409: ``successor`` replaced the entry first, the course was closed meanwhile, or the
    form was sent before.

    ``mine`` is what the refused form would have recorded, in words; ``reused`` says who sent it
    before, and ``earlier`` is what it recorded then: the open form gets an id of its own, so that
    what is typed there can be saved as another entry.
    """
    closing = read_closing(course_or_404(request, course.pk))
    conflict: dict[str, Any] = {
        "course_id": course.pk,
        "other": None,
        "mine": mine,
        "reused": reused,
        "closed_meanwhile": closed_notice(closing, None, timezone.now()),
    }
    if successor is not None:
        conflict |= {
            "other": rows_of(course.pk, [successor], is_new=True)[0],
            "reason": reason_of(successor),
            "was_retracted": successor.kind == EntryKind.RETRACTION,
        }
    if earlier is not None:
        rows = rows_of(course.pk, read_entries_of_act(earlier, course))
        conflict |= {"earlier": rows, "next_form_id": uuid.uuid4()}
    if request.htmx:
        return render(request, "bedside/not_saved.html", conflict, status=CONFLICT)
    return render_page(request, course, {**conflict, "conflict": conflict}, status=CONFLICT)


def _posted_form(kind: str, data: Mapping[str, Any], course: Course, now: datetime) -> EntryForm:
    """Bind the posted form, with only those proposals that it is checked against."""
    proposed = NOTHING_PROPOSED
    if kind in (EntryKind.LAB, EntryKind.ICE):
        proposed = read_proposals(kind, course, now)
    elif kind == EntryKind.VITALS and any(is_unchanged_field(name) for name in data):
        proposed = Proposals(unchanged=read_unchanged_items(course, now_for(course)))
    return ENTRY_FORMS[kind](data, course=course, now=now, proposed=proposed)


def _read_missing_proposals(form: EntryForm, bedside: BedsideData) -> Proposals:
    """Read what a refused form or a correction proposes, where that was not read before."""
    if form.proposed != NOTHING_PROPOSED:
        return form.proposed
    kind, course = form.kind.value, form.course
    if form.correcting is not None:
        return read_correction_proposals(kind, course, form.now)
    return read_proposals(kind, course, form.now, unchanged=bedside.unchanged)


def _form_page(
    request: SignedInRequest,
    course: Course,
    form: EntryForm,
    bedside: BedsideData | None = None,
) -> HttpResponse:
    """Show the form with its typed values and errors."""
    bedside = bedside or read_bedside_data(course, now_for(course))
    if form.is_bound or form.correcting is not None:
        form.propose(_read_missing_proposals(form, bedside))
    context = form_context(form, form.kind.value)
    template = "forms/entry_form.html"
    if form.correcting is not None:
        template = "bedside/correction.html"
        context["action"] = reverse("patients:correct", args=[course.pk, form.correcting.pk])
        context["entry"] = rows_of(course.pk, [form.correcting], can_correct=True)[0]
    status = UNPROCESSABLE if form.is_bound else 200
    return render_in_form_place(request, course, template, context, data=bedside, status=status)


def _entry(course_id: uuid.UUID, entry_id: uuid.UUID) -> Entry:
    """Return the entry; raise Http404 where the course has none of that id but a retraction."""
    try:
        return read_entry_to_replace(course_id, entry_id)
    except Entry.DoesNotExist:
        raise Http404("No such entry") from None


def kind_or_404(kind: str) -> str:
    """Return ``kind``; raise Http404 where it has no form."""
    if kind not in ENTRY_FORMS:
        raise Http404("No such form")
    return kind
