"""Typed and hidden times at the ends of the calendar, in every form, query and header."""

import uuid
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.forms.registry import ENTRY_FORMS
from patients.models import ChartingAct, Course, SitePolicy, Transfer
from patients.policy.forms import PolicyForm
from patients.ward.transfer import location_token
from tests.entry_forms import HTMX, form, send, send_correction, url
from tests.factories import ago, chart
from tests.patients.policy.policy_form import policy_form

ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Europe/Zurich", "Pacific/Kiritimati")
TYPED = (
    ("0001-01-01", "00:00"), ("0001-01-01", "23:59"), ("0001-01-02", "00:00"),
    ("1899-12-31", "23:59"), ("1900-01-01", "00:00"), ("2200-01-01", "00:00"),
    ("9999-12-31", "23:59"), ("9999-12-30", "00:00"), ("0000-00-00", "00:00"),
)  # fmt: skip
HIDDEN = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00-23:59",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+23:59", "x",
)  # fmt: skip
PLAUSIBLE: dict[str, dict[str, str]] = {
    "vitals": {"temperature": "38"},
    "oxygen": {"device": "room_air"},
    "vasopressor": {"drug": "norepinephrine", "rate": "6", "unit": "ug/min"},
    "weight": {"weight_kg": "80"},
    "note": {"note": "seen"},
}


def when(prefix: str, day: str, time: str) -> dict[str, str]:
    return {f"{prefix}_date": day, f"{prefix}_time": time}


