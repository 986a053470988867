"""The row that a late one is placed above, beside the page that shows them all."""

import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crs_app.accounts.models import Role, User
from grading.engine.algorithm import Reply
from grading.systems import HEADLINE
from patients.bedside.timeline import row_below, timeline_of
from patients.models import (
    Course,
    GradeReview,
    GuidanceAnswer,
    IdentityCorrection,
    Transfer,
)
from patients.queries.timeline import TimelinePosition, position_of
from patients.recording.record import retract_entry
from tests.factories import ago, chart, correct, sending

pytestmark = pytest.mark.django_db
_LAST = datetime.max.replace(tzinfo=UTC)


def rows_of_other_kinds(course: Course, by: User, first: datetime) -> None:
    """An answer, a move, a review and a correction of the identity, an hour apart."""
    answered, moved, reviewed, corrected = (first + timedelta(hours=n) for n in range(4))
    author = {"recorded_by": by}
    act = chart(course, by, "note", first - timedelta(hours=1), note="asleep").act
    GuidanceAnswer.objects.create(
        course=course, act=act, code="support.vigilant", summary="Supportive care", grade=1,
        at_most=1, ruleset_version="1", reply=Reply.DONE, recorded_at=answered, **author,
    )  # fmt: skip
    Transfer.objects.create(
        course=course, form_id=uuid.uuid4(), what="moved", from_ward="7A", to_ward="7A",
        from_bed="1", to_bed="2", at=moved, recorded_at=moved, **author,
    )  # fmt: skip
    GradeReview.objects.create(
        course=course, form_id=uuid.uuid4(), system=HEADLINE.key, start=first, end=reviewed,
        computed_grade=1, stated_grade=1, known_at=reviewed, entry_number=1, ruleset_version="1",
        recorded_at=reviewed, author_name="R. Okafor", author_role=Role.ICU_REVIEWER, **author,
    )  # fmt: skip
    IdentityCorrection.objects.create(
        form_id=uuid.uuid4(), patient=course.patient, fact="name", before={"name": "WEBER"},
        after={"name": "WEBER, Luca"}, reason="misspelt", recorded_at=corrected, **author,
    )  # fmt: skip


def test_the_row_below_is_the_one_that_the_page_has_there(course: Course, clinician: User) -> None:
    first = ago(hours=9).replace(second=0, microsecond=0)
    temperatures = ("36.8", "38.6", "38.7", "37.0", "38.2", "38.4", "36.9")
    for number, value in enumerate(temperatures):
        at = first + timedelta(minutes=30 + 60 * number)
        chart(course, clinician, "vitals", at, temperature_c=value)
    rows_of_other_kinds(course, clinician, first + timedelta(hours=2))
    wrong, retracted = course.entries.filter(kind="vitals").order_by("at")[1:3]
    correct(wrong, wrong.at, {"temperature_c": "38.9"}, sending(clinician))
    retract_entry(retracted, sending(clinician, answers={"reason": "typo"}))
    now = ago()
    rows = timeline_of(course.pk, now).rows
    kinds = {row.kind for row in rows}
    assert kinds >= {"vitals", "grade_change", "guidance", "transfer", "review", "identity"}
    ends = {"": len(rows)} | {
        str(row.entry_id): n for n, row in enumerate(rows) if row.entry_id is not None
    }
    for place, (above, below) in enumerate(pairwise(rows), 1):
        position = TimelinePosition(above.at, _LAST, 0)
        if above.entry_id is not None:
            position = position_of(course.pk, above.entry_id) or position
        for until, end in ends.items():
            found = row_below(course.pk, now, position, until)
            assert found == (below.key, place <= end)
    lowest = position_of(course.pk, rows[-1].entry_id or uuid.uuid4())
    assert lowest is not None
    assert row_below(course.pk, now, lowest) is None
