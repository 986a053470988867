"""The pages of policy: every parameter, a preview that changes nothing, and a confirmed change."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import Role, User
from grading.engine.policy import PARAMETERS
from patients.models import (
    Course,
    CoursePolicy,
    GradeCheckpoint,
    GradePeriod,
    PolicyVersion,
    SitePolicy,
)
from patients.policy import views
from patients.policy.decide import regrade_from_start
from patients.policy.text import LABELS
from patients.queries.policies import PolicyPeriod
from tests.entry_forms import text_of
from tests.factories import admit, ago, chart, end
from tests.patients.policy.policy_form import PAGE, Make, grades, policy_form


def test_the_page_of_a_course_previews_and_regrades(
    administrator_client: Client, on_cpap: Course, decided: Make
) -> None:
    decided(cpap_grade=4)
    version = PolicyVersion.objects.latest("pk")
    page = f"/policy/courses/{on_cpap.pk}/"
    fields = {"form_id": str(uuid.uuid4()), "version": version.pk, "reason": "Study protocol"}
    before = grades(on_cpap)
    preview = administrator_client.post(page, {**fields, "step": "preview"})
    assert "Nothing is changed yet" in preview.content.decode()
    assert [(one.before, one.after) for one in preview.context["differences"]] == [
        ((3, 3, True), (4, 4, True))
    ]
    assert grades(on_cpap) == before
    again = administrator_client.post(page, {**fields, "step": "edit"})
    assert "Study protocol" in again.content.decode()
    assert administrator_client.post(page, {**fields, "step": "confirm"}).status_code == 302
    assert [grade for grade, _ in grades(on_cpap)] == [0, 4]
    assert "Study protocol" in administrator_client.get(page).content.decode()
    other = PolicyVersion.objects.earliest("pk")
    reused = administrator_client.post(page, {**fields, "version": other.pk, "step": "confirm"})
    assert reused.status_code == 422
    otherwise = administrator_client.post(page, {**fields, "reason": "Other", "step": "confirm"})
    assert otherwise.status_code == 422
    assert "with other contents" in otherwise.content.decode()
    assert administrator_client.post(page, {**fields, "step": "confirm"}).status_code == 302


def test_the_second_of_two_who_regrade_a_course_sees_what_the_first_did(
    administrator_client: Client, on_cpap: Course, nurse: User, clinician: User, decided: Make
) -> None:
    """Also where the course was closed meanwhile; what was chosen and typed stays."""
    decided(cpap_grade=4)
    version = PolicyVersion.objects.latest("pk")
    page = f"/policy/courses/{on_cpap.pk}/"
    for meanwhile in (
        partial(
            regrade_from_start, on_cpap, on_cpap.policy,
            reason="Audit", by=nurse, form_id=uuid.uuid4(),
        ),
        partial(end, on_cpap, clinician),
    ):  # fmt: skip
        fields = {"form_id": str(uuid.uuid4()), "version": version.pk, "reason": "Study protocol"}
        preview = administrator_client.post(page, {**fields, "step": "preview"})
        seen = re.findall(r'name="seen" value="(\w+)"', preview.content.decode())
        assert seen == [preview.context["seen"]]
        meanwhile()
        before = grades(on_cpap)
        confirmed = {**fields, "seen": seen[0], "step": "confirm"}
        refused = administrator_client.post(page, confirmed)
        assert refused.status_code == 422
        assert "Look again at what changes." in refused.content.decode()
        assert 'value="Study protocol"' in refused.content.decode()
        assert grades(on_cpap) == before
    confirmed["seen"] = refused.context["seen"]
    for _ in range(2):
        assert administrator_client.post(page, confirmed).status_code == 302
    assert [grade for grade, _ in grades(on_cpap)] == [0, 4]


@pytest.mark.parametrize("fields", [{"reason": ""}, {"version": ""}, {"version": "0"}])
def test_the_page_of_a_course_asks_for_what_is_missing(
    administrator_client: Client, on_cpap: Course, fields: dict[str, str]
) -> None:
    whole = {"form_id": str(uuid.uuid4()), "version": on_cpap.policy_id, "reason": "Why"}
    page = f"/policy/courses/{on_cpap.pk}/"
    assert administrator_client.post(page, {**whole, **fields}).status_code == 422
    assert not CoursePolicy.objects.exists()


def test_every_parameter_is_on_the_page_with_default_basis_and_range(
    auditor_client: Client,
) -> None:
    assert LABELS.keys() == PARAMETERS.keys()
    page = auditor_client.get(PAGE).content.decode()
    assert all(label in page for label in LABELS.values())
    assert "ASTCT 2019; CTCAE v4.03, fever; the paper gives no number" in page
    assert "36 to 41" in page
    assert page.count("display only") == sum(p.display_only for p in PARAMETERS.values())
    assert "course file with policy values of its own keeps them" in page
    assert "<select" not in page


def test_a_decision_while_the_page_is_made_counts_as_not_seen(
    administrator_client: Client, decided: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has the policy of before: saved as it is, it would set back what was decided."""
    read_periods = views.read_site_policy_periods

    def decide_after() -> list[PolicyPeriod]:
        monkeypatch.undo()
        site = read_periods()
        decided(cpap_grade=4)
        return site

    monkeypatch.setattr(views, "read_site_policy_periods", decide_after)
    seen = administrator_client.get(PAGE).context["form"]["seen"].value()
    stale = policy_form(bipap_grade="4", seen=seen, step="confirm")
    refused = administrator_client.post(PAGE, stale)
    assert refused.status_code == 409
    assert "has changed the policy since this page was opened" in refused.content.decode()
    assert SitePolicy.objects.count() == 1


