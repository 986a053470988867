"""Hard limits of doses hold with whatever weight converts them, in a file as in a form."""

import json
from decimal import Decimal
from typing import Any

import pytest

from grading.course_file import CourseFileError, read_course
from grading.engine.dose_limits import converted_rates, newly_impossible
from tests.grading.random_courses import Raw
from tests.grading.test_course_file import course, refused

RATE: Raw = {"kind": "vasopressor", "drug": "norepinephrine", "rate": 4, "unit": "ug/kg/min"}


def weight(kg: Any, hour: int, **fields: Any) -> Raw:
    return {
        "kind": "weight",
        "weight_kg": kg,
        "at": f"2014-01-05T{hour:02}:00:00+00:00",
        **fields,
    }


@pytest.mark.parametrize(
    ("entries", "changes"),
    [
        ([RATE], {"weight_kg": 76}),
        ([RATE | {"weight_kg": 76}], {}),
        ([RATE, weight(76, 9)], {}),
        ([RATE, weight(76, 10)], {}),
        ([RATE, weight(76, 11)], {}),
        ([RATE, weight(70, 8), weight(76, 9)], {}),
        ([RATE, weight(76, 9)], {"weight_kg": 70}),
        ([RATE, weight(70, 9, id="w"), weight(76, 9, replaces="w")], {}),
        ([RATE | {"id": "r"}, RATE | {"rate": 1, "replaces": "r"}], {"weight_kg": 76}),
        ([RATE | {"drug": "dopamine", "rate": 500, "unit": "ug/min"}], {"weight_kg": 9}),
        ([RATE | {"unit": "ug/min", "rate": 301}], {}),
    ],
    ids=str,
)
def test_a_rate_beyond_its_limit_is_refused_at_its_place(
    entries: list[Raw], changes: dict[str, Any]
) -> None:
    assert [fault.place for fault in refused(course(*entries, **changes))] == ["entries[0].rate"]


@pytest.mark.parametrize(
    ("entries", "changes"),
    [
        ([RATE], {"weight_kg": 75}),
        ([RATE], {}),
        ([RATE, weight(70, 9), weight(90, 11)], {}),
        ([RATE, weight(90, 9)], {"weight_kg": 70, "retracted": True}),
        ([RATE, RATE | {"rate": 1, "at": "2014-01-05T11:00:00+00:00"}, weight(90, 12)], {}),
        ([RATE | {"weight_kg": 70}], {"weight_kg": 90}),
        ([RATE | {"at": "2013-12-31T10:00:00+00:00"}, weight(90, 11)], {}),
    ],
    ids=str,
)
def test_a_rate_is_read_with_the_weight_that_converts_it_alone(
    entries: list[Raw], changes: dict[str, Any]
) -> None:
    if changes.pop("retracted", False):
        entries[1]["id"] = "w"
        entries.append({"kind": "retraction", "replaces": "w"})
    assert read_course(json.dumps(course(*entries, **changes)))


def test_the_weight_that_converts_it_is_named() -> None:
    with pytest.raises(CourseFileError, match="at 76 kg this is above 300 mcg/min"):
        read_course(json.dumps(course(RATE, weight_kg=76)))


@pytest.mark.parametrize(("before", "after", "ids"), [(70, 76, ["r"]), (76, 76, []), (70, 75, [])])
def test_a_new_weight_names_the_rates_that_only_it_brings_beyond_their_limit(
    before: int, after: int, ids: list[str]
) -> None:
    read = read_course(course(RATE | {"id": "r"}))
    by_weight = [
        list(converted_rates(read.entries, read.facts.infused_at, Decimal(kg)))
        for kg in (before, after)
    ]
    assert [rate.entry.id for rate in newly_impossible(*by_weight)] == ids
