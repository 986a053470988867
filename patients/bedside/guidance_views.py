"""Show the guidance panel of one course, chart its quick actions and record its answers."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.decorators import requires
from crs_app.accounts.rights import Act
from grading.engine.algorithm import Item, Reply
from patients.bedside.after_save import after_save, render_after_save, shown_on_page
from patients.bedside.page import (
    FIRST_KIND,
    form_context,
    may_do,
    read_unchanged_items,
    render_in_form_place,
    render_page,
    shared_context,
)
from patients.display.timeline import answer_text
from patients.forms.proposals import Proposals
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import EmptyTicks
from patients.guidance.advice import CHARTED_BY_DONE, Advice, advice_for_course
from patients.guidance.answer import NewAnswer, NoLongerAdvisedError, record_answer
from patients.guidance.forms import (
    FORM_OF_REPLY,
    AnswerForm,
    NotAppropriateForm,
    NotNowForm,
    QuickActionForm,
    StaleActionError,
    TreatmentGivenForm,
)
from patients.guidance.panel import read_panel
from patients.models import Course
from patients.queries.courses import now_for
from patients.queries.guidance_answers import AnswerRow
from patients.queries.status import read_course_status
from patients.recording.inputs import ConflictError, CourseClosedError, NewEntry
from patients.recording.record import RecordingResult, record_entries
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    posted_by_button,
    recorded_before,
    submission_from,
)


@require_safe
@vary_on_headers("HX-Request")
def guidance(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the panel; 204 where the page has ``seen`` its signature."""
    course = course_or_404(request, course_id)
    if not request.htmx:
        return render_page(request, course)
    panel = read_panel(read_course_status(course, now_for(course)))
    if request.GET.get("seen") == panel.signature:
        return HttpResponse(status=204)
    context: dict[str, Any] = {"guidance": panel}
    context |= shared_context(course, may_do(request.user, course))
    return render(request, "guidance/panel.html", context)


