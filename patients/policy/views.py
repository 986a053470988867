"""Pages of the policy of the site and of one course."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crs_app.accounts.models import User
from crs_app.accounts.permissions import (
    can_manage_policy,
    can_open_chart,
    can_regrade_course,
    check_can_manage_policy,
    check_can_regrade_course,
)
from crs_app.accounts.rights import Act
from grading.engine.policy import Policy, policy_from
from patients.display.text import date_time_text
from patients.models import Course, CoursePolicy, SitePolicy
from patients.policy.decide import (
    DecidedMeanwhileError,
    Decision,
    DecisionReusedError,
    check_replay,
    check_seen,
    course_token,
    decide,
    regrade_from_start,
)
from patients.policy.forms import PolicyForm, RegradeForm
from patients.policy.preview import effects_on_course, effects_on_site
from patients.policy.text import ParameterChange, changes_between, summary_of
from patients.queries.courses import (
    courses_by_place,
    courses_following_site,
    courses_with_own_policy,
)
from patients.queries.policies import (
    PolicyPeriod,
    course_decisions,
    period_at,
    periods_in_effect,
    policy_at,
    policy_versions,
    read_latest_site_decision,
    read_policy_periods,
    read_site_decision_of_form,
    read_site_policy_periods,
    site_decisions,
)
from patients.recording.inputs import ConflictError
from patients.requests import (
    CONFIRM,
    CONFLICT,
    EDIT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
)


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
    """Show the policy in force and its history; a POST previews a change, then makes it."""
    # Before what the page shows: a decision between the two reads must count as not seen.
    latest = read_latest_site_decision()
    now, site = timezone.now(), read_site_policy_periods()
    form = PolicyForm(_allowed(request), site=site, seen=latest.pk if latest else 0, now=now)
    step = request.POST.get("step")
    before = _decided_before(form) if step == CONFIRM else None
    try:
        if before is not None:
            reason = form.cleaned_data.get("reason", "")
            check_replay(before, form.policy, form.valid_from, reason, request.user)
            return redirect("patients:policy")
        if form.is_bound and form.is_valid() and step != EDIT:
            check_seen(latest, form.cleaned_data["seen"])
            if step != CONFIRM:
                return _preview(request, form, site)
            _record_decision(request, form)
            return redirect("patients:policy")
    except DecidedMeanwhileError as error:
        return _look_again(request, form, error)
    except DecisionReusedError as error:
        form.add_error(None, error.sentence)
        return _page(request, form, CONFLICT)
    return _page(request, form, UNPROCESSABLE if form.is_bound and form.errors else 200)


def _page(request: SignedInRequest, form: PolicyForm, status: int) -> HttpResponse:
    """Show the form with the policy that it was made for, and the history."""
    now, site = form.now, form.site
    context = {
        "form": form,
        "can_change": can_manage_policy(request.user),
        "in_force": period_at(site, now),
        "coming": [_coming(period, site) for period in site if period.valid_from > now],
        "history": _history(site, now),
        "courses": _courses(request.user, now),
    }
    return render(request, "policy/site.html", context, status=status)


def _look_again(
    request: SignedInRequest, form: PolicyForm, error: DecidedMeanwhileError
) -> HttpResponse:
    """Show what was typed with what somebody has decided meanwhile; a preview follows."""
    latest = read_latest_site_decision()  # before what the page shows, as above
    now, site = timezone.now(), read_site_policy_periods()
    seen = latest.pk if latest else 0
    typed = request.POST.copy()
    typed["seen"], typed["form_id"] = str(seen), str(uuid.uuid4())
    opened_with = _site_policy_then(form.cleaned_data.get("seen", 0), now)
    again = PolicyForm(typed, site=site, seen=seen, now=now, opened_with=opened_with)
    again.add_error(None, error.sentence)
    return _page(request, again, CONFLICT)


def _site_policy_then(seen: int, now: datetime) -> Policy:
    """Return the policy in force by the decisions up to the one that a page had ``seen``."""
    made = [_period_of(one) for one in site_decisions() if one.pk <= seen]
    return policy_at(periods_in_effect(made), now)


def _period_of(decision: SitePolicy) -> PolicyPeriod:
    version = decision.version
    return PolicyPeriod(
        decision.valid_from, version.pk, version.digest, version.values, decision.pk
    )


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
        "replaced": [period.valid_from for period in site if period.valid_from >= valid_from],
        "effects": effects_on_site(form.policy, valid_from, form.now),
        "following": courses_following_site().count(),
        "own": courses_with_own_policy().count(),
    }
    return render(request, "policy/preview.html", context)


def _decided_before(form: PolicyForm) -> SitePolicy | None:
    """Read what the same form recorded when it was confirmed before: a second click is a replay."""
    form.is_valid()
    form_id = form.cleaned_data.get("form_id")
    return None if form_id is None else read_site_decision_of_form(form_id)


def _record_decision(request: SignedInRequest, form: PolicyForm) -> None:
    if form.policy is None:
        raise ValueError("the form is not valid")
    cleaned = form.cleaned_data
    decision = Decision(
        policy=form.policy,
        valid_from=form.valid_from,
        reason=cleaned["reason"],
        by=request.user,
        form_id=cleaned["form_id"],
        seen=cleaned["seen"],
    )
    made = decide(decision)
    messages.info(
        request,
        f"Policy changed from {date_time_text(made.valid_from)} on; "
        "open courses are graded under it from then.",
    )


def _coming(
    period: PolicyPeriod, site: Sequence[PolicyPeriod]
) -> tuple[datetime, list[ParameterChange]]:
    earlier = [one for one in site if one.valid_from < period.valid_from]
    before = policy_at(earlier, period.valid_from)
    return period.valid_from, changes_between(before, period.policy)


def _history(site: Sequence[PolicyPeriod], now: datetime) -> list[DecisionRow]:
    """Return every decision, newest first, with what it changed when it was made."""
    in_effect = {period.site_policy_id: period.valid_from for period in site}
    current = period_at(site, now)
    made: list[PolicyPeriod] = []
    listed = []
    for one in site_decisions():
        period = _period_of(one)
        before = policy_at(periods_in_effect(made), one.valid_from)
        made.append(period)
        state = "in force" if current and one.pk == current.site_policy_id else ""
        if one.pk in in_effect and one.valid_from > now:
            state = "not yet begun"
        elif one.pk not in in_effect and one.valid_from > now:
            state = "replaced before it began"
        listed.append(DecisionRow(one, changes_between(before, period.policy), state))
    return listed[::-1]


def _courses(reader: User, now: datetime) -> list[tuple[Course, str]]:
    """Return the open courses, for a clinician those of own wards, each with its policy now."""
    listed = []
    for course in courses_by_place(None if can_manage_policy(reader) else reader):
        current = period_at(read_policy_periods(course), now)
        listed.append((course, summary_of(current.policy) if current else ""))
    return listed


@require_http_methods(["GET", "HEAD", "POST"])
def course_policy(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the policies that graded a course; a POST previews a regrade, then makes it."""
    act = Act.REGRADE_COURSE if can_regrade_course(request.user) else Act.OPEN_CHART
    course = course_or_404(request, course_id, act)
    if request.method == "POST":
        check_can_regrade_course(request.user)
    form = RegradeForm(posted(request), versions=policy_versions())
    # Before what the page shows, so that what changes between the two counts as not seen.
    context: dict[str, Any] = {"course": course, "form": form, "seen": course_token(course)}
    if form.is_bound and form.is_valid() and request.POST.get("step") != EDIT:
        if request.POST.get("step") == CONFIRM:
            if _regraded(request, course, form):
                return redirect("patients:course_policy", course.pk)
        else:
            version = form.cleaned_data["version"]
            context["previewed"] = summary_of(policy_from(version.values))
            context["differences"] = effects_on_course(course, version)
    context["can_change"] = can_regrade_course(request.user)
    context["can_open_chart"] = can_open_chart(request.user, course)
    context["graded_under"] = _graded_under(course)
    context["acts"] = _acts(course)
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    return render(request, "policy/course.html", context, status=status)


def _regraded(request: SignedInRequest, course: Course, form: RegradeForm) -> bool:
    cleaned = form.cleaned_data
    try:
        regrade_from_start(
            course,
            cleaned["version"],
            reason=cleaned["reason"],
            by=request.user,
            form_id=cleaned["form_id"],
            seen=cleaned["seen"],
        )
    except ConflictError as error:
        form.add_error(None, error.sentence)
        return False
    messages.info(request, "Recalculated from the start. The earlier grades stay on record.")
    return True


def _graded_under(course: Course) -> list[PolicyPeriodRow]:
    """Return the policies from the infusion on; one from before it begins at the infusion."""
    listed: list[PolicyPeriodRow] = []
    for period in read_policy_periods(course):
        begins = max(period.valid_from, course.infused_at)
        if begins == course.infused_at:
            listed.clear()
        brought_by = "site policy" if period.site_policy_id else ""
        listed.append(PolicyPeriodRow(begins, summary_of(period.policy), brought_by))
    return listed


def _acts(course: Course) -> list[tuple[CoursePolicy, str]]:
    """Return every policy that was decided for the course, with its name, newest first."""
    decided = course_decisions(course)
    return [(one, summary_of(policy_from(one.version.values))) for one in decided]
