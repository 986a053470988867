"""`manage.py regrade`: a new version of the rules changes the history of some courses, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.vocabulary import Attribution
from grading.service import regrade
from grading.systems import HEADLINE
from patients.models import ActSource, Course, GradeCheckpoint
from patients.queries.grades import periods_known_at, periods_known_now
from patients.recording.verify import differences
from tests.factories import admit, chart


def _ignoring_attribution(facts: Any, entries: Any, **options: Any) -> Any:
    """An earlier rule: what is due to another cause counts too."""
    return regrade(facts, [replace(e, attribution=Attribution.CRS) for e in entries], **options)


@contextmanager
def the_version_before() -> Iterator[None]:
    before = replace(HEADLINE, version="before")
    with (
        mock.patch("patients.recording.record.HEADLINE", before),
        mock.patch("patients.recording.regrade.HEADLINE", before),
        mock.patch("patients.recording.regrade.regrade", _ignoring_attribution),
    ):
        yield


def _ago(hours: int) -> datetime:
    return timezone.now() - timedelta(hours=hours)


@pytest.fixture
def differing(clinician: User) -> Course:
    """Graded 1 by the version before, for a fever that is due to another cause."""
    with the_version_before():
        course = admit(clinician)
        chart(course, clinician, "vitals", _ago(5), temperature_c="39.1", attribution="other")
    return course


@pytest.fixture
def agreeing(clinician: User) -> Course:
    with the_version_before():
        course = admit(clinician)
        chart(course, clinician, "vitals", _ago(5), temperature_c="39.1")
    return course


def _grades(course: Course) -> list[int]:
    return [period.grade for period in periods_known_now(course, HEADLINE)]


def _regrade() -> str:
    out = StringIO()
    call_command("regrade", stdout=out)
    return out.getvalue().strip()


def test_only_a_course_that_differs_is_regraded_as_one_act(
    differing: Course, agreeing: Course
) -> None:
    acts = agreeing.acts.count()
    assert differences(differing)
    assert _regrade() == "2 courses checked, 1 regraded"
    assert (_grades(differing), _grades(agreeing)) == ([0], [0, 1])
    assert agreeing.acts.count() == acts
    act = differing.acts.latest("recorded_at")
    assert (act.source, act.entries.count()) == (ActSource.RULESET, 0)
    assert act.answers == {"reason": f"Lee 2014: version {HEADLINE.version} of the rules"}
    assert differences(differing) == differences(agreeing) == []


def test_the_earlier_answer_stays_as_known_before(differing: Course) -> None:
    before = timezone.now()
    _regrade()
    assert [p.grade for p in periods_known_at(differing, HEADLINE, before)] == [0, 1]


def test_a_second_run_changes_nothing(differing: Course) -> None:
    _regrade()
    assert _regrade() == "1 courses checked, 0 regraded"


def test_a_course_that_agrees_can_be_resumed_from_checkpoints_of_the_new_version(
    clinician: User,
) -> None:
    """Its history stays; a page of it does not have to grade it from the start."""
    with the_version_before():
        course = admit(clinician)
        for hours in range(30, 4, -1):
            chart(course, clinician, "vitals", _ago(hours), temperature_c="39.1")
    rows = [period.pk for period in periods_known_now(course, HEADLINE)]
    assert _regrade() == "1 courses checked, 0 regraded"
    checkpoints = GradeCheckpoint.objects.filter(course=course)
    assert set(checkpoints.values_list("ruleset_version", flat=True)) == {HEADLINE.version}
    assert [period.pk for period in periods_known_now(course, HEADLINE)] == rows
    assert differences(course) == []


def test_checkpoints_of_the_version_before_are_never_resumed_at(clinician: User) -> None:
    with the_version_before():
        course = admit(clinician)
        for hours in range(30, 4, -1):
            chart(
                course, clinician, "vitals", _ago(hours), temperature_c="39.1", attribution="other"
            )
    assert GradeCheckpoint.objects.filter(course=course, ruleset_version="before").exists()
    chart(course, clinician, "vitals", _ago(1), heart_rate="90")
    assert _grades(course) == [0]
    assert differences(course) == []


def test_a_save_keeps_the_rows_of_the_version_before_that_mean_the_same(
    agreeing: Course, clinician: User
) -> None:
    rows = [period.pk for period in periods_known_now(agreeing, HEADLINE)]
    chart(agreeing, clinician, "vitals", _ago(1), heart_rate="90")
    assert [period.pk for period in periods_known_now(agreeing, HEADLINE)] == rows
