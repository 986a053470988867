"""A session that a health record launched: it is bound to one patient, and ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest

from crs_app.accounts.events import note
from crs_app.accounts.factors.shown import SHOWN
from crs_app.accounts.launch_names import LAUNCH
from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import note_session
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

METHOD: Final = "launch"
"""How a sign-in was done, in the record."""


@dataclass(frozen=True)
class Launch:
    """What a session is bound to: one course, and the record that opened it.

    ``frame_origins`` are the pages that show it in a frame; empty for a tab of its own.
    """

    course_id: UUID
    record: str
    frame_origins: tuple[str, ...] = ()


def begin_launched_session(request: HttpRequest, user: User, launch: Launch) -> None:
    """Sign ``user`` in, for one patient; nothing of a session of before stays.

    The browser becomes no tablet of this user, who did not sign in here.
    """
    request.session.flush()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[SHOWN] = True
    request.session[LAUNCH] = {
        "course": str(launch.course_id),
        "record": launch.record,
        "origins": list(launch.frame_origins),
    }
    note_session(request)
    note(
        EventKind.SIGN_IN,
        by=user,
        address=client_address(request),
        method=METHOD,
        record=launch.record,
    )


def launch_of(request: HttpRequest) -> Launch | None:
    """Return what this session is bound to; None for one that a person began here."""
    kept = request.session.get(LAUNCH)
    if kept is None:
        return None
    return Launch(UUID(kept["course"]), kept["record"], tuple(kept["origins"]))
