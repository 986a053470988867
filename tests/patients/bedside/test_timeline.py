"""The timeline: kind and day in the address, paged changes, panels of results, idle corrections."""

import re
from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.timeline import TimelineView, timeline_of
from patients.forms.corrections import NOTHING_CHANGED
from patients.models import Course, Entry
from patients.recording.inputs import NewEntry
from patients.recording.record import retract_entry
from tests.entry_forms import HTMX, form, rows_of, send, send_correction, text_of, url, vitals
from tests.factories import ago, chart, record, sending


def rows_on(client: Client, course: Course, **query: str) -> list[str]:
    page = client.get(reverse("patients:bedside", args=[course.pk]), query)
    return [row.text for row in page.context["timeline"].rows]


def test_kind_and_day_of_the_address_are_those_of_the_page(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "oxygen", ago(hours=30), device="room_air")
    chart(course, clinician, "vitals", ago(hours=29), heart_rate="81")
    chart(course, clinician, "vitals", ago(10), heart_rate="99")
    day = timezone.localdate(ago(hours=29)).isoformat()
    assert "HR 99" in rows_on(nurse_client, course)
    assert rows_on(nurse_client, course, show="vitals") == ["HR 99", "HR 81"]
    assert rows_on(nurse_client, course, show="vitals", day=day) == ["HR 81"]
    page = nurse_client.get(url("bedside", course), {"show": "oxygen", "day": day})
    html = page.content.decode()
    assert re.search(r'value="oxygen"\s+selected', html)
    assert f'value="{day}"' in html
    for nonsense in ("2026-13-01", "9999-12-31", "0001-01-01", "yesterday"):
        page = nurse_client.get(url("bedside", course), {"day": nonsense})
        assert page.status_code == 200
    assert rows_on(nurse_client, course, day="0001-01-01") == []


def test_older_rows_that_were_loaded_come_again_with_a_reload(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    drafts = [NewEntry("vitals", ago(300 - n), {"heart_rate": str(50 + n)}) for n in range(100)]
    record(course, clinician, drafts)
    first = timeline_of(course.pk, timezone.now())
    second = timeline_of(course.pk, timezone.now(), TimelineView(before=first.older))
    again = timeline_of(course.pk, timezone.now(), TimelineView(until=second.older))
    assert [row.key for row in again.rows] == [row.key for row in (*first.rows, *second.rows)]
    assert again.older == second.older


def test_changes_of_grade_come_in_pages_without_gap_or_repeat(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    start = course.infused_at + timedelta(hours=1)
    drafts = [
        NewEntry("vitals", start + timedelta(minutes=10 * n), {"temperature_c": temperature})
        for n, temperature in enumerate(["39", "37"] * 50)
    ]
    record(course, clinician, drafts)
    seen, query = [], {"kind": "grade_change"}
    while True:
        html = nurse_client.get(url("timeline", course), query, **HTMX).content.decode()
        page = nurse_client.get(url("timeline", course), query, **HTMX).context["timeline"]
        assert len(page.rows) <= 40
        seen += [row.at for row in page.rows]
        if not page.older:
            break
        assert "before=" in html
        query = {"kind": "grade_change", "before": page.older}
    assert len(seen) == len(set(seen)) == 100
    assert seen == sorted(seen, reverse=True)


RESULTS = {"crp": "142", "crp_unit": "mg/L", "ferritin": "900", "ferritin_unit": "ug/L"}


def test_results_that_were_charted_together_are_one_row_that_opens(
    nurse_client: Client, course: Course
) -> None:
    saved = send(nurse_client, course, "lab", **RESULTS).context["saved"]
    (row,) = rows_of(saved)
    assert row.text == "2 results: CRP 142 mg/L, Ferritin 900 µg/L"
    (stored,) = [r for r in timeline_of(course.pk, timezone.now()).rows if r.kind == "lab"]
    assert (stored.key, stored.text) == (row.key, row.text)
    html = nurse_client.get(url("timeline", course), **HTMX).content.decode()
    assert "Change this entry: CRP 142 mg/L" in html
    assert "Change this entry: Ferritin 900 µg/L" in html
    ids = re.findall(r'id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_result_of_a_panel_that_was_retracted_is_crossed_out_in_it(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    send(nurse_client, course, "lab", **RESULTS)
    crp = Entry.objects.get(kind="lab", body__analyte="crp")
    retract_entry(crp, sending(clinician, answers={"reason": "another patient"}))
    (row,) = [r for r in timeline_of(course.pk, timezone.now()).rows if r.kind == "lab"]
    assert row.text == "2 results: Ferritin 900 µg/L"
    assert [result.retracted for result in row.panel] == [True, False]


def test_a_correction_that_changes_nothing_is_refused(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    answer = send_correction(nurse_client, course, entry)
    assert answer.status_code == 422
    assert NOTHING_CHANGED in text_of(answer.content.decode())
    answer = send_correction(nurse_client, course, entry, temperature="38.50")
    assert answer.status_code == 422, "the same value in other digits"
    assert not Entry.objects.filter(replaces=entry).exists()
    assert send_correction(nurse_client, course, entry, note="By ear").status_code == 200


def test_the_cause_alone_can_be_corrected(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    changed = {"attribution": "other", "attribution_reason": "transfusion"}
    assert send_correction(nurse_client, course, entry, **changed).status_code == 200


def test_the_saved_message_of_a_retraction_names_the_entry(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    bolus = chart(course, clinician, "fluid_bolus", ago(20), volume_ml="500").entries[0]
    answer = nurse_client.post(url("retract", course, bolus.pk), form(reason="x"), **HTMX)
    assert "Marked as entered in error: Fluid bolus 500 mL" in text_of(answer.content.decode())


def test_a_save_on_a_page_of_an_earlier_day_adds_no_row_to_it(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "vitals", ago(hours=30), heart_rate="81")
    day = timezone.localdate(ago(hours=30)).isoformat()
    shown = {"HX-Request": "true", "CRS-Shown": f"guidance=x; timeline=vitals; day={day}"}
    answer = nurse_client.post(
        url("entries", course, "vitals"), vitals(heart_rate="99"), headers=shown
    )
    assert [row.text for row in answer.context["saved"].timeline.rows] == ["HR 81"]


def test_more_opens_the_kinds_that_are_not_in_the_foot_and_what_is_rare(
    nurse_client: Client, course: Course
) -> None:
    html = nurse_client.get(url("bedside", course)).content.decode()
    tiles = html[html.index('class="tiles"') : html.index('class="rare"')]
    assert tiles.count('<div class="tile">') == 12
    rare = html[html.index('class="rare"') :].split("</div>")[0]
    for words, address in (
        ("Ward and bed…", url("transfer", course)),
        ("Correct the identity…", url("identity", course)),
        ("End this course…", url("transfer", course)),
    ):
        assert words in rare
        assert f'href="{address}"' in rare
    assert "Death" in rare
