"""Read and keep what users of another system did with cards.

The other system names no user whom this chart knows: feedback is no answer to guidance, and charts
nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django.db import transaction

from grading.engine.vocabulary import EARLIEST, LATEST
from patients.exchange.cds_hooks.hook_request import RefusedRequestError, bad_request
from patients.exchange.formats.exact_json import Exact
from patients.models import CardFeedback, CardOutcome, CardShown, ExternalSystem
from patients.models.hooks import LONGEST_WORDS

_AT_MOST: Final = 100


class Feedback(NamedTuple):
    """What was done with a card; ``at`` is by the other system's clock."""

    card_id: uuid.UUID
    outcome: CardOutcome
    at: datetime
    reason_system: str
    reason_code: str
    comment: str


def read_feedback(body: Any) -> list[Feedback]:
    """Read a request of the feedback address; raises RefusedRequestError."""
    items = body.get("feedback") if isinstance(body, Mapping) else None
    if not isinstance(items, list) or not 1 <= len(items) <= _AT_MOST:
        raise bad_request(f"feedback: a list of 1 to {_AT_MOST} items is needed.")
    return [_item(item, f"feedback[{index}]") for index, item in enumerate(items)]


@transaction.atomic
def keep_feedback(
    system: ExternalSystem, service_id: str, items: list[Feedback]
) -> list[uuid.UUID]:
    """Keep feedback on cards that ``system`` was shown; the same again is kept once.

    Returns the courses of the cards. Raises RefusedRequestError where a card was not shown to it
    by this service.
    """
    ids = {item.card_id for item in items}
    shown = CardShown.objects.filter(system=system, service=service_id, pk__in=ids)
    courses = dict(shown.values_list("pk", "course_id"))
    if courses.keys() != ids:
        raise RefusedRequestError(HTTPStatus.NOT_FOUND, "No such card.")
    CardFeedback.objects.bulk_create(
        [
            CardFeedback(
                card_id=item.card_id,
                outcome=item.outcome,
                outcome_at=item.at,
                reason_system=item.reason_system,
                reason_code=item.reason_code,
                comment=item.comment,
            )
            for item in items
        ],
        ignore_conflicts=True,
    )
    return list(courses.values())


def _item(item: Any, place: str) -> Feedback:
    if not isinstance(item, Mapping):
        raise bad_request(f"{place}: a JSON object is needed.")
    outcome = _text(item.get("outcome"), f"{place}.outcome")
    if outcome not in CardOutcome.values:
        raise bad_request(f"{place}.outcome: expected accepted or overridden.")
    override = item.get("overrideReason") or {}
    if not isinstance(override, Mapping):
        raise bad_request(f"{place}.overrideReason: a JSON object is needed.")
    reason = override.get("reason") or {}
    if not isinstance(reason, Mapping):
        raise bad_request(f"{place}.overrideReason.reason: a coding is needed.")
    return Feedback(
        _card_id(item.get("card"), f"{place}.card"),
        CardOutcome(outcome),
        _instant(item.get("outcomeTimestamp"), f"{place}.outcomeTimestamp"),
        _text(reason.get("system", ""), f"{place}.overrideReason.reason.system"),
        _text(reason.get("code", ""), f"{place}.overrideReason.reason.code"),
        _text(override.get("userComment", ""), f"{place}.overrideReason.userComment"),
    )


def _card_id(value: Any, place: str) -> uuid.UUID:
    try:
        return uuid.UUID(_text(value, place))
    except ValueError:
        raise bad_request(f"{place}: expected a UUID.") from None


def _instant(value: Any, place: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(value, place))
    except ValueError:
        raise bad_request(f"{place}: expected a time.") from None
    if at.tzinfo is None or not EARLIEST < at < LATEST:
        raise bad_request(f"{place}: a time with its offset is needed.")
    return at


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or isinstance(value, Exact):
        raise bad_request(f"{place}: a text is needed.")
    if len(value) > LONGEST_WORDS or "\x00" in value:
        raise bad_request(f"{place}: at most {LONGEST_WORDS} characters.")
    return value
