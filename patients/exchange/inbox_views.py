"""The inbox: what other systems sent and is not on the chart, and what one tap does with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import trigger_client_event

from crs_app.accounts.decorators import requires
from crs_app.accounts.rights import Act
from crs_app.search_words import spelling_text
from crs_app.searches import seal
from patients.display.received import why_held
from patients.display.site_times import site_time
from patients.exchange.held_sets import set_of
from patients.exchange.inbox import chart_items, dismiss_items
from patients.exchange.inbox_cards import (
    KEEP,
    LATER_SET,
    REASONS_TO_SET_ASIDE,
    card_of,
    cards_of,
    done_cards,
    message_text,
    segment_of,
    signature_of_cards,
)
from patients.exchange.monitor_row import monitor_context
from patients.forms.received import ProposalForm
from patients.forms.set_aside import SetAsideForm
from patients.models import Course, HeldItem
from patients.queries.courses import now_for
from patients.queries.held import (
    count_undecided,
    decided_lately,
    items_to_decide,
    messages_of_strangers,
    read_decisions,
    read_heard,
    read_item,
    read_sums,
    undecided_for,
    wards_with_items,
)
from patients.recording.inputs import ConflictError
from patients.requests import (
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    recorded_before,
    submission_from,
)

LONGEST_SEARCH: Final = 80
ITEMS_AT_MOST: Final = 400
DECIDED_SHOWN: Final = 8
BEDSIDE: Final = "bedside"
"""Value of ``from``: the row of the bedside page sent it, and not the inbox."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the inbox asks for; what it does not know counts as nothing."""

    q: str = ""
    ward: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        words = (query.get(name, "").replace("\0", "").strip() for name in ("q", "ward"))
        return cls(*(word[:LONGEST_SEARCH] for word in words))

    @property
    def query(self) -> str:
        return urlencode(
            {name: word for name, word in (("q", seal(self.q)), ("ward", self.ward)) if word}
        )


@require_safe
@requires(Act.CHART)
@vary_on_headers("HX-Request")
def inbox(request: SignedInRequest) -> HttpResponse:
    """Show what is held for the reader's wards; a search by htmx gets the list alone.

    A poll says in ``seen`` which items its page shows: it gets a line where others wait now.
    """
    asked, now = Asked.of(request.GET), timezone.now()
    items = undecided_for(request.user, asked.ward, asked.q)
    strangers = [] if asked.ward or asked.q else list(messages_of_strangers(now))
    cards = cards_of(items)
    signature = signature_of_cards(cards, strangers)
    if "seen" in request.GET:
        if request.GET["seen"] == signature:
            return HttpResponse(status=204)
        return render(request, "exchange/inbox_news.html", {"asked": asked})
    midnight = site_time(now).replace(hour=0, minute=0, second=0, microsecond=0)
    context = {
        "asked": asked,
        "cards": cards,
        "signature": signature,
        "spelling": spelling_text(asked.q, _names(items)),
        "strangers": strangers,
        "done": done_cards(decided_lately(request.user, now, ITEMS_AT_MOST))[:DECIDED_SHOWN],
        "sums": read_sums(request.user, midnight),
        "heard": read_heard(now),
        "wards": sorted({*wards_with_items(items), *([asked.ward] if asked.ward else [])}),
        "now": now,
        "longest_search": LONGEST_SEARCH,
        **_words(),
    }
    alone = request.htmx and not request.htmx.history_restore_request
    template = "exchange/inbox_content.html" if alone else "exchange/inbox.html"
    return render(request, template, context)


def _names(items: Iterable[HeldItem]) -> list[str]:
    return [item.course.patient.name for item in items if item.course is not None]


@require_safe
@requires(Act.CHART)
def count(request: SignedInRequest) -> HttpResponse:
    """Answer how much waits for the reader, as the link to the inbox shows it."""
    return render(request, "exchange/inbox_count.html", {"count": count_undecided(request.user)})


