"""The grade card and the timeline, asked for by themselves."""

import json
import re
import uuid
from datetime import timedelta
from unittest import mock

from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, EntryKind
from patients.recording.inputs import NewEntry
from patients.recording.record import record_entries
from tests.entry_forms import HTMX, text_of, url
from tests.factories import ago, chart, sending


def test_the_grade_card_follows_the_clock_alone(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(hours=2, minutes=59, seconds=50)
    chart(
        course, clinician, "vasopressor", at, drug="norepinephrine", rate="0.25", unit="ug/kg/min"
    )
    card = nurse_client.get(url("live", course), **HTMX).context["card"]
    assert (card.grade, card.upcoming[0].grade, card.upcoming[0].at) == (
        2,
        3,
        at + timedelta(hours=3),
    )
    assert card.criteria[0].author == clinician.display_name
    seen = json.loads(nurse_client.get(url("live", course), **HTMX)["CRS-Live"])
    assert nurse_client.get(url("live", course), seen, **HTMX).status_code == 204
    with mock.patch.object(timezone, "now", return_value=at + timedelta(hours=3)):
        later = nurse_client.get(url("live", course), seen, **HTMX)
        assert later.context["card"].grade == 3
        (change,) = [
            row
            for row in nurse_client.get(url("timeline", course), **HTMX).context["timeline"].rows
            if row.icon_grade == 3
        ]
    assert (change.grade_before, change.at) == (2, at + timedelta(hours=3))


def test_each_printed_sheet_names_the_patient_and_who_printed_it(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    """Also after the identity was corrected while the page was open."""
    page = nurse_client.get(url("bedside", course)).content.decode()
    for answer in (page, nurse_client.get(url("live", course), **HTMX).content.decode()):
        (head,) = re.findall(r'<div id="print-head".*?</div>', answer, re.DOTALL)
        text, patient = text_of(head), course.patient
        assert (
            f"{patient.name} · MRN {patient.mrn} · born {patient.birth_date:%-d %b %Y} · 7B 12"
            in text
        )
        assert re.search(r"printed \d+ \w+ 20\d\d \d\d:\d\d .*by " + nurse.display_name, text)


def test_older_rows_follow_by_cursor_without_gap_or_repeat(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    start = course.infused_at + timedelta(hours=1)
    for batch in range(5):
        record_entries(
            course,
            [
                NewEntry(
                    EntryKind.VITALS,
                    start + timedelta(minutes=batch * 20 + n // 2),
                    {"temperature_c": "39" if n % 4 else "37"},
                )
                for n in range(20)
            ],
            sending(clinician),
        )
    rows, cursor = [], ""
    while True:
        query = {"before": cursor} if cursor else {}
        page = nurse_client.get(url("timeline", course), query, **HTMX).context["timeline"]
        rows += page.rows
        cursor = page.older
        if not cursor:
            break
    entries = [row for row in rows if row.entry_id]
    assert len(entries) == len({row.entry_id for row in entries}) == 102
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
    whole = nurse_client.get(url("timeline", course), {"kind": "grade_change"}, **HTMX)
    changes = [row.key for row in rows if row.kind == "grade_change"]
    assert [row.key for row in whole.context["timeline"].rows] == changes
    weights = nurse_client.get(url("timeline", course), {"kind": "weight"}, **HTMX)
    assert [row.kind for row in weights.context["timeline"].rows] == ["weight"]
    for nonsense in ({"before": "x"}, {"before": str(uuid.uuid4())}, {"kind": "weather"}):
        assert nurse_client.get(url("timeline", course), nonsense, **HTMX).status_code == 200


def test_a_reader_without_the_right_to_write_has_no_form(
    auditor_client: Client, course: Course
) -> None:
    page = auditor_client.get(url("bedside", course)).content.decode()
    assert "You can read this chart but not enter data (role: Auditor)" in page
    assert "What to chart" not in page


def test_a_question_at_the_top_of_the_page_ends_with_its_own_mark(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    dose = {"drug": "norepinephrine", "rate": "8", "unit": "ug/min"}
    chart(course, clinician, "vasopressor", ago(hours=5), **dose)
    shown = text_of(nurse_client.get(url("bedside", course)).content.decode())
    assert re.search(r"ago: still running\? Advice \d", shown)