@pytest.mark.parametrize("role", [Role.WARD_CLINICIAN, Role.ICU_REVIEWER, Role.AUDITOR])
def test_only_an_administrator_changes_policy(
    role: Role, on_cpap: Course, make_user: Callable[..., User]
) -> None:
    client = Client()
    client.force_login(make_user("other", role))
    course_page = f"/policy/courses/{on_cpap.pk}/"
    for page in (PAGE, course_page):
        for step in ("preview", "confirm", "edit"):
            assert client.post(page, policy_form(cpap_grade="4", step=step)).status_code == 403
    assert not SitePolicy.objects.exists()


def test_a_preview_names_the_courses_that_change_and_changes_nothing(
    administrator_client: Client, on_cpap: Course, clinician: User
) -> None:
    admit(clinician)
    counted = (SitePolicy, CoursePolicy, PolicyVersion, GradePeriod, GradeCheckpoint)
    before = [model.objects.count() for model in counted]
    answer = administrator_client.post(PAGE, policy_form(cpap_grade="4"))
    (effect,) = answer.context["effects"]
    assert (effect.course.pk, effect.is_now) == (on_cpap.pk, True)
    assert (effect.difference.before, effect.difference.after) == ((3, 3, True), (4, 4, True))
    assert "CPAP is grade" in answer.content.decode()
    assert "1 of 2 open courses change, these:" in answer.content.decode()
    unchanged = administrator_client.post(PAGE, policy_form(high_dose_minutes="120"))
    assert "0 of 2 open courses change." in unchanged.content.decode()
    assert [model.objects.count() for model in counted] == before


def test_a_preview_shows_what_would_change_later(
    administrator_client: Client, clinician: User
) -> None:
    course = admit(clinician)
    at = ago(60)
    chart(course, clinician, "vasopressor", at, drug="norepinephrine", rate="24", unit="ug/min")
    answer = administrator_client.post(PAGE, policy_form(high_dose_minutes="120"))
    (effect,) = answer.context["effects"]
    assert not effect.is_now
    assert effect.difference == (
        at + timedelta(minutes=120), at + timedelta(minutes=180), (2, 2, True), (3, 3, True),
    )  # fmt: skip


def test_a_preview_tells_where_a_decision_would_end_what_comes(
    administrator_client: Client, on_cpap: Course, decided: Make
) -> None:
    decided(timezone.now() + timedelta(hours=5), cpap_grade=4)
    assert "Decided for" in administrator_client.get(PAGE).content.decode()
    answer = administrator_client.post(PAGE, policy_form())
    assert "is withdrawn by this" in answer.content.decode()
    (effect,) = answer.context["effects"]
    assert (effect.is_now, effect.difference.before, effect.difference.after) == (
        False,
        (4, 4, True),
        (3, 3, True),
    )


def test_a_confirmed_change_stands_in_the_history(
    administrator_client: Client, on_cpap: Course
) -> None:
    fields = policy_form(cpap_grade="4")
    for _ in range(2):
        answer = administrator_client.post(PAGE, {**fields, "step": "confirm"})
        assert answer.status_code == 302
    assert SitePolicy.objects.count() == 1
    made = SitePolicy.objects.get()
    assert (made.reason, made.recorded_by.username) == ("Agreed in the CRS meeting", "admin")
    page = administrator_client.get(PAGE).content.decode()
    assert "CPAP is grade 3 → 4" in page
    assert "L. Berg" in page
    assert [grade for grade, _ in grades(on_cpap)] == [0, 3, 4]


