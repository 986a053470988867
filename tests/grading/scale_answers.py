"""What the scales beside Lee's answer about a document, without the words that describe it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, settings

from grading.course_result import result_json
from grading.scales import SCALES
from tests.grading.random_courses import Raw

KEYS = tuple(scale.key for scale in SCALES)
CRS_KEYS = tuple(key for key in KEYS if key != "icans-2019")

scale_laws = settings(
    max_examples=int(os.environ.get("LAW_EXAMPLES", "40")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Every example grades a course by all scales, so that few of them are many answers."""

Held = tuple[Any, ...]


def graded(document: Mapping[str, Any], now: str | None = None, known: str | None = None) -> Raw:
    moments = [None if text is None else datetime.fromisoformat(text) for text in (now, known)]
    return result_json(json.dumps(document), *moments, scales="all")


def findings(period: Mapping[str, Any]) -> Held:
    """Grade, bound, and each code with its grade or reach."""
    return (
        period["grade"],
        period["at_most"],
        frozenset((one["code"], one["grade"]) for one in period["criteria"]),
        frozenset((one["code"], one["could_reach"]) for one in period["unknown"]),
        frozenset((one["code"], one["grade"]) for one in period.get("withheld", ())),
    )


def what_holds(answer: Raw, *keys: str) -> dict[str, list[Held]]:
    """The periods by scale, for ``keys`` or all of them."""
    return {
        key: [
            (one["from"], one["to"], one["projected"], *findings(one))
            for one in answer["scales"][key]["periods"]
        ]
        for key in keys or KEYS
    }


def past(answer: Raw, key: str) -> list[Raw]:
    return [one for one in answer["scales"][key]["periods"] if not one["projected"]]


def period_at(answer: Raw, key: str, instant: datetime) -> Raw | None:
    """The period up to ``now`` that covers an instant; after a death that ends a scale none."""
    found = None
    for period in past(answer, key):
        if datetime.fromisoformat(period["from"]) <= instant:
            found = period
    if found is None or answer["scales"][key]["current"]["grade"] is not None:
        return found
    return found if instant < datetime.fromisoformat(found["to"]) else None


def grade_at(answer: Raw, key: str, instant: datetime) -> int | None:
    period = period_at(answer, key, instant)
    return None if period is None else int(period["grade"])


def without(document: Raw, *kinds: str) -> Raw:
    """The document without entries of these kinds, and without what retracts one of them."""
    gone = {entry.get("id") for entry in document["entries"] if entry["kind"] in kinds} - {None}
    entries = [
        entry
        for entry in document["entries"]
        if entry["kind"] not in kinds and entry.get("replaces") not in gone
    ]
    return {**document, "entries": entries}


def with_ids(document: Raw) -> Raw:
    """The document with an id for every entry, so that ids stay where an entry is left out."""
    entries = [{"id": f"e{place}", **entry} for place, entry in enumerate(document["entries"])]
    return {**document, "entries": entries}
