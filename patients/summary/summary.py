"""The summary of one reporting period of a course: every question with its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Any, Final

from grading.engine.vocabulary import LATEST
from patients.queries.summary import Statement
from patients.summary.answer import ITEMS_REVISION, Answer, Section, State, instant
from patients.summary.answers_care import support_answers, toxicity_answers, treatment_answers
from patients.summary.answers_course import Episode, course_answers
from patients.summary.answers_scales import beside_lee, icans_answers
from patients.summary.facts import EpisodeFacts, SummaryChart, episode_facts
from patients.summary.spans import Span

REPORTED_TO_DAY: Final = 100
"""The last calendar day after the infusion of the first reporting period."""


class Part(Enum):
    """A reporting period; the value is its word in an address, and its name."""

    TO_DAY_100 = ("to_day_100", "To day 100")
    AFTER_DAY_100 = ("after_day_100", "After day 100")

    @property
    def key(self) -> str:
        return self.value[0]

    @property
    def label(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Summary:
    """The answers of one reporting period; ``last_day`` is day 100."""

    part: Part
    facts: EpisodeFacts
    answers: Sequence[Answer]
    last_day: date
    known_at: datetime

    @property
    def has_begun(self) -> bool:
        return self.facts.looked_at is not None

    @property
    def not_known_count(self) -> int:
        return sum(not answer.is_known for answer in self.answers)

    def by_section(self) -> list[tuple[Section, list[Answer]]]:
        return [
            (section, [answer for answer in self.answers if answer.section is section])
            for section in Section
        ]

    def answer(self, key: str) -> Answer:
        """Return the answer to the item ``key``."""
        return next(answer for answer in self.answers if answer.key == key)


def day_100(infused_at: datetime, zone: tzinfo) -> date:
    """Return the calendar day in ``zone`` that is 100 days after the day of the infusion."""
    return infused_at.astimezone(zone).date() + timedelta(days=REPORTED_TO_DAY)


def span_of(part: Part, infused_at: datetime, zone: tzinfo) -> Span:
    """Return the time of a reporting period: day 100 is the last day of the first one."""
    ends = day_100(infused_at, zone) + timedelta(days=1)
    boundary = datetime.combine(ends, time(), zone).astimezone(UTC)
    if part is Part.TO_DAY_100:
        return Span(infused_at.astimezone(UTC), boundary)
    return Span(boundary, LATEST)


def _no_sign_off(_at: datetime) -> str:
    return ""


def build_summary(
    chart: SummaryChart,
    part: Part,
    statements: Sequence[Statement],
    *,
    known_at: datetime,
    signed_of: Callable[[datetime], str] = _no_sign_off,
) -> Summary:
    """Answer every question for one reporting period of ``chart``.

    ``signed_of`` says how the grade of an instant is signed.
    """
    facts = episode_facts(chart, span_of(part, chart.infused_at, chart.zone))
    whole = facts
    if part is not Part.TO_DAY_100:
        whole = episode_facts(chart, Span(chart.infused_at, LATEST))
    began_at = None if whole.onset is None else whole.onset.at
    episode = Episode(chart, facts, statements, began_at, signed_of)
    answers: list[Answer] = []
    if facts.looked_at is not None:
        answers += beside_lee(episode, course_answers(episode))
        answers += support_answers(episode)
        answers += treatment_answers(episode)
        answers += icans_answers(episode)
        answers += toxicity_answers(episode)
    return Summary(part, facts, answers, day_100(chart.infused_at, chart.zone), known_at)


def summary_json(summary: Summary, *, form: str, ruleset: str) -> dict[str, Any]:
    """Return a summary as JSON; times are in UTC, amounts and lengths of time exact.

    ``form`` is the form and revision that the reader named, printed as it was typed.
    """
    known, window = summary.facts.looked_at, summary.facts.window
    return {
        "format": "crs-summary/1",
        "items_revision": ITEMS_REVISION,
        "form": form or None,
        "system": ruleset,
        "other_scales": list(summary.facts.scales),
        "known_at": instant(summary.known_at),
        "period": {
            "name": summary.part.key,
            "from": instant(window.start),
            "to": None if window.end == LATEST else instant(window.end),
            "day_100": summary.last_day.isoformat(),
            "known_from": None if known is None else instant(known.start),
            "known_until": None if known is None else instant(known.end),
        },
        "items": {
            answer.key: {
                "state": answer.state.value,
                "value": answer.value if answer.state is not State.NOT_KNOWN else None,
                "details": list(answer.details),
                "evidence": list(answer.evidence),
                "why": list(answer.why),
            }
            for answer in summary.answers
        },
    }
