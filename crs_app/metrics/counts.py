"""What is counted while requests are answered, and the few words that may name it.

No label has a path, an id or a text that somebody typed: each has one of a few values, so that the
figures stay few and name no patient. Counts whose labels are known begin at 0, because Prometheus
sees no increase in the first value of a series.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    values,
)

# Decided in the process that counts, not in the one that it was forked from.
values.ValueClass = values.get_value_class()
disable_created_metrics()

COUNTED: Final = CollectorRegistry()
OTHER: Final = "other"
REASONS: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("not_understood",),
    401: ("signed_out",),
    403: ("not_allowed", "other_ward", "old_page"),
    409: ("conflict", "closed", "replaced", "form_reused"),
    413: ("too_large",),
    415: ("format",),
    422: ("form", "rate_impossible", "ahead_of_clock"),
    429: ("too_many",),
}
"""Each status by which a request is refused, with its reasons; the first is the usual one.

Programs of other systems have one reason for all: "system".
"""
SYSTEM: Final = "system"
FAILURES: Final = ("outage", "fault", "waited")
OUTCOMES: Final = (
    "saved", "repeated", "refused", "conflict", "not_allowed", "waited", "outage", "fault",
)  # fmt: skip

request_seconds: Final = Histogram(
    "crs_request_seconds", "Time to answer.", ("view", "method"), registry=COUNTED,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
save_seconds: Final = Histogram(
    "crs_save_seconds", "Time of a save that was stored.", registry=COUNTED,
    buckets=(0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)  # fmt: skip
saves: Final = Counter(
    "crs_saves", "Saves by kind and outcome.", ("kind", "outcome"), registry=COUNTED
)
refusals: Final = Counter(
    "crs_refusals", "Requests refused.", ("status", "reason"), registry=COUNTED
)
failures: Final = Counter("crs_failures", "Answers of 500 and above.", ("kind",), registry=COUNTED)
entry_delay_seconds: Final = Histogram(
    "crs_entry_delay_seconds", "From the first sending of a form to its recording.",
    registry=COUNTED, buckets=(1, 5, 30, 60, 300, 900, 3600, 14_400, 86_400),
)  # fmt: skip
turn_wait_seconds: Final = Histogram(
    "crs_course_turn_wait_seconds", "Waiting behind other saves to a course.", registry=COUNTED,
    buckets=(0.005, 0.05, 0.25, 1, 2, 5),
)  # fmt: skip
waited_in_vain: Final = Counter(
    "crs_waited_in_vain", "Saves that got no turn or no lock.", ("what",), registry=COUNTED
)
workers_started: Final = Counter(
    "crs_workers_started", "Web processes that began to serve.", registry=COUNTED
)

_refused_because: ContextVar[str] = ContextVar("refused_because", default="")
_stored: ContextVar[str] = ContextVar("stored", default="")


def begin_request() -> None:
    """Forget what this thread noted about the request before."""
    _refused_because.set("")
    _stored.set("")


def note_refusal(reason: str) -> None:
    """Note why the request that is being answered will be refused: a word of ``REASONS``."""
    _refused_because.set(reason)


def note_stored(*, again: bool) -> None:
    """Note that the request stored an act; ``again``: it had been stored before."""
    _stored.set("repeated" if again else "saved")


def noted_refusal() -> str:
    """Return the noted reason, "" for none."""
    return _refused_because.get()


def noted_outcome() -> str:
    """Return "saved" or "repeated" where an act was stored, else ""."""
    return _stored.get()


def count_refusal(status: int, *, by_system: bool) -> None:
    """Count a request that is refused with a status of ``REASONS``."""
    usual, *others = REASONS[status]
    noted = noted_refusal()
    reason = SYSTEM if by_system else noted if noted in others else usual
    refusals.labels(str(status), reason).inc()


for _status, _reasons in REASONS.items():
    for _reason in (*_reasons, SYSTEM):
        refusals.labels(str(_status), _reason)
for _kind in FAILURES:
    failures.labels(_kind)
for _what in ("turn", "lock"):
    waited_in_vain.labels(_what)
