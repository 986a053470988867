"""An entry before it is recorded."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be recorded: ``body`` in the course file's words; ``replaces`` is corrected."""

    kind: str
    at: datetime
    body: Mapping[str, Any]
    replaces: uuid.UUID | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)
