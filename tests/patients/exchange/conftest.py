"""The health record that launches, with the nurse as its person; the time of a document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from patients.exchange.smart.issuers import name_identity
from patients.models import Course
from tests.factories import ago
from tests.health_record import MRN_SYSTEM, FakeRecord, running_record
from tests.patients.exchange.launching import SUBJECT, register


@pytest.fixture(scope="session")
def running() -> Iterator[FakeRecord]:
    with running_record() as record:
        yield record


@pytest.fixture
def record(
    running: FakeRecord, course: Course, nurse: User, administrator: User,
    monkeypatch: pytest.MonkeyPatch,
) -> FakeRecord:  # fmt: skip
    """A registered record with the patient of ``course`` open; its person is the nurse."""
    monkeypatch.setitem(os.environ, "NO_PROXY", "127.0.0.1")
    fresh = FakeRecord(running.issuer)
    running.__dict__.update(fresh.__dict__)
    running.patient = {"identifier": [{"system": MRN_SYSTEM, "value": course.patient.mrn}]}
    register(running, administrator)
    name_identity(running.iss, SUBJECT, nurse, administrator, timezone.now())
    return running


@pytest.fixture
def at() -> datetime:
    """A whole minute of twenty minutes ago."""
    return ago(minutes=20).replace(second=0, microsecond=0)
