"""A card of CDS Hooks 2.0, and its JSON."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import reverse

from grading.systems import HEADLINE
from patients.models import Course

LONGEST_SUMMARY: Final = 139
"""A summary has fewer than 140 characters (CDS Hooks 2.0, card attributes)."""
OVERRIDE_REASONS: Final = "urn:crs:guidance-override"
TOPICS: Final = "urn:crs:guidance"
_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")


@dataclass(frozen=True, slots=True)
class Source:
    """What a card rests on; ``topic`` is its code of the system ``TOPICS``, with its name."""

    label: str
    topic: str
    topic_name: str


@dataclass(frozen=True, slots=True)
class Card:
    """One card.

    ``indicator`` is info, warning or critical; ``detail`` is Markdown without the patient's name.
    ``reasons`` are why a user may override it, as code and words.
    """

    summary: str
    indicator: str
    detail: str
    source: Source
    reasons: Sequence[tuple[str, str]] = ()
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def lee_source(topic: str, topic_name: str) -> Source:
    """Return the paper with its rule set as the source of a card."""
    return Source(
        f"Lee et al., Blood 2014;124:188, ruleset {HEADLINE.key}/{HEADLINE.version}",
        topic,
        topic_name,
    )


def cut(summary: str) -> str:
    """Return ``summary`` as long as a card allows, with "…" where something is left out."""
    if len(summary) <= LONGEST_SUMMARY:
        return summary
    return f"{summary[: LONGEST_SUMMARY - 1].rstrip()}…"


def as_markdown(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is."""
    return _MARKED.sub(r"\\\1", text).replace("\n", " ")


def as_json(card: Card, course: Course, whole_address: Callable[[str], str]) -> dict[str, Any]:
    """Return a card as JSON, with links that open the course.

    ``whole_address`` makes an address with host of a path.
    """
    words: dict[str, Any] = {
        "uuid": str(card.id),
        "summary": card.summary,
        "indicator": card.indicator,
        "detail": card.detail,
        "source": {
            "label": card.source.label,
            "url": whole_address(reverse("patients:sources")),
            "topic": {
                "system": TOPICS,
                "code": card.source.topic,
                "display": card.source.topic_name,
            },
        },
        "links": [
            {
                "label": "Open the bedside chart",
                "url": whole_address(reverse("patients:smart_launch")),
                "type": "smart",
                "appContext": f'{{"course":"{course.pk}"}}',
            },
            {
                "label": "Open without launch",
                "url": whole_address(reverse("patients:bedside", args=[course.pk])),
                "type": "absolute",
            },
        ],
    }
    if card.reasons:
        words["overrideReasons"] = [
            {"code": code, "system": OVERRIDE_REASONS, "display": display}
            for code, display in card.reasons
        ]
    return words
