"""The one door into the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection

from crs_app.record.current import current_address
from crs_app.record.models import MAIN_CHAIN, EventKind

if TYPE_CHECKING:
    from crs_app.accounts.models import User

LONGEST_TEXT: Final = 500
"""Characters of one text that are kept: a record must never fail for what somebody typed."""

_WRITE: Final = """
SELECT record_write(%s::uuid, %s::text, %s::bigint, %s::text, %s::text, %s::text, %s::uuid,
    %s::text, %s::jsonb, %s::text)
"""


def record_event(
    kind: EventKind,
    *,
    by: User | None,
    address: str = "",
    course_id: UUID | None = None,
    purpose: str = "",
    details: Mapping[str, str] | None = None,
) -> None:
    """Record that something happened, in one statement that locks the chain of the event.

    Call it last in a transaction, because the lock is held until COMMIT. A transaction with
    several events records those of courses first, in order of their ids, then the others.
    ``address`` is that of the client, by default of the request that is answered; ``details`` is
    shown to people as it is.
    """
    name, role = ("", "") if by is None else (_kept(by.display_name), str(by.role))
    by_id = None if by is None else by.pk
    address, purpose = _kept(address or current_address()), _kept(purpose)
    kept = {_kept(key): _kept(str(value)) for key, value in (details or {}).items()}
    parameters: list[str | int | UUID | None] = [
        course_id or MAIN_CHAIN, kind.value, by_id, name, role, address, course_id, purpose,
        json.dumps(kept),
        canonical(kind.value, by_id, name, role, address, course_id, purpose, kept),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, parameters)


def canonical(
    kind: str,
    by_id: int | None,
    by_name: str,
    by_role: str,
    address: str,
    course_id: UUID | None,
    purpose: str,
    details: Mapping[str, str],
) -> str:
    """Return the text of a row that its hash covers with chain, number and time."""
    course = None if course_id is None else str(course_id)
    row = [kind, by_id, by_name, by_role, address, course, purpose, details]
    return json.dumps(row, sort_keys=True, separators=(",", ":"))


def _kept(text: str) -> str:
    """Return ``text`` as the database can hold it, shortened."""
    storable = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return storable if len(storable) <= LONGEST_TEXT else storable[: LONGEST_TEXT - 1] + "…"
