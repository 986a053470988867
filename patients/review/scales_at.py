"""What ASTCT and ICANS say at an instant, and why each differs from Lee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grading.engine.entries import Capd, Entry, Ice
from grading.engine.facts import CourseFacts
from grading.engine.policy import Policy
from grading.engine.scale import Assessment, Axis
from patients.display.assessment import is_charted
from patients.display.ice_due import tool_of
from patients.display.scale_levels import is_icans, level_text
from patients.display.text import moment_text
from patients.queries.scales import CourseScales, ScaleAnswer, ScalePeriod


@dataclass(frozen=True, slots=True)
class ScaleAt:
    """A scale at an instant: ``text`` has grade and bound, "1, could be 4".

    ``grade`` None is not assessed, or not graded. ``criteria`` and ``unknown`` are sentences; those
    of a scale of CRS are among Lee's. ``differ`` says why grade or bound is another than Lee's,
    ``unverified`` what was not found in the scale's source.
    """

    key: str
    name: str
    title: str
    grade: int | None
    text: str
    criteria: Sequence[str] = ()
    unknown: Sequence[str] = ()
    differ: Sequence[str] = ()
    next_change: str = ""
    unverified: Sequence[str] = ()

    @property
    def line(self) -> str:
        """The scale in one line: "ICANS 1, could be 4: not assessed"."""
        why = f": {self.unknown[0]}" if self.unknown else ""
        return f"{self.name} {self.text}{why}"


def scales_at_instant(
    scales: CourseScales, latest: Mapping[str, Entry], facts: CourseFacts
) -> list[ScaleAt]:
    """Return what each of ``scales`` says at its instant.

    ``latest`` has the latest entry about each thing by its key, as a status has it.
    """
    return [
        _scale_at(answer, scales, is_known=grade_0_is_known(answer, latest, facts, scales.policy))
        for answer in scales.answers
    ]


def grade_0_is_known(
    answer: ScaleAnswer, latest: Mapping[str, Entry], facts: CourseFacts, policy: Policy
) -> bool:
    """Return whether enough is charted to know a grade 0 of a scale."""
    if not is_icans(answer.scale):
        return is_charted(latest)
    tool = tool_of(facts.age_in_completed_years, facts.developmental_delay, policy)
    last = latest.get(tool)
    return isinstance(last, Ice | Capd) and last.performed


def _scale_at(answer: ScaleAnswer, scales: CourseScales, *, is_known: bool) -> ScaleAt:
    scale, current = answer.scale, answer.current
    if current is None:
        return ScaleAt(scale.key, scale.short, scale.title, None, "not graded")
    grade = current.grade if current.grade or is_known else None
    could_be = current.at_most if current.at_most > current.grade else None
    return ScaleAt(
        key=scale.key,
        name=scale.short,
        title=scale.title,
        grade=grade,
        text=level_text(grade, could_be),
        criteria=[one.explanation for one in current.criteria] if is_icans(scale) else [],
        unknown=[one.why for one in current.unknown],
        differ=[] if grade is None else list(_why(answer, current, scales)),
        next_change=_next_change(answer, current),
        unverified=scale.unverified,
    )


def _why(answer: ScaleAnswer, current: ScalePeriod, scales: CourseScales) -> Iterator[str]:
    """Yield why the scale differs from Lee; ICANS stands beside CRS, only neurotoxicity differs."""
    key, beside = answer.scale.key, is_icans(answer.scale)
    for one in scales.differ:
        is_of_it = key in (one.higher.key, one.lower.key)
        if is_of_it and (not beside or one.axis is Axis.NEURO):
            yield one.text
    if scales.lee is not None and not beside:
        yield from _bounds_differ(answer, current, scales.lee)


def _bounds_differ(answer: ScaleAnswer, current: ScalePeriod, lee: Assessment) -> Iterator[str]:
    """Yield why the bounds differ where the grades agree; the wider one has what is not known."""
    if lee.grade != current.grade or lee.at_most in (None, current.at_most):
        return
    name = answer.scale.short
    if current.at_most > current.grade and current.at_most > (lee.at_most or 0):
        yield f"{name} could be {current.at_most}; Lee could not: {current.unknown[0].why}."
    elif current.at_most == current.grade:
        yield f"{name} is sure; Lee could be {lee.at_most}."
    else:
        yield f"{name} could be {current.at_most}; Lee could be {lee.at_most}."


def _next_change(answer: ScaleAnswer, current: ScalePeriod) -> str:
    shown = (current.grade, current.at_most)
    for one in answer.projected:
        if (one.grade, one.at_most) != shown:
            bound = f", could be {one.at_most}" if one.at_most > one.grade else ""
            return f"grade {one.grade}{bound} from {moment_text(one.start)} if nothing changes"
    return ""
