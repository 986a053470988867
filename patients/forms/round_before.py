"""What the form of a round shows of the rounds before it, and by which tool it asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from grading.engine import entries
from grading.engine.evidence import PROLONGED_SEIZURE
from grading.engine.policy import DEFAULT_POLICY, Policy
from grading.engine.scale_vocabulary import ICE_PARTS, NeuroSignName
from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import Attribution
from patients.display.ice_due import CAPD, ICE, TOOL_NAMES, IceDue, ice_due, tool_of
from patients.display.ice_questions import ICE_BANDS, Question, capd_bands
from patients.display.scale_text import consciousness_text, ice_score_text
from patients.display.site_times import site_time
from patients.display.text import clock_text
from patients.models import Course
from patients.queries.ages import age_at_infusion
from patients.queries.last_round import EarlierEntry, Handwriting, LastRound, read_last_round
from patients.queries.policies import period_at, read_policy_periods

_WORD: Final = {0: "wrong", 1: "right"}


@dataclass(frozen=True, slots=True)
class RoundBefore:
    """The last round as the next one shows it at ``now``.

    ``tool`` is that of this patient, ``asks_by`` that of the form where somebody chose the other;
    ``due`` says when it is due, None where it never is.
    """

    tool: str
    due: IceDue | None
    last: LastRound
    policy: Policy
    now: datetime
    asks_by: str = ""

    @property
    def handwriting(self) -> Handwriting | None:
        return self.last.handwriting

    def bands(self, tool: str) -> str:
        """Return the lowest score of each grade for a script: "10:0 7:1 3:2 0:3"."""
        bands = ICE_BANDS if tool == ICE else capd_bands(self.policy)
        return " ".join(f"{lowest}:{grade}" for lowest, grade in bands)

    @property
    def borders(self) -> set[str]:
        """The CAPD sums at which another grade begins."""
        steps = pairwise(capd_bands(self.policy))
        return {str(lowest) for (lowest, grade), (_, below) in steps if grade != below}

    @property
    def prolonged_minutes(self) -> int:
        """How long a seizure may last before it is a prolonged one."""
        return int(PROLONGED_SEIZURE.value)

    @property
    def seizure_hold(self) -> str:
        """How long a seizure counts by the policy: "24 h"."""
        minutes = self.policy.icans_seizure_hold_minutes
        return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"

    def text(self, thing: str) -> str:
        """Return the last entry about ``thing`` with its time and author; "" where none is."""
        before = self.last.latest.get(thing)
        if before is None:
            return ""
        when = clock_text(before.entry.at, self.now)
        return f"{self._words(before)}, {when} {before.author}"

    def words(self, thing: str) -> str:
        """Return the last entry about ``thing`` in words alone; "" where there is none."""
        before = self.last.latest.get(thing)
        return "" if before is None else self._words(before)

    @property
    def other_text(self) -> str:
        """The last entry of the tool that is not this patient's; "" where there is none."""
        other = CAPD if self.tool == ICE else ICE
        text = self.text(other)
        return f"{TOOL_NAMES[other]} {text}" if text else ""

    def part(self, name: str) -> str:
        """Return the points of a part of the last ICE: "3 of 4", "right"; "" where not known."""
        before = self.last.latest.get(ICE)
        if before is None or not isinstance(before.entry, entries.Ice):
            return ""
        points = before.entry.parts.get(name)
        if points is None:
            return ""
        return _WORD[points] if ICE_PARTS[name] == 1 else f"{points} of {ICE_PARTS[name]}"

    def accepted(self, question: Question) -> str:
        """Return what counts as right: of the year and the month, those of now."""
        today = site_time(self.now)
        return {"year": f"{today:%Y}", "month": f"{today:%B}"}.get(question.name, question.accepted)

    def is_present(self, sign: NeuroSignName | str) -> bool:
        """Return whether the last entry about a sign says that it is present."""
        before = self.last.latest.get(f"neuro_sign.{sign}")
        return before is not None and getattr(before.entry, "present", False)

    @staticmethod
    def _words(before: EarlierEntry) -> str:
        entry = before.entry
        words = _words_of(entry)
        return (
            words
            if entry.attribution is Attribution.CRS
            else (f"{words} ({entry.attribution.label})")
        )


def _words_of(entry: entries.Entry) -> str:
    if isinstance(entry, entries.Ice | entries.Capd) and not entry.performed:
        return "could not be done" + (f": {entry.reason.label}" if entry.reason else "")
    if isinstance(entry, entries.Ice):
        return ice_score_text(entry)
    if isinstance(entry, entries.Capd):
        return str(entry.score)
    if isinstance(entry, entries.Consciousness):
        return consciousness_text(entry)
    if isinstance(entry, entries.Seizure):
        return inside_a_sentence(entry.seizure_type.label)
    return "present" if getattr(entry, "present", False) else "not present"


def read_round_before(course: Course, now: datetime) -> RoundBefore:
    """Read what a round of ``course`` at ``now`` shows."""
    period = period_at(read_policy_periods(course), now)
    policy = period.policy if period else DEFAULT_POLICY
    tool = tool_of(age_at_infusion(course), course.patient.developmental_delay, policy)
    last = read_last_round(course)
    due = ice_due(
        {thing: before.entry for thing, before in last.latest.items()},
        policy,
        tool=tool,
        infused_at=course.infused_at,
        now=now,
    )
    return RoundBefore(tool, due, last, policy, now)
