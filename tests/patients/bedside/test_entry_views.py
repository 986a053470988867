"""The pages by HTTP: who may, what is answered, and that nothing refused is stored."""

import re
import uuid
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.after_save import AfterSave
from patients.display.timeline import TimelineRow
from patients.models import Course, Entry, EntryKind
from patients.recording.admit import admit_patient
from patients.recording.inputs import NewEntry
from patients.recording.record import record_entries
from tests.factories import AdmissionFactory, chart, correct, sending

HTMX = {"HTTP_HX_REQUEST": "true"}


def url(name: str, course: Course, *args: Any) -> str:
    return reverse(f"patients:{name}", args=[course.pk, *args])


def form(**said: Any) -> dict[str, Any]:
    return {"form_id": str(uuid.uuid4()), "attribution": "crs", **said}


def vitals(**said: Any) -> dict[str, Any]:
    return form(temperature_unit="c", **said)


def addresses(course: Course, entry: Entry) -> list[str]:
    return [
        reverse("patients:board"),
        reverse("patients:admit"),
        url("bedside", course),
        url("grade", course),
        url("timeline", course),
        url("entries", course, "vitals"),
        url("correct", course, entry.pk),
        url("retract", course, entry.pk),
    ]


@pytest.fixture
def entry(course: Course, clinician: User) -> Entry:
    at = timezone.now() - timedelta(minutes=30)
    return chart(course, clinician, "vitals", at, temperature_c="38.5").entries[0]


def test_a_stranger_is_sent_to_sign_in(client: Client, course: Course, entry: Entry) -> None:
    for address in addresses(course, entry):
        for method in (client.get, client.post):
            answer = method(address)
            assert answer.status_code == 302
            assert "/accounts/" in answer["Location"]


def test_a_wrong_method_is_refused(nurse_client: Client, course: Course, entry: Entry) -> None:
    for address in addresses(course, entry):
        assert nurse_client.put(address).status_code == 405
    for name in ("bedside", "grade", "timeline"):
        assert nurse_client.post(url(name, course)).status_code == 405


def test_every_page_opens(nurse_client: Client, course: Course, entry: Entry) -> None:
    for address in addresses(course, entry):
        for headers in ({}, HTMX):
            assert nurse_client.get(address, **headers).status_code == 200, address


@pytest.mark.parametrize("kind", ["vitals", "oxygen", "vasopressor", "fluid_bolus", "weight"])
def test_every_form_opens_empty(nurse_client: Client, course: Course, kind: str) -> None:
    answer = nurse_client.get(url("entries", course, kind), **HTMX)
    assert answer.status_code == 200
    assert not answer.context["form"].is_bound


def test_what_does_not_exist_is_not_found(nurse_client: Client, course: Course) -> None:
    nothing = uuid.uuid4()
    assert nurse_client.get(reverse("patients:bedside", args=[nothing])).status_code == 404
    assert nurse_client.get(url("entries", course, "weather")).status_code == 404
    assert nurse_client.get(url("correct", course, nothing)).status_code == 404
    assert nurse_client.post(url("retract", course, nothing)).status_code == 404


def test_an_entry_of_another_course_is_not_found(
    nurse_client: Client, course: Course, entry: Entry, clinician: User
) -> None:
    other = admit_patient(AdmissionFactory(), [], sending(clinician)).course
    assert nurse_client.get(url("retract", other, entry.pk)).status_code == 404


def test_those_who_read_do_not_chart(
    auditor_client: Client, administrator_client: Client, course: Course, entry: Entry
) -> None:
    before = Entry.objects.count()
    for reader in (auditor_client, administrator_client):
        assert reader.get(url("bedside", course)).status_code == 200
        assert reader.get(url("entries", course, "oxygen"), **HTMX).status_code == 200
        sent = reader.post(url("entries", course, "vitals"), vitals(temperature="39"))
        assert sent.status_code == 403
        for name in ("correct", "retract"):
            assert reader.get(url(name, course, entry.pk)).status_code == 403
            assert reader.post(url(name, course, entry.pk), form()).status_code == 403
        assert reader.get(reverse("patients:admit")).status_code == 403
        assert reader.post(reverse("patients:admit"), {}).status_code == 403
    assert Entry.objects.count() == before


