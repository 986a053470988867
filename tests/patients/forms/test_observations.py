"""Forms of vital signs and oxygen: what they accept in the words of the course file, and refuse."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from grading.engine.vocabulary import VITAL_SIGNS
from patients.models import Course
from tests.patients.forms.bound_forms import body_of, bound, refusal


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
        assert "is not possible" in refusal(course, "vitals", field, **{field: impossible})


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("38,5", "decimal point"),
        ("warm", "not a number"),
        ("3e1", "not a number"),
        ("٣٨", "not in the digits 0 to 9. Type 38."),
        ("\uff13\uff18.5", "Type 38.5."),
        ("38.5 °C", "Type the number alone, "),
        ("0.04 g", "Type the number alone, "),
        ("38o", "not a number"),
        ("3l", "not a number"),
        ("1\u202f000", "Type one number, without blanks."),
        ("38.5\r\n38.6", "“38.5 38.6” is not a number"),
        ("38.5\u200b", "cannot be seen (zero width space)"),
        ("\u22121", "not a number"),
        ("-0", "0 or more"),
        ("38.5.1", "not a number"),
        ("-38", "0 or more"),
        ("38." + "1" * 80, "too many digits"),
        ("101.3", "Did you mean °F?"),
    ],
)
def test_what_is_no_temperature_is_refused(course: Course, typed: str, sentence: str) -> None:
    assert sentence in refusal(course, "vitals", "temperature", temperature=typed)


@pytest.mark.parametrize(
    ("typed", "sentence", "remedy"),
    [
        ("0,08", "Write the number with a decimal point: 0.08.", ("Use 0.08", "rate", "0.08")),
        (" 12,5 ", "Write the number with a decimal point: 12.5.", ("Use 12.5", "rate", "12.5")),
        ("1,500", "Write the number with a decimal point, like 39.1.", None),
        ("1,5,1", "Write the number with a decimal point, like 39.1.", None),
    ],
)
def test_one_tap_corrects_a_decimal_comma_that_groups_no_thousands(
    course: Course, typed: str, sentence: str, remedy: tuple[str, str, str] | None
) -> None:
    form = bound(course, "vasopressor", drug="norepinephrine", unit="ug/min", rate=typed)
    assert form.errors["rate"] == [sentence]
    assert form.remedies.get("rate") == remedy


def test_a_value_in_neither_scale_is_not_guessed(course: Course) -> None:
    fields = {"temperature": "60"}
    assert "Is it" not in refusal(course, "vitals", "temperature", **fields)
    assert "Did you mean °C?" in refusal(
        course, "vitals", "temperature", temperature="38", temperature_unit="f"
    )


def test_an_empty_set_is_refused(course: Course) -> None:
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
    fields = {"temperature": "39", "attribution": "other", "attribution_reason": "line sepsis"}
    body = body_of(course, "vitals", **fields, note=" cultures taken ")
    assert body == {"temperature_c": "39", "attribution": "other", "note": "cultures taken"}


def test_a_vital_sign_before_the_infusion_is_remarked_and_oxygen_is_refused(
    course: Course,
) -> None:
    before = timezone.localtime(course.infused_at - timedelta(hours=1))
    when = {"observed_date": f"{before:%Y-%m-%d}", "observed_time": f"{before:%H:%M}"}
    form = bound(course, "vitals", temperature="37", **when)
    assert form.is_valid()
    assert "never graded" in form.remarks[0]
    assert "Enter a time after it; if it was still running, enter it again" in refusal(
        course, "oxygen", "observed_time", device="room_air", **when
    )


@pytest.mark.parametrize(
    ("fields", "body"),
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
def test_oxygen_is_charted_as_typed(
    course: Course, fields: dict[str, str], body: dict[str, str]
) -> None:
    assert body_of(course, "oxygen", **fields) == body


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
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
def test_impossible_oxygen_is_refused_at_its_field(
    course: Course, fields: dict[str, str], field: str, sentence: str
) -> None:
    assert sentence in refusal(course, "oxygen", field, **fields)
