"""When a statement was so, against the course: what lies too far back for a chart to have it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from grading.engine.times import moved
from grading.engine.vocabulary import TOO_FAR_FROM_INFUSION
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_tree import Tree, single_moment, when
from patients.exchange.formats.unreadable import UnreadableError

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


def infusion_time(context: Context) -> datetime:
    """Return when the therapy of the course was infused."""
    raw = context.course.get("therapy", {}).get("infused_at")
    try:
        at = datetime.fromisoformat(str(raw))
    except ValueError:
        return _ANY_TIME
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def check_not_long_ago(at: datetime, context: Context) -> None:
    """Raise ``value.impossible`` for a time over 5 years before the infusion: no chart has it."""
    if at < moved(infusion_time(context), -TOO_FAR_FROM_INFUSION):
        raise UnreadableError("value.impossible", "its time lies over 5 years before the infusion")


def time_or_reason(
    node: Tree, stem: str, kinds: frozenset[str], context: Context
) -> tuple[datetime | None, UnreadableError | None]:
    """Return the one time of a resource, or why it has none that can be charted."""
    try:
        at = single_moment(when(node, stem, kinds))
        check_not_long_ago(at, context)
    except UnreadableError as error:
        return None, error
    return at, None