def test_a_set_of_vital_signs_is_saved_and_answered_with_what_changed(
    nurse_client: Client, course: Course
) -> None:
    sent = vitals(temperature="38.4", systolic_mmhg="104", diastolic_mmhg="58")
    answer = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
    assert answer.status_code == 200
    saved = answer.context["saved"]
    assert saved.card.grade == 1
    assert saved.announcement == "Grade 0 to grade 1"
    assert [row.kind for row in rows_of(saved)] == ["grade_change", "vitals"]
    assert rows_of(saved)[1].text == "Temp 38.4 °C · BP 104/58"
    assert saved.timeline is None
    assert saved.banner is None
    assert answer.context["previous"]["temperature"].text == "38.4 °C"
    assert not answer.context["form"].is_bound


def test_without_htmx_a_save_goes_back_to_the_page(nurse_client: Client, course: Course) -> None:
    answer = nurse_client.post(url("entries", course, "vitals"), vitals(temperature="38.4"))
    assert answer.status_code == 302
    assert answer["Location"] == url("bedside", course)


def test_what_is_refused_is_shown_with_what_was_typed(nurse_client: Client, course: Course) -> None:
    before = Entry.objects.count()
    for headers in ({}, HTMX):
        sent = vitals(temperature="391", systolic_mmhg="104", note="kept")
        answer = nurse_client.post(url("entries", course, "vitals"), sent, **headers)
        assert answer.status_code == 422
        assert "391" in answer.content.decode()
        (error,) = answer.context["form"].errors["temperature"]
        assert error == "391 °C cannot be: expected 25 to 45 °C."
    assert Entry.objects.count() == before


@pytest.mark.parametrize("sent", [{}, {"form_id": "no"}, {"form_id": "no", "temperature": "\x00"}])
def test_nonsense_is_refused_not_fatal(
    nurse_client: Client, course: Course, entry: Entry, sent: dict[str, str]
) -> None:
    for kind in ("vitals", "oxygen", "vasopressor", "fluid_bolus", "weight"):
        assert nurse_client.post(url("entries", course, kind), sent).status_code == 422
    for name in ("correct", "retract"):
        assert nurse_client.post(url(name, course, entry.pk), sent).status_code == 422
    assert nurse_client.post(reverse("patients:admit"), sent).status_code == 422


def test_the_same_form_twice_is_one_entry(nurse_client: Client, course: Course) -> None:
    sent = vitals(temperature="38.4")
    for _ in range(2):
        answer = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
        assert answer.status_code == 200
        assert answer.context["saved"].card.grade == 1
    assert answer.context["saved"].is_replay
    assert Entry.objects.filter(kind="vitals").count() == 1


