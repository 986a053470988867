"""Import course files."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.accounts.models import User
from crs_app.accounts.system_users import course_file_author
from grading.course_file import CourseFileError
from patients.exchange.course_file import import_course


class Command(BaseCommand):
    help = "Import course files (crs-course/1), each whole or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--by", help="username of the author; default: the course file itself")
        parser.add_argument("--ward", default="Imported")
        parser.add_argument("--bed", default="")
        parser.epilog = "Faults are printed by their place; the exit status is then 1."
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter

    def handle(self, *, files: list[Path], ward: str, bed: str, **options: Any) -> None:
        author = self._author(options["by"])
        refused = 0
        for path in files:
            try:
                course = import_course(
                    path.read_bytes(), [author], ward=ward, bed=bed, warn=self._warning(path)
                )
            except OSError as error:
                refused += 1
                self.stderr.write(f"{path}: {error.strerror}")
            except CourseFileError as error:
                refused += 1
                self.stderr.writelines(f"{path}: {fault}" for fault in error.faults)
            else:
                self.stdout.write(f"{path}: {course.entries.count()} entries, course {course.pk}")
        if refused:
            raise CommandError(f"{refused} of {len(files)} files refused")

    def _warning(self, path: Path) -> Callable[[str], object]:
        return lambda sentence: self.stderr.write(f"{path}: warning: {sentence}")

    def _author(self, username: str | None) -> User:
        if username is None:
            return course_file_author()
        try:
            return User.objects.get(username=username)
        except User.DoesNotExist:
            raise CommandError(f"no user named {username}") from None
