"""The database keeps the numbers of what other scales ask within their hard limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crs_app.accounts.models import User
from grading.engine.entries import KINDS
from patients.models import ChartingAct, Course, Entry, EntryKind
from tests.factories import ago

Body = Mapping[str, Any]


def insert(course: Course, by: User, kind: str, body: Body) -> None:
    """Insert an entry past the readers, which would refuse it first."""
    act = ChartingAct.objects.get(course=course)
    Entry.objects.create(
        course=course,
        kind=kind,
        at=ago(5),
        recorded_at=ago(),
        recorded_by=by,
        act=act,
        place=9,
        body=body,
    )


def test_the_database_has_every_kind_of_the_course_file() -> None:
    assert set(EntryKind.values) == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("ice", {"score": 10}),
        ("ice", {"orientation": "4", "naming": "3", "commands": 1, "writing": 0, "attention": 1}),
        ("ice", {"performed": False, "reason": "sedated"}),
        ("capd", {"score": "32"}),
        ("capd", {"performed": False}),
        ("seizure", {"seizure_type": "focal", "duration_minutes": "1440"}),
        ("seizure", {"seizure_type": "focal", "duration_minutes": "0.5"}),
        ("consciousness", {"level": "alert"}),
        ("neuro_sign", {"sign": "posturing", "present": True}),
        ("admission", {"setting": "icu"}),
        ("blood_product", {"product": "platelets"}),
    ],
)
def test_every_possible_number_is_stored(
    course: Course, nurse: User, kind: str, body: Body
) -> None:
    insert(course, nurse, kind, body)
    assert Entry.objects.get(kind=kind).body == body


@pytest.mark.parametrize(
    ("kind", "body", "constraint"),
    [
        ("ice", {"score": 11}, "entry_ice_points"),
        ("ice", {"score": "-1"}, "entry_ice_points"),
        ("ice", {"score": "9.5"}, "entry_ice_points"),
        ("ice", {"orientation": 5}, "entry_ice_points"),
        ("ice", {"orientation": 4, "naming": 4}, "entry_ice_points"),
        ("ice", {"commands": 2}, "entry_ice_points"),
        ("ice", {"writing": 2}, "entry_ice_points"),
        ("ice", {"attention": "2"}, "entry_ice_points"),
        ("capd", {"score": "33"}, "entry_capd_points"),
        ("capd", {"score": 0.5}, "entry_capd_points"),
        ("seizure", {"duration_minutes": "1440.1"}, "entry_seizure_minutes"),
        ("seizure", {"duration_minutes": -1}, "entry_seizure_minutes"),
        ("mood", {}, "entry_kind_known_word"),
    ],
)
def test_an_impossible_number_is_not_stored(
    course: Course, nurse: User, kind: str, body: Body, constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        insert(course, nurse, kind, body)
