"""The guidance panel of one course: shown, acted on and answered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.permissions import can_chart
from grading.engine.algorithm import Item, Reply
from patients.bedside.after_save import after_save
from patients.bedside.page import (
    FIRST_KIND,
    form_context,
    page_context,
    shared_context,
    unchanged_items_of,
)
from patients.display.timeline import answer_row, answer_text
from patients.forms.proposals import Proposals
from patients.forms.registry import ENTRY_FORMS
from patients.guidance.advice import CHARTED_BY_DONE, advice_for_course
from patients.guidance.answer import (
    AnsweredMeanwhileError,
    NewAnswer,
    NoLongerAdvisedError,
    RecordedAnswer,
    record_answer,
)
from patients.guidance.forms import (
    FORM_OF_REPLY,
    AnswerForm,
    GivenForm,
    NotAppropriateForm,
    NotNowForm,
    QuickActionForm,
    StaleActionError,
)
from patients.guidance.panel import panel_of
from patients.models import Course
from patients.queries.guidance_answers import AnswerRow
from patients.queries.status import read_course_status
from patients.recording.inputs import FormReusedError, NewEntry
from patients.recording.record import RecordingResult, record_entries
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    requires_charting,
    submission_from,
)

_SENT_BEFORE: Final = "This was sent before with another answer."


class AnswerResult(NamedTuple):
    """What the panel says after an answer or a tap."""

    recorded: RecordingResult
    text: str
    answer: AnswerRow | None = None
    leaves_form: bool = False


@require_safe
@vary_on_headers("HX-Request")
def guidance(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """The panel now; for htmx nothing where it is what was ``seen``. Alone it is the page."""
    course, now = course_or_404(course_id), timezone.now()
    may_chart = can_chart(request.user)
    if not request.htmx:
        page = page_context(course, FIRST_KIND, now, may_chart=may_chart)
        return render(request, "bedside/page.html", page)
    panel = panel_of(read_course_status(course, now))
    if request.GET.get("seen") == panel.signature:
        return HttpResponse(status=204)
    context: dict[str, Any] = {"guidance": panel}
    context |= shared_context(course, may_chart=may_chart)
    return render(request, "guidance/panel.html", context)


@require_POST
@requires_charting
def quick_action(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Chart what one tap says: a risk answer, a judgement, that an infusion goes on or stopped."""
    course, now = course_or_404(course_id), timezone.now()
    form = QuickActionForm(request.POST)
    if not form.is_valid():
        return _refused(request, course, "This page is out of date: look at the chart.")
    try:
        draft = form.new_entry(now, unchanged_items_of(course, now))
        recorded = record_entries(course, [draft], submission_from(request, form))
    except StaleActionError as error:
        return _refused(request, course, error.sentence)
    except FormReusedError:
        return _refused(request, course, _SENT_BEFORE)
    return _respond(request, AnswerResult(recorded, ""))


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@requires_charting
def answer(request: SignedInRequest, course_id: uuid.UUID, code: str, reply: str) -> HttpResponse:
    """The form of an answer that needs more than a tap; sent, the answer is kept."""
    course, now = course_or_404(course_id), timezone.now()
    word = _reply(reply)
    item, seen = _item(course, code, word, now)
    form = _form(request, course, now, code, word, item, seen)
    if form is None:
        return _refused(request, course, "This is not advised any more: look at the chart.")
    if form.is_bound and form.is_valid():
        return _record(request, course, code, word, form)
    return _form_page(request, course, item, form, code, word, now)


def _reply(reply: str) -> Reply:
    try:
        return Reply(reply)
    except ValueError:
        raise Http404("No such answer") from None


def _item(course: Course, code: str, reply: Reply, now: datetime) -> tuple[Item | None, str]:
    """The item as it is advised now, and the latest answer to it."""
    advised = advice_for_course(course, now)
    latest = advised.answers.get(code)
    item = next((i for i in advised.items if i.code == code and reply in i.answers), None)
    return item, "" if latest is None else str(latest.pk)


def _form(
    request: SignedInRequest,
    course: Course,
    now: datetime,
    code: str,
    reply: Reply,
    item: Item | None,
    seen: str,
) -> AnswerForm | GivenForm | None:
    """The form of ``reply``; None where the item is not advised and nothing was sent before."""
    data = posted(request)
    charts = reply is Reply.DONE and code in CHARTED_BY_DONE
    if item is None:
        return AnswerForm(data) if data is not None and _is_replay(course, data) else None
    if charts:
        agents = CHARTED_BY_DONE[code]
        return GivenForm(data, course=course, now=now, item=item, agents=agents, seen=seen)
    return FORM_OF_REPLY[reply](data, seen=seen)