def each_with_two(ends: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Each kind of entry with two of ``ends`` in turn: one class reads the time of all."""
    turns = cycle(ends)
    for kind in ENTRY_FORMS:
        yield kind, [next(turns), next(turns)]


def recorded() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (ChartingAct, Transfer, SitePolicy, Course))


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.TIME_ZONE = request.param
    return str(request.param)


@pytest.fixture
def nothing_is_recorded(course: Course, zone: str) -> Any:
    before = recorded()
    yield
    assert recorded() == before


def assert_refused(answer: Any, prefix: str, what: object) -> None:
    assert answer.status_code == 422, what
    forms = answer.context.get("place_forms") or [answer.context["form"]]
    errors = next(one for one in forms if one.is_bound).errors
    assert {f"{prefix}_date", f"{prefix}_time"} & errors.keys(), (what, errors)


@pytest.mark.usefixtures("nothing_is_recorded")
def test_in_every_form_of_an_entry(nurse_client: Client, course: Course) -> None:
    for kind, ends in each_with_two(TYPED):
        for day, time in ends:
            fields = PLAUSIBLE.get(kind, {}) | when("observed", day, time)
            answer = send(nurse_client, course, kind, **fields)
            assert_refused(answer, "observed", (kind, day, time))


@pytest.mark.usefixtures("nothing_is_recorded")
def test_in_every_hidden_time(nurse_client: Client, course: Course) -> None:
    for number, (kind, ends) in enumerate(each_with_two(HIDDEN)):
        name = ("sent_at", "begun_at", "opened_at")[number % 3]
        for hidden in ends:
            fields = PLAUSIBLE.get(kind, {}) | {name: hidden, "observed_then": "yes"}
            answer = send(nurse_client, course, kind, **fields)
            assert_refused(answer, "observed", (kind, name, hidden))


@pytest.mark.usefixtures("nothing_is_recorded")
def test_in_a_correction(nurse_client: Client, course: Course) -> None:
    entry = course.entries.get(kind="weight")
    for day, time in TYPED[::2]:
        answer = send_correction(nurse_client, course, entry, **when("observed", day, time))
        assert_refused(answer, "observed", (day, time))
    empty = when("observed", "", "")
    for hidden in HIDDEN[::3]:
        answer = send_correction(nurse_client, course, entry, **empty, sent_at=hidden)
        assert_refused(answer, "observed", hidden)


@pytest.mark.usefixtures("nothing_is_recorded")
def test_in_an_admission(nurse_client: Client) -> None:
    for day, time in TYPED:
        sent = form(
            mrn="4471902", name="LINDQVIST, Per", birth_date="1970-03-01", sex="male", ward="7B",
            product="CD19 CAR-T", **when("infused", day, time),
        )  # fmt: skip
        answer = nurse_client.post(reverse("patients:admit"), sent)
        assert_refused(answer, "infused", (day, time))


@pytest.mark.usefixtures("nothing_is_recorded")
def test_in_a_move_and_an_end(nurse_client: Client, course: Course) -> None:
    for what in ("moved", "ended"):
        for day, time in TYPED[::2]:
            sent = form(
                what=what, ward="ICU", bed="3", reason="home", seen=location_token(course),
                **when("observed", day, time),
            )  # fmt: skip
            answer = nurse_client.post(url("transfer", course), sent)
            assert_refused(answer, "observed", (what, day, time))


@pytest.mark.usefixtures("nothing_is_recorded")
def test_in_a_policy(administrator_client: Client) -> None:
    for step in ("preview", "confirm"):
        for day, time in TYPED[::3]:
            sent = policy_form(cpap_grade="4", step=step, **when("from", day, time))
            answer = administrator_client.post(reverse("patients:policy"), sent)
            assert answer.status_code == 422, (step, day, time)
            assert isinstance(answer.context["form"], PolicyForm)


QUERIES = (
    "before",
    "until",
    "day",
    "show",
    "seen",
    "since",
    "at",
    "from",
    "to",
    "kind",
    "known_at",
    "ended",
    "next",
    "q",
)


@pytest.mark.parametrize("role", ["nurse_client", "auditor_client"])
def test_in_every_query_and_header(
    request: pytest.FixtureRequest, role: str, course: Course
) -> None:
    client: Client = request.getfixturevalue(role)
    pages = [reverse("patients:board"), reverse("patients:sources"), reverse("patients:policy")]
    pages += [
        url(name, course) for name in ("bedside", "live", "timeline", "guidance", "course_policy")
    ]
    for page in pages:
        for value in (HIDDEN[1], HIDDEN[4], "9" * 30, str(uuid.UUID(int=0))):
            answer = client.get(page, dict.fromkeys(QUERIES, value), **HTMX)
            assert answer.status_code in (200, 204, 404), (page, value)
            shown = {"CRS-Shown": f"guidance={value}; timeline={value}", "If-None-Match": value}
            answer = client.get(page, headers={**shown, "If-Modified-Since": value})
            assert answer.status_code == 200, (page, value)


@pytest.fixture
def corrected_kinds(course: Course, clinician: User) -> list[Any]:
    """An entry of each kind that a form corrects."""
    at = ago(hours=2)
    bodies: dict[str, dict[str, Any]] = {
        "vitals": {"temperature_c": "39.1"},
        "oxygen": {"device": "room_air"},
        "vasopressor": {"drug": "norepinephrine", "rate": "6", "unit": "ug/min"},
        "fluid_bolus": {"volume_ml": "500"},
        "symptom": {"term": "fatigue", "present": True},
        "toxicity": {"term": "confusion", "grade": 2},
        "lab": {"analyte": "crp", "value": "40", "unit": "mg/L"},
        "risk": {"older_age": True},
        "judgement": {"about": "relative_hypotension", "present": True},
        "note": {"note": "seen"},
        "treatment": {"agent": "tocilizumab", "dose_mg": "320"},
        "not_observed": {"what": "vital_signs", "reason": "asleep"},
    }
    return [chart(course, clinician, kind, at, **body).entries[0] for kind, body in bodies.items()]


@pytest.mark.parametrize("value", [None, "perhaps", ["yes", "no"]])
def test_a_field_of_a_correction_that_is_missing_strange_or_repeated(
    nurse_client: Client, course: Course, corrected_kinds: list[Any], value: Any
) -> None:
    """It is refused or saved whole, in a correction of each kind, whichever field it is."""
    for entry in corrected_kinds:
        address = url("correct", course, entry.pk)
        opened = nurse_client.get(address, **HTMX).context["form"]
        shown = {name: opened[name].value() for name in opened.fields}
        sent = {key: each for key, each in shown.items() if each not in (None, "")}
        of_its_own = [name for name in opened.own_fields() if name in sent] or ["note"]
        for name in of_its_own:
            changed = sent | {name: value, "reason": "misread"}
            if value is None:
                del changed[name]
            answer = nurse_client.post(address, changed, **HTMX)
            assert answer.status_code in (200, 409, 422), (entry.kind, name)
    assert nurse_client.get(url("bedside", course)).status_code == 200
