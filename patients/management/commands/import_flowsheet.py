"""Import the flowsheets of a data warehouse."""

import io
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.time_limits import lift_for_long_job
from grading.course_file import CourseFileError
from grading.input_file import opened
from grading.plain_text import without_controls
from patients.exchange.file import receive
from patients.exchange.flowsheet_message import FlowsheetMessage, flowsheet_messages
from patients.exchange.formats.flowsheet_bags import Overlap
from patients.exchange.formats.flowsheet_map import FlowsheetMap, preset_maps, read_maps
from patients.exchange.formats.mimic_iv import PRESET
from patients.exchange.formats.received import RefusedDocumentError
from patients.models import ExternalSystem, InboundMessage, Verdict


class Command(BaseCommand):
    help = "Import flowsheets in CSV as of one system: the rows of each patient are one message."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--system", required=True, metavar="NAME", help="whose table it is")
        parser.add_argument(
            "--map", required=True, metavar="MAP.json", help=f"what the items are, or {PRESET}"
        )
        parser.add_argument(
            "--overlap",
            choices=[one.value for one in Overlap],
            default=Overlap.REFUSE.value,
            help="what bags of one drug that overlap mean (default: refuse them)",
        )
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.epilog = (
            "The exit status is 0 where all was charted, 1 where something is held for people, "
            "2 where the rows of a patient, or a file, were refused."
        )

    def handle(self, *, system: str, files: list[str], **options: Any) -> None:
        lift_for_long_job()
        found = ExternalSystem.objects.filter(name=system, is_active=True).select_related("user")
        sender = found.first()
        if sender is None:
            raise CommandError(f"no active system has the name {system!r}", returncode=2)
        maps = self._maps(options["map"])
        messages = [
            message for name in files for message in self._read(name, maps, options["overlap"])
        ]
        received = [self._import(sender, message) for message in messages]
        refused = sum(one.verdict != Verdict.ACCEPTED for one in received)
        if refused:
            words = f"the rows of {refused} of {len(messages)} patients refused"
            raise CommandError(words, returncode=2)
        held = sum(one.held for one in received)
        if held:
            raise CommandError(f"{held} held for people to decide about", returncode=1)

    def _maps(self, name: str) -> list[FlowsheetMap]:
        try:
            return preset_maps() if name == PRESET else read_maps(Path(name).read_bytes())
        except CourseFileError as error:
            raise CommandError("\n".join(map(str, error.faults)), returncode=2) from None
        except OSError as error:
            words = without_controls(f"{name}: {error.strerror}")
            raise CommandError(words, returncode=2) from None

    def _read(self, name: str, maps: list[FlowsheetMap], overlap: str) -> list[FlowsheetMessage]:
        """Return the messages of one file; nothing is imported where one cannot be read."""
        try:
            with opened(name) as file:
                lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
                return flowsheet_messages(lines, maps, Overlap(overlap))
        except RefusedDocumentError as error:
            words = without_controls(f"{name}: {error.place}: {error.words}")
        except OSError as error:
            words = without_controls(f"{name}: {error.strerror}")
        raise CommandError(words, returncode=2)

    def _import(self, system: ExternalSystem, incoming: FlowsheetMessage) -> InboundMessage:
        receipt = receive(system, incoming)
        message, patient = receipt.message, without_controls(incoming.patient)
        if message.verdict != Verdict.ACCEPTED:
            self.stderr.write(without_controls(f"{patient}: {receipt.answer['words']}"))
            return message
        before = "came before, nothing is new: " if receipt.is_replay else ""
        self.stdout.write(
            f"{patient}: {before}{message.filed} charted, {message.held} held, "
            f"{len(message.remarks)} remarks"
        )
        for item in message.held_items.order_by("number"):
            line = f"{patient}: held: {item.place}: {item.reason}: {item.what}"
            self.stdout.write(without_controls(line))
        return message
