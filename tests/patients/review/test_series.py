"""What is plotted: where lines break, which limits are in force, what is sent of many points."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from patients.recording.inputs import NewEntry
from patients.review import thin
from patients.review.series import Point, Series, midnights
from tests.factories import ago, chart, record
from tests.owner import rights_of_owner
from tests.patients.review.reviewed_course import import_reviewed

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewed(nurse: User) -> Course:
    return import_reviewed(nurse)


def plotted(client: Client, course: Course, **query: str) -> Any:
    address = reverse("patients:review_series", args=[course.pk])
    return client.get(f"{address}?{urlencode({'range': 'all', **query})}").json()


def series(client: Client, course: Course, key: str, **query: str) -> Any:
    found = plotted(client, course, **query)["series"]
    return next(one for one in found if one["key"] == key)


def test_a_set_without_the_value_breaks_its_line_alone(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    for hours, signs in (
        (6, {"temperature_c": "37.0", "systolic_mmhg": "120"}),
        (5, {"systolic_mmhg": "118"}),
        (4, {"temperature_c": "37.4", "systolic_mmhg": "116"}),
        (3, {"temperature_c": "37.5", "systolic_mmhg": "115"}),
    ):
        chart(course, nurse, "vitals", ago(hours=hours), **signs)
    assert series(nurse_client, course, "temperature_c")["begins"] == [1]
    assert series(nurse_client, course, "systolic_mmhg")["begins"] == []


def test_a_gap_longer_than_the_policy_expects_breaks_the_line(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    now = ago(hours=0)
    for hours in (14, 10, 5, 4):
        chart(course, nurse, "vitals", now - timedelta(hours=hours), temperature_c="37.2")
    assert series(nurse_client, course, "temperature_c")["begins"] == [2]


def test_another_unit_breaks_the_line(nurse_client: Client, course: Course, nurse: User) -> None:
    chart(course, nurse, "vitals", ago(hours=3), temperature_c="37.2")
    chart(course, nurse, "vitals", ago(hours=2), temperature_f="99.5")
    chart(course, nurse, "vitals", ago(hours=1), temperature_f="99.7")
    assert series(nurse_client, course, "temperature_c")["begins"] == [1]
    for hours, unit in ((30, "mg/L"), (20, "mg/dL"), (10, "mg/L")):
        chart(course, nurse, "lab", ago(hours=hours), analyte="crp", value="8", unit=unit)
    assert series(nurse_client, course, "lab.crp.mg/L")["begins"] == [1]


def test_another_device_or_unit_of_a_rate_begins_a_step_of_its_own(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "oxygen", ago(hours=5), device="nasal_cannula", flow_l_per_min="2")
    chart(course, nurse, "oxygen", ago(hours=4), device="nasal_cannula", flow_l_per_min="3")
    chart(
        course, nurse, "oxygen", ago(hours=3), device="high_flow_nasal_cannula",
        flow_l_per_min="50", fio2_percent="45",
    )  # fmt: skip
    for hours, rate, unit in ((5, "4", "ug/min"), (4, "6", "ug/min"), (3, "0.1", "ug/kg/min")):
        chart(
            course, nurse, "vasopressor", ago(hours=hours), drug="norepinephrine", rate=rate,
            unit=unit,
        )  # fmt: skip
    fio2 = series(nurse_client, course, "fio2_percent")
    assert fio2["step"]
    assert fio2["begins"] == [2]
    assert [place for place, words in fio2["marks"].items() if "estimated" in words] == ["0", "1"]
    drug = series(nurse_client, course, "vasopressor.norepinephrine")
    assert drug["step"]
    assert drug["begins"] == [2]


def test_a_limit_of_table_3_is_in_force_while_its_drug_runs(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    for hours, rate in ((5, "8"), (3, "0")):
        chart(
            course, nurse, "vasopressor", ago(hours=hours), drug="norepinephrine", rate=rate,
            unit="ug/min",
        )  # fmt: skip
    for key in ("vasopressor.norepinephrine", "norepinephrine_equivalent"):
        assert [limit for _, limit in series(nurse_client, course, key)["limits"]] == [20, None]


def test_baseline_counted_hours_and_the_time_of_an_unknown_are_plotted(
    nurse_client: Client, reviewed: Course
) -> None:
    found = plotted(nurse_client, reviewed)
    by_key = {one["key"]: one for one in found["series"]}
    assert by_key["systolic_mmhg"]["baseline"] == 128
    high = next(lane for lane in found["lanes"] if lane["code"] == "vasopressor.high_dose")
    [(begins, ends)] = found["counting"]
    assert ends == high["spans"][0][0]
    assert ends - begins == timedelta(hours=3).total_seconds()
    reaches = [reach for _, _, reach in by_key["fio2_percent"]["could_be"]]
    assert reaches == [3]
    assert by_key["systolic_mmhg"]["suffix"]["0"].startswith("/")
    assert next(one["label"] for one in found["devices"]) == "Room air"


def test_high_dose_has_a_lane_before_it_is_met(nurse_client: Client, course: Course) -> None:
    assert [lane["code"] for lane in plotted(nurse_client, course)["lanes"]] == [
        "vasopressor.high_dose"
    ]


def test_the_no_of_a_judgement_stands_before_words_that_may_be_cut_off(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    for hours, present in ((2, True), (1, False)):
        chart(course, nurse, "judgement", ago(hours), about="life_threatening", present=present)
    given = plotted(nurse_client, course)["given"]
    assert [one["text"] for one in given] == [
        "Judged immediately life-threatening toxicity",
        "Judged: no immediately life-threatening toxicity",
    ]


def test_a_row_without_a_lane_can_be_asked_for(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=2), heart_rate="110", temperature_c="38.2")
    keys = [one["key"] for one in plotted(nurse_client, course)["series"]]
    assert "heart_rate" not in keys
    asked = plotted(nurse_client, course, row="heart_rate")["series"]
    assert [one["text"] for one in asked if one["key"] == "heart_rate"] == [["110"]]


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("width", {"width": "49"}), ("width", {"width": "8001"}), ("width", {"width": "wide"}),
        ("width", {"width": "٩٠٠"}), ("width", {"width": ""}), ("row", {"row": "password"}),
        ("from", {"from": "yesterday", "to": "2026-01-01T00:00:00Z"}),
        ("to", {"from": "2026-01-01T00:00:00Z"}), ("from", {"to": "2026-01-01T00:00:00Z"}),
        ("to", {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}),
        ("to", {"from": "2026-01-02T00:00:00Z", "to": "2999-01-01T00:00:00Z"}),
    ],
)  # fmt: skip
def test_what_no_plot_can_ask_for_is_refused_at_its_field(
    field: str, query: dict[str, str], nurse_client: Client, course: Course
) -> None:
    address = reverse("patients:review_series", args=[course.pk])
    answer = nurse_client.get(f"{address}?{urlencode(query)}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_many_points_are_sent_as_lowest_and_highest_of_each_column(
    nurse_client: Client, reviewed: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered, so that five days are many; the table has every row still."""
    whole = series(nurse_client, reviewed, "systolic_mmhg")
    monkeypatch.setattr(thin, "POINTS_AT_MOST", 100)
    monkeypatch.setattr("patients.review.views.POINTS_AT_MOST", 100)
    found = plotted(nurse_client, reviewed, width="50")
    assert not found["is_whole"]
    systolic = next(one for one in found["series"] if one["key"] == "systolic_mmhg")
    assert len(systolic["at"]) < len(whole["at"])
    begins, ends = found["window"]
    column = (ends - begins) / 50
    for numbered in range(50):

        def inside(one: Any, number: int = numbered) -> list[float]:
            return [
                value
                for at, value in zip(one["at"], one["value"], strict=True)
                if (at - begins) // column == number
            ]

        assert {min(inside(whole), default=0), max(inside(whole), default=0)} == set(
            inside(systolic) or [0]
        )
    table = reverse("patients:review", args=[reviewed.pk])
    rows = nurse_client.get(f"{table}?range=all&view=table").context["rows"]
    charted = [row for row in rows if "systolic_mmhg" in row.charted]
    assert len(charted) == len(whole["at"])


