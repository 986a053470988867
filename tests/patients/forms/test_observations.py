"""The forms: what they accept in the course file's words, and how they refuse."""

import uuid
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from grading.course_file import read_entry
from grading.engine.vocabulary import DRUGS, VITAL_SIGNS, VasopressorDrug
from patients.bedside.page import read_bedside_data
from patients.display.text import entry_text
from patients.forms.entry_form import EntryForm, RetractionForm
from patients.forms.proposals import Proposals
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.models import Course
from patients.queries.entries import parse_entry
from patients.ward.forms import AdmissionForm
from tests.factories import admit, chart, utc

FRAMEWORK_S_OWN = ("This field", "Enter a valid", "Ensure this", "Select a valid", "UUID")


def bound(course: Course, kind: str, **said: Any) -> EntryForm:
    common = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
    return ENTRY_FORMS[kind](common | said, course=course, now=timezone.now())


def body_of(course: Course, kind: str, **said: Any) -> dict[str, Any]:
    form = bound(course, kind, **said)
    if not form.errors and form.questions:
        form = bound(course, kind, **said, confirmed=form.questions_digest)
    assert form.is_valid(), form.errors
    (draft,) = form.new_entries()
    words = {**draft.body, "kind": kind, "id": "1", "at": draft.at.isoformat()}
    assert entry_text(read_entry(words))
    return dict(draft.body)


def refusal(course: Course, kind: str, field: str, **said: Any) -> str:
    form = bound(course, kind, **said)
    assert not form.is_valid()
    assert field in form.errors, form.errors
    return str(form.errors[field][0])


def test_numbers_are_kept_as_typed(course: Course) -> None:
    assert body_of(course, "vitals", temperature=" 38.50 ", heart_rate="090") == {
        "temperature_c": "38.50",
        "heart_rate": "090",
    }
    assert body_of(course, "vitals", temperature="100.399", temperature_unit="f") == {
        "temperature_f": "100.399"
    }


@pytest.mark.parametrize("sign", VITAL_SIGNS, ids=lambda sign: sign.key)
def test_each_vital_sign_is_held_to_its_hard_limits(course: Course, sign: Any) -> None:
    field = "temperature" if sign.key == "temperature_c" else sign.key
    for allowed in (sign.limits.lowest, sign.limits.highest):
        assert body_of(course, "vitals", **{field: f"{allowed}"}) == {sign.key: f"{allowed}"}
    for impossible in (f"{sign.limits.lowest - 1}", f"{sign.limits.highest}.001"):
        assert "cannot be" in refusal(course, "vitals", field, **{field: impossible})


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("38,5", "decimal point"),
        ("warm", "not a number"),
        ("3e1", "not a number"),
        ("٣٨", "not a number"),
        ("38.5.1", "not a number"),
        ("-38", "0 or more"),
        ("38." + "1" * 80, "too many digits"),
        ("101.3", "Is it in °F?"),
    ],
)
def test_what_is_no_temperature_is_refused(course: Course, typed: str, sentence: str) -> None:
    assert sentence in refusal(course, "vitals", "temperature", temperature=typed)


def test_a_value_in_neither_scale_is_not_guessed(course: Course) -> None:
    said = {"temperature": "60"}
    assert "Is it" not in refusal(course, "vitals", "temperature", **said)
    assert "Is it in °C?" in refusal(
        course, "vitals", "temperature", temperature="38", temperature_unit="f"
    )


def test_an_empty_set_says_nothing(course: Course) -> None:
    assert "at least one" in refusal(course, "vitals", "__all__")


def test_a_mean_pressure_lies_between_the_others(course: Course) -> None:
    pressures = {"systolic_mmhg": "104", "diastolic_mmhg": "58"}
    for mean in ("57", "105"):
        refusal(
            course,
            "vitals",
            "mean_arterial_pressure_mmhg",
            mean_arterial_pressure_mmhg=mean,
            **pressures,
        )
    assert "not below" in refusal(
        course, "vitals", "diastolic_mmhg", systolic_mmhg="58", diastolic_mmhg="104"
    )


def test_attribution_and_note_are_part_of_the_entry(course: Course) -> None:
    said = {"temperature": "39", "attribution": "other", "attribution_reason": "line sepsis"}
    body = body_of(course, "vitals", **said, note=" cultures taken ")
    assert body == {"temperature_c": "39", "attribution": "other", "note": "cultures taken"}


