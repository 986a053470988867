"""A session that a health record launched: it is bound to one patient, and ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from crs_app.accounts.launch_names import LAUNCH


@dataclass(frozen=True)
class Launch:
    """What a session is bound to: one course, and the record that opened it.

    ``frame_origins`` are the pages that show it in a frame; empty for a tab of its own.
    """

    course_id: UUID
    record: str
    frame_origins: tuple[str, ...] = ()

    def kept(self) -> dict[str, Any]:
        """Return it as the session keeps it."""
        return {
            "course": str(self.course_id),
            "record": self.record,
            "origins": list(self.frame_origins),
        }


def launch_of(request: HttpRequest) -> Launch | None:
    """Return what this session is bound to; None for one that a person began here."""
    kept = request.session.get(LAUNCH)
    if kept is None:
        return None
    return Launch(UUID(kept["course"]), kept["record"], tuple(kept["origins"]))


def is_framed(request: HttpRequest) -> bool:
    """Return whether the browser says that the page will stand in a frame.

    A browser without this header gets a page for a tab, which no frame shows.
    """
    return request.headers.get("Sec-Fetch-Dest") in ("iframe", "frame")
