"""The review as it was known at a past moment: how one gets there, and what is left out there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from crs_app.accounts.models import Role, User
from patients.models import ChartingAct, Course
from tests.entry_forms import text_of, url
from tests.factories import admit, ago, chart
from tests.owner import rights_of_owner
from tests.patients.identity.test_correction import corrected, sent
from tests.patients.policy.policy_form import PAGE, policy_form
from tests.patients.ward.test_transfer import send as send_transfer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]

THEN = "2026-11-27T03:40:30+00:00"
"""The rate that was typed ten times too high had been charted, and was not corrected yet."""


@pytest.fixture
def reviewed(imported_once: Callable[[], Course], db: None) -> Course:
    return imported_once()


def page(client: Client, course: Course, name: str = "review", **query: str) -> Any:
    return client.get(url(name, course), query)


def html(client: Client, course: Course, name: str = "review", **query: str) -> str:
    answer = page(client, course, name, **query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", ["review", "instant", "flowsheet"])
def test_the_past_has_a_bar_and_no_way_to_chart_sign_or_to_what_waits(
    name: str, intensivist_client: Client, reviewed: Course
) -> None:
    then = html(intensivist_client, reviewed, name, known_at=THEN)
    assert "You are looking at the past." in then
    assert "is-then" in then
    now = html(intensivist_client, reviewed, name)
    for address in ("/reviews/", "/sign-off/", url("bedside", reviewed) + '"'):
        assert address in now
        assert address not in then
    assert "csrf" not in then[then.index("<main") : then.index("<footer")]


def test_steps_lead_to_the_changes_beside_and_say_which_they_are(
    nurse_client: Client, reviewed: Course
) -> None:
    answer = page(nurse_client, reviewed, known_at=THEN)
    tool = answer.context["tool"]
    assert tool.before.text == "27 Nov 2026 03:33, vital signs"
    assert tool.after.text == "27 Nov 2026 03:42, norepinephrine corrected"
    after = page(nurse_client, reviewed, known_at=tool.after.at.isoformat())
    assert after.context["tool"].before.at < datetime.fromisoformat(THEN)
    assert after.context["cursor"].grade == 2
    assert any(mark.is_change for mark in tool.marks)
    assert page(nurse_client, reviewed).context["tool"].after is None


def test_what_is_different_today_is_shown_only_when_asked_for(
    nurse_client: Client, reviewed: Course
) -> None:
    assert "Different today" not in html(nurse_client, reviewed, known_at=THEN)
    assert "0.16" not in html(nurse_client, reviewed, known_at=THEN, view="table")
    answer = page(nurse_client, reviewed, known_at=THEN, different="1")
    found = {(one.what, one.when): one for one in answer.context["different"].listed}
    rate = found["Norepinephrine", "27 Nov 00:10"]
    assert (rate.then, rate.today) == (
        "Norepinephrine 0.6 mcg/kg/min × 72 kg = 43.2 mcg/min",
        "Norepinephrine 0.16 mcg/kg/min × 72 kg = 11.52 mcg/min",
    )
    assert rate.note.startswith("Corrected 27 Nov 03:42 by J. Ruiz")
    assert found["Oxygen", "26 Nov 18:30"].note.endswith("12 h 25 min later")
    assert found["Grade", "26 Nov 18:30 – 20:10"][2:4] == ("2", "3")
    latest = page(nurse_client, reviewed).context["latest"].isoformat()
    assert "Nothing is different today." in html(
        nurse_client, reviewed, known_at=latest, different="1"
    )


def test_different_today_names_who_corrected_the_identity_and_why(
    nurse_client: Client, course: Course
) -> None:
    then = page(nurse_client, course).context["latest"].isoformat()
    corrected(nurse_client, course, sent("name", name="OKONKWO, Adanna"))
    answer = page(nurse_client, course, known_at=then, different="1")
    (one,) = answer.context["different"].listed
    assert (one.what, one.then, one.today) == ("Name", "OKONKWO, Ada", "OKONKWO, Adanna")
    assert "by J. Ruiz: “passport”" in one.note


def test_before_the_first_entry_nothing_was_recorded(
    nurse_client: Client, reviewed: Course
) -> None:
    text = html(nurse_client, reviewed, known_at="2026-11-20T12:00:00+00:00")
    assert "Nothing was recorded yet." in text
    assert "Nothing was recorded yet." not in html(nurse_client, reviewed, known_at=THEN)


def test_a_time_that_has_not_come_is_refused_at_the_field(
    nurse_client: Client, reviewed: Course, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 11, 28, 9, 40, tzinfo=UTC), tick=False)
    nurse_client.force_login(User.objects.get(username="nurse"))
    typed = {"known_date": "2026-11-28", "known_time": "14:00"}
    answer = page(nurse_client, reviewed, **typed)
    assert answer.status_code == 400
    tool = answer.context["tool"]
    assert tool.error == "That time has not come. Latest: 28 Nov 2026 09:40"
    assert (tool.date, tool.time) == ("2026-11-28", "14:00")
    assert answer.context["address"].is_now
    later = page(nurse_client, reviewed, known_at="2026-11-28T14:00:00+00:00")
    assert "That time has not come. Latest: 28 Nov 2026 09:40." in later.content.decode()
    sheet = page(nurse_client, reviewed, "flowsheet", known_at="2026-11-28T14:00")
    assert "That time has not come. Latest: 28 Nov 2026 09:40." in sheet.content.decode()


def test_of_an_hour_that_came_twice_both_are_offered(
    nurse_client: Client, reviewed: Course, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    answer = page(nurse_client, reviewed, known_date="2026-10-25", known_time="02:30")
    assert answer.status_code == 400
    offered = answer.context["tool"].offered
    assert [one.text for one in offered] == ["02:30 (+02:00)", "02:30 (+01:00)"]
    known = [
        page(nurse_client, reviewed, known_at=one.at.isoformat()).context["address"].instants
        for one in offered
    ]
    assert [one.known_at.hour for one in known] == [0, 1]
    skipped = page(nurse_client, reviewed, known_date="2026-03-29", known_time="02:30")
    assert "did not exist" in skipped.content.decode()


def test_the_role_is_that_of_the_act_and_an_older_act_has_the_name_alone(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="38.6")
    with rights_of_owner():
        User.objects.filter(pk=nurse.pk).update(role=Role.AUDITOR, last_name="Smith")
    act = ChartingAct.objects.latest("recorded_at")
    assert (act.author_name, act.author_role) == ("J. Ruiz", Role.WARD_CLINICIAN)
    for name in ("review", "review_cursor", "instant", "flowsheet"):
        assert "J. Ruiz, Ward clinician" in html(nurse_client, course, name)


def test_an_act_from_before_roles_were_kept_names_its_author_alone(
    nurse_client: Client, nurse: User, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "display_name", "")
    nurse.role = ""
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="38.6")
    monkeypatch.undo()
    text = text_of(html(nurse_client, course))
    assert "J. Ruiz: Temp 38.6 °C" in text


def test_a_change_of_policy_is_no_rise_by_the_clock(
    nurse_client: Client, administrator_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "oxygen", ago(hours=3), device="cpap", fio2_percent="30")
    before = page(nurse_client, course).context["cursor"].grade
    fields = policy_form(cpap_grade="4") | {"step": "confirm"}
    assert administrator_client.post(PAGE, fields).status_code == 302
    cursor = page(nurse_client, course).context["cursor"]
    assert cursor.grade != before
    assert not cursor.run.by_clock
    assert cursor.run.cause.startswith("by a change of policy: ")


def test_the_bed_and_the_closing_are_as_known_then(nurse_client: Client, course: Course) -> None:
    then = page(nurse_client, course).context["latest"].isoformat()
    send_transfer(nurse_client, course, "moved", ward="ICU", bed="3")
    moved = page(nurse_client, course).context["latest"].isoformat()
    send_transfer(nurse_client, course, "ended", reason="Home")
    now = page(nurse_client, course)
    assert "Course closed" in now.content.decode()
    for name in ("review", "flowsheet"):
        first, second = (page(nurse_client, course, name, known_at=k) for k in (then, moved))
        assert (first.context["banner"].ward, first.context["banner"].bed) == ("7B", "12")
        assert (second.context["banner"].ward, second.context["banner"].bed) == ("ICU", "3")
        assert "Course closed" not in second.content.decode()


def test_links_of_the_past_keep_what_was_known(nurse_client: Client, reviewed: Course) -> None:
    text = html(nurse_client, reviewed, known_at=THEN)
    links = [part.split('"')[0] for part in text.split('href="')[1:]]
    [sheet] = [link for link in links if "/flowsheet/" in link]
    [known_at] = parse_qs(urlsplit(sheet).query)["known_at"]
    assert datetime.fromisoformat(known_at) == datetime.fromisoformat(THEN)


def test_the_first_step_is_the_admission_where_nothing_was_charted_with_it(
    nurse_client: Client, clinician: User
) -> None:
    empty = admit(clinician, weight_kg=None)
    before = page(nurse_client, empty).context["tool"].before
    assert before.text.endswith(", admission")
