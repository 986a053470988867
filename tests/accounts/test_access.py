"""Who may open and send what: one table of every address, role and method.

Each name of a URL has a row. An address without a row fails, and so does a row without an address.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from crs_app.accounts.models import Role, User
from grading.engine.policy import policy_from
from patients.forms.registry import ENTRY_FORMS
from patients.models import (
    ChartingAct,
    Course,
    CoursePolicy,
    CourseSeen,
    Entry,
    GradePeriod,
    GradeReview,
    GuidanceAnswer,
    IdentityCorrection,
    Patient,
    PatientJoin,
    SitePolicy,
    Transfer,
)
from patients.queries.identity import courses_of_patient
from patients.queries.policies import version_of
from patients.recording.identity import identity_token
from patients.recording.join import JoinRequest, join_records, join_token
from patients.ward.transfer import location_token
from tests.entry_forms import HTMX, form, vitals
from tests.factories import admit, ago, chart, sending
from tests.patients.policy.policy_form import policy_form

Statuses = tuple[int, ...]

ACTORS = (None, Role.WARD_CLINICIAN, Role.ICU_REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR)
"""The columns of the table; None is who has not signed in."""
READ = (302, 200, 200, 200, 200)
READ_RECORD = (302, 403, 403, 200, 200)
CHART_PAGE = (302, 200, 200, 403, 403)
CHART = (302, 302, 302, 403, 403)
NO_SUCH_METHOD = (302, 405, 405, 405, 405)

# name: (GET, POST). A POST sends what is valid: 302 is a save that leads back to a page.
TABLE: dict[str, tuple[Statuses, Statuses]] = {
    "health": ((200,) * 5, (405,) * 5),
    "accounts:sign_in": ((200, 302, 302, 302, 302), (200, 302, 302, 302, 302)),
    "accounts:sign_out": ((302, 405, 405, 405, 405), (302,) * 5),
    "accounts:active": ((302, 405, 405, 405, 405), (302, 204, 204, 204, 204)),
    "patients:locked": (READ, NO_SUCH_METHOD),
    "record:printed": ((302, 405, 405, 405, 405), (302, 204, 204, 204, 204)),
    "record:events": (READ_RECORD, NO_SUCH_METHOD),
    "record:events_csv": (READ_RECORD, NO_SUCH_METHOD),
    "record:person": (READ_RECORD, NO_SUCH_METHOD),
    "record:person_csv": (READ_RECORD, NO_SUCH_METHOD),
    "record:course": (READ_RECORD, NO_SUCH_METHOD),
    "record:course_csv": (READ_RECORD, NO_SUCH_METHOD),
    "patients:board": (READ, NO_SUCH_METHOD),
    "patients:admit": (CHART_PAGE, CHART),
    "patients:bedside": (READ, NO_SUCH_METHOD),
    "patients:live": (READ, NO_SUCH_METHOD),
    "patients:timeline": (READ, NO_SUCH_METHOD),
    "patients:state": (READ, NO_SUCH_METHOD),
    "patients:flowsheet": (READ, NO_SUCH_METHOD),
    "patients:last_day": (READ, NO_SUCH_METHOD),
    "patients:timeline_table": (READ, NO_SUCH_METHOD),
    "patients:review": (READ, NO_SUCH_METHOD),
    "patients:instant": (READ, NO_SUCH_METHOD),
    "patients:review_cursor": (READ, NO_SUCH_METHOD),
    "patients:review_series": (READ, NO_SUCH_METHOD),
    "patients:review_latest": (READ, NO_SUCH_METHOD),
    "patients:sign_off": (READ, (302, 403, 302, 403, 403)),
    "patients:seen": (NO_SUCH_METHOD, (302,) * 5),
    "patients:reviews": (READ, NO_SUCH_METHOD),
    "patients:disagreements": ((302, 403, 200, 200, 200), NO_SUCH_METHOD),
    "patients:disagreements_csv": ((302, 403, 200, 200, 200), NO_SUCH_METHOD),
    "patients:entries": (READ, CHART),
    "patients:correct": (CHART_PAGE, CHART),
    "patients:retract": (CHART_PAGE, CHART),
    "patients:move_entry": (CHART_PAGE, CHART),
    "patients:identity": (READ, CHART),
    "patients:join": (READ, (302, 403, 403, 302, 403)),
    "patients:undo_join": (READ, (302, 403, 403, 302, 403)),
    "patients:not_observed": (NO_SUCH_METHOD, CHART),
    "patients:transfer": (CHART_PAGE, CHART),
    "patients:guidance": (READ, NO_SUCH_METHOD),
    "patients:guidance_action": (NO_SUCH_METHOD, CHART),
    "patients:guidance_answer": (CHART_PAGE, CHART),
    "patients:answers_csv": ((302, 403, 200, 200, 200), NO_SUCH_METHOD),
    "patients:sources": (READ, NO_SUCH_METHOD),
    "patients:policy": (READ, (302, 403, 403, 302, 403)),
    "patients:course_policy": (READ, (302, 403, 403, 302, 403)),
}
OPEN_TO_ALL = {"health", "accounts:sign_in", "accounts:sign_out"}
RECORDED = (
    Patient, Course, ChartingAct, Entry, GradePeriod, GuidanceAnswer, Transfer, SitePolicy,
    CoursePolicy, IdentityCorrection, PatientJoin, GradeReview, CourseSeen,
)  # fmt: skip


def names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """The name of every URL of the project; one without a name fails."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} has no name"
            yield namespace + entry.name
        else:
            yield from names(entry, f"{entry.namespace}:" if entry.namespace else namespace)


