"""What ASTCT and ICANS say at the instant of a page, and why each differs from Lee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from patients.display.ice_due import ice_due_of, tool_of_course
from patients.display.scale_differences import Sentence, bound_sentences, difference_sentences
from patients.display.scales import ScaleShown, headline_shown, scale_shown
from patients.queries.scales import CourseScales
from patients.queries.status import CourseStatus


class ScalesAt(NamedTuple):
    """The scales at an instant, and the sentences why they differ from Lee."""

    scales: Sequence[ScaleShown]
    differ: Sequence[str]

    @property
    def lines(self) -> list[str]:
        """Each scale in one line: "ICANS not assessed, could be 4 (ICE could not be done)"."""
        return [_line(scale) for scale in self.scales]


def scales_at_instant(scales: CourseScales, status: CourseStatus) -> ScalesAt:
    """Return what ``scales`` say at the instant of ``status``, which they were graded for."""
    course, current = status.course, status.current
    due, tool = ice_due_of(course, current), tool_of_course(course, current)
    shown = [scale_shown(answer, current, due, authors={}, tool=tool) for answer in scales.answers]
    lee = headline_shown(current, {})
    by_key = {one.key: one for one in (lee, *shown)}
    sentences = [*difference_sentences(scales.differ, by_key), *bound_sentences(lee, shown)]
    return ScalesAt(shown, [_text(one) for one in sentences])


def _text(sentence: Sentence) -> str:
    return " ".join(f"{part.lead}: {part.text}." for part in sentence)


def _line(scale: ScaleShown) -> str:
    why = next((one.clause for one in scale.reasons if one.answer == "unknown"), None)
    open_text = "" if why is None or scale.could_be is None else f" ({why.lead}{why.rest})"
    return f"{scale.short} {scale.known}{scale.more}{open_text}"