def test_a_window_of_many_points_is_sent_with_the_points_beside_it(
    nurse_client: Client, reviewed: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thin, "POINTS_AT_MOST", 300)
    monkeypatch.setattr("patients.review.views.POINTS_AT_MOST", 300)
    window = {"from": "2026-11-26T00:00:00Z", "to": "2026-11-26T12:00:00Z"}
    whole = series(nurse_client, reviewed, "systolic_mmhg", width="2000")
    part = series(nurse_client, reviewed, "systolic_mmhg", **window)
    begins, ends = (datetime.fromisoformat(window[end]).timestamp() for end in ("from", "to"))
    assert part["at"][0] < begins <= part["at"][1]
    assert part["at"][-2] <= ends < part["at"][-1]
    inside = [at for at in part["at"] if begins <= at <= ends]
    assert set(inside) >= {at for at in whole["at"] if begins <= at <= ends}


def test_a_thinned_step_keeps_what_holds_after_its_column_and_what_is_not_known() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    values = [Decimal(30), Decimal(50), None, Decimal(21), Decimal(40)]
    points = [
        Point(since + timedelta(minutes=place), value, str(place), begins=place == 1)
        for place, value in enumerate(values)
    ]
    one = Series("fio2_percent", "FiO2", "%", points, step=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thin, "POINTS_AT_MOST", 1)
        [kept] = thin.cut([one], since, since + timedelta(hours=10), 50)
    assert [point.value for point in kept.points] == [Decimal(50), None, Decimal(21), Decimal(40)]
    assert kept.points[0].begins


