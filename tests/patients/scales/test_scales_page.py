"""The line under the grade and the page of the scales, asked for over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading import scales as grading_scales
from patients.display.text import clock_text
from patients.models import Course, Entry
from tests.entry_forms import HTMX, send, text_of, url, vitals
from tests.factories import admit, ago, chart, end

pytestmark = pytest.mark.django_db
PANEL: dict[str, Any] = {"headers": {"HX-Request": "true", "HX-Target": "scales-panel"}}


def words_of(html: str) -> str:
    """The text of a part of a page, as it is read: no space before a comma."""
    return re.sub(r" ([,.:])", r"\1", text_of(html).replace("\xa0", " ").strip())


def line_in(html: str) -> str:
    """The words of the line under the grade."""
    found = re.search(r'id="scales-line".*?<span>(.*?)</span>', html, re.DOTALL)
    assert found is not None
    return words_of(found[1])


def line_of(client: Client, course: Course) -> str:
    first = line_in(client.get(url("bedside", course)).content.decode())
    assert line_in(client.get(url("scales_line", course), **HTMX).content.decode()) == first
    return first


def page_of(client: Client, course: Course, **asked: str) -> str:
    return words_of(client.get(url("scales", course), asked).content.decode())


@pytest.fixture
def differing(course: Course, clinician: User) -> Course:
    """Lee 2, ASTCT 3: one vasopressor below Table 3's dose; confusion, and no ICE."""
    chart(course, clinician, "toxicity", ago(hours=20), term="confusion", grade=1)
    chart(
        course, clinician, "vitals", ago(hours=3),
        temperature_c="39.1", systolic_mmhg="104", diastolic_mmhg="58",
    )  # fmt: skip
    chart(
        course, clinician, "vasopressor", ago(hours=2),
        drug="norepinephrine", rate="6", unit="ug/min",
    )  # fmt: skip
    chart(course, clinician, "oxygen", ago(hours=1), device="nasal_cannula", flow_l_per_min="2")
    return course


def test_a_patient_who_is_lee_2_and_astct_3_has_the_sentence(
    nurse_client: Client, differing: Course
) -> None:
    assert line_of(nurse_client, differing) == "ASTCT 3 · ICANS not assessed, could be 4"
    page = page_of(nurse_client, differing)
    assert (
        "ASTCT 3: one vasopressor counts at any dose (norepinephrine 6 mcg/min). "
        "Lee 2: one vasopressor, not at Table 3's dose for 3 h."
    ) in page
    assert "One vasopressor at low dose: Lee and CARTOX ask for the dose" in page
    assert "treatment advice, history and sign-off use this grade" in page
    assert "No advice is given by these scales. Nothing is averaged." in page
    assert "Penn 2018" not in page


def test_each_criterion_links_to_its_entries_with_time_and_author(
    nurse_client: Client, differing: Course
) -> None:
    html = nurse_client.get(url("scales", differing)).content.decode()
    part = re.search(r'id="scale-astct-2019".*?</details>', html, re.DOTALL)
    assert part is not None
    entry = Entry.objects.get(kind="vasopressor", course=differing)
    assert f"?until={entry.pk}#entry-{entry.pk}" in part[0]
    shown = nurse_client.get(f"{url('bedside', differing)}?until={entry.pk}").content.decode()
    assert f'id="entry-{entry.pk}"' in shown
    words = words_of(part[0])
    assert "One vasopressor: Norepinephrine 6 mcg/min" in words
    assert f"{clock_text(entry.at, timezone.now())} J" in words.replace("Jo Ruiz", "J. Ruiz")
    assert "ASTCT 2019, Table 2, grade 3" in words
    assert "not verified: text beyond the table" in words


def test_the_panel_has_the_parts_of_the_page_and_a_way_out(
    nurse_client: Client, differing: Course
) -> None:
    panel = nurse_client.get(url("scales", differing), **PANEL).content.decode()
    assert "<html" not in panel
    assert 'method="dialog"' in panel
    assert "Why they differ" in panel
    assert f"{url('bedside', differing)}?kind=ice#entry-form" in panel


def test_without_a_fever_astct_withholds_and_says_so(nurse_client: Client, course: Course) -> None:
    clinician = course.admitted_by
    chart(
        course, clinician, "vitals", ago(hours=3),
        temperature_c="37.1", systolic_mmhg="124", diastolic_mmhg="76",
    )  # fmt: skip
    chart(course, clinician, "oxygen", ago(hours=1), device="nasal_cannula", flow_l_per_min="2")
    assert line_of(nurse_client, course) == "ASTCT 0, 2 withheld · ICANS not assessed"
    page = page_of(nurse_client, course)
    assert "withheld: no fever" in page
    assert "Withheld: Nasal cannula 2 L/min. It counts as soon as a fever is charted." in page
    assert "Lee 2: estimated FiO2 28 % by nasal cannula is below 40 %. ASTCT 0: no fever" in page


