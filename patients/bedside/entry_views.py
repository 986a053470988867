"""Chart, correct and retract entries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.permissions import can_chart
from patients.bedside.after_save import AfterSave, after_save, text_of_entries
from patients.bedside.page import (
    FIRST_KIND,
    BedsideData,
    form_context,
    page_context,
    proposals_for,
    read_bedside_data,
    shared_context,
    unchanged_items_of,
)
from patients.bedside.timeline import rows_of
from patients.forms.entry_form import EntryForm, RetractionForm
from patients.forms.notes import NotObservedTap
from patients.forms.proposals import NOTHING_PROPOSED, Proposals, read_proposals
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.forms.unchanged import UnchangedForm, UnchangedItem, is_unchanged_field
from patients.models import Course, Entry, EntryKind
from patients.queries.timeline import reason_of
from patients.recording.inputs import FormReusedError, ReplacedAlreadyError
from patients.recording.record import RecordingResult, correct_entry, record_entries, retract_entry
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    recorded_before,
    requires_charting,
    submission_from,
)

GUIDANCE_SHOWN: Final = "CRS-Guidance-Shown"
"""Which guidance a page shows as it saves, by its signature; in the answer, what it should show.

The panel is sent where the two differ. Where it was replaced meanwhile, the page asks for it.
"""


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def entries(request: SignedInRequest, course_id: uuid.UUID, kind: str) -> HttpResponse:
    """The form of one kind; sent, it is recorded and answered with what changed."""
    if request.method == "POST" and not can_chart(request.user):
        raise PermissionDenied
    course, now = course_or_404(course_id), timezone.now()
    form_class, data = ENTRY_FORMS[kind_or_404(kind)], posted(request)
    if data is None:
        beside = read_bedside_data(course, now)
        proposed = proposals_for(kind, course, now, beside)
        form = form_class(course=course, now=now, proposed=proposed)
        return _form_page(request, course, form, now, beside)
    form = form_class(data, course=course, now=now, proposed=_checked(kind, data, course, now))
    drafts = form.new_entries() if form.is_valid() else recorded_before(request, course, form)
    if drafts:
        sending = submission_from(request, form)
        return _record(request, course, form, lambda: record_entries(course, drafts, sending))
    return _form_page(request, course, form, now)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@requires_charting
def correct(request: SignedInRequest, course_id: uuid.UUID, entry_id: uuid.UUID) -> HttpResponse:
    """The form of an entry with what it says now; sent, what it should have said."""
    course, entry, now = course_or_404(course_id), _entry(course_id, entry_id), timezone.now()
    form_class = CORRECTION_FORMS[kind_or_404(entry.kind)]
    form = form_class(posted(request), course=course, now=now, correcting=entry)
    if form.is_bound and form.is_valid():
        (draft,) = form.new_entries()
        sending = submission_from(request, form)
        return _record(
            request,
            course,
            form,
            lambda: correct_entry(entry, draft.at, draft.body, sending),
        )
    if form.is_bound and (drafts := recorded_before(request, course, form)):
        sending = submission_from(request, form)
        return _record(request, course, form, lambda: record_entries(course, drafts, sending))
    return _form_page(request, course, form, now)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@requires_charting
def retract(request: SignedInRequest, course_id: uuid.UUID, entry_id: uuid.UUID) -> HttpResponse:
    """Take an entry back as entered in error."""
    course, entry, now = course_or_404(course_id), _entry(course_id, entry_id), timezone.now()
    form = RetractionForm(posted(request))
    if form.is_bound and form.is_valid():
        sending = submission_from(request, form)
        return _record(request, course, form, lambda: retract_entry(entry, sending))
    context = {
        "form": form,
        "course_id": course_id,
        "entry": rows_of(course_id, [entry], can_correct=True)[0],
        "action": reverse("patients:retract", args=[course_id, entry_id]),
    }
    return _render_form(request, course, context, "bedside/retraction.html", now)


def _record(
    request: SignedInRequest,
    course: Course,
    form: EntryForm | RetractionForm,
    record: Callable[[], RecordingResult],
) -> HttpResponse:
    """Record and answer: htmx gets what changed, a plain form is sent back to the page."""
    try:
        recorded = record()
    except ReplacedAlreadyError as error:
        return _conflict(request, course, error.successor, _text_of_form(form))
    except FormReusedError:
        return _conflict(request, course, mine=_text_of_form(form))
    remarks = form.remarks if isinstance(form, EntryForm) else []
    if not request.htmx:
        for remark in ("Saved.", *remarks):
            messages.info(request, remark)
        return redirect("patients:bedside", course.pk)
    kind = form.kind if isinstance(form, EntryForm) and not form.correcting else FIRST_KIND
    saved = after_save(recorded)
    shown = request.headers.get(GUIDANCE_SHOWN)
    context = {
        "saved": saved,
        "shows_guidance": shown != saved.guidance.signature,
        "remarks": remarks,
        "form_id": uuid.uuid4(),
        "kind": kind,
        **_form_after_save(form, kind, course, saved, recorded.now),
        **{name: getattr(saved, name) for name in ("card", "banner", "rows", "timeline")},
        **{name: getattr(saved, name) for name in ("previous", "running", "guidance")},
        **shared_context(course, may_chart=True),
    }
    answer = render(request, "bedside/after_save.html", context)
    answer[GUIDANCE_SHOWN] = saved.guidance.signature
    return answer


def _form_after_save(
    sent_form: EntryForm | RetractionForm,
    kind: str,
    course: Course,
    saved: AfterSave,
    now: datetime,
) -> dict[str, Any]:
    """What takes the place of the form that was saved; of one that stays, what a save changes."""
    form_class = ENTRY_FORMS[kind]
    unchanged = saved.carried_on if kind == EntryKind.VITALS else []
    is_renewed = _is_renewed(sent_form)
    renews_attribution = not is_renewed and (
        bool(form_class.proposals_among(saved.proposed))
        or (isinstance(sent_form, EntryForm) and sent_form.shows_attribution)
    )
    emptied: dict[str, Any] = {
        "renew_form": is_renewed,
        "renew_attribution": renews_attribution,
        "charted_names": sent_form.own_fields() if isinstance(sent_form, EntryForm) else [],
    }
    if is_renewed:
        proposed = read_proposals(
            kind, course, now, attributions=saved.proposed, unchanged=saved.carried_on
        )
    elif renews_attribution:
        proposed = Proposals(saved.proposed, unchanged)
    else:
        return emptied | {"form": UnchangedForm(unchanged)}
    return emptied | form_context(form_class(course=course, now=now, proposed=proposed), kind)


def _text_of_form(form: EntryForm | RetractionForm) -> str:
    """What a form would have charted, in words."""
    return (
        text_of_entries(form.new_entries()) if isinstance(form, EntryForm) else "entered in error"
    )


def _is_renewed(form: EntryForm | RetractionForm) -> bool:
    """Whether another form takes the place of the one that was saved, or it is only emptied."""
    return not isinstance(form, EntryForm) or form.is_renewed or form.correcting is not None


def _conflict(
    request: SignedInRequest, course: Course, successor: Entry | None = None, mine: str = ""
) -> HttpResponse:
    """Nothing of this form is stored: ``successor`` was there first, or the form itself was."""
    conflict: dict[str, Any] = {"course_id": course.pk, "other": None, "mine": mine}
    if successor is not None:
        conflict |= {
            "other": rows_of(course.pk, [successor], is_new=True)[0],
            "reason": reason_of(successor),
            "was_retracted": successor.kind == EntryKind.RETRACTION,
        }
    if request.htmx:
        return render(request, "bedside/conflict.html", conflict, status=CONFLICT)
    page = page_context(course, FIRST_KIND, timezone.now(), may_chart=True)
    page |= {**conflict, "conflict": conflict}
    return render(request, "bedside/page.html", page, status=CONFLICT)


def _checked(kind: str, data: Mapping[str, Any], course: Course, now: datetime) -> Proposals:
    """Read of the proposals what a sent form of ``kind`` is checked against, and nothing else."""
    if kind == EntryKind.LAB:
        return read_proposals(kind, course, now)
    if kind == EntryKind.VITALS and any(is_unchanged_field(name) for name in data):
        return Proposals(unchanged=unchanged_items_of(course, now))
    return NOTHING_PROPOSED


def _proposed_again(
    form: EntryForm, course: Course, now: datetime, beside: BedsideData | None
) -> Proposals:
    """Return what a refused form proposes; what it was checked against is not read again."""
    kind = form.kind.value
    if form.proposed != NOTHING_PROPOSED:
        return form.proposed
    unchanged: Sequence[UnchangedItem] = ()
    if kind == EntryKind.VITALS and form.correcting is None:
        unchanged = beside.carried_on if beside else unchanged_items_of(course, now)
    return read_proposals(kind, course, now, unchanged=unchanged)


def _form_page(
    request: SignedInRequest,
    course: Course,
    form: EntryForm,
    now: datetime,
    beside: BedsideData | None = None,
) -> HttpResponse:
    """The form alone for htmx, the whole page otherwise; typed values and errors stay."""
    if request.htmx and beside is None:
        beside = read_bedside_data(course, now)
    if form.is_bound or form.correcting is not None:
        form.propose(_proposed_again(form, course, now, beside))
    context = form_context(form, form.kind.value)
    if form.correcting is not None:
        context["action"] = reverse("patients:correct", args=[course.pk, form.correcting.pk])
        context["entry"] = rows_of(course.pk, [form.correcting], can_correct=True)[0]
    template = "bedside/correction.html" if form.correcting else "forms/entry_form.html"
    return _render_form(request, course, context, template, now, beside)


def _render_form(
    request: SignedInRequest,
    course: Course,
    context: dict[str, Any],
    template: str,
    now: datetime,
    beside: BedsideData | None = None,
) -> HttpResponse:
    form = context["form"]
    status = UNPROCESSABLE if form.is_bound else 200
    may_chart = can_chart(request.user)
    if not request.htmx:
        page = page_context(course, context.get("kind", FIRST_KIND), now, may_chart=may_chart)
        page |= {**context, "form_template": template}
        return render(request, "bedside/page.html", page, status=status)
    if beside is None:
        beside = read_bedside_data(course, now)
    context |= {"previous": beside.previous, "running": beside.running}
    context |= shared_context(course, may_chart=may_chart)
    return render(request, template, context, status=status)


def _entry(course_id: uuid.UUID, entry_id: uuid.UUID) -> Entry:
    """An entry that can be corrected or retracted; whether it still can, recording decides."""
    entries = Entry.objects.exclude(kind=EntryKind.RETRACTION).select_related(
        "course__patient",
        "course__policy",
        "recorded_by",
        "act",
        "replaced_by",
        "replaced_by__act",
    )
    return get_object_or_404(entries, course_id=course_id, pk=entry_id)


def kind_or_404(kind: str) -> str:
    if kind not in ENTRY_FORMS:
        raise Http404("No such form")
    return kind


@require_POST
@requires_charting
def not_observed(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Chart why vital signs were not observed now; what is typed in the form beside it stays."""
    course, now = course_or_404(course_id), timezone.now()
    form = NotObservedTap(request.POST)
    if not form.is_valid():
        return _not_observed_refused(request, course)
    try:
        recorded = record_entries(course, [form.new_entry(now)], submission_from(request, form))
    except FormReusedError:
        return _not_observed_refused(request, course)
    saved = after_save(recorded)
    if not request.htmx:
        messages.info(request, f"Saved. {saved.text}")
        return redirect("patients:bedside", course.pk)
    context = {
        "saved": saved,
        "course": course,
        **{name: getattr(saved, name) for name in ("card", "rows", "timeline")},
        **shared_context(course, may_chart=True),
    }
    return render(request, "bedside/not_observed_saved.html", context)


def _not_observed_refused(request: SignedInRequest, course: Course) -> HttpResponse:
    """Nothing is stored: the page is older than what was sent with it before."""
    conflict = {"course_id": course.pk, "other": None, "mine": ""}
    if request.htmx:
        return render(request, "bedside/conflict.html", conflict, status=CONFLICT)
    page = page_context(course, FIRST_KIND, timezone.now(), may_chart=True)
    page |= {**conflict, "conflict": conflict}
    return render(request, "bedside/page.html", page, status=CONFLICT)