@require_safe
def received(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer what the bedside page shows of held items: a row at the form, a line at the grade.

    A page whose form has no place for the row asks for the line alone.
    """
    course = course_or_404(request, course_id)
    context = monitor_context(request.user, course)
    context["has_row"] = request.GET.get("only") != "line"
    return render(request, "exchange/bedside_parts.html", context)


@require_POST
@requires(Act.CHART)
def chart(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Chart what is proposed in the posted items, by one tap."""
    course = course_or_404(request, course_id, Act.CHART)
    items = _items(course, request.POST)
    held = set_of(items)
    form = ProposalForm(request.POST, course=course, now=timezone.now(), proposed=held.proposed)
    is_valid = form.is_valid()
    if is_valid and not held.proposed:
        form.add_error(None, held.refusal or "Nothing is proposed here: chart it by hand.")
        is_valid = False
    entries = form.new_entries() if is_valid else recorded_before(request, course, form)
    if not entries:
        return _asked_again(request, course, items, form)
    try:
        result = chart_items(course, items, entries, submission_from(request, form))
    except ConflictError as error:
        return _refused(request, course, error)
    return _done(request, course, items, f"Saved for {course.patient.name}.", result.is_replay)


@require_POST
@requires(Act.CHART)
def dismiss(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Set the posted items aside, with a reason."""
    course = course_or_404(request, course_id, Act.CHART)
    items = _items(course, request.POST)
    form = SetAsideForm(request.POST)
    if not form.is_valid():
        return _refused(request, course, ConflictError(form.sentence))
    try:
        dismiss_items(course, items, form.cleaned_data["why"], request.user)
    except ConflictError as error:
        return _refused(request, course, error)
    return _done(request, course, items, "Set aside.")


@require_safe
def sent(request: SignedInRequest, course_id: uuid.UUID, item_id: uuid.UUID) -> HttpResponse:
    """Show the part of a message that an item stands in, as it was sent."""
    course = course_or_404(request, course_id)
    item = read_item(course, item_id)
    if item is None:
        raise Http404("No such item")
    return _sent(request, segment_of(item))


@require_safe
@requires(Act.CHART)
def stranger_sent(request: SignedInRequest, message_id: uuid.UUID) -> HttpResponse:
    """Show a message whose patient is not known here, as it was sent: it names a person."""
    message = get_object_or_404(messages_of_strangers(timezone.now()), pk=message_id)
    return _sent(request, message_text(message))


def _sent(request: SignedInRequest, segment: str) -> HttpResponse:
    template = "exchange/sent.html" if request.htmx else "exchange/sent_page.html"
    return render(request, template, {"segment": segment})


def _items(course: Course, data: QueryDict) -> list[HeldItem]:
    """Read the items that were pressed on; raise Http404 where they are not of this course."""
    items = items_to_decide(course, read_ids(data))
    if not items:
        raise Http404("No such items")
    return items


def read_ids(data: QueryDict) -> list[uuid.UUID]:
    """Return the ids that a request names as ``item``; raise Http404 where one is no id."""
    try:
        return [uuid.UUID(text) for text in data.getlist("item")[:ITEMS_AT_MOST]]
    except ValueError:
        raise Http404("No such items") from None


def _words() -> Mapping[str, Any]:
    return {
        "reasons": REASONS_TO_SET_ASIDE,
        "keep": KEEP,
        "later_set": LATER_SET,
        "why_held": why_held,
    }


def _asked_again(
    request: SignedInRequest, course: Course, items: list[HeldItem], form: ProposalForm
) -> HttpResponse:
    """Show the card with the questions of its form, or with what is wrong."""
    card = card_of(items, form)
    if request.htmx and request.POST.get("from") == BEDSIDE:
        context = monitor_context(request.user, course, card=card)
        return render(request, "exchange/monitor_row.html", context)
    context = {"card": card, "now": now_for(course), **_words()}
    if request.htmx:
        return render(request, "exchange/card.html", context)
    return render(request, "exchange/card_page.html", context, status=UNPROCESSABLE)


def _refused(request: SignedInRequest, course: Course, error: ConflictError) -> HttpResponse:
    """Say why nothing was done: somebody else was faster, mostly."""
    if request.htmx and request.POST.get("from") == BEDSIDE:
        context = monitor_context(request.user, course, wrong=error.sentence)
        answer = render(request, "exchange/monitor_row.html", context)
        return trigger_client_event(answer, "crs:clock", after="settle")
    if request.htmx:
        return render(request, "exchange/card_gone.html", {"sentence": error.sentence})
    messages.warning(request, f"Nothing was saved. {error.sentence}")
    return _back(request, course)


def _done(
    request: SignedInRequest,
    course: Course,
    items: list[HeldItem],
    sentence: str,
    is_replay: bool = False,
) -> HttpResponse:
    if request.htmx and request.POST.get("from") == BEDSIDE:
        context = monitor_context(
            request.user, course, saved="Saved already." if is_replay else sentence
        )
        answer = render(request, "exchange/monitor_row.html", context)
        return trigger_client_event(answer, "crs:clock", after="settle")
    if request.htmx:
        decisions = read_decisions(item.pk for item in items)
        (done,) = done_cards(decisions)[:1]
        answer = render(request, "exchange/card_done.html", {"done": done, "just_now": True})
        return trigger_client_event(answer, "crs:held", after="settle")
    messages.info(request, sentence)
    return _back(request, course)


def _back(request: SignedInRequest, course: Course) -> HttpResponse:
    return redirect(after_address(request, course, request.POST.get("from", "")))


def after_address(request: SignedInRequest, course: Course, came_from: str) -> str:
    """Return the page that an act on what was received leads back to; a launch has no inbox."""
    if came_from == BEDSIDE or getattr(request, "launch", None) is not None:
        return reverse("patients:bedside", args=[course.pk])
    return reverse("patients:inbox")