def test_a_waived_fever_is_named_with_what_waives_it(nurse_client: Client, course: Course) -> None:
    clinician = course.admitted_by
    chart(course, clinician, "vitals", ago(hours=47), temperature_c="39")
    chart(course, clinician, "treatment", ago(hours=46), agent="antipyretic")
    chart(course, clinician, "vitals", ago(hours=2), temperature_c="37", systolic_mmhg="80")
    page = page_of(nurse_client, course)
    assert "Fever waived: antipyretic 46 h ago" in page.replace("1 d 22 h ago", "46 h ago")


def test_nothing_charted_is_not_assessed_and_never_grade_0(
    nurse_client: Client, course: Course
) -> None:
    assert line_of(nurse_client, course) == "ASTCT not assessed · ICANS not assessed"
    page = page_of(nurse_client, course, papers="yes")
    assert "Penn 2018 not assessed" in page


@pytest.mark.parametrize(
    ("hours", "score", "line"),
    [(2, 10, "ICANS 0 at "), (2, 8, "ICANS 1 at "), (14, 8, "ICANS 1, 14 h old")],
)
def test_icans_has_the_time_of_its_round_and_its_age_once_the_next_is_due(
    nurse_client: Client, course: Course, hours: int, score: int, line: str
) -> None:
    chart(course, course.admitted_by, "ice", ago(hours=hours), score=score)
    assert line in line_of(nurse_client, course)


def test_icans_1_could_be_4_after_a_sign_that_nobody_assessed(
    nurse_client: Client, course: Course
) -> None:
    chart(course, course.admitted_by, "ice", ago(hours=5), score=8)
    chart(course, course.admitted_by, "toxicity", ago(hours=1), term="confusion", grade=2)
    assert "ICANS 1, could be 4: not assessed" in line_of(nurse_client, course)


def test_a_round_that_was_refused_is_no_assessment(nurse_client: Client, course: Course) -> None:
    chart(course, course.admitted_by, "ice", ago(hours=1), performed=False, reason="refused")
    assert "ICANS not assessed, could be 4" in line_of(nurse_client, course)
    assert "ICE could not be done" in page_of(nurse_client, course)


def test_neurotoxicity_alone_is_compared_between_lee_and_icans(
    nurse_client: Client, course: Course
) -> None:
    chart(course, course.admitted_by, "vitals", ago(hours=3), temperature_c="39")
    chart(course, course.admitted_by, "ice", ago(hours=1), score=5)
    page = page_of(nurse_client, course)
    assert "ICANS 2 at" in line_of(nurse_client, course)
    assert "ICANS 2" in page.split("Why they differ")[1].split("ASTCT 2019 ·")[0]
    chart(course, course.admitted_by, "ice", ago(minutes=5), score=10)
    why = page_of(nurse_client, course).split("Do they differ?")[1].split("ASTCT 2019 ·")[0]
    assert "ICANS" not in why
    assert "Lee and ASTCT agree: 1." in why


def test_the_scales_of_papers_come_on_request_with_reason_and_what_is_not_verified(
    nurse_client: Client, differing: Course
) -> None:
    html = nurse_client.get(url("scales", differing), {"papers": "yes"}).content.decode()
    rows = {
        found[1]: words_of(found[2])
        for found in re.finditer(r'<tr data-scale="([^"]+)">(.*?)</tr>', html, re.DOTALL)
    }
    assert list(rows) == [
        "penn-2018", "cartox-2018", "mskcc-2018", "ctcae-4.03", "ctcae-5.0", "ctcae-6.0",
    ]  # fmt: skip
    assert "any oxygen is grade 3 in Penn" in rows["penn-2018"]
    assert "not verified: dose table" in rows["penn-2018"]
    assert "the same grade as Lee" in rows["cartox-2018"]
    assert rows["ctcae-4.03"].startswith("CTCAE 4.03 4")
    assert "not verified: one source" in rows["ctcae-6.0"]


def test_two_scales_are_compared_with_one_another(nurse_client: Client, differing: Course) -> None:
    page = page_of(nurse_client, differing, one="ctcae-4.03", other="cartox-2018")
    assert "CTCAE 4.03 4: any vasopressor is grade 4 in CTCAE v4.03. CARTOX 2:" in page
    page = page_of(nurse_client, differing, one="astct-2019", other="ctcae-5.0")
    assert "ASTCT 3, CTCAE 5.0 3: no difference." in page
    for nonsense in ({"one": "x"}, {"one": "astct-2019", "other": ""}, {"at": "yesterday"}):
        assert nurse_client.get(url("scales", differing), nonsense).status_code == 400


