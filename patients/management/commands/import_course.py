"""Import course files."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from crs_app.accounts.models import User
from crs_app.accounts.system_users import course_file_author
from crs_app.time_limits import lift_for_long_job
from grading.course_file import CourseFileError, read_course
from grading.course_warnings import warnings_of
from grading.input_file import read_document
from grading.plain_text import disallowed_character, without_controls
from patients.exchange.course_file import import_course
from patients.models import Course


class Command(BaseCommand):
    help = "Import course files (crs-course/1 or 2), each whole or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--by", help="username of the author; default: the course file itself")
        parser.add_argument("--ward", default="Imported")
        parser.add_argument("--bed", default="")
        parser.epilog = "Faults are printed by their place; the exit status is then 1."
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter

    def handle(self, *, files: list[Path], ward: str, bed: str, **options: Any) -> None:
        lift_for_long_job()
        author = self._author(options["by"])
        _check_place(ward, bed)
        refused = 0
        for path in files:
            name = without_controls(str(path))
            try:
                with path.open("rb") as file:
                    content = read_document(file)
                course = import_course(
                    content, [author], ward=ward, bed=bed, warn=self._warning(name)
                )
            except OSError as error:
                refused += 1
                self.stderr.write(f"{name}: {error.strerror}")
            except CourseFileError as error:
                refused += 1
                self.stderr.writelines(f"{name}: {fault}" for fault in error.faults)
            except DatabaseError as error:
                refused += 1
                self.stderr.write(f"{name}: not stored ({type(error).__name__})")
            else:
                self.stdout.write(f"{name}: {course.entries.count()} entries, course {course.pk}")
                for warning in warnings_of(read_course(content)):
                    self.stdout.write(f"{name}: warning: {warning}")
        if refused:
            raise CommandError(f"{refused} of {len(files)} files refused")

    def _warning(self, name: str) -> Callable[[str], object]:
        return lambda sentence: self.stdout.write(without_controls(f"{name}: warning: {sentence}"))

    def _author(self, username: str | None) -> User:
        if username is None:
            return course_file_author()
        try:
            return User.objects.get(username=username)
        except User.DoesNotExist:
            raise CommandError(f"no user named {username}") from None


def _check_place(ward: str, bed: str) -> None:
    """Raise CommandError where ward or bed is no text that the board can show."""
    for name, text in (("ward", ward), ("bed", bed)):
        longest = getattr(Course._meta.get_field(name), "max_length", 0)
        if len(text) > longest or disallowed_character(text) is not None:
            raise CommandError(f"--{name}: expected text of at most {longest} characters")
