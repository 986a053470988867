"""Local times around a change of clocks: one instant, a question, or a refusal."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.test import override_settings
from django.utils import timezone

from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.forms.times import EARLIER, LATER, LocalTimeError, parse_local_time
from patients.models import Course
from patients.policy.forms import PolicyForm
from patients.ward.forms import AdmissionForm, TransferForm

FIVE_MINUTES = timedelta(minutes=5)
NOW = datetime(2026, 11, 2, 12, 0, 30, tzinfo=UTC)
BACK = date(2026, 10, 25)
FORWARD = date(2026, 3, 29)


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    with override_settings(TIME_ZONE="Europe/Berlin"):
        yield


def read(day: date | None, at: time | None, which: str = "", now: datetime = NOW) -> datetime:
    return parse_local_time(day, at, which, now=now, ahead=FIVE_MINUTES)


def test_nothing_typed_is_now_to_the_minute() -> None:
    assert read(None, None) == datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def test_a_time_alone_is_today() -> None:
    assert read(None, time(12, 58)) == datetime(2026, 11, 2, 11, 58, tzinfo=UTC)


def test_today_is_the_sites_day() -> None:
    just_after_midnight = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert read(None, time(0, 15), now=just_after_midnight) == datetime(
        2026, 7, 1, 22, 15, tzinfo=UTC
    )


def test_a_date_without_a_time_is_refused() -> None:
    with pytest.raises(LocalTimeError, match="time of day"):
        read(BACK, None)


def test_five_minutes_ahead_is_the_limit() -> None:
    assert read(None, time(13, 5)) == datetime(2026, 11, 2, 12, 5, tzinfo=UTC)
    with pytest.raises(LocalTimeError, match=r"13:06 today is 5 min ahead of the clock \(13:00\)"):
        read(None, time(13, 6))
    with pytest.raises(LocalTimeError, match=r"3 Nov 2026 is 24 h ahead"):
        read(date(2026, 11, 3), time(13, 30))


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_an_hour_that_never_was_is_refused(minute: int) -> None:
    with pytest.raises(LocalTimeError, match="did not exist here") as refused:
        read(FORWARD, time(2, minute))
    assert not refused.value.asks_which


def test_around_the_hour_that_never_was() -> None:
    assert read(FORWARD, time(1, 59)) == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert read(FORWARD, time(3, 0)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_was_twice_is_asked_about() -> None:
    with pytest.raises(LocalTimeError, match="occurred twice on 25 Oct 2026") as asked:
        read(BACK, time(2, 30))
    assert asked.value.asks_which
    assert read(BACK, time(2, 30), EARLIER) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read(BACK, time(2, 30), LATER) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_only_one_of_the_two_has_been() -> None:
    between = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    assert read(BACK, time(2, 30), now=between) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def in_other_digits(written: str) -> list[str]:
    """The same in full-width and in Arabic digits."""
    return [
        written.translate({ord("0") + n: zero + n for n in range(10)}) for zero in (0xFF10, 0x660)
    ]


OTHER_FORMS_OF_A_DATE = (
    "11/28/2026", "28/11/2026", "28.11.2026", "28 Nov 2026", "Nov 28 2026", "November 28, 2026",
    "26-11-28", "2026-3-9", "20261128", "2026/11/28", "2026-11-28T10:00", "0000-00-00",
    *in_other_digits("2026-11-28"),
)  # fmt: skip
OTHER_FORMS_OF_A_TIME = (
    "1:05 pm", "1:05pm", "13.05", "1305", "13h05", "13:5", "25:00", *in_other_digits("13:05"),
)  # fmt: skip


def fields_of_dates_and_times() -> list[tuple[str, forms.Field]]:
    """Each field of a date or a time, of every form of the chart."""
    classes = [
        *CORRECTION_FORMS.values(),
        AdmissionForm,
        PolicyForm,
        *TransferForm.__subclasses__(),
    ]
    return [
        (f"{form.__name__}.{name}", field)
        for form in classes
        for name, field in form.base_fields.items()
        if isinstance(field, forms.DateField | forms.TimeField | forms.DateTimeField)
    ]


def test_every_date_has_one_form() -> None:
    for name, field in fields_of_dates_and_times():
        if isinstance(field, forms.TimeField):
            continue
        assert field.clean("2026-11-28") == date(2026, 11, 28), name
        for typed in OTHER_FORMS_OF_A_DATE:
            with pytest.raises(ValidationError, match="28 Nov 2026 is written 2026-11-28"):
                field.clean(typed)
        with pytest.raises(ValidationError, match="no such day"):
            field.clean("2026-02-30")


def test_every_time_of_day_is_on_the_24_hour_clock() -> None:
    for name, field in fields_of_dates_and_times():
        if not isinstance(field, forms.TimeField):
            continue
        assert field.clean("13:05") == time(13, 5), name
        assert field.clean("9:05") == time(9, 5), name
        for typed in OTHER_FORMS_OF_A_TIME:
            with pytest.raises(ValidationError, match="24-hour clock, like 13:05"):
                field.clean(typed)


def test_a_field_of_django_has_the_same_forms() -> None:
    """What a later form declares without thinking of it."""
    for typed in ("11/28/2026", "28 Nov 2026"):
        for field in (forms.DateField(), forms.DateTimeField()):
            with pytest.raises(ValidationError):
                field.clean(typed)


@pytest.mark.parametrize(
    ("typed", "remedies"),
    [
        ({"observed_time": "23:30"}, {"observed_time": ("Use 2 Nov 23:30", "2100-11-02")}),
        ({"observed_time": "23:30", "observed_date": "2100-11-03"}, {}),
        ({"observed_time": "03:00"}, {}),
    ],
)
def test_one_tap_dates_a_time_from_before_midnight(
    course: Course, typed: dict[str, str], remedies: dict[str, tuple[str, str]]
) -> None:
    """At a quarter to one, 23:30 is of the evening before."""
    now = datetime(2100, 11, 3, 0, 45, tzinfo=timezone.get_default_timezone())
    sent = typed | {"form_id": str(uuid.uuid4()), "attribution": "crs", "heart_rate": "90"}
    form = ENTRY_FORMS["vitals"](sent, course=course, now=now)
    assert form.errors
    found = {name: (one.label, one.value) for name, one in form.remedies.items()}
    assert found == remedies
    assert {one.name for one in form.remedies.values()} <= {"observed_date"}
