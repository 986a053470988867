"""Import of a course file (crs-course/1) by `manage.py import_course`."""

import json
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from grading.course_result import result_json
from grading.systems import HEADLINE
from patients.exchange.exported import exported
from patients.models import ActSource, Course, Entry, Fact, GradePeriod, Patient
from patients.queries.export import read_to_export
from patients.queries.grades import periods_known_at
from patients.queries.identity import courses_of_patient
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from tests.factories import sending

pytestmark = pytest.mark.django_db


DOCUMENT: dict[str, Any] = {
    "format": "crs-course/1",
    "patient": {
        "mrn": "M1",
        "name": "Import, Ida",
        "age_years": "54",
        "sex": "female",
        "older_age": False,
    },
    "therapy": {"product": "CAR-T", "infused_at": "2014-01-01T09:00:00+02:00"},
    "baseline": {"systolic_mmhg": 126, "diastolic_mmhg": 74},
    "weight_kg": 80.5,
    "entries": [
        {
            "id": "low",
            "at": "2014-01-02T10:00:00+02:00",
            "kind": "vitals",
            "systolic_mmhg": 84,
            "recorded_at": "2014-01-02T10:05:00+02:00",
        },
        {
            "id": "fever",
            "at": "2014-01-02T09:00:00+02:00",
            "kind": "vitals",
            "temperature_c": 38.25,
            "recorded_at": "2014-01-02T11:00:00+02:00",
        },
        {
            "id": "ne",
            "at": "2014-01-02T10:00:00+02:00",
            "kind": "vasopressor",
            "drug": "norepinephrine",
            "rate": None,
        },
        {
            "id": "not-low",
            "at": "2014-01-02T10:00:00+02:00",
            "kind": "vitals",
            "systolic_mmhg": 104,
            "recorded_at": "2014-01-02T12:00:00+02:00",
            "replaces": "low",
            "note": "read off the wrong patient",
        },
    ],
}


def as_file(folder: Path, **changes: Any) -> str:
    path = folder / "course.json"
    path.write_text(json.dumps({**DOCUMENT, **changes}))
    return str(path)


def test_a_file_is_recorded_in_the_order_of_its_recording(tmp_path: Path) -> None:
    call_command("import_course", as_file(tmp_path))
    course = Course.objects.select_related("patient").get()
    assert (course.patient.mrn, course.age_years) == ("M1", Decimal(54))
    assert course.infused_offset_seconds == 7200
    assert list(course.acts.values_list("source", flat=True)) == [ActSource.IMPORT] * 5
    bodies = {entry.kind: entry.body for entry in Entry.objects.order_by("-recorded_at")}
    assert bodies["weight"] == {"weight_kg": "80.5"}
    assert bodies["risk"] == {"older_age": False}
    assert bodies["vasopressor"] == {"drug": "norepinephrine", "rate": None}
    assert bodies["vitals"]["systolic_mmhg"] == "84"
    call_command("verify_grades")


@pytest.mark.parametrize(("fahrenheit", "grade"), [(100.399, 0), ("100.399", 0), ("100.40", 1)])
def test_a_temperature_in_fahrenheit_is_charted_and_graded_as_it_was_written(
    fahrenheit: float | str, grade: int, tmp_path: Path
) -> None:
    """100.4 °F is 38 °C, the threshold of fever; 100.399 °F has no finite number of °C."""
    fever = {"at": "2014-01-02T09:00:00+02:00", "kind": "vitals", "temperature_f": fahrenheit}
    call_command("import_course", as_file(tmp_path, entries=[fever]))
    charted = Entry.objects.get(kind="vitals")
    assert charted.body == {"temperature_f": str(fahrenheit)}
    periods = periods_known_at(Course.objects.get(), HEADLINE, charted.recorded_at)
    assert max(period.grade for period in periods) == grade
    course = Course.objects.get()
    written = exported(read_to_export(course, HEADLINE, charted.recorded_at))
    (vitals,) = [one for one in written.document["entries"] if one["kind"] == "vitals"]
    assert vitals["temperature_f"] == str(fahrenheit)
    assert "temperature_c" not in vitals