def test_a_vital_sign_before_the_infusion_is_remarked_and_oxygen_is_refused(
    course: Course,
) -> None:
    before = timezone.localtime(course.infused_at - timedelta(hours=1))
    when = {"observed_date": f"{before:%Y-%m-%d}", "observed_time": f"{before:%H:%M}"}
    form = bound(course, "vitals", temperature="37", **when)
    assert form.is_valid()
    assert "never graded" in form.remarks[0]
    assert "before the infusion" in refusal(
        course, "oxygen", "observed_time", device="room_air", **when
    )


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ({"device": "room_air"}, {"device": "room_air"}),
        (
            {"device": "nasal_cannula", "flow_l_per_min": "4"},
            {"device": "nasal_cannula", "flow_l_per_min": "4"},
        ),
        (
            {"device": "venturi_mask", "fio2_percent": "0.35"},
            {"device": "venturi_mask", "fio2_percent": "0.35"},
        ),
        ({"device": "ecmo"}, {"device": "ecmo"}),
        ({"device": "cpap", "fio2_percent": "1.0"}, {"device": "cpap", "fio2_percent": "100"}),
    ],
)
def test_oxygen(course: Course, said: dict[str, str], body: dict[str, str]) -> None:
    assert body_of(course, "oxygen", **said) == body


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"flow_l_per_min": "4"}, "device", "Choose the device"),
        ({"device": "hood"}, "device", "Choose one of the list"),
        ({"device": "room_air", "flow_l_per_min": "2"}, "flow_l_per_min", "Room air"),
        ({"device": "room_air", "fio2_percent": "21"}, "fio2_percent", "Room air"),
        ({"device": "cpap", "fio2_percent": "20"}, "fio2_percent", "expected 21 to 100"),
        ({"device": "cpap", "fio2_percent": "1.5"}, "fio2_percent", "expected 21 to 100"),
        ({"device": "nasal_cannula", "flow_l_per_min": "71"}, "flow_l_per_min", "0 to 70"),
    ],
)
def test_oxygen_is_refused(course: Course, said: dict[str, str], field: str, sentence: str) -> None:
    assert sentence in refusal(course, "oxygen", field, **said)


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (
            {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"},
            {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"},
        ),
        (
            {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.8"},
            {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.8"},
        ),
        (
            {"drug": "dopamine", "rate": "400", "unit": "ug/min", "weight_kg": "81"},
            {"drug": "dopamine", "rate": "400", "unit": "ug/min", "weight_kg": "81"},
        ),
        (
            {"drug": "epinephrine", "stopped": "yes", "unit": "ug/min"},
            {"drug": "epinephrine", "rate": "0"},
        ),
        ({"drug": "epinephrine", "rate": "0"}, {"drug": "epinephrine", "rate": "0"}),
        ({"drug": "dopamine", "dose_not_known": "yes"}, {"drug": "dopamine", "rate": None}),
        (
            {"drug": "other_vasopressor", "note": "terlipressin"},
            {"drug": "other_vasopressor", "rate": None, "note": "terlipressin"},
        ),
        (
            {"drug": "other_vasopressor", "stopped": "yes", "note": "terlipressin"},
            {"drug": "other_vasopressor", "rate": "0", "note": "terlipressin"},
        ),
    ],
)
def test_a_vasopressor(course: Course, said: dict[str, str], body: dict[str, Any]) -> None:
    assert body_of(course, "vasopressor", **said) == body


NE = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        (NE | {"drug": ""}, "drug", "Choose the drug"),
        (NE | {"rate": ""}, "rate", "Give the rate"),
        (NE | {"rate": "-1"}, "rate", "0 or more"),
        (NE | {"unit": ""}, "unit", "mcg/min, mcg/kg/min, mg/h, mL/h"),
        (NE | {"unit": "units/min"}, "unit", "Not a unit of norepinephrine"),
        (NE | {"unit": "ml/h"}, "concentration_per_ml", "How much is in one mL?"),
        (NE | {"concentration_per_ml": "16"}, "concentration_per_ml", "Only with mL/h"),
        (NE | {"rate": "301"}, "rate", "mcg/min"),
        (NE | {"rate": "5", "unit": "ug/kg/min"}, "rate", "At 80 kg this is above 300 mcg/min"),
        (NE | {"rate": "5", "unit": "ug/kg/min", "weight_kg": "61"}, "rate", "At 61 kg"),
        (NE | {"weight_kg": "0.5"}, "weight_kg", "cannot be"),
        (NE | {"stopped": "yes"}, "rate", "untick that it was stopped"),
        (NE | {"dose_not_known": "yes"}, "rate", "untick that the dose is not known"),
        (NE | {"rate": "", "stopped": "yes", "dose_not_known": "yes"}, "stopped", "cannot be"),
        ({"drug": "dopamine", "rate": "51", "unit": "ug/kg/min"}, "rate", "50 mcg/kg/min"),
        ({"drug": "other_vasopressor", "rate": "3"}, "rate", "no dose of this drug"),
        ({"drug": "other_vasopressor"}, "note", "Name the drug"),
    ],
)
def test_a_vasopressor_is_refused(
    course: Course, said: dict[str, str], field: str, sentence: str
) -> None:
    assert sentence in refusal(course, "vasopressor", field, **said)


