"""Facts of a course as grading receives them from stored rows."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from crs_app.accounts.models import User
from patients.queries.courses import read_course
from tests.factories import admit, chart

TEN_HOURS_EAST = ZoneInfo("Australia/Brisbane")


def test_age_counts_by_the_calendar_of_the_infusion(clinician: User) -> None:
    """The tenth birthday in the offset of the infusion moves the floor from 88 to 90."""
    infused = datetime(2026, 3, 1, 2, 0, tzinfo=TEN_HOURS_EAST)
    for born, grade in ((date(2016, 3, 1), 2), (date(2016, 3, 2), 0)):
        course = admit(clinician, birth_date=born, infused_at=infused)
        recorded = chart(read_course(course.pk), clinician, "vitals", systolic_mmhg="89")
        assert recorded.status.grade == grade
