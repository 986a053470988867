"""Clocks that differ: of application and database, or of a machine that was set back."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.forms.registry import ENTRY_FORMS
from patients.models import Course, Entry, GradeReview
from patients.queries.courses import now_for, read_course
from patients.queries.status import read_course_status
from patients.recording.inputs import NewEntry
from patients.review.forms import AGREE
from tests.entry_forms import HTMX, form, send, send_correction, text_of, url
from tests.factories import admit, chart, record

AN_HOUR = timedelta(hours=1)
NO_TIME = timedelta(0)
BY_10_MINUTES = (timedelta(minutes=10), timedelta(minutes=-10))


@pytest.fixture(params=BY_10_MINUTES, ids=("ahead", "behind"))
def differ(request: pytest.FixtureRequest, course: Course, nurse_client: Client) -> Iterator[Any]:
    """The application's clock is 10 min ahead of the database's, or behind it."""
    with time_machine.travel(datetime.now(UTC) + request.param, tick=True):
        yield request.param


def database_clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def assert_now(entry: Entry) -> None:
    """The entry and its act have one time, by the database's clock."""
    assert timedelta(0) <= entry.recorded_at - entry.at < timedelta(seconds=91)
    assert abs(database_clock() - entry.recorded_at) < timedelta(minutes=1)


def latest(course: Course) -> Entry:
    return Entry.objects.filter(course=course).latest("recorded_at")


LISTS_OF_GRADES = ("board", "ward_scales", "reviews")


def pages(client: Client, course: Course) -> Iterator[tuple[str, HttpResponse]]:
    """Each whole page whose address names a course alone, and the lists that show grades."""
    names = (name for name in get_resolver("patients.urls").reverse_dict if isinstance(name, str))
    for name in sorted(names):
        named = {} if name in LISTS_OF_GRADES else {"course_id": course.pk}
        try:
            answer = client.get(reverse(f"patients:{name}", kwargs=named))
        except NoReverseMatch:
            continue
        if answer.status_code == 200 and b"<html" in answer.content:
            yield name, answer


def graded(answer: HttpResponse) -> int | None:
    """The grade on the card of a page, None for one without a card."""
    card = (answer.context or {}).get("card")
    return None if card is None else card.grade