@pytest.mark.parametrize("known_at_text", ["10:06", "11:30", "13:00"])
def test_what_was_known_when_is_as_in_the_file(tmp_path: Path, known_at_text: str) -> None:
    call_command("import_course", as_file(tmp_path))
    known = datetime.fromisoformat(f"2014-01-02T{known_at_text}:00+02:00")
    graded = result_json(json.dumps(DOCUMENT), known_at=known)
    stored = [
        (p.valid.lower, p.grade) for p in periods_known_at(Course.objects.get(), HEADLINE, known)
    ]
    assert stored == [(datetime.fromisoformat(p["from"]), p["grade"]) for p in graded["periods"]]


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    call_command("import_course", as_file(tmp_path))
    before = (Entry.objects.count(), GradePeriod.objects.count())
    call_command("import_course", as_file(tmp_path))
    assert (Entry.objects.count(), GradePeriod.objects.count()) == before


def test_a_changed_file_of_the_same_course_is_refused(tmp_path: Path) -> None:
    call_command("import_course", as_file(tmp_path))
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("import_course", as_file(tmp_path, weight_kg=70), stderr=StringIO())


def test_a_faulty_file_is_refused_whole_with_every_place(tmp_path: Path) -> None:
    entries = [*DOCUMENT["entries"], {"kind": "vitals", "at": "2014-01-02T10:00:00+02:00"}]
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("import_course", as_file(tmp_path, entries=entries), stderr=errors)
    assert "entries[4]" in errors.getvalue()
    assert not Patient.objects.exists()


def test_a_file_from_the_future_or_without_a_number_is_refused(tmp_path: Path) -> None:
    entries = [{"kind": "weight", "weight_kg": 80, "at": "2999-01-02T10:00:00+02:00"}]
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("import_course", as_file(tmp_path, entries=entries), stderr=errors)
    assert "future" in errors.getvalue()
    nameless = {**DOCUMENT["patient"], "mrn": ""}
    with pytest.raises(CommandError):
        call_command("import_course", as_file(tmp_path, patient=nameless), stderr=errors)
    assert "patient.mrn" in errors.getvalue()


def test_another_person_of_that_number_is_refused(tmp_path: Path) -> None:
    call_command("import_course", as_file(tmp_path))
    errors, other = StringIO(), {**DOCUMENT["patient"], "name": "Other, Otto"}
    therapy = {**DOCUMENT["therapy"], "product": "another"}
    with pytest.raises(CommandError):
        call_command(
            "import_course", as_file(tmp_path, patient=other, therapy=therapy), stderr=errors
        )
    assert "patient.mrn" in errors.getvalue()


def test_an_author_is_named_or_unknown(tmp_path: Path, clinician: Any) -> None:
    call_command("import_course", as_file(tmp_path), by=clinician.username)
    assert set(Entry.objects.values_list("recorded_by", flat=True)) == {clinician.pk}
    with pytest.raises(CommandError, match="no user"):
        call_command("import_course", as_file(tmp_path), by="nobody")
    with pytest.raises(CommandError):
        call_command("import_course", str(tmp_path / "missing.json"), stderr=StringIO())


@pytest.mark.parametrize(
    "infused_at",
    ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-12:00", "2014-01-01T09:00:00-18:00"],
)
def test_an_impossible_infusion_is_a_fault_by_place(tmp_path: Path, infused_at: str) -> None:
    faults, therapy = StringIO(), {"product": "CAR-T", "infused_at": infused_at}
    with pytest.raises(CommandError):
        call_command("import_course", as_file(tmp_path, therapy=therapy), stderr=faults)
    assert "therapy.infused_at" in faults.getvalue()
    assert not Course.objects.exists()


