"""When ICE, or CAPD in its place, is due: by the policy, for display only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from grading.engine.entries import Capd, Entry, Ice
from grading.engine.policy import Policy
from grading.engine.scale_vocabulary import ICE_HIGHEST
from grading.engine.status import CurrentStatus
from patients.display.text import clock_text
from patients.models import Course
from patients.queries.ages import facts_of_age

ICE: Final = Ice.kind
CAPD: Final = Capd.kind
TOOL_NAMES: Final = {ICE: "ICE", CAPD: "CAPD"}


class IceDue(NamedTuple):
    """When the next assessment by ``tool`` is due, as seen at ``now``.

    ``last_at`` None: never assessed. ``why`` says why the shorter interval holds: points were lost
    or not asked, or it could not be done; "" where the longer one does.
    """

    tool: str
    due_at: datetime
    every: timedelta
    now: datetime
    last_at: datetime | None
    why: str

    @property
    def is_due(self) -> bool:
        return self.now >= self.due_at

    @property
    def since_text(self) -> str:
        """Return "due since 12:00", "not assessed yet" or "next 21:39"."""
        if self.is_due:
            return f"due since {clock_text(self.due_at, self.now)}"
        if self.last_at is None:
            return "not assessed yet"
        return f"next {clock_text(self.due_at, self.now)}"

    @property
    def text(self) -> str:
        """Return ``since_text`` with the name of the tool."""
        return f"{TOOL_NAMES[self.tool]} {self.since_text}"

    @property
    def every_text(self) -> str:
        """Return how often, and why: "every 8 h while below 10"."""
        minutes = int(self.every.total_seconds()) // 60
        often = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
        return f"every {often} {self.why}".rstrip()


def tool_of(age_years: int, developmental_delay: bool | None, policy: Policy) -> str:
    """Return which tool ICANS is assessed by: ``CAPD`` for a child or in delay, else ``ICE``.

    ``age_years`` are the completed years at the infusion.
    """
    is_child = age_years < policy.icans_capd_below_years
    return CAPD if is_child or developmental_delay is True else ICE


def ice_due(
    latest: Mapping[str, Entry],
    policy: Policy,
    *,
    tool: str,
    infused_at: datetime,
    now: datetime,
    ended: bool = False,
) -> IceDue | None:
    """Return when the next assessment is due; None before the infusion and after the end.

    ``latest`` has the latest entry by its key, as a status has it. An entry of the other tool puts
    nothing off. Never assessed, it is due one interval after the infusion.
    """
    if ended or now < infused_at:
        return None
    last = latest.get(tool)
    why = "" if last is None else _why_sooner(last)
    minutes = policy.ice_due_reduced_minutes if why else policy.ice_due_minutes
    every = timedelta(minutes=minutes)
    last_at = None if last is None else last.at
    return IceDue(tool, (last_at or infused_at) + every, every, now, last_at, why)


def ice_due_of(course: Course, status: CurrentStatus) -> IceDue | None:
    """Return when ICE or CAPD is due on ``course`` by its ``status``, which has read all it needs.

    None before the infusion, after a death and of a closed course.
    """
    return ice_due(
        status.latest,
        status.policy,
        tool=tool_of_course(course, status),
        infused_at=course.infused_at,
        now=status.at,
        ended=status.ended or course.ended_at is not None,
    )


def tool_of_course(course: Course, status: CurrentStatus) -> str:
    """Return which tool ICANS is assessed by on ``course``."""
    facts = facts_of_age(course)
    return tool_of(facts.age_in_completed_years, facts.developmental_delay, status.policy)


def _why_sooner(entry: Entry) -> str:
    """Return why the next one is due sooner; "" after a perfect assessment."""
    if not isinstance(entry, Ice | Capd):
        return ""
    if not entry.performed:
        return "after one that could not be done"
    if isinstance(entry, Ice):
        return f"while below {ICE_HIGHEST}" if entry.lowest < ICE_HIGHEST else ""
    return "while 1 or more" if entry.score else ""
