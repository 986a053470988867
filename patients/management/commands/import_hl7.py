"""Import files of HL7 v2 messages."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.time_limits import lift_for_long_job
from grading.plain_text import without_controls
from patients.exchange.formats.hl7_message import split_messages
from patients.exchange.formats.hl7_tables import AnswerCode
from patients.exchange.hl7_receive import receive_frame
from patients.models import ExternalSystem


class Command(BaseCommand):
    help = "Import HL7 v2 messages as of one system; a message that came before changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--system", required=True, metavar="NAME", help="who sent them")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.epilog = (
            "A file holds messages in MLLP frames or one after another, with any line ends. "
            "The exit status is 1 where one was not accepted."
        )

    def handle(self, *, system: str, files: list[Path], **options: Any) -> None:
        lift_for_long_job()
        found = ExternalSystem.objects.filter(name=system).select_related("user").first()
        if found is None:
            raise CommandError(f"no system has the name {system!r}")
        refused = sum(self._import(found, path) for path in files)
        if refused:
            raise CommandError(f"{refused} not accepted")

    def _import(self, system: ExternalSystem, path: Path) -> int:
        """Import one file; return how much of it was not accepted."""
        name = without_controls(str(path))
        try:
            frames, ignored = split_messages(path.read_bytes())
        except OSError as error:
            self.stderr.write(f"{name}: {error.strerror}")
            return 1
        if ignored:
            self.stderr.write(f"{name}: {ignored} bytes are part of no message")
        refused = 0
        for number, frame in enumerate(frames, 1):
            answered = receive_frame(system, frame)
            is_refused = answered.code is not AnswerCode.ACCEPTED
            refused += is_refused
            words = f"{name}: message {number}: {answered.code.value}: {answered.summary}"
            (self.stderr if is_refused else self.stdout).write(words)
        return refused + (not frames)