def test_the_page_is_as_it_was_known_then(nurse_client: Client, differing: Course) -> None:
    before = timezone.now()
    chart(
        differing, differing.admitted_by, "vasopressor", ago(minutes=1),
        drug="norepinephrine", rate="0", unit="ug/min",
    )  # fmt: skip
    now = page_of(nurse_client, differing)
    then = page_of(nurse_client, differing, known_at=before.isoformat())
    assert "ASTCT 2019 · 3" not in now
    assert "ASTCT 2019 · 3" in then
    assert "You are looking at the past." in then
    assert "Start ICE round" not in then
    earlier = page_of(nurse_client, differing, at=ago(hours=2.5).isoformat())
    assert "ASTCT 2019 · 1" in earlier


def test_the_next_change_by_the_clock_is_said_in_the_section_of_its_scale(
    nurse_client: Client, course: Course
) -> None:
    at = ago(hours=23)
    chart(course, course.admitted_by, "vitals", at, temperature_c="38.5")
    chart(course, course.admitted_by, "vitals", ago(hours=22), temperature_c="37")
    chart(course, course.admitted_by, "oxygen", ago(hours=1), device="simple_mask")
    page = page_of(nurse_client, course)
    due = timezone.localtime(at + timedelta(hours=24))
    assert re.search(rf"ASTCT 0, could be 3 at ([\w ]+ )?{due:%H:%M} if nothing changes", page)


def test_of_a_closed_course_the_line_is_that_of_its_end(
    nurse_client: Client, differing: Course, clinician: User
) -> None:
    end(differing, clinician)
    assert line_of(nurse_client, differing).startswith("ASTCT 3 at the end")
    assert "Start ICE round" not in page_of(nurse_client, differing)


def test_before_the_infusion_nothing_is_graded(nurse_client: Client, clinician: User) -> None:
    course = admit(clinician, weight_kg=None, infused_at=ago(hours=-5))
    assert line_of(nurse_client, course) == "ASTCT not graded · ICANS not graded"
    assert "Nothing is graded at this time." in page_of(nurse_client, course, papers="yes")


def test_a_save_computes_no_scale_and_its_line_asks_for_itself(
    nurse_client: Client, differing: Course
) -> None:
    with mock.patch.object(grading_scales, "fold_scales", side_effect=AssertionError):
        answer = send(nurse_client, differing, "vitals", heart_rate="99")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert line_in(html) == "ASTCT … · ICANS …"
    tag = re.search(r'<div id="scales-line".*?>', html, re.DOTALL)
    assert tag is not None
    assert 'hx-trigger="load' in tag[0]
    assert url("scales_line", differing) in tag[0]


def test_changes_of_astct_and_icans_are_a_filter_of_the_timeline_and_off_by_default(
    nurse_client: Client, differing: Course
) -> None:
    chart(differing, differing.admitted_by, "ice", ago(minutes=30), score=8)
    chart(differing, differing.admitted_by, "ice", ago(minutes=10), score=5)
    whole = nurse_client.get(url("timeline", differing), **HTMX).context["timeline"].rows
    assert all(row.kind != "scale_change" for row in whole)
    answer = nurse_client.get(url("timeline", differing), {"kind": "scale_change"}, **HTMX)
    changes = [
        (row.author, row.shown_before, row.shown_grade) for row in answer.context["timeline"].rows
    ]
    assert changes == [
        ("ICANS", "1", "2"), ("ICANS", "–", "1"), ("ASTCT", "1", "3"), ("ASTCT", "–", "1"),
    ]  # fmt: skip
    assert "ASTCT 1 → 3 · One vasopressor" in words_of(answer.content.decode())


def test_a_change_to_0_is_no_grade_after_a_round_that_could_not_be_done(
    nurse_client: Client, course: Course
) -> None:
    by = course.admitted_by
    chart(course, by, "ice", ago(hours=3), score=8)
    chart(course, by, "ice", ago(hours=1), performed=False, reason="language")
    answer = nurse_client.get(url("timeline", course), {"kind": "scale_change"}, **HTMX)
    changes = [(row.shown_before, row.shown_grade) for row in answer.context["timeline"].rows]
    assert changes == [("1", "–"), ("–", "1")]


def test_a_page_that_shows_that_filter_gets_no_row_of_it_by_a_save_or_a_poll(
    nurse_client: Client, differing: Course
) -> None:
    shown = {"HX-Request": "true", "CRS-Shown": "guidance=; timeline=scale_change; day="}
    address = url("entries", differing, "vitals")
    with mock.patch.object(grading_scales, "fold_scales", side_effect=AssertionError):
        answer = nurse_client.post(address, vitals(heart_rate="99"), headers=shown)
        poll = nurse_client.get(url("live", differing), {"show": "scale_change"}, **HTMX)
    assert answer.status_code == 200
    assert b'id="timeline-rows"' not in answer.content + poll.content
