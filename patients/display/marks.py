"""Letters that mark a value in a table: what was done with its entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LATE: Final = "L"
CORRECTED: Final = "C"
OTHER_CAUSE: Final = "O"
IN_ERROR: Final = "E"
MARKS: Final[Mapping[str, str]] = {
    LATE: "charted late",
    CORRECTED: "corrected",
    OTHER_CAUSE: "other cause, not counted",
    IN_ERROR: "entered in error",
}
"""In the order in which they stand in a cell."""