@pytest.mark.parametrize("at", ["1900-01-01T00:00:00+00:00", "1900-01-01T00:00:01+00:00"])
def test_the_first_instant_of_the_calendar(tmp_path: Path, at: str) -> None:
    """The facts outside the entries are recorded just before them, which must be possible too."""
    faults, therapy = StringIO(), {"product": "CAR-T", "infused_at": "1900-01-01T00:00:00+00:00"}
    path = as_file(tmp_path, therapy=therapy, entries=[{"at": at, "kind": "note", "note": "seen"}])
    if at.endswith("00:00:00+00:00"):
        with pytest.raises(CommandError):
            call_command("import_course", path, stderr=faults)
        assert "entries[0].recorded_at: expected a time after 1900-01-01" in faults.getvalue()
    else:
        call_command("import_course", path)
        assert Course.objects.get().entries.filter(kind="note").exists()


def test_an_entry_of_years_before_the_infusion_is_imported_with_a_warning(tmp_path: Path) -> None:
    entry = {"at": "2010-07-01T09:00:00+00:00", "kind": "weight", "weight_kg": 71}
    printed = StringIO()
    call_command("import_course", as_file(tmp_path, entries=[entry]), stdout=printed)
    assert Course.objects.get().entries.filter(at__year=2010).exists()
    assert "warning: entries[0].at: more than 60 days before the infusion" in printed.getvalue()


FIRST = DOCUMENT["entries"][0]
HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("patient.mrn", {"patient": {**DOCUMENT["patient"], "mrn": "1" * 41}}),
    ("patient.name", {"patient": {**DOCUMENT["patient"], "name": "n" * 201}}),
    ("patient.name", {"patient": {**DOCUMENT["patient"], "name": "x\ud800"}}),
    ("patient.name", {"patient": {**DOCUMENT["patient"], "name": "a\u202eb"}}),
    ("therapy.product", {"therapy": {**DOCUMENT["therapy"], "product": "p" * 121}}),
    ("entries[0].note", {"entries": [{**FIRST, "note": "\udfff"}]}),
    ("entries[0].note", {"entries": [{**FIRST, "note": "\x1b[2J"}]}),
    ("entries[0].systolic_mmhg", {"entries": [{**FIRST, "systolic_mmhg": "9_0"}]}),
    ("entries[0].at", {"entries": [{**FIRST, "at": "2014-01-02T10:00:00+17:00"}]}),
    ("baseline.measured_at", {"baseline": {"measured_at": "2014-01-01\x1b10:00:00+00:00"}}),
]


@pytest.mark.parametrize(("place", "changes"), HOSTILE, ids=lambda item: str(item)[:20])
def test_a_fault_is_named_by_place_and_the_next_file_is_imported(
    tmp_path: Path, place: str, changes: dict[str, Any]
) -> None:
    (tmp_path / "bad").mkdir()
    bad, good, faults = as_file(tmp_path / "bad", **changes), as_file(tmp_path), StringIO()
    with pytest.raises(CommandError, match="1 of 2 files refused"):
        call_command("import_course", bad, good, stdout=StringIO(), stderr=faults)
    assert f"{place}: " in faults.getvalue()
    assert faults.getvalue().replace("\n", "").isprintable()
    assert Course.objects.get().patient.mrn == "M1"


def test_blanks_around_a_number_make_no_second_patient(tmp_path: Path) -> None:
    therapy = {**DOCUMENT["therapy"], "product": "second"}
    padded = {**DOCUMENT["patient"], "mrn": "  M1\u00a0"}
    call_command("import_course", as_file(tmp_path), stdout=StringIO())
    second = as_file(tmp_path, patient=padded, therapy=therapy)
    call_command("import_course", second, stdout=StringIO())
    assert Patient.objects.get().courses.count() == 2


def test_a_number_with_an_exponent_is_stored_as_it_would_be_typed(tmp_path: Path) -> None:
    path = Path(as_file(tmp_path, entries=[{**FIRST, "systolic_mmhg": "@"}]))
    path.write_text(path.read_text().replace('"@"', "8.4e1"))
    call_command("import_course", str(path), stdout=StringIO())
    assert Entry.objects.get(kind="vitals").body["systolic_mmhg"] == "84"