def _is_replay(course: Course, data: Mapping[str, Any]) -> bool:
    """Whether this very form was recorded before: it is answered as it was then."""
    try:
        form_id = uuid.UUID(data.get("form_id", ""))
    except ValueError:
        return False
    return course.acts.filter(form_id=form_id).exists()


def _record(
    request: SignedInRequest,
    course: Course,
    code: str,
    reply: Reply,
    form: AnswerForm | GivenForm,
) -> HttpResponse:
    given = NewAnswer(code, reply, form.cleaned_data["seen"] if "seen" in form.fields else None)
    leaves_form = False
    if isinstance(form, NotNowForm):
        given = replace(given, returns_after=form.returns_after)
    elif isinstance(form, NotAppropriateForm):
        given, leaves_form = replace(given, reason=form.reason), True
    elif isinstance(form, GivenForm):
        given, leaves_form = replace(given, treatment=_only(form.new_entries())), True
    try:
        kept = record_answer(course, given, submission_from(request, form))
    except NoLongerAdvisedError:
        return _refused(request, course, "This is not advised any more: look at the chart.")
    except AnsweredMeanwhileError as error:
        who, what = error.answer.author, answer_text(error.answer)
        return _refused(request, course, f"{who} has answered this meanwhile: {what}.")
    except FormReusedError:
        return _refused(request, course, _SENT_BEFORE)
    return _respond(request, _form_of(kept, leaves_form=leaves_form))


def _only(drafts: list[NewEntry]) -> NewEntry | None:
    return drafts[0] if drafts else None


def _form_of(kept: RecordedAnswer, *, leaves_form: bool) -> AnswerResult:
    return AnswerResult(kept.recorded, answer_text(kept.answer), kept.answer, leaves_form)


def _respond(request: SignedInRequest, told: AnswerResult) -> HttpResponse:
    """htmx gets the panel and what else changed; a plain form is sent back to the page."""
    course, saved = told.recorded.course, after_save(told.recorded)
    text = "; ".join(part for part in (told.text, saved.text) if part)
    if not request.htmx:
        messages.info(request, f"Saved. {text}")
        return redirect(f"{reverse('patients:bedside', args=[course.pk])}#guidance")
    rows = saved.rows if told.answer is None else [answer_row(told.answer), *saved.rows]
    proposed = Proposals(unchanged=saved.carried_on)
    vitals = ENTRY_FORMS[FIRST_KIND](course=course, now=told.recorded.now, proposed=proposed)
    context = {
        "saved": replace(saved, text=text),
        "remarks": [],
        "leaves_form": told.leaves_form,
        "renew_form": told.leaves_form,
        "form_id": uuid.uuid4(),
        **form_context(vitals, FIRST_KIND),
        **{name: getattr(saved, name) for name in ("card", "timeline", "previous", "guidance")},
        "rows": rows,
        **shared_context(course, may_chart=True),
    }
    return render(request, "bedside/answered.html", context)


def _refused(request: SignedInRequest, course: Course, sentence: str) -> HttpResponse:
    """Nothing is stored: why, with the chart as it is now."""
    now = timezone.now()
    if not request.htmx:
        page = page_context(course, FIRST_KIND, now, may_chart=True) | {"refusal": sentence}
        return render(request, "bedside/page.html", page, status=CONFLICT)
    panel = panel_of(read_course_status(course, now))
    context = {"guidance": panel, "refusal": sentence, "oob": True}
    context |= shared_context(course, may_chart=True)
    return render(request, "bedside/refused.html", context, status=CONFLICT)


def _form_page(
    request: SignedInRequest,
    course: Course,
    item: Item | None,
    form: forms.Form,
    code: str,
    reply: Reply,
    now: datetime,
) -> HttpResponse:
    """The form where entries are charted; typed values and errors stay."""
    context: dict[str, Any] = {
        "form": form,
        "item": item,
        "reply": reply,
        "action": reverse("patients:answer", args=[course.pk, code, reply.value]),
    }
    template = "guidance/answer_form.html"
    status = UNPROCESSABLE if form.is_bound else 200
    if request.htmx:
        context |= shared_context(course, may_chart=True)
        context |= {"course": course, "previous": {}}
        return render(request, template, context, status=status)
    page = page_context(course, FIRST_KIND, now, may_chart=True)
    page |= {**context, "form_template": template, "course": course}
    return render(request, "bedside/page.html", page, status=status)
