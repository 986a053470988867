"""The questions about ASTCT and ICANS: the highest grade, and the time at each of them."""

from __future__ import annotations

from collections.abc import Iterable

from patients.display.text import date_time_text, range_text
from patients.summary.answer import (
    Answer,
    Section,
    State,
    instant,
    not_known,
    time_text,
    times_at_grades,
)
from patients.summary.answers_course import Episode
from patients.summary.scale_facts import ScaleFacts, ScaleOpen, ScalePeak


def beside_lee(episode: Episode, answers: Iterable[Answer]) -> Iterable[Answer]:
    """Yield ``answers``, each about Lee's grades with that of ASTCT after it."""
    others = {one.key: one for one in _astct_answers(episode)}
    for answer in answers:
        yield answer
        other = others.get(answer.key.replace("lee2014", "astct2019"))
        if other is not None:
            yield other


def _astct_answers(episode: Episode) -> Iterable[Answer]:
    facts = episode.facts.scales.get("astct-2019")
    if facts is None:
        return
    never = "never assessed: a temperature, a pressure or the oxygen was not charted"
    key, section = "crs.grade.max.astct2019", Section.COURSE
    yield _peak(episode, facts, key, "Highest grade, ASTCT 2019", section, never)
    yield _times(facts, "crs.grade.time.astct2019", "Time at each grade, ASTCT", section)


def icans_answers(episode: Episode) -> Iterable[Answer]:
    facts = episode.facts.scales.get("icans-2019")
    if facts is None:
        return
    never = "never assessed: no ICE, or CAPD in its place, could be done"
    section = Section.OTHER
    yield _peak(episode, facts, "icans.grade.max", "ICANS, highest grade", section, never)
    yield _times(facts, "icans.grade.time", "ICANS, time at each grade", section)


def _peak(
    episode: Episode, facts: ScaleFacts, key: str, question: str, section: Section, never: str
) -> Answer:
    peak, still_open = facts.peak, facts.not_ruled_out
    open_text = "" if still_open is None else _open_text(still_open)
    if peak is None:
        why = never if facts.is_graded else "nothing is graded"
        return not_known(key, section, question, *filter(None, (why, open_text)))
    if peak.grade == 0:
        return _none_met(facts, key, question, section, open_text)
    began = "from before this period" if peak.continues else f"first on {date_time_text(peak.at)}"
    details = [*_after_infusion(episode, peak), *_ended(facts), *filter(None, (open_text,))]
    value = {
        "grade": peak.grade,
        "at": instant(peak.at),
        "not_ruled_out": None if still_open is None else still_open.grade,
    }
    return Answer(
        key, section, question, State.ANSWERED, began, value, tuple(details), peak.evidence,
        ((peak.at, "why"),), peak.explanations, grade=peak.grade,
    )  # fmt: skip


def _none_met(
    facts: ScaleFacts, key: str, question: str, section: Section, open_text: str
) -> Answer:
    if open_text:
        return not_known(key, section, question, open_text)
    details: tuple[str, ...] = ()
    if facts.not_assessed:
        details = (f"not assessed for {time_text(facts.not_assessed)}",)
    return Answer(
        key, section, question, State.ANSWERED, "0", {"grade": 0, "at": None}, details,
        why=("no criterion is met",), grade=0,
    )  # fmt: skip


def _after_infusion(episode: Episode, peak: ScalePeak) -> tuple[str, ...]:
    return () if peak.continues else (episode.after_infusion(peak.at),)


def _ended(facts: ScaleFacts) -> tuple[str, ...]:
    return () if facts.ended_at is None else (f"grade 0 since {date_time_text(facts.ended_at)}",)


def _open_text(found: ScaleOpen) -> str:
    """Return what was not ruled out, when and why."""
    more = len(found.spans) - 1
    again = f" and {more} more times" if more > 1 else " and once more" if more else ""
    when = range_text(*found.spans[0])
    return f"grade {found.grade} was not ruled out, {when}{again}: {found.why}"


def _times(facts: ScaleFacts, key: str, question: str, section: Section) -> Answer:
    if not facts.is_graded:
        return not_known(key, section, question, "nothing is graded")
    why = "computed beside the grade, from the same entries"
    return times_at_grades(key, section, question, facts.grades, facts.not_assessed, why=why)
