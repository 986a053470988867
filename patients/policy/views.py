"""Pages of the policy of the site and of one course."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crs_app.accounts.permissions import can_manage_policy, check_can_manage_policy
from grading.engine.policy import policy_from
from patients.models import Course, CoursePolicy, PolicyVersion, SitePolicy
from patients.policy.decide import (
    DecidedMeanwhileError,
    Decision,
    decide,
    latest_decision,
    open_courses,
    regrade_from_start,
)
from patients.policy.forms import PolicyForm, RegradeForm
from patients.policy.preview import effects_on_course, effects_on_site
from patients.policy.text import ParameterChange, changes_between, summary_of
from patients.queries.policies import (
    PolicyPeriod,
    period_at,
    periods_in_effect,
    policy_at,
    read_policy_periods,
    read_site_policy_periods,
)
from patients.recording.inputs import FormReusedError
from patients.requests import UNPROCESSABLE, SignedInRequest, course_or_404, posted

CONFIRM: Final = "confirm"
EDIT: Final = "edit"


class DecisionRow(NamedTuple):
    """A decision of the site as the history lists it."""

    decision: SitePolicy
    changes: list[ParameterChange]
    state: str


class PolicyPeriodRow(NamedTuple):
    """A policy that graded a course from an instant on."""

    valid_from: datetime | None
    name: str
    brought_by: str


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: SignedInRequest) -> HttpResponse:
    """The policy in force and its history; sent, a preview of what it changes, then the change."""
    now, site = timezone.now(), read_site_policy_periods()
    latest = latest_decision()
    form = PolicyForm(_allowed(request), site=site, seen=latest.pk if latest else 0, now=now)
    step = request.POST.get("step")
    if step == CONFIRM and _earlier_decisions(form):
        return redirect("patients:policy")
    if form.is_bound and form.is_valid() and step != EDIT:
        if step != CONFIRM:
            return _preview(request, form, site)
        if _record_decision(request, form):
            return redirect("patients:policy")
    context = {
        "form": form,
        "can_change": can_manage_policy(request.user),
        "in_force": period_at(site, now),
        "coming": [_coming(ruling, site) for ruling in site if ruling.valid_from > now],
        "history": _history(site, now),
        "courses": _courses(now),
    }
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    return render(request, "policy/site.html", context, status=status)


def _allowed(request: SignedInRequest) -> Mapping[str, Any] | None:
    if request.method == "POST":
        check_can_manage_policy(request.user)
    return posted(request)


def _preview(
    request: SignedInRequest, form: PolicyForm, site: Sequence[PolicyPeriod]
) -> HttpResponse:
    if form.policy is None:
        raise ValueError("the form is not valid")
    valid_from = form.valid_from or form.now
    context = {
        "form": form,
        "changes": changes_between(policy_at(site, valid_from), form.policy),
        "replaced": [ruling.valid_from for ruling in site if ruling.valid_from >= valid_from],
        "effects": effects_on_site(form.policy, valid_from, form.now),
        "following": open_courses().count(),
        "own": Course.objects.filter(ended_at=None, keeps_own_policy=True).count(),
    }
    return render(request, "policy/preview.html", context)


def _earlier_decisions(form: PolicyForm) -> bool:
    """Whether the same form was confirmed before: a second click changes and refuses nothing."""
    form.is_valid()
    form_id = form.cleaned_data.get("form_id")
    return form_id is not None and SitePolicy.objects.filter(form_id=form_id).exists()


def _record_decision(request: SignedInRequest, form: PolicyForm) -> bool:
    if form.policy is None:
        raise ValueError("the form is not valid")
    said = form.cleaned_data
    decision = Decision(
        policy=form.policy,
        valid_from=form.valid_from,
        reason=said["reason"],
        by=request.user,
        form_id=said["form_id"],
        seen=said["seen"],
    )
    try:
        made = decide(decision)
    except DecidedMeanwhileError as error:
        who = error.decision.recorded_by.display_name
        form.add_error(
            None,
            f"{who} has changed the policy since this page was opened, for this reason: "
            f"{error.decision.reason} Open the page anew before you change it.",
        )
        return False
    messages.info(
        request,
        f"Policy changed from {timezone.localtime(made.valid_from):%d %b %Y %H:%M} on; "
        "open courses are graded under it from then.",
    )
    return True


def _coming(
    ruling: PolicyPeriod, site: Sequence[PolicyPeriod]
) -> tuple[datetime, list[ParameterChange]]:
    earlier = [one for one in site if one.valid_from < ruling.valid_from]
    before = policy_at(earlier, ruling.valid_from)
    return ruling.valid_from, changes_between(before, ruling.policy)


def _history(site: Sequence[PolicyPeriod], now: datetime) -> list[DecisionRow]:
    """Every decision, newest first, with what it changed when it was made."""
    holding = {ruling.site_policy_id: ruling.valid_from for ruling in site}
    current = period_at(site, now)
    made: list[PolicyPeriod] = []
    listed = []
    decisions = SitePolicy.objects.select_related("version", "recorded_by").order_by("pk")
    for one in decisions:
        version = one.version
        ruling = PolicyPeriod(one.valid_from, version.pk, version.digest, version.values, one.pk)
        before = policy_at(periods_in_effect(made), one.valid_from)
        made.append(ruling)
        state = "in force" if current and one.pk == current.site_policy_id else ""
        if one.pk in holding and one.valid_from > now:
            state = "not yet begun"
        elif one.pk not in holding and one.valid_from > now:
            state = "replaced before it began"
        listed.append(DecisionRow(one, changes_between(before, ruling.policy), state))
    return listed[::-1]


def _courses(now: datetime) -> list[tuple[Course, str]]:
    """The open courses, and what each is graded under now."""
    courses = Course.objects.filter(ended_at=None).select_related("patient", "policy")
    listed = []
    for course in courses.order_by("ward", "bed", "pk"):
        holds = period_at(read_policy_periods(course), now)
        listed.append((course, summary_of(holds.policy) if holds else ""))
    return listed


@require_http_methods(["GET", "HEAD", "POST"])
def course_policy(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """What a course was graded under; sent, a preview of grading it anew, and then that."""
    course = course_or_404(course_id)
    form = RegradeForm(_allowed(request), versions=PolicyVersion.objects.order_by("pk"))
    context: dict[str, Any] = {"course": course, "form": form}
    if form.is_bound and form.is_valid() and request.POST.get("step") != EDIT:
        if request.POST.get("step") == CONFIRM:
            if _regraded(request, course, form):
                return redirect("patients:course_policy", course.pk)
        else:
            version = form.cleaned_data["version"]
            context["previewed"] = summary_of(policy_from(version.values))
            context["differences"] = effects_on_course(course, version)
    context["can_change"] = can_manage_policy(request.user)
    context["graded_under"] = _graded_under(course)
    context["acts"] = _acts(course)
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    return render(request, "policy/course.html", context, status=status)


def _regraded(request: SignedInRequest, course: Course, form: RegradeForm) -> bool:
    said = form.cleaned_data
    try:
        regrade_from_start(
            course,
            said["version"],
            reason=said["reason"],
            by=request.user,
            form_id=said["form_id"],
        )
    except FormReusedError:
        form.add_error(None, "This form was sent before with another policy: open it anew.")
        return False
    messages.info(request, "Graded anew from the infusion; what the chart said before is kept.")
    return True


def _graded_under(course: Course) -> list[PolicyPeriodRow]:
    """From the infusion on; what begins before it holds from it."""
    listed: list[PolicyPeriodRow] = []
    for ruling in read_policy_periods(course):
        begins = max(ruling.valid_from, course.infused_at)
        if begins == course.infused_at:
            listed.clear()
        brought_by = "site policy" if ruling.site_policy_id else ""
        listed.append(PolicyPeriodRow(begins, summary_of(ruling.policy), brought_by))
    return listed


def _acts(course: Course) -> list[tuple[CoursePolicy, str]]:
    """Every policy that was decided for the course, newest first."""
    decided = CoursePolicy.objects.filter(course=course).select_related(
        "act__recorded_by", "version", "site_policy"
    )
    return [(one, summary_of(policy_from(one.version.values))) for one in decided.order_by("-pk")]
