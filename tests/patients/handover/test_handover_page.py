"""The handover: what it says of the present, of then, and of what is not known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from crs_app.record.models import Event
from patients.models import Course
from tests.factories import admit, ago, chart, end
from tests.patients.review.scale_course import ENTRIES, after, imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]

DRAWN = "2026-11-28T08:40:00+00:00"
MISTYPED = "2026-11-27T03:40:00+00:00"


@pytest.fixture
def drawn(imported_once: Callable[[], Course], db: None) -> Course:
    return imported_once()


def page(client: Client, course: Course, **query: str) -> Any:
    address = reverse("patients:handover", args=[course.pk])
    return client.get(f"{address}?{urlencode(query)}")


def test_the_drawn_course_has_the_drawn_handover(nurse_client: Client, drawn: Course) -> None:
    sheet = page(nurse_client, drawn, known_at=DRAWN).context["sheet"]
    assert (sheet.grade, sheet.bound) == ("2", "")
    assert sheet.headline == "Grade 2 since 27 Nov 19:40."
    assert sheet.could_be == "Nothing unknown could make it higher."
    assert sheet.highest == "Highest: 3 (26 Nov 18:30 – 20:10; 27 Nov 10:55 – 19:40)."
    treatments = dict(sheet.treatments)
    assert treatments["Tocilizumab"] == "576 mg, 27 Nov 11:40"
    assert treatments["Corticosteroids"] == "none charted"
    assert "41 h 10 min, highest 23.04 mcg/min" in treatments["Vasopressors"]
    assert dict(sheet.background)["chronic corticosteroids"] == "no"
    assert any("CTCAE 2" in one.text for one in sheet.why)
    assert sheet.results[0].text.startswith("231 → 205 → 168 mg/L")


def test_the_past_is_printed_as_it_was_known_and_says_so(
    nurse_client: Client, drawn: Course
) -> None:
    answer = page(nurse_client, drawn, known_at=MISTYPED)
    sheet, text = answer.context["sheet"], answer.content.decode()
    assert sheet.grade == "3"
    assert "highest 43.2 mcg/min" in dict(sheet.treatments)["Vasopressors"]
    assert "AS KNOWN AT 27 Nov 2026 03:40, not the present state" in text
    assert dict(sheet.treatments)["Tocilizumab"] == "none charted"
    assert "576" not in text[text.index("<article") : text.index("</article>")]
    assert "AS KNOWN AT" not in page(nurse_client, drawn).content.decode()


def test_results_in_different_units_each_have_theirs(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    """61 mg/L and then 12 mg/dL is a rise; under one unit it would read as a fall."""
    for hours, value, unit in ((9, "22", "mg/L"), (5, "61", "mg/L"), (1, "12", "mg/dL")):
        chart(course, nurse, "lab", ago(hours=hours), analyte="crp", value=value, unit=unit)
    (crp,) = page(nurse_client, course).context["sheet"].results
    assert crp.text.startswith("22 mg/L → 61 mg/L → 12 mg/dL, last ")


def test_what_could_be_higher_is_said_with_its_reason(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "oxygen", ago(30), device="high_flow_nasal_cannula")
    sheet = page(nurse_client, course).context["sheet"]
    assert (sheet.grade, sheet.bound) == ("2", "could be 3")
    assert sheet.could_be.startswith("Could be 3: ")
    assert any(one.grade == "?3" for one in sheet.why)
    assert any(one.startswith("not known: ") for one in sheet.open)


def test_a_grade_that_is_not_assessed_is_no_0(nurse_client: Client, course: Course) -> None:
    answer = page(nurse_client, course)
    sheet = answer.context["sheet"]
    assert sheet.grade == "–"
    assert sheet.headline.startswith("Not assessed: no temperature")
    assert sheet.could_be == ""
    assert dict(sheet.background)["older age"] == "not known"
    assert dict(sheet.treatments)["Vasopressors"] == "none charted"


def test_every_drug_that_runs_has_its_rate_and_values_left_out_are_counted(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    drugs = {"norepinephrine": "12", "epinephrine": "3", "phenylephrine": "40", "dopamine": "400"}
    for drug, rate in drugs.items():
        chart(course, nurse, "vasopressor", ago(30), drug=drug, rate=rate, unit="ug/min")
    chart(course, nurse, "oxygen", ago(30), device="nasal_cannula", flow_l_per_min="2")
    signs = {
        "systolic_mmhg": "100", "temperature_c": "38.2", "heart_rate": "90",
        "respiratory_rate": "18", "spo2_percent": "95",
    }  # fmt: skip
    chart(course, nurse, "vitals", ago(30), **signs)
    values = page(nurse_client, course).context["sheet"].values
    assert [one.name for one in values] == [
        "BP", "Temp", "Heart", "Oxygen", "Dopamine", "Epinephrine", "Norepinephrine",
        "Phenylephrine", "and 2 more",
    ]  # fmt: skip
    assert values[-1].text == "on the bedside page"


def test_the_highest_dose_is_a_least_one_where_a_dose_is_not_known(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    def shown() -> str:
        return dict(page(nurse_client, course).context["sheet"].treatments)["Vasopressors"]

    chart(course, nurse, "vasopressor", ago(90), drug="norepinephrine", rate="12", unit="ug/min")
    assert shown().endswith(", highest 12 mcg/min")
    lane = page(nurse_client, course).context["picture"].lanes[-1]
    until = lane.line.rpartition("H")[2]
    chart(course, nurse, "vasopressor", ago(60), drug="epinephrine", rate=None)
    lane = page(nurse_client, course).context["picture"].lanes[-1]
    assert float(lane.line.rpartition("H")[2]) < float(until)
    assert shown().endswith(", highest at least 12 mcg/min")


@pytest.mark.parametrize(
    ("charted", "shown"),
    [
        ({"systolic_mmhg": "126", "diastolic_mmhg": "74"}, "126/74"),
        ({"systolic_mmhg": "126"}, "126/–"),
        ({"mean_arterial_pressure_mmhg": "80"}, "MAP 80"),
        ({"creatinine_mg_dl": "0.8"}, "not established"),
    ],
)
def test_the_baseline_pressure_is_that_of_the_banner(
    nurse_client: Client, nurse: User, charted: dict[str, str], shown: str
) -> None:
    context = page(nurse_client, admit(nurse, baseline=charted)).context
    assert dict(context["sheet"].background)["baseline BP"] == shown
    assert context["banner"].baseline_text == shown


@pytest.mark.parametrize(("hour", "named"), [("08:40", 3), ("18:10", 2)])
def test_the_name_of_a_day_does_not_touch_the_next(
    nurse_client: Client, drawn: Course, hour: str, named: int
) -> None:
    """The first of 48 hours is named where midnight leaves room for it."""
    known_at = f"2026-11-27T{hour}:00+00:00"
    ticks = page(nurse_client, drawn, known_at=known_at).context["picture"].ticks
    names = [tick for tick in ticks if tick.day]
    assert len(names) == named
    assert all(right.x - left.x >= 76 for left, right in pairwise(names))


def test_a_closed_course_is_printed_as_it_ended(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vitals", ago(30), temperature_c="38.6")
    chart(course, nurse, "vasopressor", ago(20), drug="norepinephrine", rate="5", unit="ug/min")
    before = page(nurse_client, course).context["sheet"]
    assert before.highest.endswith(" – now).")
    end(course, nurse)
    answer = page(nurse_client, course)
    assert answer.context["card"].title == "Grade at end"
    text = answer.content.decode()
    assert "course closed" in text
    sheet = answer.context["sheet"]
    assert sheet.highest.endswith(" – end of course).")
    assert " – end of course, " in dict(sheet.treatments)["Vasopressors"]
    assert dict(sheet.background)[course.product].endswith(" at end of course")
    assert "today" not in text[text.index('<article class="handover">') : text.index("</article>")]


def test_patient_and_moment_sign_off_and_printer_stand_on_the_page(
    nurse_client: Client, drawn: Course
) -> None:
    text = page(nurse_client, drawn, known_at=DRAWN).content.decode()
    sheet = text[text.index('<article class="handover">') : text.index("</article>")]
    for words in ("Nowak, Irena", "5502718", "14 Mar 1965", "28 Nov 2026 08:40", "J. Ruiz"):
        assert words in sheet
    assert "Sign-off: present period not signed" in sheet
    assert "style=" not in sheet


def test_an_opening_and_a_print_are_recorded(nurse_client: Client, drawn: Course) -> None:
    address = reverse("patients:handover", args=[drawn.pk])
    nurse_client.get(address)
    nurse_client.post(reverse("record:printed"), {"path": address})
    found = Event.objects.filter(course_id=drawn.pk).order_by("number")
    kinds = {(one.kind, one.details.get("page")) for one in found}
    assert ("view", "handover") in kinds
    assert ("print", "handover") in kinds


def test_an_address_of_no_time_is_refused(nurse_client: Client, drawn: Course) -> None:
    assert page(nurse_client, drawn, known_at="yesterday").status_code == 400


def test_astct_and_icans_stand_on_a_line_of_their_own_with_what_they_could_be(
    nurse: User, nurse_client: Client
) -> None:
    course = imported(nurse, *ENTRIES)
    shown = page(nurse_client, course, known_at=after(25)).context["sheet"]
    assert shown.grade == "2"
    assert shown.scales == [
        "ASTCT 3", "ICANS not assessed, could be 4 (ICE could not be done: language)",
    ]  # fmt: skip
    later = page(nurse_client, course, known_at=after(31))
    assert later.context["sheet"].scales == ["ASTCT 3", "ICANS 1 at 12:00"]
    assert "Not the grade: ASTCT 3 · ICANS 1 at 12:00." in later.content.decode()
    before = page(nurse_client, course, known_at=after(1)).context["sheet"].scales
    assert before == ["ASTCT not assessed", "ICANS not assessed"]
