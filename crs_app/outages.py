"""Which errors are an outage of the database, and which are faults of ours.

An outage is answered with 503 and logged in one line. A fault keeps its stack in the log.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

from django.db import utils

_E = TypeVar("_E", bound=BaseException)

_CLASSES: Final = ("08", "53", "57P", "58")
"""Connection, resources (places, disk, memory), end or start of the server, error of its system.

PostgreSQL 18, appendix A, "PostgreSQL Error Codes"; so are the codes below.
"""
LOCK_NOT_AVAILABLE: Final = "55P03"
SECOND_MACHINE_AWAY: Final = "57CR1"
"""A code of our own, by which the function ``need_second_machine`` refuses an act."""
_CODES: Final = frozenset(
    {
        LOCK_NOT_AVAILABLE,
        "25006",  # read_only_sql_transaction: a server that is, or has become, a standby
        "25P03",  # idle_in_transaction_session_timeout
        "25P04",  # transaction_timeout
        SECOND_MACHINE_AWAY,
        "57014",  # query_canceled: statement_timeout, or an operator
    }
)
_MAY_BE_REPEATED: Final = frozenset({"40001", "40P01"})
"""serialization_failure and deadlock_detected: a fault of ours, and the request can be repeated."""
_PROJECT: Final = Path(__file__).resolve().parent.parent


class WaitedTooLongError(utils.OperationalError):
    """Nothing was stored: somebody else writes to the same course for too long."""

    def __init__(self) -> None:
        super().__init__("Somebody else writes to this course for too long.")


class SecondMachineAwayError(utils.OperationalError):
    """Nothing was stored: an act needs a standby, and none answers."""

    def __init__(self) -> None:
        super().__init__("The second machine does not answer.")


class NotConfirmedError(utils.OperationalError):
    """COMMIT was sent, and whether it is stored, and by the standby too, is not certain."""

    def __init__(self) -> None:
        super().__init__("The second machine has not confirmed what was sent.")


def sqlstate_of(error: BaseException) -> str:
    """Return the code by which PostgreSQL names ``error``, "" for one that has none."""
    for one in _chain(error):
        if state := getattr(one, "sqlstate", None):
            return str(state)
    return ""


def is_outage(error: BaseException | None) -> bool:
    """Return whether ``error`` comes from a database that is away, full, or made us wait."""
    if not isinstance(error, utils.Error):
        return False
    state = sqlstate_of(error)
    if state:
        return state.startswith(_CLASSES) or state in _CODES
    kinds = utils.OperationalError | utils.InterfaceError
    return any(isinstance(one, kinds) for one in _chain(error))


def may_be_repeated(error: BaseException | None) -> bool:
    """Return whether a request that failed by ``error`` may succeed when it is sent again."""
    return is_outage(error) or (
        isinstance(error, utils.Error) and sqlstate_of(error) in _MAY_BE_REPEATED
    )


def find_in_chain(error: BaseException | None, kinds: type[_E] | tuple[type[_E], ...]) -> _E | None:
    """Return the first error of one of ``kinds`` that led to ``error``, itself among them."""
    found = () if error is None else _chain(error)
    return next((one for one in found if isinstance(one, kinds)), None)


def in_one_line(error: BaseException) -> str:
    """Return kind and place of ``error`` in our code, in fewer than 200 characters."""
    places = [
        f"{Path(frame.filename).relative_to(_PROJECT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_PROJECT) and ".venv" not in frame.filename
    ]
    kind = " ".join(filter(None, (type(error).__name__, sqlstate_of(error))))
    return f"{kind} at {places[-1]}" if places else kind


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or (
            None if following.__suppress_context__ else following.__context__
        )
