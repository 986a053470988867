"""Names and limits of sessions that a health record launched."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LAUNCH: Final = "launch"
"""What a session keeps of its launch; a session without it was not launched."""
LAUNCHED_ENDS_AFTER_IDLE: Final = timedelta(minutes=15)
LAUNCH_ENDED: Final = "patients:smart_ended"
"""The page to which an ended session leads."""
