"""Sign-off on the review page: the period under the cursor, what changed, and what came since."""

from __future__ import annotations

import html as markup
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import Role, User
from patients.display.text import clock_text
from patients.models import Course, CourseSeen, GradeReview
from patients.recording.inputs import NewEntry
from tests.factories import ago, chart, correct, end, record, sending
from tests.patients.policy.policy_form import Make
from tests.patients.review.sign_off_form import FormParser, another, send, signed
from tests.patients.review.test_sign_off_story import story as _story
from tests.patients.review.test_sign_off_story import there

pytestmark = pytest.mark.usefixtures("site_in_utc")
story = _story
HALF_BEFORE = "27 10:00"
"""In the period that a reviewer signed with another grade."""


def review(client: Client, course: Course, **query: Any) -> str:
    """The review page; times are given as they are."""
    asked = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in query.items()
    }
    answer = client.get(reverse("patients:review", args=[course.pk]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def panel(html: str) -> str:
    """The words of the panel."""
    part = html[html.index('<section id="sign-off"') :]
    return " ".join(re.sub(r"<[^>]+>", " ", part[: part.index("</section>")]).split())


def form_of(html: str) -> dict[str, str]:
    parser = FormParser()
    parser.feed(html)
    return parser.fields | {"verdict": "agree"} if parser.fields else {}


def marks(html: str) -> list[dict[str, Any]]:
    found = re.search(r'data-marks="([^"]*)"', html)
    assert found is not None
    return list(json.loads(markup.unescape(found[1])))


def asked_again(client: Client, course: Course, html: str, **more: str) -> Any:
    """What the open page ``html`` gets when it asks whether its panel still holds."""
    shown = {
        name: re.search(rf'data-{name}="([^"]*)"', html[html.index('id="sign-off"') :])
        for name in ("signature", "at")
    }
    query = {name: found[1] for name, found in shown.items() if found}
    here = reverse("patients:review", args=[course.pk])
    return client.get(
        reverse("patients:sign_off", args=[course.pk]),
        {**form_of(html), **query, **more},
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{here}?range=all"},
    )


def test_the_panel_is_about_the_period_under_the_cursor(
    intensivist_client: Client, story: Course
) -> None:
    html = review(intensivist_client, story, at=there("27 14:00"), range="all")
    assert "27 Nov 10:55 – 19:40" in panel(html)
    assert "Agree: grade 3" in panel(html)
    assert "Waiting in this course: 3" in panel(html)
    assert "range=all&amp;at=" in html[html.index('class="periods"') :]
    html = review(intensivist_client, story, at=there(HALF_BEFORE))
    assert "T. Hale stated 3, computed then 2: Sicker than the rules show" in panel(html)
    assert form_of(html) == {}
    assert form_of(review(intensivist_client, story, at=there(HALF_BEFORE), again=""))


def test_a_sign_off_leads_back_to_the_review_page_as_it_was(
    intensivist_client: Client, story: Course
) -> None:
    html = review(intensivist_client, story, at=there("27 14:00"), range="all", axis="infusion")
    form = form_of(html)
    there_again = reverse("patients:review", args=[story.pk])
    assert form["next"].startswith(f"{there_again}?range=all&axis=infusion&at=2026-11-27T14")
    answer = intensivist_client.post(
        reverse("patients:sign_off", args=[story.pk]), form, headers={"HX-Request": "true"}
    )
    assert answer["HX-Redirect"] == form["next"]
    assert "Grade 3, signed by you" in panel(intensivist_client.get(form["next"]).content.decode())


@pytest.mark.parametrize("typed", ["0001-01-01T00:00:00Z", "review", "//elsewhere.test/"])
def test_a_sign_off_that_would_lead_to_no_page_of_this_site_leads_to_its_own(
    intensivist_client: Client, story: Course, typed: str
) -> None:
    form = form_of(review(intensivist_client, story, at=there("27 14:00")))
    address = reverse("patients:sign_off", args=[story.pk])
    answer = intensivist_client.post(address, form | {"next": typed})
    assert answer.status_code == 302, answer.content.decode()[:400]
    assert answer["Location"].startswith(f"{address}?at=2026-11-27T")


def test_the_marks_of_the_plots_are_the_states_of_the_periods(
    intensivist_client: Client, clinician: User, story: Course
) -> None:
    shown = marks(review(intensivist_client, story))
    assert [(one["mark"], one["label"]) for one in shown] == [
        ("✓", "grade 1 · T. Hale"), ("✓", "grade 2 · T. Hale"), ("!", "new look"),
        ("≠", "stated 3 · T. Hale"), ("○", "not signed"), ("○", "not signed"),
    ]  # fmt: skip
    assert (shown[0]["from"], shown[-1]["to"]) == (there("24 19:30").timestamp(), None)
    signed(intensivist_client, story, there("27 14:00"))
    high = story.entries.filter(kind="oxygen", at=there("27 13:10")).get()
    dose = story.entries.filter(kind="vasopressor", at=there("27 08:55")).get()
    correct(high, high.at, {"device": "nasal_cannula", "flow_l_per_min": "2"}, sending(clinician))
    body = {"drug": "norepinephrine", "rate": "0.2", "unit": "ug/kg/min"}
    correct(dose, dose.at, body, sending(clinician))
    labels = [one["label"] for one in marks(review(intensivist_client, story))]
    assert "signed 3, computed now 2" in labels
    assert "grade 3 · A. Osei" not in labels


def test_as_known_before_nothing_can_be_signed_and_nothing_of_the_reader_is_shown(
    intensivist_client: Client, story: Course
) -> None:
    """At 10:00 the last period was not over, and the sign-off of 12:30 not made."""
    html = review(intensivist_client, story, known_at=there(HALF_BEFORE))
    assert "Sign-off as known then" in panel(html)
    assert "27 Nov 05:30 – 09:00" in panel(html)
    assert "stated 3" not in panel(html)
    for absent in ("Mark as seen", "data-seen", "Sign as", "Waiting in this course"):
        assert absent not in html[html.index('<main id="main"') :], absent
    asked = re.findall(r'hx-trigger="([^"]*)"', html[html.index('<main id="main"') :])
    assert asked == ["load"], "only the other scales as known then are asked for, once"
    assert "needs a new look: then 3 from 26 Nov 18:30" in panel(html)
    assert all(one["to"] is not None for one in marks(html))


def test_what_changed_stands_on_top_and_looking_marks_nothing(
    intensivist_client: Client, intensivist: User, story: Course
) -> None:
    html = review(intensivist_client, story)
    assert not CourseSeen.objects.exists()
    assert "Changed since you last looked (27 Nov 05:30)" in html
    assert "26 Nov 18:30 – 20:10: grade 2 → 3." in html
    assert f'data-seen="{timezone.localtime(there("27 06:30")):%Y-%m-%dT%H:%M}' in html
    form = re.search(r'name="known_at" value="([^"]+)"', html[html.index('id="changes"') :])
    assert form is not None
    back = reverse("patients:review", args=[story.pk])
    sent = {"known_at": form[1], "next": back}
    answer = intensivist_client.post(reverse("patients:seen", args=[story.pk]), sent)
    assert answer["Location"] == back
    assert "→" not in review(intensivist_client, story).partition('id="changes"')[2][:800]


def test_who_may_not_sign_reads_an_ended_course_can_be_signed_and_no_grade_is_reported(
    nurse_client: Client, intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    html = review(nurse_client, grade_2)
    assert "You can read. Signing needs the role ICU reviewer." in panel(html)
    assert form_of(html) == {}
    before = panel(review(intensivist_client, grade_2, at=grade_2.infused_at - timedelta(hours=1)))
    assert "No grade is computed at this time: nothing to sign." in before
    end(grade_2, clinician)
    html = review(intensivist_client, grade_2)
    assert "It can still be signed." in html
    assert send(intensivist_client, grade_2, form_of(html)).status_code == 302
    grade_2.refresh_from_db()
    assert GradeReview.objects.get().end == grade_2.ended_at
    assert "Waiting in this course: 1" in panel(review(intensivist_client, grade_2))
    signed(intensivist_client, grade_2, grade_2.entries.get(kind="vitals").at)
    assert "Nothing waits in this course" in panel(review(intensivist_client, grade_2))


def test_an_open_page_hears_of_another_sign_off_and_of_a_rise(
    intensivist_client: Client, make_user: Any, clinician: User, grade_2: Course
) -> None:
    html = review(intensivist_client, grade_2)
    assert asked_again(intensivist_client, grade_2, html).status_code == 204
    chart(grade_2, clinician, "vitals", ago(2), heart_rate="90")
    assert asked_again(intensivist_client, grade_2, html).status_code == 204
    hale = Client()
    hale.force_login(make_user("hale", Role.ICU_REVIEWER, first_name="Tom", last_name="Hale"))
    signed(hale, grade_2, **another(3))
    told = asked_again(intensivist_client, grade_2, html).content.decode()
    assert "T. Hale signed this period at" in panel(told)
    assert form_of(told) == {}, "the form becomes his sign-off"

    html = review(intensivist_client, grade_2, at=GradeReview.objects.get().start, again="")
    chart(grade_2, clinician, "oxygen", ago(10), device="venturi_mask", fio2_percent="50")
    told = asked_again(intensivist_client, grade_2, html).content.decode()
    assert "changed to 3 at" in panel(told)
    assert "Look again before you sign." in panel(told)
    assert "checked" not in told, "nothing is proposed any more"
    assert "Not signed." not in panel(told)


def test_an_open_page_hears_of_a_rise_by_the_clock(
    intensivist_client: Client, clinician: User, course: Course, time_machine: Any, settings: Any
) -> None:
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=1)
    begun = ago(hours=2, minutes=50)
    chart(course, clinician, "vasopressor", begun, drug="norepinephrine", rate="22", unit="ug/min")
    html = review(intensivist_client, course)
    time_machine.move_to(begun + timedelta(hours=2, minutes=59))
    assert asked_again(intensivist_client, course, html).status_code == 204
    time_machine.move_to(begun + timedelta(hours=3, minutes=1))
    told = asked_again(intensivist_client, course, html)
    at = clock_text(begun + timedelta(hours=3), timezone.now())
    assert f"The grade of this period changed to 3 at {at}." in panel(told.content.decode())


def test_another_period_under_the_cursor_is_no_news_of_the_form(
    intensivist_client: Client, story: Course
) -> None:
    """The page then asks for the other instant without the fields of its form."""
    html = review(intensivist_client, story, at=there("27 14:00"))
    answer = intensivist_client.get(
        reverse("patients:sign_off", args=[story.pk]),
        {"at": there("26 15:00").isoformat(), "signature": "x"},
        headers={"HX-Request": "true"},
    )
    told = answer.content.decode()
    assert "26 Nov 18:30 – 20:10" in panel(told), "the part of this period that rose"
    assert 'role="alert"' not in told
    assert form_of(html)["start"] != form_of(told)["start"]


@pytest.mark.parametrize(
    ("before", "after", "mark", "label"),
    [(3, 4, "!", "new look"), (4, 3, "≠", "signed 4, computed now 3")],
)
def test_a_decision_on_the_policy_raises_or_lowers_what_was_signed(
    intensivist_client: Client,
    on_cpap: Course,
    decided: Make,
    before: int,
    after: int,
    mark: str,
    label: str,
) -> None:
    begun = on_cpap.entries.get(kind="oxygen").at
    decided(begun, cpap_grade=before)
    signed(intensivist_client, on_cpap, begun)
    decided(begun, cpap_grade=after)
    shown = marks(review(intensivist_client, on_cpap))
    assert (shown[0]["mark"], shown[0]["label"]) == (mark, label)
    assert GradeReview.objects.get().computed_grade == before


def test_a_row_of_the_timeline_says_how_its_sign_off_stands_now(
    intensivist_client: Client, nurse_client: Client, clinician: User, grade_2: Course
) -> None:
    def row(**asked: str) -> str:
        page = nurse_client.get(reverse("patients:bedside", args=[grade_2.pk]), asked)
        found = re.findall(r'<li id="review-\d+".*?</li>', page.content.decode(), re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", " ", found[-1]).split())

    signed(intensivist_client, grade_2)
    assert "✓ signed: Review: signed 2 ·" in row()
    oxygen = grade_2.entries.get(kind="oxygen")
    late = {"device": "venturi_mask", "fio2_percent": "50"}
    raised = correct(oxygen, oxygen.at, late, sending(clinician)).entries[0]
    for asked in ({}, {"show": "review"}):
        assert "! needs a new look: Review: signed 2, needs a new look: computed now 3" in row(
            **asked
        )
    correct(raised, raised.at, {"device": "room_air"}, sending(clinician))
    assert "≠ signed, the computed grade fell: Review: signed 2, computed now 1" in row()
    signed(intensivist_client, grade_2, oxygen.at)
    assert "signed again later" in row(show="review")


def test_a_sign_off_of_another_person_reaches_an_open_bedside_page(
    intensivist_client: Client, nurse_client: Client, grade_2: Course
) -> None:
    live = reverse("patients:live", args=[grade_2.pk])
    shown = json.loads(nurse_client.get(live)["CRS-Live"])
    assert nurse_client.get(live, shown).status_code == 204
    signed(intensivist_client, grade_2)
    assert "Review: signed 2" in nurse_client.get(live, shown).content.decode()


def test_late_entries_of_two_periods_are_two_new_looks(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2)
    signed(intensivist_client, grade_2, grade_2.entries.get(kind="vitals").at)
    high = {"device": "venturi_mask", "fio2_percent": "50"}
    low = {"device": "room_air"}
    record(
        grade_2,
        clinician,
        [
            NewEntry("oxygen", ago(28), high),
            NewEntry("oxygen", ago(27), low),
            NewEntry("oxygen", ago(15), high),
            NewEntry("oxygen", ago(10), {"device": "nasal_cannula", "flow_l_per_min": "2"}),
        ],
    )
    looks = [one for one in marks(review(intensivist_client, grade_2)) if one["mark"] == "!"]
    assert len(looks) == 2
    html = review(intensivist_client, grade_2)
    assert "Waiting in this course: 2" in panel(html)
    assert html.count("grade 2 → 3.") + html.count("grade 1 → 3.") == 2
