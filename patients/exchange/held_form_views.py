"""The form of a kind, filled in with what another system sent, to be changed and charted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods

from crs_app.accounts.decorators import requires
from crs_app.accounts.permissions import can_open_chart
from crs_app.accounts.rights import Act
from grading.engine.times import can_be_charted
from patients.display.banner import banner_of
from patients.display.previous_values import previous_values, running_infusions
from patients.display.received import why_held
from patients.exchange.formats.held_corrections import OF_AN_END, UNTIMED
from patients.exchange.held_sets import JOINED, proposals_of
from patients.exchange.inbox import chart_items
from patients.exchange.inbox_cards import segment_of
from patients.exchange.inbox_views import BEDSIDE, after_address, read_ids
from patients.exchange.incoming import CONTRADICTION
from patients.forms.entry_form import EntryForm
from patients.forms.received import NotChartableError, proposed_entry
from patients.forms.registry import CORRECTION_FORMS
from patients.models import ChartingAct, Course, Entry, EntryKind, HeldItem
from patients.queries.courses import now_for
from patients.queries.exchange import ROW_KEYS
from patients.queries.held import items_to_decide
from patients.queries.status import read_course_status, read_weights_for
from patients.recording.inputs import ConflictError, NewEntry
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    recorded_before,
    submission_from,
)

CHARTED_BY_HAND: Final = (
    EntryKind.VITALS,
    EntryKind.OXYGEN,
    EntryKind.VASOPRESSOR,
    EntryKind.LAB,
    EntryKind.WEIGHT,
    EntryKind.FLUID_BOLUS,
    EntryKind.TREATMENT,
)
"""The kinds that a person may choose where nothing is proposed."""


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Act.CHART)
def held_form(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the form of a kind with what was sent; a POST charts it for the items of the address."""
    course = course_or_404(request, course_id, Act.CHART)
    items = items_to_decide(course, read_ids(request.GET))
    if not items or any(one.reason == CONTRADICTION for one in items):
        raise Http404("No such items")
    kind = _kind(request.GET.get("kind", ""), items)
    if kind is None:
        return _page(request, course, items, None)
    chosen = [one for one in items if one.proposal is None or one.proposal.get("kind") == kind]
    if kind not in JOINED:  # the form charts one of them, and the others wait
        chosen = chosen[:1]
    proposal, following = _proposals(chosen, kind)
    now = timezone.now()
    form = CORRECTION_FORMS[kind](posted(request), course=course, now=now)
    if not form.is_bound:
        form.initial.update(_values(form, proposal, chosen[0]))
        return _page(request, course, chosen, form)
    is_valid = form.is_valid()
    entries = form.new_entries() if is_valid else recorded_before(request, course, form)
    if not entries:
        return _page(request, course, chosen, form)
    entries = [_as_sent(one, chosen[0], proposal) for one in entries] + following
    try:
        chart_items(course, chosen, entries, submission_from(request, form))
    except ConflictError as error:
        form.add_error(None, error.sentence)
        return _page(request, course, chosen, form, CONFLICT)
    messages.info(request, f"Saved for {course.patient.name}.")
    return redirect(after_address(request, course, request.GET.get("from", "")))


def _kind(asked: str, items: Sequence[HeldItem]) -> EntryKind | None:
    """Return the kind that the address asks for, else that of the first proposal."""
    proposed = [str(one.proposal.get("kind", "")) for one in items if one.proposal]
    if asked in CHARTED_BY_HAND and (not proposed or asked in proposed):
        return EntryKind(asked)
    first = proposed[0] if proposed else ""
    return EntryKind(first) if first in CORRECTION_FORMS else None


def _proposals(
    items: Sequence[HeldItem], kind: EntryKind
) -> tuple[Mapping[str, Any], list[NewEntry]]:
    """Return what stands in the form, and the entries that follow from it whatever is typed."""
    proposals = [dict(one.proposal) for one in items if one.proposal]
    if not proposals:
        return {"kind": kind.value}, []
    try:
        first, *others = proposals_of(items)
        return first, [proposed_entry(one).new for one in others]
    except NotChartableError:  # the parts contradict each other: the first stands in the form
        left_out = OF_AN_END if kind != EntryKind.VASOPRESSOR else {*OF_AN_END, "replaces"}
        return {key: value for key, value in proposals[0].items() if key not in left_out}, []


def _values(form: EntryForm, proposal: Mapping[str, Any], item: HeldItem) -> dict[str, Any]:
    """Return the initial values of a form: those of the proposal, and the time of the item."""
    at = _time_of(proposal, item)
    body = {key: value for key, value in proposal.items() if key not in ROW_KEYS}
    entry = Entry(kind=form.kind, at=at or form.now, body=body, act=ChartingAct(answers={}))
    values = form.values_of(entry)
    is_time = {key: key.startswith("observed_") for key in values}
    return {
        key: value
        for key, value in values.items()
        if (is_time[key] and at is not None) or (not is_time[key] and body)
    }


def _time_of(proposal: Mapping[str, Any], item: HeldItem) -> datetime | None:
    sent = parse_datetime(str(proposal.get("at", ""))) if proposal.get("at") else item.at
    return sent if sent is not None and can_be_charted(sent) else None


def _as_sent(entry: NewEntry, item: HeldItem, proposal: Mapping[str, Any]) -> NewEntry:
    """Return a typed entry with the seconds of the time that was sent, and what it corrects.

    A rate for which somebody enters since when it runs corrects the charted one only from its
    beginning on.
    """
    at, replaces = item.at, proposal.get("replaces")
    is_later = item.reason == UNTIMED and (at is None or _minute(at) != entry.at)
    if replaces and not is_later:
        entry = replace(entry, replaces=uuid.UUID(str(replaces)))
    if at is None or _minute(at) != entry.at:
        return entry
    parsed = None if entry.parsed is None else replace(entry.parsed, at=at)
    return replace(entry, at=at, parsed=parsed, by_clock=False)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _page(
    request: SignedInRequest,
    course: Course,
    items: Sequence[HeldItem],
    form: EntryForm | None,
    status: int | None = None,
) -> HttpResponse:
    now = now_for(course)
    current = read_course_status(course, now)
    weights = read_weights_for(course.pk, current.current.latest.values())
    running = running_infusions(current.current, weights)
    query = urlencode({"item": [str(one.pk) for one in items]}, doseq=True)
    back = BEDSIDE if request.GET.get("from") == BEDSIDE else ""
    here = reverse("patients:held_form", args=[course.pk])
    query += f"&from={back}" if back else ""
    context = {
        "course": course,
        "course_id": course.pk,
        "patient": course.patient,
        "banner": banner_of(current),
        "can_open_chart": can_open_chart(request.user, course),
        "items": items,
        "segments": list(dict.fromkeys(segment_of(one) for one in items)),
        "why": why_held(items[0].reason),
        "form": form,
        "kind": None if form is None else form.kind.value,
        "action": f"{here}?{query}" + ("" if form is None else f"&kind={form.kind.value}"),
        "kinds": [(one.value, one.label, f"{here}?{query}&kind={one}") for one in CHARTED_BY_HAND],
        "is_proposed": any(one.proposal for one in items),
        "previous": previous_values(current.current, running),
        "running": running,
        "back": after_address(request, course, back),
    }
    refused = form is not None and form.is_bound
    return render(
        request,
        "exchange/held_form.html",
        context,
        status=status or (UNPROCESSABLE if refused else 200),
    )
