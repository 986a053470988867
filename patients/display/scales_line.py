"""The line under the grade: what ASTCT and ICANS say now. It is never the grade."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from patients.display.ice_due import ice_due_of, tool_of_course
from patients.display.scales import ScaleShown, scale_shown
from patients.queries.scales import shown_scales_from_now
from patients.queries.status import CourseStatus


class ScalesLine(NamedTuple):
    """The scales in the order of display; ``next_at`` is when the clock alone will change one."""

    scales: Sequence[ScaleShown]
    next_at: datetime | None


def scales_line(status: CourseStatus) -> ScalesLine:
    """Return the line of a course at the instant of ``status``, which has read all it needs."""
    course, current = status.course, status.current
    due, tool = ice_due_of(course, current), tool_of_course(course, current)
    closed = course.ended_at is not None
    shown = [
        scale_shown(answer, current, due, closed=closed, tool=tool)
        for answer in shown_scales_from_now(status)
    ]
    ahead = [one.next_at for one in shown if one.next_at is not None]
    return ScalesLine(shown, min(ahead, default=None))
