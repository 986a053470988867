"""A course of five days and 191 entries, graded up to 3, which tests of many pages import."""

from __future__ import annotations

from pathlib import Path

from crs_app.accounts.models import User
from patients.exchange.course_file import import_course
from patients.models import Course

FILE = Path(__file__).with_name("reviewed_course.json")


def import_reviewed(by: User) -> Course:
    """Imports the course, charted by ``by``."""
    return import_course(FILE.read_bytes(), [by])