@pytest.mark.usefixtures("differ")
class TestTwoMachines:
    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("vitals", {"temperature": "38.4"}),
            ("oxygen", {"device": "room_air"}),
            ("vasopressor", {"drug": "norepinephrine", "rate": "6", "unit": "ug/min"}),
            ("note", {"note": "seen"}),
        ],
    )
    def test_a_save_without_a_time_has_the_database_s(
        self, nurse_client: Client, course: Course, kind: str, fields: dict[str, str]
    ) -> None:
        assert send(nurse_client, course, kind, **fields).status_code == 200
        assert_now(latest(course))
        call_command("verify_grades", verbosity=0)

    def test_hidden_times_are_by_the_clock_of_the_page(
        self, nurse_client: Client, course: Course
    ) -> None:
        sent = {"sent_at": timezone.now().isoformat(), "begun_at": timezone.now().isoformat()}
        assert send(nurse_client, course, "vitals", temperature="38", **sent).status_code == 200
        assert_now(latest(course))

    def test_the_next_save_of_the_same_page_is_asked_nothing(
        self, nurse_client: Client, course: Course
    ) -> None:
        """The form that a save sends knows when it was opened, by the clock of the page."""
        kind = next(kind for kind, form in ENTRY_FORMS.items() if form.is_renewed)
        fields = {"laboratory": "main", "crp": "40", "crp_unit": "mg/L"}
        saved = send(nurse_client, course, kind, **fields)
        assert saved.status_code == 200
        opened = saved.context["form"]["opened_at"].value()
        again = send(nurse_client, course, "vitals", temperature="38", opened_at=opened)
        assert again.status_code == 200

    def test_taps_have_the_database_s_time_too(self, nurse_client: Client, course: Course) -> None:
        taps = (
            ("not_observed", {"reason_not_observed": "asleep"}),
            ("guidance_action", {"action": "risk:older_age:yes"}),
        )
        for name, fields in taps:
            sent = {"form_id": str(uuid.uuid4()), **fields}
            assert nurse_client.post(url(name, course), sent, **HTMX).status_code == 200
            assert_now(latest(course))

    def test_every_time_that_can_be_typed_is_saved_or_refused_in_words(
        self, nurse_client: Client, course: Course
    ) -> None:
        for minutes in (-30, -8, 0, 4):
            there = timezone.localtime() + timedelta(minutes=minutes)
            typed = {"observed_date": f"{there:%Y-%m-%d}", "observed_time": f"{there:%H:%M}"}
            answer = send(nurse_client, course, "vitals", temperature="38", **typed)
            if answer.status_code == 200:
                assert latest(course).at == there.replace(second=0, microsecond=0)
            else:
                assert answer.status_code == 422
                (error,) = answer.context["form"].errors["observed_time"]
                assert "database's clock" in error

    def test_a_correction_is_saved(self, nurse_client: Client, course: Course) -> None:
        weight = course.entries.get(kind="weight")
        assert send_correction(nurse_client, course, weight, weight_kg="82").status_code == 200
        assert weight.replaced_by.at == weight.at

    def test_an_admission_is_saved_or_refused_in_words(self, nurse_client: Client) -> None:
        there = timezone.localtime()
        sent = form(
            mrn="4471902", name="LINDQVIST, Per", birth_date="1970-03-01", sex="male", ward="7B",
            product="CD19 CAR-T", infused_date=f"{there:%Y-%m-%d}", infused_time=f"{there:%H:%M}",
            weight_kg="80",
        )  # fmt: skip
        answer = nurse_client.post(reverse("patients:admit"), sent)
        if answer.status_code != 302:
            assert answer.status_code == 422
            assert "database's clock" in answer.context["form"].errors["infused_time"][0]
            assert not Course.objects.filter(patient__mrn="4471902").exists()

    def test_what_was_saved_stands_on_the_page(self, nurse_client: Client, course: Course) -> None:
        send(nurse_client, course, "vitals", temperature="39.1")
        page = nurse_client.get(url("bedside", course))
        assert page.context["card"].grade == 1

    def test_page_poll_and_board_name_a_clock_that_is_ahead(
        self, nurse_client: Client, course: Course, differ: timedelta
    ) -> None:
        for address in (url("bedside", course), url("live", course), reverse("patients:board")):
            text = text_of(nurse_client.get(address).content.decode())
            assert ("is ahead of the clock that dates each save" in text) is (differ > NO_TIME)
        # An open page that has said so already is sent nothing.
        shown = json.loads(nurse_client.get(url("live", course), **HTMX)["CRS-Live"])
        assert nurse_client.get(url("live", course), shown, **HTMX).status_code == 204

    def test_every_page_of_the_course_names_it(self, nurse_client: Client, course: Course) -> None:
        """A clock that is behind leaves what was saved just now ahead of the page."""
        send(nurse_client, course, "vitals", temperature="39.1")
        found = dict(pages(nurse_client, course))
        assert found.keys() > {"bedside", "sign_off", "paper", "review", *LISTS_OF_GRADES}
        for name, answer in found.items():
            text = text_of(answer.content.decode())
            assert "is ahead of the clock" in text or "is behind the last entry" in text, name
            assert graded(answer) in (None, 1), name

    def test_health_names_the_difference_and_the_site_serves_on(
        self, client: Client, differ: timedelta
    ) -> None:
        answer = client.get("/health/")
        assert answer.status_code == 200
        how = "ahead of" if differ > NO_TIME else "behind"
        words = f"application's clock is 10 min {how} the database's"
        assert answer.content.decode() == f"ok\n{words}\n"
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "attention")
        skew = ready.json()["checks"]["clock_skew"]
        assert (skew["status"], skew["words"]) == ("attention", words)
        assert abs(skew["application_ahead_s"] - differ.total_seconds()) < 60


@pytest.fixture
def set_back(course: Course, clinician: User) -> Course:
    """Norepinephrine and a low pressure were charted an hour ahead: the clock was set back."""
    recorded_at = timezone.now() + AN_HOUR - timedelta(minutes=1)
    dose = {"drug": "norepinephrine", "rate": "6", "unit": "ug/min"}
    started = NewEntry("vasopressor", recorded_at.replace(second=0, microsecond=0), dose)
    record(course, clinician, [started], recorded_at=recorded_at)
    return course


