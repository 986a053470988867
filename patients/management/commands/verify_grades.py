"""Compare the stored grades of every course with a recomputation from its entries."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crs_app.time_limits import lift_for_long_job
from patients.models import Course
from patients.recording.verify import differences


class Command(BaseCommand):
    help = "Recompute every course from its entries and compare with what is stored."

    def handle(self, **_options: Any) -> None:
        lift_for_long_job()
        courses = Course.objects.select_related("patient", "policy").order_by("pk")
        checked = differing = 0
        for course in courses.iterator(chunk_size=100):
            checked += 1
            faults = differences(course)
            differing += bool(faults)
            for fault in faults:
                self.stderr.write(f"course {course.pk}: {fault}")
        if differing:
            raise CommandError(f"{differing} of {checked} courses differ from their entries")
        self.stdout.write(f"{checked} courses agree with their entries")
