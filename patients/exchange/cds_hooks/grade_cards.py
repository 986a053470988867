"""The card of the grade, and the most urgent cards of guidance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from grading.engine.algorithm import Indicator
from grading.engine.vocabulary import VITAL_SIGN
from patients.display.grade_card import CriterionLine, GradeCard
from patients.display.text import clock_text, duration_text
from patients.exchange.cds_hooks.cards import Card, Source, as_markdown, cut, lee_source
from patients.guidance.forms import REASONS
from patients.guidance.panel import GuidancePanel, ItemCard

_GUIDANCE_AT_MOST: Final = 2
"""Further cards make people stop reading them."""
_CRITICAL_FROM, _WARNING_FROM = 3, 2
_REASONS_IN_SUMMARY: Final = 2


def grade_card_of(card: GradeCard, course_clock: str) -> Card | None:
    """Return the card of the grade; None where there is no grade, or 0 with nothing unknown.

    ``course_clock`` is the time that the card is of, in words.
    """
    if card.grade is None or card.at_most is None:
        return None
    if card.grade == 0 and card.at_most == 0 and not card.missing:
        return None
    return Card(
        cut(_summary(card)),
        _indicator(card.grade, card.at_most),
        "\n\n".join(_parts(card, course_clock)),
        lee_source("grade", "CRS grade"),
    )


def guidance_cards_of(panel: GuidancePanel) -> list[Card]:
    """Return the cards of the items that wait for an answer, the most urgent first."""
    urgent = [item for item in panel.asked if item.indicator != Indicator.INFO]
    order = [Indicator.CRITICAL.value, Indicator.WARNING.value]
    urgent.sort(key=lambda item: order.index(item.indicator))
    return [_guidance(item) for item in urgent[:_GUIDANCE_AT_MOST]]


def _indicator(grade: int, at_most: int) -> str:
    if grade >= _CRITICAL_FROM:
        return "critical"
    return "warning" if grade >= _WARNING_FROM or at_most >= _CRITICAL_FROM else "info"


def _summary(card: GradeCard) -> str:
    if card.missing:
        bound = f", could be {card.at_most}" if card.at_most else ""
        return f"CRS grade not assessed{bound}: " + ", ".join(f"no {one}" for one in card.missing)
    if (card.at_most or 0) > (card.grade or 0):
        reasons = [one.text for one in card.unknown if one.could_reach > (card.grade or 0)]
        why = "; ".join(reasons[:_REASONS_IN_SUMMARY])
        return f"CRS grade {card.grade}, could be {card.at_most}: {why}"
    leads = [one.clause.lead for one in card.criteria if one.grade == card.grade]
    return f"CRS grade {card.grade}: " + "; ".join(leads[:_REASONS_IN_SUMMARY])


def _parts(card: GradeCard, course_clock: str) -> Iterator[str]:
    shown = "not assessed" if card.missing else str(card.grade)
    yield _listed(f"Why {shown}", [_criterion(one, card) for one in card.criteria])
    open_ones = [one for one in card.unknown if one.could_reach > (card.grade or 0)]
    if open_ones:
        yield _listed(f"Could be {card.at_most}", [one.text for one in open_ones])
    yield _listed("Next by the clock", [change.text for change in card.next_changes])
    if card.excluded:
        yield _listed("Not counted: another cause", card.excluded)
    yield f"As charted at {course_clock}. {_ages(card)}"
    if card.clock_behind:
        yield f"**{as_markdown(card.clock_behind)}**"


def _listed(title: str, lines: list[str]) -> str:
    return "\n".join([f"**{title}**", *(f"- {as_markdown(line)}" for line in lines or ["none"])])


def _criterion(one: CriterionLine, card: GradeCard) -> str:
    source = ""
    if one.at is not None:
        source = f" ({clock_text(one.at, card.as_of)}, {one.author}{_old(one, card)})"
    return f"{one.clause.lead}{one.clause.rest}{source}"


def _old(one: CriterionLine, card: GradeCard) -> str:
    if not one.stale or one.at is None:
        return ""
    return f", {duration_text(card.as_of - one.at)} old"


def _ages(card: GradeCard) -> str:
    """Return how old the latest vital signs are."""
    signs = [one.at for one in card.strip if one.key in VITAL_SIGN]
    if not signs:
        return "No vital signs charted."
    return f"Vital signs {duration_text(card.as_of - max(signs))} old."


def _guidance(item: ItemCard) -> Card:
    parts = [as_markdown(item.detail)]
    if item.other_source:
        parts.append(as_markdown(item.other_source))
    if item.inputs:
        parts.append(_listed("From", [f"{used.what}: {used.value}" for used in item.inputs]))
    if item.unknown:
        parts.append(_listed("Not known", list(item.unknown)))
    return Card(
        cut(item.summary),
        item.indicator,
        "\n\n".join(parts),
        Source(item.citation, item.code, "CRS guidance"),
        REASONS,
    )