def test_a_form_sent_again_is_answered_alike_though_the_chart_has_gone_on(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    """Oxygen was ticked as unchanged and saved, the answer lost; meanwhile the mask was changed.

    Sent again from the page, with the time of the first Save, the tick is no longer true.
    """
    chart(course, clinician, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    page = nurse_client.get(url("entries", course, "vitals"), **HTMX)
    tick = re.search(r'value="(\w+)"[^>]*name="oxygen_unchanged"', page.content.decode())
    tick = tick or re.search(r'name="oxygen_unchanged"[^>]*value="(\w+)"', page.content.decode())
    assert tick is not None
    said = vitals(heart_rate="92", oxygen_unchanged=tick[1], observed_time="", observed_date="")
    first = nurse_client.post(url("entries", course, "vitals"), said, **HTMX)
    assert first.status_code == 200
    sent_at = timezone.now().isoformat()
    chart(course, clinician, "oxygen", timezone.now(), device="venturi_mask", fio2_percent="50")
    again = {**said, "sent_at": sent_at, "opened_at": sent_at, "begun_at": sent_at}
    second = nurse_client.post(url("entries", course, "vitals"), again, **HTMX)
    assert "Saved already" in second.content.decode()
    assert course.entries.filter(kind=EntryKind.VITALS).count() == 1
    assert course.entries.filter(kind=EntryKind.OXYGEN).count() == 3

    other = {**again, "heart_rate": "93"}
    refused = nurse_client.post(url("entries", course, "vitals"), other, **HTMX)
    assert refused.status_code == 422
    assert course.entries.filter(kind=EntryKind.VITALS).count() == 1


def test_the_same_form_with_other_values_is_a_conflict(
    nurse_client: Client, course: Course
) -> None:
    sent = vitals(temperature="38.4")
    nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
    sent["temperature"] = "39.4"
    for headers in ({}, HTMX):
        answer = nurse_client.post(url("entries", course, "vitals"), sent, **headers)
        assert answer.status_code == 409
        assert answer.context["other"] is None
    assert Entry.objects.filter(kind="vitals").count() == 1


def test_a_correction_is_asked_for_a_reason_and_shown_struck_through(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    address = url("correct", course, entry.pk)
    opened = nurse_client.get(address, **HTMX).context["form"]
    assert opened["temperature"].value() == "38.5"
    there = timezone.localtime(entry.at)
    sent = vitals(
        temperature="36.5",
        observed_date=f"{there:%Y-%m-%d}",
        observed_time=f"{there:%H:%M}",
    )
    assert nurse_client.post(address, sent, **HTMX).status_code == 422
    answer = nurse_client.post(address, sent | {"reason": "decimal point"}, **HTMX)
    assert answer.status_code == 200
    rows = answer.context["saved"].timeline.rows
    (row,) = [row for row in rows if row.kind == "vitals"]
    assert row.text == "Temp 36.5 °C"
    assert [(old.old_text, old.reason) for old in row.corrected] == [
        ("Temp 38.5 °C", "decimal point")
    ]
    assert Entry.objects.get(replaces=entry).at == entry.at
    assert answer.context["saved"].announcement == "Grade 1 to grade 0"


def test_a_second_correction_is_told_of_the_first(
    nurse_client: Client, course: Course, entry: Entry, clinician: User
) -> None:
    correct(
        entry, entry.at, {"temperature_c": "37.1"}, sending(clinician, answers={"reason": "typo"})
    )
    sent = vitals(temperature="36.5", reason="another")
    for headers in ({}, HTMX):
        answer = nurse_client.post(url("correct", course, entry.pk), sent | form(), **headers)
        assert answer.status_code == 409
        assert answer.context["other"].text == "Temp 37.1 °C"
        assert answer.context["reason"] == "typo"


def test_a_retraction_needs_a_reason_and_stays_visible(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    address = url("retract", course, entry.pk)
    assert nurse_client.post(address, form(), **HTMX).status_code == 422
    answer = nurse_client.post(address, form(reason="other patient"), **HTMX)
    assert answer.status_code == 200
    (row,) = [row for row in answer.context["saved"].timeline.rows if row.kind == "vitals"]
    assert row.retracted
    assert row.retract_reason == "other patient"
    assert not row.can_retract
    again = nurse_client.post(address, form(reason="again"), **HTMX)
    assert again.status_code == 409
    assert again.context["was_retracted"]


def test_a_failing_save_is_not_a_half_save(nurse_client: Client, course: Course) -> None:
    before = Entry.objects.count()
    with (
        mock.patch("patients.recording.regrade.regrade", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        nurse_client.post(url("entries", course, "vitals"), vitals(temperature="39"), **HTMX)
    assert Entry.objects.count() == before


def admission(**said: Any) -> dict[str, Any]:
    there = timezone.localtime(timezone.now() - timedelta(days=1))
    return {
        "form_id": str(uuid.uuid4()),
        "mrn": "4471902",
        "name": "OKONKWO, Ada",
        "birth_date": "1970-03-01",
        "sex": "female",
        "product": "CD19 CAR-T",
        "infused_date": f"{there:%Y-%m-%d}",
        "infused_time": "10:00",
        "weight_kg": "80",
        "systolic_mmhg": "126",
        "diastolic_mmhg": "74",
        "ward": "7B",
        "bed": "12",
    } | said


def test_a_patient_is_admitted_once(nurse_client: Client) -> None:
    sent = admission()
    for _ in range(2):
        answer = nurse_client.post(reverse("patients:admit"), sent)
        assert answer.status_code == 302
    course = Course.objects.get()
    assert answer["Location"] == url("bedside", course)
    banner = nurse_client.get(url("bedside", course)).context["banner"]
    assert (banner.weight_text, banner.baseline_text) == ("80 kg", "126/74")
    assert banner.day == 1
    other = nurse_client.post(reverse("patients:admit"), admission())
    assert other.status_code == 422
    assert "open already" in str(other.context["form"].errors["product"])
    named = nurse_client.post(reverse("patients:admit"), admission(name="X, Y", product="other"))
    assert "belongs to OKONKWO" in str(named.context["form"].errors["mrn"])
    assert Course.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_date": ""}, "birth_date"),
        ({"age_years": "54"}, "age_years"),
        ({"birth_date": "2999-01-01"}, "birth_date"),
        ({"birth_date": "1850-01-01"}, "birth_date"),
        ({"infused_date": "2999-01-01"}, "infused_time"),
        ({"infused_date": "yesterday"}, "infused_date"),
        ({"weight_kg": "800"}, "weight_kg"),
        ({"diastolic_mmhg": "130"}, "diastolic_mmhg"),
        ({"sex": ""}, "sex"),
        ({"mrn": " "}, "mrn"),
    ],
)
def test_an_impossible_admission_is_refused(
    nurse_client: Client, changes: dict[str, str], field: str
) -> None:
    answer = nurse_client.post(reverse("patients:admit"), admission(**changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Course.objects.exists()


def test_the_board_shows_every_course_by_urgency(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    other = admit_patient(AdmissionFactory(name="ZZ"), [], sending(clinician)).course
    at = timezone.now() - timedelta(minutes=20)
    chart(other, clinician, "vasopressor", at, drug="norepinephrine", rate="20", unit="ug/min")
    assert nurse_client.get(reverse("patients:board"), {"ended": ""}).context["rows"] == []
    answer = nurse_client.get(reverse("patients:board"))
    first, second = answer.context["rows"]
    assert (first.course_id, first.grade, first.at_most) == (other.pk, 2, 2)
    assert first.next_change.grade == 3
    assert first.next_change.direction == "up"
    assert (second.course_id, second.grade) == (course.pk, 0)
    seen = {"seen": answer.context["signature"]}
    assert nurse_client.get(reverse("patients:board"), seen, **HTMX).status_code == 204
    chart(course, clinician, "vitals", temperature_c="39")
    assert nurse_client.get(reverse("patients:board"), seen, **HTMX).status_code == 200


def test_the_board_costs_the_same_for_any_number_of_courses(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    nurse_client.get(reverse("patients:board"))
    with CaptureQueriesContext(connection) as one:
        nurse_client.get(reverse("patients:board"))
    for _ in range(3):
        admit_patient(AdmissionFactory(), [], sending(clinician))
    with CaptureQueriesContext(connection) as four:
        nurse_client.get(reverse("patients:board"))
    assert len(one) == len(four)


def test_the_grade_card_follows_the_clock_alone(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(hours=2, minutes=59, seconds=50)
    chart(
        course, clinician, "vasopressor", at, drug="norepinephrine", rate="0.25", unit="ug/kg/min"
    )
    card = nurse_client.get(url("grade", course)).context["card"]
    assert (card.grade, card.upcoming[0].grade, card.upcoming[0].at) == (
        2,
        3,
        at + timedelta(hours=3),
    )
    assert card.criteria[0].author == clinician.display_name
    seen = {"seen": card.signature}
    assert nurse_client.get(url("grade", course), seen, **HTMX).status_code == 204
    with mock.patch.object(timezone, "now", return_value=at + timedelta(hours=3)):
        later = nurse_client.get(url("grade", course), seen, **HTMX)
        assert later.context["card"].grade == 3
        (change,) = [
            row
            for row in nurse_client.get(url("timeline", course), **HTMX).context["timeline"].rows
            if row.icon_grade == 3
        ]
    assert (change.grade_before, change.at) == (2, at + timedelta(hours=3))


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


def test_a_round_charts_what_is_unchanged_too(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(hours=1)
    chart(course, clinician, "oxygen", at, device="nasal_cannula", flow_l_per_min="2")
    chart(course, clinician, "vasopressor", at, drug="norepinephrine", rate="0.1", unit="ug/kg/min")
    chart(course, clinician, "weight", at + timedelta(minutes=30), weight_kg="70")
    address = url("entries", course, "vitals")
    opened = nurse_client.get(address, **HTMX).context["form"]
    ticks = {
        name: opened.fields[name].widget.attrs["value"]
        for name in ("oxygen_unchanged", "unchanged_norepinephrine")
    }
    assert (
        "0.1 mcg/kg/min × 80 kg = 8 mcg/min" in opened.fields["unchanged_norepinephrine"].help_text
    )
    answer = nurse_client.post(address, vitals(heart_rate="90", **ticks), **HTMX)
    assert answer.status_code == 200
    kept = Entry.objects.filter(kind="vasopressor").latest("at")
    # A pump that nobody touched gives what it gave, whatever the patient weighs today.
    assert kept.body == {
        "drug": "norepinephrine", "rate": "0.1", "unit": "ug/kg/min", "weight_kg": "80",
    }  # fmt: skip
    assert len(rows_of(answer.context["saved"])) == 3
    again = nurse_client.post(address, vitals(**ticks), **HTMX)
    assert again.status_code == 200
    assert Entry.objects.filter(kind="oxygen").count() == 3
    chart(course, clinician, "oxygen", timezone.now(), device="room_air")
    changed = nurse_client.post(address, vitals(heart_rate="90", **ticks), **HTMX)
    assert changed.status_code == 422
    assert "has changed" in str(changed.context["form"].errors["oxygen_unchanged"])
    wrong = nurse_client.post(address, vitals(heart_rate="9"), **HTMX)
    assert "oxygen_unchanged" in wrong.context["form"].fields
    chart(course, clinician, "vasopressor", timezone.now(), drug="norepinephrine", rate="0")
    ticked = {"unchanged_norepinephrine": ticks["unchanged_norepinephrine"]}
    stopped = nurse_client.post(address, vitals(heart_rate="90", **ticked), **HTMX)
    assert stopped.status_code == 422
    assert "stopped meanwhile" in str(stopped.context["form"].non_field_errors())


def rows_of(saved: AfterSave) -> list[TimelineRow]:
    """The rows that a save adds, newest first."""
    return [row for new in reversed(saved.new_rows or []) for row in new.rows]


def earlier(entry: Entry, **typed: str) -> dict[str, str]:
    """A set of vital signs two hours before ``entry``."""
    late = timezone.localtime(entry.at - timedelta(hours=2))
    return vitals(observed_date=f"{late:%Y-%m-%d}", observed_time=f"{late:%H:%M}", **typed)


def test_a_late_entry_that_changes_no_grade_brings_its_row_alone(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    sent = earlier(entry, heart_rate="90")
    saved = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX).context["saved"]
    assert saved.timeline is None
    (row,) = rows_of(saved)
    assert row.text == "HR 90"
    assert re.fullmatch(r"charted 2 h 3\d min later", row.late_text)


def test_a_late_entry_brings_the_grades_that_it_adds(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """The grade after the fever was 1 before; that it rises again at the fever is new."""
    chart(course, entry.recorded_by, "vitals", entry.at - timedelta(hours=1), temperature_c="36.8")
    sent = earlier(entry, temperature="38.4")
    saved = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX).context["saved"]
    assert saved.timeline is None
    assert [row.text for row in rows_of(saved) if row.kind == "vitals"] == ["Temp 38.4 °C"]
    changes = [
        (row.grade_before, row.icon_grade) for row in rows_of(saved) if row.icon_grade is not None
    ]
    assert changes == [(1, 0), (0, 1)]


def test_a_late_entry_that_takes_a_change_of_grade_away_redraws_the_timeline(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """The fever began two hours before: what had risen at the entry has not risen there."""
    sent = earlier(entry, temperature="38.6")
    saved = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX).context["saved"]
    assert saved.new_rows is None
    changes = [row for row in saved.timeline.rows if row.kind == "grade_change"]
    begins = (entry.at - timedelta(hours=2)).replace(second=0, microsecond=0)
    assert [row.at for row in changes] == [begins]


def test_a_late_weight_redraws_the_timeline(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """The doses after it are told by it."""
    late = timezone.localtime(entry.at - timedelta(hours=2))
    sent = form(weight_kg="77.5", observed_date=f"{late:%Y-%m-%d}", observed_time=f"{late:%H:%M}")
    answer = nurse_client.post(url("entries", course, "weight"), sent, **HTMX)
    assert answer.context["saved"].timeline is not None


def test_a_weight_changes_the_banner(nurse_client: Client, course: Course) -> None:
    sent = form(weight_kg="77.5")
    answer = nurse_client.post(url("entries", course, "weight"), sent, **HTMX)
    assert answer.context["banner"].weight_text == "77.5 kg"