def test_every_url_has_a_row() -> None:
    assert sorted(names(get_resolver())) == sorted(TABLE)


@dataclass(frozen=True)
class Target:
    """A course at grade 3, an entry of it, another patient's course, and a record joined to it."""

    course: Course
    entry: Entry
    other: Course
    joining: PatientJoin

    def addresses(self, name: str) -> list[str]:
        """Every address that a row stands for: of ``entries``, the form of each kind."""
        own = [self.course.pk]
        arguments: dict[str, list[list[Any]]] = {
            "patients:entries": [[*own, kind] for kind in ("vitals", *ENTRY_FORMS)],
            "patients:correct": [[*own, self.entry.pk]],
            "patients:retract": [[*own, self.entry.pk]],
            "patients:move_entry": [[*own, self.entry.pk]],
            "patients:undo_join": [[*own, self.joining.pk]],
            "record:course": [own],
            "record:course_csv": [own],
            "record:person": [[self.entry.recorded_by_id]],
            "record:person_csv": [[self.entry.recorded_by_id]],
            "patients:guidance_answer": [
                [*own, "icu.one_to_one", reply] for reply in ("done", "not_appropriate")
            ],
        }
        of_a_course = {
            "bedside", "live", "timeline", "not_observed", "transfer", "guidance",
            "guidance_action", "course_policy", "identity", "join", "state", "review",
            "review_cursor", "review_series", "review_latest", "instant", "sign_off", "seen",
            "flowsheet",
            "last_day", "timeline_table", "locked",
        }  # fmt: skip
        default = [own] if name.removeprefix("patients:") in of_a_course else [[]]
        return [reverse(name, args=args) for args in arguments.get(name, default)]

    def data(self, name: str) -> dict[str, Any]:
        """What a form sends to the first of the addresses; an address without one gets nothing."""
        then = timezone.localtime(ago(hours=24))
        sent: dict[str, dict[str, Any]] = {
            "patients:admit": {
                "mrn": "4471902", "name": "LINDQVIST, Per", "birth_date": "1970-03-01",
                "sex": "male", "product": "CD19 CAR-T", "infused_date": f"{then:%Y-%m-%d}",
                "infused_time": "10:00", "weight_kg": "80", "ward": "7B", "bed": "14",
            },
            "patients:entries": vitals(temperature="39"),
            "patients:correct": vitals(temperature="36.5", reason="misread"),
            "patients:retract": {"reason": "another patient"},
            "patients:move_entry": {"to": str(self.other.pk), "reason": "wrong patient"},
            "patients:identity": {
                "what": "sex", "sex": "male", "reason": "passport", "step": "confirm",
                "compared": "yes",
                "seen": identity_token(list(courses_of_patient(self.course.patient_id))),
            },
            "patients:join": {
                "with": str(self.other.patient_id), "reason": "one person", "step": "confirm",
                "compared": "yes",
                "seen": join_token(self.course.patient_id, self.other.patient_id),
            },
            "patients:undo_join": {
                "reason": "two persons", "compared": "yes",
                "seen": join_token(self.joining.kept_id, self.joining.joined_id),
            },
            "patients:not_observed": {"reason_not_observed": "asleep"},
            "patients:transfer": {
                "what": "moved", "ward": "ICU", "bed": "3", "seen": location_token(self.course),
            },
            "patients:guidance_action": {"action": "risk:older_age:yes"},
            "patients:guidance_answer": {"seen": ""},
            "patients:policy": policy_form(cpap_grade="4", step="confirm"),
            "patients:course_policy": {
                "version": version_of(policy_from({"cpap_grade": 4}), timezone.now()).pk,
                "reason": "Study", "step": "confirm",
            },
            "patients:sign_off": {
                "start": self.entry.at.isoformat(), "known_at": timezone.now().isoformat(),
                "computed": "3", "seen": "0", "verdict": "agree",
            },
            "record:printed": {"path": "/"},
            "patients:seen": {"known_at": timezone.now().isoformat()},
        }  # fmt: skip
        return form() | sent.get(name, {})


