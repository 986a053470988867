"""What a cell of a flowsheet says of several values, of lasting ones, and of what was known."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Move
from patients.recording.record import retract_entry
from patients.ward.transfer import TransferRequest, location_token, record_transfer
from tests.factories import chart, correct, sending
from tests.patients.review.flowsheet_page import MARCH_2, imported, page, rows_of, sheet_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]


def test_a_column_shows_its_worst_value_with_a_count_and_opens_to_all(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    for minute, systolic in ((5, "84"), (20, "120"), (50, "110")):
        chart(course, nurse, "vitals", end - timedelta(minutes=minute), systolic_mmhg=systolic)
    sheet = sheet_of(nurse_client, course, end=end)
    cell = rows_of(sheet)["systolic_mmhg"][-1]
    assert (cell.text, cell.arrows, cell.note) == (
        "84", "▼", "worst of 3, lowest, outside its limits",
    )  # fmt: skip
    assert [sheet.entries[place].text for place in cell.places] == ["SBP 110", "SBP 120", "SBP 84"]
    vital_signs = next(s for s in sheet.sections if s.key == "vital_signs")
    assert vital_signs.counts[-1] == 3


def test_a_value_outside_its_limits_goes_before_the_direction(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    """A pulse of 35 is not hidden behind one of 90, although the highest is the worst."""
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    for minute, rate in ((5, "90"), (20, "35"), (30, "80")):
        chart(course, nurse, "vitals", end - timedelta(minutes=minute), heart_rate=rate)
    cell = rows_of(sheet_of(nurse_client, course, end=end))["heart_rate"][-1]
    assert (cell.text, cell.arrows) == ("35", "▼")


def test_marks_say_late_corrected_other_cause_and_entered_in_error(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
    hours = [at - timedelta(hours=n) for n in range(4)]
    chart(course, nurse, "vitals", hours[3], heart_rate="99")
    first = chart(course, nurse, "vitals", hours[2], heart_rate="150").entries[0]
    correct(first, hours[2], {"heart_rate": "105"}, sending(nurse, answers={"reason": "Misread"}))
    chart(course, nurse, "vitals", hours[1], heart_rate="111", attribution="other")
    chart(course, nurse, "vitals", hours[0], heart_rate="90")
    wrong = chart(course, nurse, "vitals", hours[0], heart_rate="200").entries[0]
    retract_entry(wrong, sending(nurse, answers={"reason": "Another patient"}))
    sheet = sheet_of(nurse_client, course, end=at + timedelta(minutes=30))
    cells = rows_of(sheet)["heart_rate"][-4:]
    assert [(cell.text, cell.marks) for cell in cells] == [
        ("99", ("L",)), ("105", ("L", "C")), ("111", ("L", "O")), ("90", ("L", "E")),
    ]  # fmt: skip
    (corrected,) = [sheet.entries[place] for place in cells[1].places]
    assert [(old.old_text, old.reason) for old in corrected.corrected] == [("HR 150", "Misread")]


def test_an_entry_in_error_alone_is_struck_through(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
    wrong = chart(course, nurse, "vitals", at, spo2_percent="50").entries[0]
    retract_entry(wrong, sending(nurse, answers={"reason": "Another patient"}))
    answer = page(nurse_client, course, end=at + timedelta(minutes=30))
    cell = rows_of(answer.context["sheet"])["spo2_percent"][-1]
    assert (cell.text, cell.is_struck, cell.marks) == ("50", True, ("L", "E"))
    assert b"<s>50</s>" in answer.content


def test_what_runs_is_grey_and_a_lower_dose_is_counted_behind_it(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    dose = {"drug": "norepinephrine", "unit": "ug/kg/min"}
    chart(course, nurse, "vasopressor", end - timedelta(minutes=170), rate="0.3", **dose)
    chart(course, nurse, "vasopressor", end - timedelta(minutes=80), rate="0.1", **dose)
    chart(course, nurse, "vasopressor", end - timedelta(minutes=10), rate="0", **dose)
    rows = rows_of(sheet_of(nurse_client, course, end=end))
    shown = [(cell.kind, cell.text, cell.count) for cell in rows["norepinephrine"][-4:]]
    assert shown == [("", "", 0), ("value", "0.3", 0), ("held", "0.3", 1), ("held", "0.1", 1)]
    assert [cell.text for cell in rows["norepinephrine.dose"][-3:]] == ["24", "24", "8"]
    assert [(c.text, c.arrows) for c in rows["equivalent"][-3:]] == [
        ("24", "▲"), ("24", "▲"), ("8", ""),
    ]  # fmt: skip
    assert [cell.text for cell in rows["equivalent_limit"][-3:]] == ["20", "20", "20"]


def test_a_drug_without_a_term_leaves_the_equivalent_as_it_is(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    dose = {"drug": "norepinephrine", "unit": "ug/min", "rate": "5"}
    chart(course, nurse, "vasopressor", end - timedelta(minutes=80), **dose)
    terlipressin = {"drug": "other_vasopressor", "note": "terlipressin"}
    chart(course, nurse, "vasopressor", end - timedelta(minutes=80), rate=None, **terlipressin)
    rows = rows_of(sheet_of(nurse_client, course, end=end))
    assert [cell.text for cell in rows["equivalent"][-2:]] == ["5", "5"]


def test_a_run_has_its_true_times_also_where_it_began_before_the_window(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    """High dose is met by the clock: no entry is charted when it begins."""
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    began = end - timedelta(hours=30, minutes=5)
    chart(course, nurse, "vitals", began, temperature_c="39")
    high = end - timedelta(hours=10, minutes=5)
    dose = {"drug": "norepinephrine", "unit": "ug/min"}
    chart(course, nurse, "vasopressor", high, rate="25", **dose)
    chart(course, nurse, "vasopressor", end - timedelta(hours=2, minutes=20), rate="5", **dose)
    sheet = sheet_of(nurse_client, course, end=end)
    rows = {row.key: row for section in sheet.sections for row in section.rows}
    fever = rows["criterion.symptom.fever"].cells
    assert [cell.text for cell in fever] == [f"since {timezone.localtime(began):%-d %b}"]
    met = [cell for cell in rows["criterion.vasopressor.high_dose"].cells if cell.grade == 3]
    since, until = high + timedelta(hours=3), end - timedelta(hours=2, minutes=20)
    assert met[0].note.startswith(f"{_moment(since)} to ")
    assert met[0].text.startswith(f"{timezone.localtime(since):%H:%M} – ")
    assert until < end


def _moment(at: datetime) -> str:
    there = timezone.localtime(at)
    return f"{there.day} {there:%b} {there:%H:%M}"


def test_estimated_and_unknown_oxygen_say_so(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    chart(course, nurse, "oxygen", end - timedelta(minutes=110), device="nasal_cannula",
          flow_l_per_min="2")  # fmt: skip
    chart(course, nurse, "oxygen", end - timedelta(minutes=20), device="high_flow_nasal_cannula")
    rows = rows_of(sheet_of(nurse_client, course, end=end))
    assert [(c.text, c.is_estimated) for c in rows["fio2_percent"][-2:]] == [
        ("~28", True), ("~28?", True),
    ]  # fmt: skip
    assert [c.text for c in rows["could_be"][-1:]] == ["?3"]


def test_boluses_and_doses_add_up(nurse_client: Client, course: Course, nurse: User) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    for minute in (10, 40):
        chart(course, nurse, "fluid_bolus", end - timedelta(minutes=minute), volume_ml="500")
    cell = rows_of(sheet_of(nurse_client, course, end=end))["fluid_bolus"][-1]
    assert (cell.text, cell.count, cell.note) == ("1000", 2, "total of 2")


def test_results_keep_comparator_and_unit_and_doubt(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    at = end - timedelta(minutes=20)
    chart(course, nurse, "lab", at, analyte="crp", value="200", unit="mg/L", comparator=">")
    chart(course, nurse, "lab", at, analyte="creatinine", value="1.9", unit="mg/dL")
    chart(course, nurse, "lab", at - timedelta(hours=2), analyte="creatinine", value="150",
          unit="umol/L", upper_limit="100")  # fmt: skip
    rows = rows_of(sheet_of(nurse_client, course, end=end))
    assert rows["lab.crp"][-1].text == ">200"
    assert rows["lab.creatinine"][-1].text == "1.9? mg/dL"
    assert (rows["lab.creatinine"][-3].text, rows["lab.creatinine"][-3].arrows) == (
        "150 µmol/L", "▲",
    )  # fmt: skip


def test_what_was_recorded_later_is_not_shown_as_known_before(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
    wrong = chart(course, nurse, "vitals", at, temperature_c="39.9").entries[0]
    before = timezone.now()
    then = page(nurse_client, course, known_at=before)
    correct(wrong, at, {"temperature_c": "36.9"}, sending(nurse))
    chart(course, nurse, "weight", at, weight_kg="99")
    move = TransferRequest(Move.MOVED, timezone.now(), location_token(course), "ICU", "B 04")
    record_transfer(course, move, sending(nurse))
    chart(course, nurse, "vitals", at, heart_rate="150")
    again = page(nurse_client, course, known_at=before)
    assert rows_of(again.context["sheet"]) == rows_of(then.context["sheet"])
    assert b"36.9" not in again.content
    assert b"99 kg" not in again.content
    assert b"B 04" not in again.content
    assert b"B 04" in page(nurse_client, course).content
    assert b"As known at" in again.content
    now = rows_of(sheet_of(nurse_client, course))
    assert any(cell.text == "36.9" and "C" in cell.marks for cell in now["temperature_c"])


def test_columns_after_what_is_known_say_not_known(nurse_client: Client, nurse: User) -> None:
    course = imported(
        nurse, {"at": "2024-03-02T08:30:00+00:00", "kind": "oxygen", "device": "cpap"}
    )
    known_at = "2024-03-02T12:00:00+00:00"
    rows = rows_of(sheet_of(nurse_client, course, known_at=known_at, **MARCH_2))
    for key in ("device", "grade", "heart_rate"):
        assert {cell.kind for cell in rows[key][6:]} == {"ahead"}
    assert [cell.text for cell in rows["device"][:6]] == ["", "", "CPAP", "CPAP", "CPAP", "CPAP"]
    assert [cell.text for cell in rows["grade"][:6]] == ["0", "0", "3", "3", "3", "3"]


def test_nothing_runs_after_a_death_of_another_cause(nurse_client: Client, nurse: User) -> None:
    course = imported(
        nurse,
        {"at": "2024-03-02T08:30:00+00:00", "kind": "oxygen", "device": "cpap"},
        {"at": "2024-03-02T10:15:00+00:00", "kind": "death", "attribution": "other"},
    )
    sheet = sheet_of(nurse_client, course, **MARCH_2)
    rows = {row.key: row.cells for section in sheet.sections for row in section.rows}
    assert [cell.text for cell in rows_of(sheet)["device"]] == [
        *[""] * 2,
        *["CPAP"] * 3,
        *[""] * 19,
    ]
    assert rows_of(sheet)["grade"][5].text == "–"
    run = next(cell for cell in rows["criterion.oxygen.cpap"] if cell.grade == 3)
    assert run.note.startswith("2 Mar 08:30 to 2 Mar 10:15")


def test_before_the_infusion_nothing_is_graded_and_all_is_shown(
    nurse_client: Client, nurse: User
) -> None:
    course = imported(
        nurse, {"at": "2024-02-29T10:30:00+00:00", "kind": "vitals", "temperature_c": 39}
    )
    window = {"from": "2024-02-29T06:00:00+00:00", "to": "2024-03-01T06:00:00+00:00"}
    rows = rows_of(sheet_of(nurse_client, course, **window))
    assert {cell.text for cell in rows["grade"]} == {"–"}
    assert rows["temperature_c"][4].text == "39.0"
