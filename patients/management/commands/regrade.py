"""Regrade the courses whose history a new version of the grading rules changes."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import BaseCommand

from crs_app.accounts.system_users import grading_rules_author
from crs_app.time_limits import lift_for_long_job
from grading.systems import HEADLINE
from patients.models import ActSource, Course
from patients.recording.inputs import Submission
from patients.recording.record import regrade_under_new_version


class Command(BaseCommand):
    help = (
        "After an upgrade that changes the grading rules: regrade every course whose history "
        "differs, as one act with that reason. The earlier answer stays as known before."
    )

    def handle(self, **_options: Any) -> None:
        lift_for_long_job()
        by, reason = (
            grading_rules_author(),
            f"{HEADLINE.name}: version {HEADLINE.version} of the rules",
        )
        courses = Course.objects.select_related("patient", "policy").order_by("pk")
        checked = regraded = 0
        for course in courses.iterator(chunk_size=100):
            checked += 1
            submission = Submission(
                by=by, form_id=uuid.uuid4(), answers={"reason": reason}, source=ActSource.RULESET
            )
            regraded += regrade_under_new_version(course, submission)
        self.stdout.write(f"{checked} courses checked, {regraded} regraded")