@pytest.fixture
def target(course: Course, clinician: User) -> Target:
    at = timezone.now() - timedelta(minutes=30)
    entry = chart(course, clinician, "vitals", at, temperature_c="38.5").entries[0]
    chart(course, clinician, "oxygen", at, device="venturi_mask", fio2_percent="50")
    other = admit(clinician, name="WEBER, Luca", product="another")
    gone = admit(clinician, name="WEBER, Luka", product="a third")
    kept, joined = course.patient_id, gone.patient_id
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    return Target(course, entry, other, join_records(asked, sending(clinician)))


@pytest.fixture
def client_of(make_user: Callable[..., User]) -> Callable[[Role | None], Client]:
    """A client signed in as a user of a role; of None, not signed in."""

    def of(role: Role | None) -> Client:
        client = Client()
        if role is not None:
            client.force_login(make_user(f"user-{role}", role))
        return client

    return of


def rows() -> list[int]:
    return [model.objects.count() for model in RECORDED]


@pytest.mark.parametrize("role", ACTORS, ids=lambda role: role or "signed out")
@pytest.mark.parametrize("name", TABLE)
def test_who_may_open_and_send_what(
    name: str, role: Role | None, target: Target, client_of: Callable[[Role | None], Client]
) -> None:
    """Opening records nothing and shows an empty form; who is refused records nothing."""
    client = client_of(role)
    get, post = (statuses[ACTORS.index(role)] for statuses in TABLE[name])
    data, before = target.data(name), rows()
    for address in target.addresses(name):
        opened = client.get(address)
        assert opened.status_code == get, address
        assert_sent_to_sign_in(name, role, opened)
        if role is not None and name.startswith("patients:"):
            assert client.get(address, **HTMX).status_code == get, address
        if get == 200 and name in ("patients:entries", "patients:admit"):
            assert not opened.context["form"].is_bound, address
    assert rows() == before

    address = target.addresses(name)[0]
    if role is not None and post == 403:
        assert client.post(address, data, **HTMX).status_code == 403
    sent = client.post(address, data)
    assert sent.status_code == post, sent.content.decode()
    assert_sent_to_sign_in(name, role, sent)
    is_saved = role is not None and post == 302 and name not in OPEN_TO_ALL
    assert (rows() != before) is is_saved


def assert_sent_to_sign_in(name: str, role: Role | None, answer: Any) -> None:
    if role is None and name not in OPEN_TO_ALL:
        assert answer["Location"].startswith(resolve_url(settings.LOGIN_URL))


@pytest.mark.parametrize("name", [name for name in TABLE if name not in OPEN_TO_ALL])
def test_another_method_is_refused(name: str, nurse_client: Client, target: Target) -> None:
    for address in target.addresses(name):
        for method in (nurse_client.put, nurse_client.patch, nurse_client.delete):
            assert method(address).status_code == 405, address


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("patients:")])
def test_a_course_that_is_not_there_is_not_found(
    name: str, nurse_client: Client, target: Target
) -> None:
    own, another = str(target.course.pk), str(uuid.uuid4())
    takes_get = TABLE[name][0] != NO_SUCH_METHOD
    for address in target.addresses(name):
        if own in address:
            elsewhere = address.replace(own, another)
            answer = (
                nurse_client.get(elsewhere)
                if takes_get
                else nurse_client.post(elsewhere, target.data(name))
            )
            assert answer.status_code == 404, address
