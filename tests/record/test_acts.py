"""Changes of policy and identity stand in the record, once, with author, reason and address."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from crs_app.accounts.models import User
from crs_app.record.models import MAIN_CHAIN, Event
from grading.engine.policy import Policy
from patients.models import Course
from patients.policy.decide import Decision, decide, regrade_from_start
from patients.queries.policies import version_of
from patients.recording.join import JoinRequest, join_records, join_token, undo_join
from tests.factories import admit, ago, sending
from tests.patients.policy.policy_form import policy_form
from tests.record.conftest import recorded

pytestmark = pytest.mark.django_db


def test_a_change_of_the_site_policy(administrator: User, course: Course) -> None:
    decision = Decision(Policy(), None, "new consensus", administrator, uuid.uuid4(), 0)
    for _ in range(2):
        decide(decision)
    (event,) = Event.objects.filter(chain=MAIN_CHAIN, kind="policy_changed")
    assert (event.by, event.purpose) == (administrator, "new consensus")


def test_a_course_that_is_recalculated(administrator: User, course: Course) -> None:
    version = version_of(Policy(), ago(hours=1), administrator)
    form_id = uuid.uuid4()
    for _ in range(2):
        regrade_from_start(course, version, reason="audit", by=administrator, form_id=form_id)
    assert [(event.kind, event.purpose) for event in recorded(course)] == [
        ("policy_changed", "audit")
    ]


def test_records_that_are_joined_and_parted(administrator: User, course: Course) -> None:
    other = admit(administrator, product="a second")
    kept, joined = course.patient_id, other.patient_id
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    joining = join_records(asked, sending(administrator))
    for each in (course, other):
        (event,) = recorded(each)
        assert (event.kind, event.purpose) == ("identity", "one person")
        assert event.details == {"what": "two records joined"}
    sent = sending(administrator, answers={"reason": "two persons"})
    undo_join(joining, join_token(kept, joined), sent)
    assert recorded(other)[-1].details == {"what": "join undone"}


def test_the_address_of_the_request_is_recorded_with_an_act(
    administrator_client: Client, course: Course
) -> None:
    sent = policy_form(high_dose_minutes="120", step="confirm")
    administrator_client.post("/policy/", sent, REMOTE_ADDR="10.4.7.31")
    (event,) = Event.objects.filter(kind="policy_changed")
    assert event.address == "10.4.7.31"