def test_without_a_weight_a_dose_per_kg_asks_for_one(clinician: User) -> None:
    course = admit(clinician, weight_kg=None)
    said = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    assert "weight in the pump" in refusal(course, "vasopressor", "weight_kg", **said)
    body_of(course, "vasopressor", **said, weight_kg="80")
    later = timezone.now() + timedelta(minutes=3)
    chart(course, clinician, "weight", later, weight_kg="80")
    refusal(course, "vasopressor", "weight_kg", **said)
    chart(course, clinician, "weight", weight_kg="80")
    body_of(course, "vasopressor", **said)


@pytest.mark.parametrize("drug", VasopressorDrug, ids=str)
def test_every_unit_of_every_drug_can_be_charted(course: Course, drug: VasopressorDrug) -> None:
    for unit in DRUGS[drug].units:
        more = {"concentration_per_ml": "1"} if unit.value == "ml/h" else {}
        said = {"drug": drug.value, "rate": "0.01", "unit": unit.value, **more}
        assert body_of(course, "vasopressor", **said)["unit"] == unit.value


def test_fluid_and_weight(course: Course) -> None:
    assert body_of(course, "fluid_bolus", volume_ml="500") == {"volume_ml": "500"}
    assert "Give the volume" in refusal(course, "fluid_bolus", "volume_ml")
    assert "above 0" in refusal(course, "fluid_bolus", "volume_ml", volume_ml="0")
    assert body_of(course, "weight", weight_kg="71.5", attribution="other") == {"weight_kg": "71.5"}
    assert "1 to 350 kg" in refusal(course, "weight", "weight_kg", weight_kg="700")


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("vitals", {"temperature_f": "101.3"}, {"temperature": "101.3", "temperature_unit": "f"}),
        ("vitals", {"temperature_c": "38"}, {"temperature": "38", "temperature_unit": "c"}),
        ("vasopressor", {"drug": "dopamine", "rate": None}, {"dose_not_known": "yes"}),
        ("vasopressor", {"drug": "dopamine", "rate": "0"}, {"stopped": "yes", "rate": ""}),
        ("oxygen", {"device": "cpap", "fio2_percent": "40"}, {"fio2_percent": "40"}),
    ],
)
def test_a_correction_begins_with_what_was_said(
    course: Course, clinician: User, kind: str, body: dict[str, Any], shown: dict[str, str]
) -> None:
    entry = chart(course, clinician, kind, **body).entries[0]
    opened = ENTRY_FORMS[kind](course=course, now=timezone.now(), correcting=entry)
    assert {name: opened[name].value() for name in shown} == shown
    sent = {name: opened[name].value() for name in opened.fields} | {"reason": "wrong"}
    sent = {name: value for name, value in sent.items() if value not in (None, "")}
    sent["attribution_reason"] = "pain"
    again = ENTRY_FORMS[kind](sent, course=course, now=timezone.now(), correcting=entry)
    assert again.is_valid(), again.errors
    (draft,) = again.new_entries()
    assert (draft.body, draft.at, draft.replaces) == (entry.body, entry.at, entry.pk)


