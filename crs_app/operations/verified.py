"""Verify a database: every stored grade and the whole record, with figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, connection

from crs_app.operations.programs import OperationsError
from crs_app.outages import in_one_line, is_outage
from crs_app.record.models import Event
from patients.models import Course

COMMANDS = ("verify_grades", "verify_audit")


@contextmanager
def working_on(name: str) -> Iterator[None]:
    """Let every statement and command of the block, the owner's too, go to another database."""
    before, owner = connection.settings_dict["NAME"], settings.OWNER_DATABASE
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.OWNER_DATABASE = owner and owner | {"NAME": name}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        settings.OWNER_DATABASE = owner


def verify_site() -> tuple[dict[str, object], list[str]]:
    """Run both verifications; return their figures, and a line for each fault that was found.

    :raises OperationsError: where the database was away, or kept a course locked: nothing was
        found wrong then, and nothing is known.
    """
    figures: dict[str, object] = {}
    faults: list[str] = []
    for command in COMMANDS:
        begun = time.monotonic()
        found = StringIO()
        try:
            call_command(command, stdout=StringIO(), stderr=found)
            is_whole = True
        except (CommandError, Error) as error:
            if is_outage(error):
                raise OperationsError(
                    f"Not verified: the database was away, or something kept a course locked, "
                    f"while {command} ran ({in_one_line(error)}). Run it again."
                ) from error
            is_whole = False
            faults += [*found.getvalue().splitlines(), f"{command}: {error}"]
        figures[command] = "agrees" if is_whole else "differs"
        figures[f"{command}_seconds"] = round(time.monotonic() - begun, 1)
    figures |= {"courses": Course.objects.count(), "events": Event.objects.count()}
    return figures | {"faults": len(faults)}, faults