class TestAClockThatWasSetBack:
    def test_the_page_says_so_and_keeps_the_grade(
        self, nurse_client: Client, set_back: Course
    ) -> None:
        for address in (url("bedside", set_back), url("live", set_back)):
            page = nurse_client.get(address)
            assert page.context["card"].grade == 2, address
            assert "The server's clock (" in text_of(page.content.decode())
            assert "is behind the last entry (" in text_of(page.content.decode())

    def test_every_page_says_so_once_and_none_shows_another_grade(
        self, intensivist_client: Client, set_back: Course
    ) -> None:
        found = dict(pages(intensivist_client, set_back))
        assert found.keys() > {"bedside", "sign_off", "paper", "review", *LISTS_OF_GRADES}
        for name, answer in found.items():
            text = text_of(answer.content.decode())
            assert text.count("is behind the last entry") == 1, name
            assert graded(answer) in (None, 2), name

    def test_what_is_signed_is_the_grade_of_the_last_entry(
        self, intensivist_client: Client, set_back: Course
    ) -> None:
        panel = intensivist_client.get(url("sign_off", set_back)).context["panel"]
        assert panel.form["computed"].value() == 2
        signing = {name: panel.form[name].value() for name in panel.form.fields}
        typed = {name: value for name, value in signing.items() if value not in (None, "")}
        answer = intensivist_client.post(url("sign_off", set_back), {**typed, "verdict": AGREE})
        assert answer.status_code == 302
        assert GradeReview.objects.get(course=set_back).stated_grade == 2

    def test_so_does_the_board(self, nurse_client: Client, set_back: Course) -> None:
        board = nurse_client.get(reverse("patients:board"))
        (row,) = board.context["rows"]
        assert row.grade == 2
        assert "is behind the last entry" in text_of(board.content.decode())

    def test_a_page_that_was_open_is_told(self, nurse_client: Client, set_back: Course) -> None:
        """What it has seen is no longer what it would be sent."""
        board = nurse_client.get(reverse("patients:board"))
        seen = board.context["signature"].removesuffix("-behind")
        again = nurse_client.get(reverse("patients:board"), {"seen": seen}, **HTMX)
        assert again.status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_health_gives_the_reason_and_the_site_serves_on(
        self, client: Client, set_back: Course
    ) -> None:
        """What is committed is seen: the look has a connection of its own."""
        answer = client.get("/health/")
        assert answer.status_code == 200
        assert answer.content.decode() == "ok\nclock is 59 min behind the last entry\n"
        check = client.get("/readyz").json()["checks"]["last_entry"]
        assert check["status"] == "attention"
        assert check["clock_behind_last_entry_s"] > 3000

    def test_what_is_stopped_now_is_stopped_after_its_start(
        self, nurse_client: Client, set_back: Course
    ) -> None:
        stopped = {"drug": "norepinephrine", "rate": "0"}
        answer = send(nurse_client, set_back, "vasopressor", **stopped)
        assert answer.status_code == 200
        charted = Entry.objects.filter(course=set_back, kind="vasopressor")
        start, stop = charted.order_by("at", "recorded_at")
        assert stop.body["rate"] == "0"
        assert stop.recorded_at - stop.at < timedelta(minutes=1)
        assert start.at <= stop.at
        course = read_course(set_back.pk)
        status = read_course_status(course, now_for(course)).current
        assert status.grade == answer.context["card"].grade
        page = nurse_client.get(url("bedside", set_back))
        assert page.context["card"].grade == answer.context["card"].grade
        later = read_course_status(course, timezone.now() + 3 * AN_HOUR).current
        assert later.grade == status.grade
        call_command("verify_grades", verbosity=0)

    def test_a_time_of_before_can_still_be_typed(
        self, nurse_client: Client, set_back: Course
    ) -> None:
        there = timezone.localtime() + AN_HOUR
        typed = {"observed_date": f"{there:%Y-%m-%d}", "observed_time": f"{there:%H:%M}"}
        answer = send(nurse_client, set_back, "vitals", temperature="38", **typed)
        assert answer.status_code == 200

    def test_a_save_is_asked_nothing_about_its_hidden_times(
        self, nurse_client: Client, set_back: Course
    ) -> None:
        opened = nurse_client.get(url("entries", set_back, "vitals"), **HTMX).context["form"]
        hidden = {
            "opened_at": opened["opened_at"].value(),
            "begun_at": timezone.now().isoformat(),
        }
        assert send(nurse_client, set_back, "vitals", temperature="38", **hidden).status_code == 200


def test_clocks_that_agree_are_not_mentioned(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    ahead = timezone.now() + timedelta(minutes=4)
    chart(course, clinician, "vitals", ahead, temperature_c="38.5")
    for address in (url("bedside", course), reverse("patients:board")):
        assert (
            "server's clock" not in text_of(nurse_client.get(address).content.decode()).casefold()
        )
    assert nurse_client.get("/health/").content == b"ok\n"


def test_a_save_sends_no_statement_more(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "vitals", temperature="38.1")
    with CaptureQueriesContext(connection) as usual:
        assert send(nurse_client, course, "vitals", temperature="38.2").status_code == 200
    ten_minutes_ago = time_machine.travel(datetime.now(UTC) - timedelta(minutes=10), tick=True)
    with ten_minutes_ago, CaptureQueriesContext(connection) as behind:
        assert send(nurse_client, course, "vitals", temperature="38.3").status_code == 200
    assert len(behind) == len(usual)


def test_a_course_without_an_act_has_a_now(clinician: User) -> None:
    course = admit(clinician, weight_kg=None)
    assert abs(now_for(read_course(course.pk)) - timezone.now()) < timedelta(seconds=5)