def test_what_a_form_would_ask_about_is_printed_and_imported(tmp_path: Path) -> None:
    result = {"kind": "lab", "analyte": "bilirubin", "value": 20, "unit": "umol/L"}
    entry = {"at": "2014-01-02T09:00:00+02:00", **result, "upper_limit": "1.2"}
    printed = StringIO()
    call_command("import_course", as_file(tmp_path, entries=[entry]), stdout=printed)
    assert "warning: entries[0].upper_limit: Bilirubin: 1.2 µmol/L is unusual" in printed.getvalue()
    assert Entry.objects.filter(kind="lab").count() == 1


def test_a_dose_beyond_its_limit_by_the_weight_of_the_file_is_not_imported(tmp_path: Path) -> None:
    rate = {"kind": "vasopressor", "drug": "norepinephrine", "rate": 12, "unit": "ug/kg/min"}
    faults, entry = StringIO(), {"at": "2014-01-02T09:00:00+02:00", **rate}
    with pytest.raises(CommandError):
        call_command("import_course", as_file(tmp_path, entries=[entry]), stderr=faults)
    assert "entries[0].rate: at 80.5 kg this is above 300 mcg/min" in faults.getvalue()


@pytest.mark.parametrize("ward", ["w" * 61, "7\u202eB"])
def test_a_ward_that_no_board_can_show_is_refused(tmp_path: Path, ward: str) -> None:
    with pytest.raises(CommandError, match="--ward"):
        call_command("import_course", as_file(tmp_path), ward=ward)


def person(**fields: Any) -> dict[str, Any]:
    return {**DOCUMENT["patient"], **fields}


@pytest.mark.parametrize("mrn", [" 000777 ", "00077\uff17", "000\u200b777", "000777\u00a0"])
def test_one_number_written_otherwise_is_one_patient(tmp_path: Path, mrn: str) -> None:
    call_command("import_course", as_file(tmp_path, patient=person(mrn="000777")))
    therapy = {**DOCUMENT["therapy"], "product": "another"}
    errors = StringIO()
    other = as_file(tmp_path, patient=person(mrn=mrn), therapy=therapy)
    call_command("import_course", other, stdout=errors)
    assert Patient.objects.get().mrn == "000777"
    assert "looks like" not in errors.getvalue()
    before = Entry.objects.count()
    call_command("import_course", other)
    assert Entry.objects.count() == before


def test_a_name_is_stored_without_what_nobody_sees(tmp_path: Path) -> None:
    call_command("import_course", as_file(tmp_path, patient=person(name="Imp\u200bort, Ida\ufeff")))
    assert Patient.objects.get().name == "Import, Ida"


def test_a_number_or_name_that_looks_alike_is_a_warning(tmp_path: Path) -> None:
    call_command("import_course", as_file(tmp_path, patient=person(mrn="000777")))
    errors = StringIO()
    path = as_file(tmp_path, patient=person(mrn="777"))
    call_command("import_course", path, stdout=errors)
    assert f"{path}: warning: patient.mrn: looks like MRN 000777" in errors.getvalue()
    assert "warning: patient.name: Import, Ida" in errors.getvalue()
    assert Patient.objects.count() == 2


def test_a_number_that_nobody_can_see_is_refused(tmp_path: Path) -> None:
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command(
            "import_course", as_file(tmp_path, patient=person(mrn="\u200b")), stderr=errors
        )
    assert "patient.mrn" in errors.getvalue()
    assert not Patient.objects.exists()


def test_a_file_of_a_course_that_was_corrected_since_is_refused(
    tmp_path: Path, clinician: Any
) -> None:
    call_command("import_course", as_file(tmp_path))
    course = Course.objects.get()
    seen = identity_token(list(courses_of_patient(course.patient_id)))
    product = {course.pk: {"product": "right"}}
    change = IdentityChange(Fact.PRODUCT, "label", seen, of_courses=product)
    correct_identity(course.patient_id, change, sending(clinician))
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("import_course", as_file(tmp_path), stderr=errors)
    assert "on the chart with other contents" in errors.getvalue()
    assert Course.objects.count() == 1
    call_command("verify_grades")
