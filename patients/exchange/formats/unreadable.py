"""Why one statement of a document cannot be charted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UnreadableError(Exception):
    """A statement, or a part of one, that is not charted but shown.

    ``reason`` is a reason word (``unit.unknown``), ``what`` says in plain words what was sent,
    ``proposal`` is the entry that one tap would chart, where there is one.
    """

    def __init__(
        self, reason: str, what: str = "", proposal: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{reason}: {what}")
        self.reason = reason
        self.what = what
        self.proposal = proposal
