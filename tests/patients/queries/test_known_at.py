"""A course read as it was known at an instant is that of the course file at that time."""

import json
from datetime import datetime
from random import Random
from typing import Any

import pytest

from crs_app.accounts.models import User
from grading.course_file import read_course
from grading.engine.entries import Entry, in_force
from grading.engine.facts import Baseline
from grading.service import status_at
from grading.systems import HEADLINE
from patients.exchange.course_file import import_course
from patients.queries.known_at import read_known_at
from tests.grading.random_courses import instants, random_course

pytestmark = pytest.mark.django_db

NOT_IN_A_FILE = {"weight", "baseline", "risk"}
"""Kinds that an import charts from the head of the file, too."""


def charted(entries: Any) -> list[tuple[str, datetime]]:
    return sorted((e.kind, e.at) for e in entries if e.kind not in NOT_IN_A_FILE)


def test_entries_and_status_are_those_of_the_file(nurse: User) -> None:
    rng, compared = Random(20261129), 0  # noqa: S311
    for number in range(30):
        raw = random_course(rng)
        raw["patient"] |= {"mrn": f"K{number}", "name": "Known, Karin"}
        raw["therapy"]["product"] = "CAR-T"
        course = import_course(json.dumps(raw), [nurse])
        document = read_course(json.dumps(raw))
        for _ in range(6):
            known_at, at = (datetime.fromisoformat(rng.choice(instants(raw))) for _ in range(2))
            known: list[Entry] = in_force(e for e in document.entries if e.recorded_at <= known_at)
            found = read_known_at(course, HEADLINE, known_at)
            assert charted(found.rows) == charted(known)
            if not found.rows or document.facts.baseline != Baseline():
                continue
            _, expected = status_at(document.facts, known, at)
            _, status = status_at(found.facts, found.entries, at)
            assert (status.grade, status.at_most) == (expected.grade, expected.at_most)
            compared += 1
    assert compared > 30