def test_the_days_of_the_axis_begin_at_midnight_over_a_change_of_the_clocks(
    settings: Any,
) -> None:
    settings.TIME_ZONE = "Europe/Warsaw"
    zone = timezone.get_default_timezone()
    since = datetime(2026, 10, 24, 12, tzinfo=zone)
    found = midnights(since, since + timedelta(days=2))
    assert [at.hour for at in found] == [0, 0]


def test_new_entries_since_a_page_are_counted(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    address = reverse("patients:review_latest", args=[course.pk])
    since = timezone.now().isoformat()
    query = urlencode({"since": since})
    assert nurse_client.get(f"{address}?{query}").json() == {"entries": 0, "last_at": None}
    chart(course, nurse, "vitals", ago(hours=1), temperature_c="38.2")
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="38.1")
    answer = nurse_client.get(f"{address}?{query}").json()
    assert answer["entries"] == 2
    assert datetime.fromisoformat(answer["last_at"]) > datetime.fromisoformat(since)
    refused = nurse_client.get(f"{address}?since=now")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["since"])


def test_ten_thousand_entries_send_the_statements_of_ten(
    nurse_client: Client, course: Course, nurse: User, django_assert_num_queries: Any
) -> None:
    """Now, and as known at a time before; at most eight are allowed."""
    begins = ago(hours=168)
    record(course, nurse, [
        NewEntry("note", begins + timedelta(minutes=place), {"note": "as before"})
        for place in range(10_000)
    ])  # fmt: skip
    chart(course, nurse, "vitals", ago(hours=1), temperature_c="38.2")
    with rights_of_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_entry, patients_chartingact, patients_gradeperiod")
    address = reverse("patients:review", args=[course.pk])
    nurse_client.get(address)
    for query in ({}, {"known_at": timezone.now().isoformat()}):
        for view, statements in (("plots", 6), ("table", 7)):
            with django_assert_num_queries(statements):
                nurse_client.get(f"{address}?{urlencode({**query, 'view': view})}")