@require_POST
@requires(Act.ANSWER_ADVICE)
def quick_action(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Record one button: a risk answer, a judgement, an infusion unchanged or stopped."""
    course, now = course_or_404(request, course_id, Act.ANSWER_ADVICE), timezone.now()
    form = QuickActionForm(posted_by_button(request))
    before = [] if form.is_valid() else recorded_before(request, course, form)
    if not form.is_valid() and not before:
        out_of_date = ["This page is out of date. Check the chart and answer again."]
        return _refused(request, course, str(form.errors.get("sent_at", out_of_date)[0]))
    try:
        new_entries = before or _tapped(request, course, form, now)
        result = record_entries(course, new_entries, submission_from(request, form))
    except ConflictError as error:
        return _refused(request, course, error.sentence)
    return _respond(request, result)


def _tapped(
    request: SignedInRequest, course: Course, form: QuickActionForm, now: datetime
) -> list[NewEntry]:
    """Return what a tap charts, as recorded where it is a replay: what it stopped runs no more."""
    try:
        return [form.new_entry(now, read_unchanged_items(course, now_for(course)))]
    except StaleActionError:
        before = recorded_before(request, course, form)
        if not before:
            raise
        return before


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@requires(Act.ANSWER_ADVICE)
def answer(request: SignedInRequest, course_id: uuid.UUID, code: str, reply: str) -> HttpResponse:
    """Show the form of an answer that needs more than a button; a POST records the answer."""
    course, now = course_or_404(request, course_id, Act.ANSWER_ADVICE), timezone.now()
    replied = _reply_or_404(reply)
    if posted(request) is None:
        if course.ended_at is not None:
            return _refused(request, course, CourseClosedError().sentence)
        advice = advice_for_course(course, now_for(course))
        item = _item(advice, code, replied)
        if item is None:
            return _refused(request, course, NoLongerAdvisedError().sentence)
        return _form_page(
            request,
            course,
            item,
            _empty_form(course, advice, item, replied, now, request.GET.get("dose", "")),
            replied,
        )
    form = _posted_form(request, course, code, replied, now)
    entries = _entries_of(request, course, form)
    if entries is not None:
        return _record(request, course, code, replied, form, entries)
    return _invalid_form_page(request, course, code, replied, form)


def _reply_or_404(reply: str) -> Reply:
    try:
        return Reply(reply)
    except ValueError:
        raise Http404("No such answer") from None


def _item(advice: Advice, code: str, reply: Reply) -> Item | None:
    """Return the item of ``advice``; None where it is not advised or has no such answer."""
    return next((i for i in advice.items if i.code == code and reply in i.answers), None)


def _charts(code: str, reply: Reply) -> bool:
    """Whether the answer charts a treatment."""
    return reply is Reply.DONE and code in CHARTED_BY_DONE


def _empty_form(
    course: Course, advice: Advice, item: Item, reply: Reply, now: datetime, chosen_mg: str
) -> AnswerForm | TreatmentGivenForm:
    """Build the form of ``reply``, with the dose that was chosen or that ``item`` proposes."""
    latest = advice.answers.get(item.code)
    seen, grade = "" if latest is None else str(latest.pk), advice.status.grade or 0
    if _charts(item.code, reply):
        return TreatmentGivenForm(
            course=course,
            now=now,
            agents=CHARTED_BY_DONE[item.code],
            item=item,
            seen=seen,
            shown_grade=grade,
            chosen_mg=chosen_mg,
        )
    return FORM_OF_REPLY[reply](seen=seen, shown_grade=grade)


def _posted_form(
    request: SignedInRequest, course: Course, code: str, reply: Reply, now: datetime
) -> AnswerForm | TreatmentGivenForm:
    """Bind the posted form; its class depends on code and reply, not on what is advised now."""
    data = posted_by_button(request)
    if _charts(code, reply):
        return TreatmentGivenForm(data, course=course, now=now, agents=CHARTED_BY_DONE[code])
    return FORM_OF_REPLY[reply](data)


def _entries_of(
    request: SignedInRequest, course: Course, form: AnswerForm | TreatmentGivenForm
) -> list[NewEntry] | None:
    """Return what the form charts, as recorded where it is a replay; None where it is refused."""
    if form.is_valid():
        return form.new_entries() if isinstance(form, TreatmentGivenForm) else []
    return recorded_before(request, course, form) or None


def _record(
    request: SignedInRequest,
    course: Course,
    code: str,
    reply: Reply,
    form: AnswerForm | TreatmentGivenForm,
    entries: list[NewEntry],
) -> HttpResponse:
    # A form that is not valid any more, and was recorded before, may lack the grade.
    grade = form.cleaned_data.get("shown_grade")
    new_answer = NewAnswer(code, reply, form.cleaned_data["seen"], grade)
    if isinstance(form, NotNowForm):
        new_answer = replace(new_answer, returns_after=form.returns_after)
    elif isinstance(form, NotAppropriateForm):
        new_answer = replace(new_answer, reason=form.reason)
    elif isinstance(form, TreatmentGivenForm):
        new_answer = replace(new_answer, treatment=next(iter(entries), None))
    try:
        recorded = record_answer(course, new_answer, submission_from(request, form))
    except ConflictError as error:
        return _refused(request, course, error.sentence)
    had_a_form = isinstance(form, NotAppropriateForm | TreatmentGivenForm)
    return _respond(request, recorded.result, recorded.answer, had_a_form=had_a_form)


def _respond(
    request: SignedInRequest,
    result: RecordingResult,
    answer: AnswerRow | None = None,
    *,
    had_a_form: bool = False,
) -> HttpResponse:
    """Send htmx the panel and what else changed; redirect a plain form to the page.

    An answer that ``had_a_form`` replaced the entry form, which is sent again now.
    """
    course, saved = result.course, after_save(result, shown_on_page(request), answer)
    answered = "" if answer is None else answer_text(answer)
    saved = replace(saved, text="; ".join(text for text in (answered, saved.text) if text))
    if not request.htmx:
        messages.info(request, f"Saved. {saved.text}")
        return redirect(f"{reverse('patients:bedside', args=[course.pk])}#guidance")
    if not had_a_form:
        context: dict[str, Any] = {"form": EmptyTicks(saved.unchanged), "kind": FIRST_KIND}
    else:
        proposed = Proposals(unchanged=saved.unchanged)
        vitals = ENTRY_FORMS[FIRST_KIND](course=course, now=timezone.now(), proposed=proposed)
        context = form_context(vitals, FIRST_KIND) | {"renew_form": True}
    return render_after_save(request, saved, "guidance/panel.html", context)


def _refused(request: SignedInRequest, course: Course, sentence: str) -> HttpResponse:
    """Answer 409 with ``sentence`` and the current panel; nothing was recorded."""
    if not request.htmx:
        return render_page(request, course, {"refusal": sentence}, status=CONFLICT)
    panel = read_panel(read_course_status(course, now_for(course)))
    context = {"guidance": panel, "refusal": sentence, "oob": True}
    context |= shared_context(course, may_do(request.user, course))
    return render(request, "bedside/not_saved.html", context, status=CONFLICT)


def _invalid_form_page(
    request: SignedInRequest,
    course: Course,
    code: str,
    reply: Reply,
    form: AnswerForm | TreatmentGivenForm,
) -> HttpResponse:
    """Show the form again with its errors; on a closed course, say that it is closed."""
    if course.ended_at is not None:
        return _refused(request, course, CourseClosedError().sentence)
    item = _item(advice_for_course(course, now_for(course)), code, reply)
    if item is None:
        return _refused(request, course, NoLongerAdvisedError().sentence)
    return _form_page(request, course, item, form, reply)


def _form_page(
    request: SignedInRequest,
    course: Course,
    item: Item,
    form: AnswerForm | TreatmentGivenForm,
    reply: Reply,
) -> HttpResponse:
    """Show the answer form in the place of the entry form, with typed values and errors."""
    context: dict[str, Any] = {
        "form": form,
        "item": item,
        "reply": reply,
        "action": reverse("patients:guidance_answer", args=[course.pk, item.code, reply.value]),
        "previous": {},
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render_in_form_place(
        request, course, "guidance/answer_form.html", context, status=status
    )
