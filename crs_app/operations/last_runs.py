"""Notes of the last backup, verification and sending of the record, for those who watch the site.

Each is one file of CRS_OPERATIONS_DIR: ``{"at": ISO time in UTC, "figures": {...}}``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from django.conf import settings

LAST_BACKUP: Final = "last-backup.json"
LAST_VERIFY: Final = "last-verify.json"
LAST_RECORD_SENT: Final = "last-record-sent.json"


class NotNotedError(OSError):
    """What was to be noted is done, and the note cannot be written."""


def write_last_run(name: str, figures: Mapping[str, object]) -> None:
    """Replace the note ``name`` by a new one; a reader finds the old one or the new one, whole.

    :raises NotNotedError: where it cannot be written.
    """
    folder = settings.OPERATIONS_DIR
    unfinished = folder / f"{name}.{os.getpid()}"
    note = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "figures": dict(figures)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(note) + "\n", "utf-8")
        unfinished.replace(folder / name)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise NotNotedError(
            f"It is done, and that could not be noted in {folder} (CRS_OPERATIONS_DIR): {error}."
        ) from error
