"""The cards on drafted orders: against the grade, the last dose, the paper's dose, other causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from grading.engine.algorithm.evidence import REASSESS_AFTER, hours
from grading.engine.algorithm.paper_doses import paper_dose
from grading.engine.algorithm.tree import CORTICOSTEROIDS
from grading.engine.sentences import inside_a_sentence
from grading.engine.units import format_number
from grading.engine.vocabulary import TreatmentAgent
from patients.display.grade_card import GradeCard
from patients.display.text import clock_text
from patients.exchange.cds_hooks.cards import Card, as_markdown, cut, lee_source
from patients.exchange.cds_hooks.orders import Order
from patients.guidance.advice import Advice, last_tocilizumab
from patients.guidance.forms import REASONS
from patients.queries.ages import age_at_infusion

_SEVERE_FROM: Final = 3
_WITH_RISK_FROM: Final = 2
_IMMUNOSUPPRESSION: Final = frozenset(
    {"immunosuppression.consider", "immunosuppression.indicated", "tocilizumab.reassess"}
)
_ADVISED_BY: Final[Mapping[TreatmentAgent, frozenset[str]]] = {
    TreatmentAgent.TOCILIZUMAB: _IMMUNOSUPPRESSION,
    **dict.fromkeys(CORTICOSTEROIDS, _IMMUNOSUPPRESSION),
    TreatmentAgent.HYDROCORTISONE: _IMMUNOSUPPRESSION | {"hydrocortisone.stress"},
}
"""The items of guidance of which any advises a drug; other drugs have no card on the grade."""


def order_cards_of(
    orders: Sequence[Order], advice: Advice, card: GradeCard, *, with_dose: bool
) -> list[Card]:
    """Return the cards on ``orders``, warnings first; ``with_dose``: the dose is compared too."""
    if not orders or card.grade is None:
        return []
    found = [
        *_recent_dose(orders, advice),
        *_below_grade(orders, advice, card),
        *(_doses(orders, advice) if with_dose else ()),
        *_other_cause(card),
    ]
    return sorted(found, key=lambda one: one.indicator != "warning")


def _below_grade(orders: Sequence[Order], advice: Advice, card: GradeCard) -> Iterator[Card]:
    """Name the orders that the paper does not advise at the grade."""
    codes = {item.code for item in advice.items}
    not_advised = [
        order
        for order in orders
        if order.agent in _ADVISED_BY and not codes & _ADVISED_BY[order.agent]
    ]
    grade = card.grade or 0
    if not not_advised or grade >= _SEVERE_FROM:
        return
    shown = card.grade_words.removeprefix("grade ")
    when = f"grade {shown}" if shown.isdigit() else f"a grade that is {shown}"
    rule = (
        "The paper advises immunosuppression from grade 3, and at grade 2 in patients with "
        "extensive comorbidities or older age."
    )
    open_ones = "" if grade < _WITH_RISK_FROM else " The questions about these risks have no yes."
    bound = ""
    if (card.at_most or 0) >= _SEVERE_FROM:
        bound = f" The grade could be {card.at_most}: {'; '.join(u.text for u in card.unknown)}."
    stress = ""
    if any(order.agent is TreatmentAgent.HYDROCORTISONE for order in not_advised):
        stress = (
            " Stress doses of hydrocortisone are for patients who had corticosteroids for long."
        )
    yield _card(
        f"Lee 2014 does not advise {_labels(not_advised)} at {when}",
        "info",
        f"{rule}{open_ones}{stress}{bound}",
        "immunosuppression.below_grade",
    )


def _recent_dose(orders: Sequence[Order], advice: Advice) -> Iterator[Card]:
    if all(order.agent is not TreatmentAgent.TOCILIZUMAB for order in orders):
        return
    last, now = last_tocilizumab(advice), advice.status.at
    if last is None or now - last.at >= hours(REASSESS_AFTER):
        return
    dose = "" if last.dose_mg is None else f" {format_number(last.dose_mg)} mg"
    yield _card(
        f"Tocilizumab{dose} was given at {clock_text(last.at, now)}, within 24 h",
        "warning",
        "The paper waits for a response within 24 h of a dose. Doses charted here alone are known.",
        "tocilizumab.recent",
    )


def _doses(orders: Sequence[Order], advice: Advice) -> Iterator[Card]:
    """Compare each ordered dose in mg with the paper's, where a weight is charted."""
    weight_kg = advice.status.weight_kg
    if weight_kg is None:
        return
    is_adult = age_at_infusion(advice.course) >= advice.status.policy.adult_age_years
    for order in orders:
        paper = paper_dose(order.agent, weight_kg, is_adult=is_adult)
        if order.dose_mg is None or paper is None:
            continue
        ordered, amount = format_number(order.dose_mg), format_number(paper.dose_mg)
        whole_day = "The paper's amount is that of a whole day. " if paper.per_day else ""
        yield _card(
            f"{order.agent.label}: ordered {ordered} mg, Lee 2014 for "
            f"{format_number(weight_kg)} kg: {amount} {'mg/day' if paper.per_day else 'mg'} "
            f"({_difference(order.dose_mg - paper.dose_mg)})",
            "info",
            f"From the charted weight of {format_number(weight_kg)} kg. {whole_day}The difference "
            "is shown, not judged; another source may give another dose.",
            "dose.compared",
        )


def _difference(difference_mg: Decimal) -> str:
    if not difference_mg:
        return "the same"
    return f"{format_number(abs(difference_mg))} mg {'more' if difference_mg > 0 else 'less'}"


def _other_cause(card: GradeCard) -> Iterator[Card]:
    if card.excluded:
        yield _card(
            f"Not counted in the CRS grade, as due to another cause: {', '.join(card.excluded)}",
            "info",
            "Someone charted these findings as due to another cause than CRS.",
            "attribution.other",
        )


def _labels(orders: Sequence[Order]) -> str:
    labels = [order.agent.label for order in orders]
    return " and ".join(dict.fromkeys(inside_a_sentence(label) for label in labels))


def _card(summary: str, indicator: str, detail: str, topic: str) -> Card:
    return Card(
        cut(summary),
        indicator,
        as_markdown(detail),
        lee_source(topic, "CRS guidance"),
        REASONS,
    )