def test_a_correction_keeps_an_attribution_by_field(course: Course, clinician: User) -> None:
    body = {"temperature_c": "38", "heart_rate": "140", "attribution": {"heart_rate": "other"}}
    entry = chart(course, clinician, "vitals", **body).entries[0]
    opened = ENTRY_FORMS["vitals"](course=course, now=timezone.now(), correcting=entry)
    sent = {name: opened[name].value() for name in opened.fields} | {"reason": "wrong"}
    sent = {name: value for name, value in sent.items() if value not in (None, "")}
    sent["attribution_reason"] = "pain"
    again = ENTRY_FORMS["vitals"](sent, course=course, now=timezone.now(), correcting=entry)
    assert again.is_valid(), again.errors
    corrected = again.new_entries()[0].body
    assert corrected["attribution"] == {"temperature_c": "crs", "heart_rate": "other"}
    assert parse_entry(entry).attribution_by_field
    whole = sent | {"attribution_heart_rate": ""}
    form = ENTRY_FORMS["vitals"](whole, course=course, now=timezone.now(), correcting=entry)
    assert form.is_valid()
    assert "attribution" not in form.new_entries()[0].body
    assert "attribution_reason" not in form.submission_answers()


def test_an_hour_that_was_twice_is_asked_about_in_the_form(clinician: User) -> None:
    infused = utc("2026-10-20 08:00")
    course = admit(clinician, infused_at=infused)
    said = {"temperature": "38", "observed_date": "2026-10-25", "observed_time": "02:30"}
    with (
        timezone.override("Europe/Berlin"),
        mock.patch.object(timezone, "now", return_value=utc("2026-10-26 08:00")),
    ):
        form = bound(course, "vitals", **said)
        assert not form.is_valid()
        assert form.asks_which
        assert "occurred twice" in form.errors["observed_which"][0]
        later = bound(course, "vitals", **said, observed_which="later")
        assert later.is_valid()
        assert later.new_entries()[0].at == utc("2026-10-25 01:30")
        skipped = {"observed_date": "2026-03-29", "observed_time": "02:30"}
        assert "did not exist" in refusal(course, "vitals", "observed_time", **said | skipped)
        entry = chart(course, clinician, "vitals", utc("2026-10-25 01:30"), heart_rate="90")
        opened = ENTRY_FORMS["vitals"](
            course=course, now=timezone.now(), correcting=entry.entries[0]
        )
        assert opened["observed_which"].value() == "later"


def test_a_tick_does_not_reach_back_before_what_it_repeats(course: Course, clinician: User) -> None:
    chart(course, clinician, "oxygen", timezone.now(), device="room_air")
    (thing,) = read_bedside_data(course, timezone.now()).unchanged
    earlier = timezone.localtime(timezone.now() - timedelta(minutes=30))
    sent = {
        "form_id": str(uuid.uuid4()),
        "attribution": "crs",
        "temperature_unit": "c",
        "observed_date": f"{earlier:%Y-%m-%d}",
        "observed_time": f"{earlier:%H:%M}",
        thing.field_name: thing.mark,
    }
    form = ENTRY_FORMS["vitals"](
        sent, course=course, now=timezone.now(), proposed=Proposals(unchanged=[thing])
    )
    assert not form.is_valid()
    assert "charted later than this time" in form.errors[thing.field_name][0]


NONSENSE = {
    "observed_date": "2026-99-01",
    "observed_time": "9x",
    "attribution": "weather",
    "note": "n" * 1001,
    "device": "hood",
    "drug": "salt",
    "unit": "cups",
    "term": "blue",
    "grade": "9",
    "temperature_unit": "k",
    "birth_date": "then",
    "infused_date": "x",
    "sex": "q",
    "ward": "w" * 99,
}


@pytest.mark.parametrize("said", [{}, NONSENSE], ids=["nothing", "nonsense"])
def test_every_refusal_is_in_the_words_of_the_bedside(course: Course, said: dict[str, str]) -> None:
    """Nothing that the framework says by itself reaches a nurse."""
    forms = [
        form_class(said, course=course, now=timezone.now())
        for form_class in CORRECTION_FORMS.values()
    ]
    for form in [*forms, AdmissionForm(said, now=timezone.now()), RetractionForm(said)]:
        assert not form.is_valid()
        for field, sentences in form.errors.items():
            for sentence in sentences:
                assert not any(words in sentence for words in FRAMEWORK_S_OWN), (field, sentence)
