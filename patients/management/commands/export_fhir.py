"""Export a course as a FHIR document."""

import uuid
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from crs_app.time_limits import lift_for_long_job
from patients.exchange.fhir_export import fhir_bundle
from patients.models import Course
from patients.queries.courses import now_for, read_course
from patients.queries.export import read_latest_known


class Command(BaseCommand):
    help = "Write a course as a FHIR R4 Bundle to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", type=uuid.UUID, metavar="COURSE", help="id of the course")
        parser.add_argument(
            "--known-at",
            type=_instant,
            metavar="T",
            help="as it was known then, with its offset; default: now",
        )
        parser.add_argument(
            "--current", action="store_true", help="leave out what was replaced or retracted"
        )
        parser.add_argument("--mrn-system", default="", metavar="URI")

    def handle(
        self, *, course: uuid.UUID, known_at: datetime | None, current: bool, **options: Any
    ) -> None:
        lift_for_long_job()
        try:
            found = read_course(course)
        except Course.DoesNotExist:
            raise CommandError(f"no course has the id {course}") from None
        now = max(read_latest_known(), now_for(found))
        if known_at is not None and known_at > now:
            raise CommandError("--known-at lies in the future")
        if known_at is not None and known_at < found.admitted_at:
            raise CommandError("--known-at: the course was not on the chart yet")
        text = fhir_bundle(
            found, known_at or now, current=current, mrn_system=options["mrn_system"]
        )
        record_event(
            EventKind.EXPORT,
            by=None,
            course_id=found.pk,
            details={"page": "course as FHIR, by the command line"},
        )
        self.stdout.write(text)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("expected an instant with its offset")
    return at
