"""A course as rights see it: of no model, for pages of errors need none."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Protocol


class Placed(Protocol):
    """A course: it is on a ward, and may be open to its reader by emergency access."""

    pk: uuid.UUID
    on_ward_id: int
    emergency_until: datetime | None
