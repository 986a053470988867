"""Fill the chart with the demonstration patients."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.system_users import author, course_file_author
from crs_app.time_limits import lift_for_long_job
from patients.demo import ward as demo
from patients.exchange.course_file import import_course
from patients.models import Course, Move
from patients.recording.inputs import Submission
from patients.ward.transfer import TransferRequest, location_token, record_transfer

PUBLISHED: Final = Path(demo.__file__).parent
PUBLISHED_WARD: Final = "Lee 2014"


class Command(BaseCommand):
    help = "A believable ward around the present moment, and the paper's own cases, ended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="even where courses are on the chart already"
        )

    def handle(self, *, force: bool, **_options: Any) -> None:
        lift_for_long_job()
        if Course.objects.exists() and not force:
            raise CommandError("there are courses on the chart already; --force adds the ward")
        now = timezone.now().replace(second=0, microsecond=0)
        authors = demo_clinicians()
        for text, ward, bed in _ward(now):
            import_course(text, authors, ward=ward, bed=bed)
        for path in sorted(PUBLISHED.glob("*.json")):
            course = import_course(
                path.read_bytes(), [course_file_author()], ward=PUBLISHED_WARD, bed=path.stem
            )
            _end(course, course_file_author())
        self.stdout.write(f"{Course.objects.count()} courses on the chart")


def _end(course: Course, by: User) -> None:
    """End the course at its last entry."""
    end = TransferRequest(Move.ENDED, course.entries.latest("at").at, location_token(course))
    record_transfer(course, end, Submission(by=by, form_id=uuid.uuid4()))


def _ward(now: datetime) -> Iterator[tuple[str, str, str]]:
    for placed in demo.ward(now):
        yield json.dumps(placed.document, default=str), placed.ward, placed.bed


_DEMO_CLINICIANS: Final = (("Jo", "Ruiz"), ("Mina", "Osei"), ("Tomas", "Lindqvist"))


def demo_clinicians() -> list[User]:
    """Return the authors of the demonstration ward's entries; create them the first time."""
    return [author(f"demo-{last.lower()}", first, last) for first, last in _DEMO_CLINICIANS]
