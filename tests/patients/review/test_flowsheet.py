"""Every cell of a flowsheet is held against the entries, the grades and the engine."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine import entries as kinds
from grading.engine.units import format_number
from grading.engine.vocabulary import AT_MOST_AHEAD, VITAL_SIGN
from grading.service import Trace, trace_of
from grading.systems import HEADLINE
from patients.display.worst import WORST_OF_SIGN, Worst, support_of, worst_of_analyte
from patients.exchange.course_file import import_course
from patients.models import Course
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.recording.record import retract_entry
from patients.review.flowsheet import Sheet
from patients.review.flowsheet_cells import Cell
from patients.review.flowsheet_columns import Column
from tests.factories import admit, ago, chart, correct, sending
from tests.grading.random_courses import instants, random_course

pytestmark = pytest.mark.django_db

COURSES = 25
BINS = ("1", "4", "12", "entry")


def page(client: Client, course: Course, **query: Any) -> Any:
    asked = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in query.items()
    }
    return client.get(f"{reverse('patients:flowsheet', args=[course.pk])}?{urlencode(asked)}")


def sheet_of(client: Client, course: Course, **query: Any) -> Sheet:
    answer = page(client, course, **query)
    assert answer.status_code == 200, answer.content.decode()[:3000]
    sheet: Sheet = answer.context["sheet"]
    return sheet


def rows_of(sheet: Sheet) -> dict[str, list[Cell]]:
    """The cells of each row, one for each column: a wide cell stands in all its columns."""
    return {
        row.key: [cell for cell in row.cells for _ in range(cell.span)]
        for section in sheet.sections
        for row in section.rows
    }


@dataclass(frozen=True)
class Chart:
    """What is known of a course, and everything that its cells are held against."""

    known: CourseKnownAt
    trace: Trace

    @property
    def entries(self) -> Sequence[kinds.Entry]:
        return self.known.entries

    def of(self, kind: type[kinds.Entry], column: Column) -> list[Any]:
        return [e for e in self.entries if isinstance(e, kind) and within(e.at, column)]


def chart_of(course: Course, known_at: datetime) -> Chart:
    known = read_known_at(course, HEADLINE, known_at)
    return Chart(known, trace_of(known.facts, known.entries, known_at + AT_MOST_AHEAD))


def within(at: datetime, column: Column) -> bool:
    return column.start <= at < column.end


def steps_in(steps: Sequence[Any], column: Column, known_at: datetime) -> list[Any]:
    """The steps that hold at some time of ``column``, up to what is known."""
    found = []
    for step, following in pairwise([*steps, None]):
        end = known_at if following is None else following.at
        if within(step.at, column) or (step.at < column.start < end):
            found.append(step)
    is_ahead = column.start >= known_at
    return [step for step in found if within(step.at, column)] if is_ahead else found


def worst(values: Sequence[Any], direction: Worst) -> Any:
    return min(values) if direction is Worst.LOWEST else max(values)


@pytest.fixture
def random_charts(nurse: User) -> Iterator[tuple[Course, datetime, Random]]:
    rng = Random(20261130)  # noqa: S311

    def charts() -> Iterator[tuple[Course, datetime, Random]]:
        for number in range(COURSES):
            raw = random_course(rng)
            raw["patient"] |= {"mrn": f"F{number}", "name": "Sheet, Sheila"}
            raw["therapy"]["product"] = "CAR-T"
            course = import_course(json.dumps(raw), [nurse])
            yield course, datetime.fromisoformat(rng.choice(instants(raw))), rng

    return charts()


def test_every_cell_is_that_of_the_entries_and_of_the_engine(
    nurse_client: Client, random_charts: Iterator[tuple[Course, datetime, Random]]
) -> None:
    compared = 0
    for course, known_at, rng in random_charts:
        chart = chart_of(course, known_at)
        sheet = sheet_of(nurse_client, course, known_at=known_at, bin=rng.choice(BINS))
        rows = rows_of(sheet)
        for place, column in enumerate(sheet.columns):
            cells = {key: row[place] for key, row in rows.items()}
            check_signs(cells, chart, column)
            check_results(cells, chart, column)
            check_traced(cells, chart, column, known_at)
            check_grades(cells, chart, column, known_at)
            compared += len(cells)
    assert compared > 3000


def check_signs(cells: dict[str, Cell], chart: Chart, column: Column) -> None:
    sets = chart.of(kinds.Vitals, column)
    for key, sign in VITAL_SIGN.items():
        numbers = [n for one in sets if (n := one.value_of(key)) is not None]
        cell = cells[key]
        if not numbers:
            assert cell.text == "" or cell.is_struck
            continue
        shown = {float(n): n for n in numbers}
        assert float(cell.text.strip("≈")) == pytest.approx(
            float(_worst_sign(numbers, key, cell)), abs=0.051
        ), (key, shown)
        assert sign.label


def _worst_sign(numbers: Sequence[Any], key: str, cell: Cell) -> Any:
    """Of several, one outside its limits goes before the direction: the arrow says which."""
    lowest, highest = min(numbers), max(numbers)
    if cell.arrows == "▲":
        return highest
    if cell.arrows == "▼":
        return lowest
    return worst(numbers, WORST_OF_SIGN[key])


def check_results(cells: dict[str, Cell], chart: Chart, column: Column) -> None:
    labs = chart.of(kinds.Lab, column)
    for analyte in {one.analyte for one in labs}:
        results = [one for one in labs if one.analyte is analyte]
        cell = cells[f"lab.{analyte}"]
        if len({one.unit for one in results}) == 1 and not cell.arrows:
            chosen = worst([one.value for one in results], worst_of_analyte(analyte))
            assert format_number(chosen) in cell.text
        else:
            assert any(format_number(one.value) in cell.text for one in results)


def check_traced(cells: dict[str, Cell], chart: Chart, column: Column, known_at: datetime) -> None:
    if column.end <= chart.known.course.infused_at or any(
        isinstance(e, kinds.Death) for e in chart.entries
    ):
        return
    if column.start < chart.known.course.infused_at:
        return
    oxygen = steps_in(chart.trace.oxygen, column, known_at)
    percents = [step.fio2_percent for step in oxygen if step.fio2_percent is not None]
    if percents:
        assert cells["fio2_percent"].text.strip("~?") == format_number(max(percents))
    if oxygen:
        device = max((step.device for step in oxygen), key=support_of)
        assert cells["device"].text == device.label
    check_doses(cells, chart, column, known_at)


def check_doses(cells: dict[str, Cell], chart: Chart, column: Column, known_at: datetime) -> None:
    equivalents = steps_in(chart.trace.equivalent, column, known_at)
    running = [step for step in equivalents if step.equivalent or step.limit is not None]
    text = cells["equivalent"].text.strip("?") if "equivalent" in cells else ""
    if running:
        high = [s for s in running if s.limit is not None and s.equivalent >= s.limit]
        assert text == format_number(max(s.equivalent for s in high or running), 2)
        assert bool(high) == (cells["equivalent"].arrows == "▲")
    elif not equivalents:
        assert text == ""
    for drug, steps in chart.trace.doses.items():
        doses = [s.dose for s in steps_in(steps, column, known_at) if s.runs and s.dose is not None]
        cell = cells.get(f"{drug}.dose")
        if cell is not None and doses:
            assert cell.text.strip("?") == format_number(max(doses), 2)


def check_grades(cells: dict[str, Cell], chart: Chart, column: Column, known_at: datetime) -> None:
    end = min(column.end, known_at)
    held = [
        period
        for period in chart.known.periods
        if period.start < end and (period.end is None or period.end > column.start)
    ]
    if column.start >= known_at:
        return
    assert cells["grade"].text == (str(max(p.grade for p in held)) if held else "–")
    bounds = [p.at_most for p in held if p.at_most > p.grade]
    if bounds:
        assert cells["could_be"].text == f"?{max(bounds)}"
    else:
        assert cells["could_be"].text in ("–", "no higher")
    met = {item["code"] for period in held for item in period.findings["criteria"]}
    shown = {
        key.removeprefix("criterion.")
        for key, cell in cells.items()
        if key.startswith("criterion.") and cell.grade is not None
    }
    assert shown == met


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
    chart(course, nurse, "vitals", at, heart_rate="150")
    again = page(nurse_client, course, known_at=before)
    assert rows_of(again.context["sheet"]) == rows_of(then.context["sheet"])
    assert b"36.9" not in again.content
    assert b"99 kg" not in again.content
    assert b"As known at" in again.content
    now = rows_of(sheet_of(nurse_client, course))
    assert any(cell.text == "36.9" and "C" in cell.marks for cell in now["temperature_c"])


def test_columns_after_what_is_known_say_not_known(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    chart(course, nurse, "oxygen", end - timedelta(hours=20), device="cpap")
    known_at = timezone.now()
    sheet = sheet_of(nurse_client, course, end=end, known_at=known_at)
    assert {cell.kind for cell in rows_of(sheet)["device"][-2:]} == {"state"}


def test_an_empty_window_names_the_last_entry(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=40), heart_rate="80")
    answer = page(nurse_client, course, end=timezone.now() - timedelta(hours=2))
    assert "Nothing charted" in answer.context["sheet"].empty_text
    assert b"Last entry" in answer.content
    assert [row.key for row in answer.context["sheet"].sections[2].rows] == list(VITAL_SIGN)


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("bin", {"bin": "7"}), ("order", {"order": "up"}), ("rows", {"rows": "\x00"}),
        ("end", {"end": "yesterday"}), ("end", {"end": "2026-02-30T10:00"}),
        ("end", {"end": "2199-01-01T00:00:00+00:00"}), ("end", {"end": "0001-01-01T00:00"}),
        ("span", {"span": "-4"}), ("span", {"span": "99999999999999999999"}),
        ("to", {"from": "2026-01-01T10:00:00+00:00"}),
        ("end", {"from": "2026-01-01T10:00:00+00:00", "span": "4"}),
        ("to", {"from": "2026-01-02T10:00:00+00:00", "to": "2026-01-01T10:00:00+00:00"}),
        ("to", {"from": "1990-01-02T10:00:00+00:00", "to": "2026-01-01T10:00:00+00:00"}),
        ("end", {"bin": "1", "span": "600", "end": "2026-01-01T10:00:00+00:00"}),
        ("end", {"end": "1900-01-01T00:30:00+00:00"}),
        ("known_at", {"known_at": "2199-01-01T00:00:00+00:00"}),
        ("known_at", {"known_at": "9999-12-31T23:59:59-14:00"}),
        ("known_at", {"known_at": "2026-01-01T10:00:00 00:00"}),
    ],
)  # fmt: skip
def test_a_bad_address_is_answered_with_words_and_the_default(
    field: str, query: dict[str, str], nurse_client: Client, course: Course
) -> None:
    answer = page(nurse_client, course, **query)
    assert answer.status_code == 400
    assert list(answer.context["errors"]) == [field]
    assert len(answer.context["sheet"].columns) > 0


@pytest.mark.parametrize(
    ("bin_", "span", "columns", "hours"),
    [("1", 24, 24, {1}), ("1", 12, 12, {1}), ("4", 72, 18, {4}), ("12", 120, 10, {12})],
)
def test_columns_are_hours_of_the_clock(
    bin_: str, span: int, columns: int, hours: set[int], nurse_client: Client, course: Course
) -> None:
    sheet = sheet_of(nurse_client, course, bin=bin_, span=span)
    assert len(sheet.columns) == columns
    assert {(c.end - c.start) / timedelta(hours=1) for c in sheet.columns} == hours
    assert sheet.columns[-1].start <= timezone.now() < sheet.columns[-1].end


def test_the_newest_first_mirrors_the_columns_and_no_row(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="39", systolic_mmhg="85")
    last = sheet_of(nurse_client, course)
    first = sheet_of(nurse_client, course, order="first")
    assert first.columns == last.columns[::-1]
    mirrored = {key: cells[::-1] for key, cells in rows_of(first).items()}
    assert mirrored == rows_of(last)
    assert list(mirrored) == list(rows_of(last))


@pytest.mark.parametrize("rows", ["vital_signs", "oxygen_and_drugs", "results", "findings"])
def test_a_filter_keeps_the_grade_and_its_reasons(
    rows: str, nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="39")
    whole, part = sheet_of(nurse_client, course), sheet_of(nurse_client, course, rows=rows)
    assert [s.key for s in part.sections][:2] == ["grade", "criteria"]
    shown = rows_of(part)
    assert shown == {key: rows_of(whole)[key] for key in shown}
    assert len(shown) < len(rows_of(whole)) or rows == "vital_signs"


def test_the_hour_that_the_clocks_repeat_is_two_columns(
    nurse_client: Client, nurse: User, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        course = admit(nurse, infused_at=datetime.fromisoformat("2025-10-24T10:00:00+02:00"))
        sheet = sheet_of(
            nurse_client, course, end="2025-10-26T12:00:00+01:00", span=24
        )  # fmt: skip
        labels = [column.label for column in sheet.columns]
        assert len(labels) == 24
        assert labels[labels.index("02+02") + 1] == "02+01"
        ambiguous = page(nurse_client, course, end="2025-10-26T02:30")
        assert ambiguous.status_code == 400
        assert "occurred twice" in ambiguous.content.decode()
        skipped = page(nurse_client, course, end="2026-03-29T02:30")
        assert "did not exist" in skipped.content.decode()
        wide = sheet_of(nurse_client, course, bin="4", end="2025-10-26T12:00:00+01:00", span=48)
        lengths = {(c.end - c.start) / timedelta(hours=1) for c in wide.columns}
        assert lengths == {4, 5}
        assert sum((c.end - c.start for c in wide.columns), timedelta()) == wide.end - wide.start
