"""`manage.py demo_ward`: charted like a ward, and readable on every page."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from patients.bedside.timeline import TimelineView, timeline_of
from patients.models import Course
from patients.queries.courses import read_course
from patients.ward.board import open_board_rows
from tests.patients.display.test_grade_card import card_of

pytestmark = pytest.mark.django_db


def test_the_demonstration_ward_reads_well() -> None:
    call_command("demo_ward", stdout=StringIO())
    now = timezone.now()
    rows = open_board_rows(now)
    assert [row.grade for row in rows] == sorted((row.grade for row in rows), reverse=True)
    kinds = set()
    for row in rows:
        course = read_course(row.course_id)
        card = card_of(course, now)
        assert (card.grade, card.at_most, card.maximum) == (row.grade, row.at_most, row.maximum)
        coming = [change.at for change in card.upcoming]
        assert coming[:1] == ([] if row.next_change is None else [row.next_change.at])
        for line in card.criteria:
            assert line.text
            assert line.author
            assert line.citation
        timeline = timeline_of(course.pk, now, can_correct=True)
        assert all(line.text for line in timeline.rows)
        kinds |= {line.kind for line in timeline.rows}
        changes = timeline_of(course.pk, now, TimelineView(kind="grade_change")).rows
        kinds |= {line.kind for line in changes}
        assert max([line.icon_grade for line in changes], default=0) == card.maximum
    assert {"vitals", "oxygen", "vasopressor", "lab", "grade_change"} <= kinds


def test_the_demonstration_ward_is_charted_and_agrees(db: None) -> None:
    call_command("demo_ward", stdout=StringIO())
    assert Course.objects.filter(ended_at=None).count() == 8
    assert Course.objects.exclude(ended_at=None).count() >= 3
    out = StringIO()
    call_command("verify_grades", stdout=out)
    assert "agree" in out.getvalue()
    with pytest.raises(CommandError, match="--force"):
        call_command("demo_ward")