@pytest.mark.parametrize(
    "other", [{"fever_threshold_c": "38.4"}, {"cpap_grade": "3"}, {"reason": "Agreed by phone"}]
)
def test_a_form_that_was_sent_before_with_other_values_is_refused(
    administrator_client: Client, other: dict[str, str]
) -> None:
    fields = policy_form(cpap_grade="4", step="confirm")
    assert administrator_client.post(PAGE, fields).status_code == 302
    answer = administrator_client.post(PAGE, fields | other)
    assert answer.status_code == 409
    assert "already sent with other contents" in answer.content.decode()
    assert SitePolicy.objects.count() == 1


def test_going_back_to_the_values_keeps_them(administrator_client: Client) -> None:
    answer = administrator_client.post(PAGE, policy_form(fever_threshold_c="38.4", step="edit"))
    assert answer.status_code == 200
    assert 'value="38.4"' in answer.content.decode()
    assert not SitePolicy.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "Enter the reason"),
        ({"fever_threshold_c": "20"}, "expected 36 to 41 °C"),
        ({"fever_threshold_c": ""}, "Enter a value"),
        ({"fever_threshold_c": "38,5"}, "decimal point"),
        ({"gap_minutes": "7.5"}, "whole number"),
        ({"cpap_grade": "5"}, "valid choice"),
        ({"neuro_counts": "1"}, "valid choice"),
        ({}, "No value differs"),
        ({"cpap_grade": "4", "from_date": "2020-01-01", "from_time": "12:00"}, "is in the past"),
        (
            {"cpap_grade": "4", "from_date": "2999-01-01", "from_time": "12:00"},
            "ahead of the clock",
        ),
        ({"cpap_grade": "4", "from_date": "2020-01-01"}, "time of day"),
        ({"cpap_grade": "4", "from_time": "noon"}, "24-hour clock"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    administrator_client: Client, fields: dict[str, str], sentence: str
) -> None:
    for step in ("preview", "confirm"):
        answer = administrator_client.post(PAGE, policy_form(**fields, step=step))
        assert answer.status_code == 422
        html = answer.content.decode()
        assert sentence in html
        assert text_of(html[html.index('role="alert">') + 13 :].split("</div>")[0]).strip()
    assert not SitePolicy.objects.exists()


@pytest.mark.parametrize("step", ["preview", "confirm"])
def test_a_page_opened_before_another_decision_keeps_what_was_typed_beside_what_is_in_force(
    administrator_client: Client, decided: Make, step: str
) -> None:
    fields = policy_form(fever_threshold_c="38.4", reason="Agreed by phone")
    decided(cpap_grade=4)
    refused = administrator_client.post(PAGE, fields | {"step": step})
    assert (refused.status_code, SitePolicy.objects.count()) == (409, 1)
    page = refused.content.decode()
    assert "L. Berg has changed the policy since" in page
    assert 'value="38.4"' in page
    assert 'value="Agreed by phone"' in page
    text = text_of(page)
    assert text.count("changed since you opened the page") == 1
    assert "in force now: 4, changed since you opened the page" in text
    assert "in force: 38" in text
    seen = re.findall(r'name="seen" value="(\d+)"', page)
    again = fields | {"cpap_grade": "4", "seen": seen[0], "form_id": str(uuid.uuid4())}
    preview = administrator_client.post(PAGE, again)
    assert [one.after for one in preview.context["changes"]] == ["38.4 °C"]
    assert administrator_client.post(PAGE, again | {"step": "confirm"}).status_code == 302
    assert SitePolicy.objects.latest("pk").version.values["cpap_grade"] == 4


def test_a_time_a_few_minutes_back_is_allowed(administrator_client: Client) -> None:
    there = timezone.localtime(ago(3))
    at = {"from_date": f"{there:%Y-%m-%d}", "from_time": f"{there:%H:%M}"}
    assert administrator_client.post(PAGE, policy_form(cpap_grade="4", **at)).status_code == 200


def test_a_preview_calls_no_grade_0_what_was_never_assessed(
    administrator_client: Client, clinician: User
) -> None:
    """A pressure that another floor would call low, and neither temperature nor oxygen."""
    course = admit(clinician)
    chart(course, clinician, "vitals", ago(30), systolic_mmhg="92")
    answer = administrator_client.post(PAGE, policy_form(sbp_floor_adult_mmhg="95"))
    (effect,) = answer.context["effects"]
    assert (effect.difference.before[0], effect.difference.before.assessed) == (0, False)
    text = text_of(answer.content.decode())
    assert "– not assessed" in text
    assert "Grade 0" not in text
