"""Import FHIR documents of another system."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.time_limits import lift_for_long_job
from grading.plain_text import without_controls
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.models import ExternalSystem, InboundMessage, Verdict


class Command(BaseCommand):
    help = "Import FHIR R4 documents as of one system, each like a POST; files are in order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--system", required=True, metavar="NAME", help="who sent them")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.epilog = (
            "The exit status is 0 where all was charted, 1 where something is held for people, "
            "2 where a file was refused."
        )

    def handle(self, *, system: str, files: list[Path], **options: Any) -> None:
        lift_for_long_job()
        found = ExternalSystem.objects.filter(name=system, is_active=True).select_related("user")
        sender = found.first()
        if sender is None:
            raise CommandError(f"no active system has the name {system!r}", returncode=2)
        received = [self._import(sender, path) for path in files]
        refused = sum(one is None or one.verdict != Verdict.ACCEPTED for one in received)
        if refused:
            raise CommandError(f"{refused} of {len(files)} files refused", returncode=2)
        held = sum(one.held for one in received if one is not None)
        if held:
            raise CommandError(f"{held} held for people to decide about", returncode=1)

    def _import(self, system: ExternalSystem, path: Path) -> InboundMessage | None:
        """Import one file; return its message, None where it cannot be read."""
        name = without_controls(str(path))
        try:
            raw = path.read_bytes()
        except OSError as error:
            self.stderr.write(f"{name}: {error.strerror}")
            return None
        receipt = receive(system, fhir_message(raw, system.mrn_system))
        message = receipt.message
        if message.verdict != Verdict.ACCEPTED:
            for issue in receipt.answer["body"]["issue"]:
                place = ", ".join(issue.get("expression", ["document"]))
                self.stderr.write(f"{name}: {place}: {issue['diagnostics']}")
            return message
        before = "came before, nothing is new: " if receipt.is_replay else ""
        self.stdout.write(
            f"{name}: {before}{message.filed} charted, {message.held} held, "
            f"{len(message.remarks)} remarks"
        )
        for item in message.held_items.order_by("number"):
            self.stdout.write(f"{name}: held: {item.place}: {item.reason}")
        return message
