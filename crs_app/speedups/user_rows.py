"""The row of a user with their wards, and the one that was read together with a session."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from crs_app.accounts.models import User
from crs_app.speedups.rows import model_of_row

_FIELDS: Final = [field.attname for field in User._meta.concrete_fields]
SQL_COLUMNS: Final = ", ".join(
    [
        *(f"accounts_user.{field.column}" for field in User._meta.concrete_fields),
        "ARRAY(SELECT ward_id FROM accounts_wardmembership WHERE user_id = accounts_user.id)",
    ]
)
"""What a statement selects from accounts_user for ``user_of_row``."""

_read_with_session: ContextVar[tuple[int, list[Any]] | None] = ContextVar("user", default=None)


def user_of_row(row: list[Any]) -> User:
    """Return the user whose columns are ``row``, read by ``SQL_COLUMNS``."""
    *columns, wards = row
    user = model_of_row(User, _FIELDS, columns)
    user._ward_ids = wards
    return user


def keep_row(user_id: int | None, row: list[Any]) -> None:
    """Keep the row that was read with a session until the user is asked for, or another is read.

    None keeps none: the row is not that of the user whom the session names.
    """
    _read_with_session.set(None if user_id is None else (user_id, row))


def take_row(user_id: int) -> list[Any] | None:
    """Return the row that this request read with its session, once; None for another user."""
    kept = _read_with_session.get()
    if kept is None:
        return None
    _read_with_session.set(None)
    return kept[1] if kept[0] == user_id else None
