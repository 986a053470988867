"""The questions about onset, fever, grades and the end of CRS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from grading.engine.evidence import ONSET_LATE_AFTER, QUIET_BEFORE_END, SAME_EPISODE_WITHIN
from grading.engine.units import format_number
from patients.display.text import date_text, date_time_text, range_text
from patients.models import FeverSource, StatedAbout, StatedAnswer
from patients.queries.summary import Statement, latest_about
from patients.summary.answer import (
    Answer,
    Section,
    State,
    hours_text,
    instant,
    not_known,
    number,
    seconds,
    time_text,
    times_at_grades,
)
from patients.summary.facts import EpisodeFacts, Finding, Reading, SummaryChart

_LATE: Final = timedelta(days=int(ONSET_LATE_AFTER.value))
QUIET: Final = timedelta(hours=int(QUIET_BEFORE_END.value))
_SAME_EPISODE: Final = timedelta(hours=int(SAME_EPISODE_WITHIN.value))
_COURSE: Final = Section.COURSE


@dataclass(frozen=True, slots=True)
class Episode:
    """What the answers are made of: the chart, its facts in the span, and what people stated.

    ``began_at`` is the onset of the whole course; ``signed_of`` says how the grade of an instant
    is signed.
    """

    chart: SummaryChart
    facts: EpisodeFacts
    statements: Sequence[Statement]
    began_at: datetime | None
    signed_of: Callable[[datetime], str]

    def after_infusion(self, at: datetime) -> str:
        """Return how long after the infusion an instant is, and which day it is."""
        chart = self.chart
        day = (
            at.astimezone(chart.zone).date() - chart.infused_at.astimezone(chart.zone).date()
        ).days
        return f"day {day}, {time_text(at - chart.infused_at)} after infusion"

    def stated(self, about: StatedAbout) -> Statement | None:
        """Return the latest statement; None where there is none, or it says *not known*."""
        found = latest_about(self.statements, about)
        return None if found is None or found.answer == StatedAnswer.NOT_KNOWN else found

    @property
    def is_complete(self) -> bool:
        """Whether nothing more can be charted in the span."""
        known = self.facts.looked_at
        ended = self.chart.is_closed or self.facts.died_at is not None
        return known is not None and (not known.has_last or ended)


def course_answers(episode: Episode) -> Iterable[Answer]:
    yield _occurred(episode)
    yield _onset(episode)
    yield _first_fever(episode)
    yield fever_at_home(episode)
    yield _highest_temperature(episode)
    yield _peak(episode)
    yield _time_to_peak(episode)
    yield _time_at_grades(episode)
    yield end_of_crs(episode)


def _charted_text(facts: EpisodeFacts) -> str:
    known = facts.looked_at
    if known is None or not facts.entry_ids:
        return "nothing charted"
    count = len(facts.entry_ids)
    entries = "1 entry" if count == 1 else f"{count} entries"
    return f"from {entries}, {range_text(known.start, known.end)}"


def _never_known(facts: EpisodeFacts) -> str:
    if facts.was_assessed:
        return ""
    return "never assessed: a temperature, a pressure or the oxygen was not charted"


def _open_text(facts: EpisodeFacts) -> str:
    """Return what was not ruled out: "grade 4 was not ruled out, 27 Nov 13:20 – 16:05"."""
    found = facts.not_ruled_out
    if found is None:
        return ""
    first = range_text(*found.spans[0])
    more = len(found.spans) - 1
    again = f" and {more} more times" if more > 1 else " and once more" if more else ""
    return f"grade {found.grade} was not ruled out, {first}{again}"


def _occurred(episode: Episode) -> Answer:
    key, question, facts = "crs.occurred", "Did CRS occur?", episode.facts
    if facts.onset is not None:
        details = ("it went on from the period before",) if facts.onset.continues else ()
        if facts.onset.is_uncertain and facts.first_certain is None:
            details = (*details, "the cause of every finding is uncertain")
        return Answer(
            key, _COURSE, question, State.YES, "Yes", "yes", details, facts.onset.evidence
        )
    if never := _never_known(facts):
        return not_known(key, _COURSE, question, never)
    if not_ruled_out := _open_text(facts):
        return not_known(key, _COURSE, question, not_ruled_out, details=(_charted_text(facts),))
    home = _home_fever_in(episode)
    if home is not None:
        stated = f"a fever at home is stated for {date_text(_day(home))}, which is not graded"
        return not_known(key, _COURSE, question, stated, details=(_charted_text(facts),))
    if not episode.is_complete:
        return not_known(key, _COURSE, question, "the period goes on", details=("none so far",))
    why = (_charted_text(facts),)
    return Answer(key, _COURSE, question, State.NO, "No", "no", why, why=why)


def _onset(episode: Episode) -> Answer:
    key, question, facts = "crs.onset", "Start of CRS", episode.facts
    onset = facts.onset
    if onset is None:
        return not_known(key, _COURSE, question, "no finding attributed to CRS is charted")
    if onset.continues and episode.began_at is not None:
        text = date_time_text(episode.began_at)
        return Answer(
            key, _COURSE, question, State.ANSWERED, text, instant(episode.began_at),
            ("before this period",), onset.evidence, ((episode.began_at, "the first finding"),),
        )  # fmt: skip
    details = [episode.after_infusion(onset.at)]
    if onset.is_uncertain:
        certain = facts.first_certain
        later = "none" if certain is None else date_time_text(certain.at)
        details.append(f"cause uncertain; first finding surely attributed to CRS: {later}")
    if onset.at - episode.chart.infused_at > _LATE:
        days = format_number(ONSET_LATE_AFTER.value)
        details.append(f"more than {days} days after the infusion: check the cause")
    home = _home_fever_in(episode)
    if home is not None and _day(home) < onset.at.astimezone(episode.chart.zone).date():
        details.append(f"a fever at home is stated for {date_text(_day(home))}, before this")
    return Answer(
        key, _COURSE, question, State.ANSWERED, date_time_text(onset.at), instant(onset.at),
        tuple(details), onset.evidence, ((onset.at, "first finding due to CRS"),),
        tuple(met.explanation for met in onset.criteria),
    )  # fmt: skip


def _home_fever_in(episode: Episode) -> Statement | None:
    """Return the fever at home that is stated for a day of the span."""
    stated = episode.stated(StatedAbout.FEVER_AT_HOME)
    if stated is None or stated.on_day is None:
        return None
    zone, window = episode.chart.zone, episode.facts.window
    first, end = window.start.astimezone(zone).date(), window.end.astimezone(zone).date()
    return stated if first <= stated.on_day < end else None


def _day(stated: Statement) -> date:
    """Return the day of a fever at home that is stated."""
    if stated.on_day is None:
        raise ValueError("only a fever has a day")
    return stated.on_day


def _first_fever(episode: Episode) -> Answer:
    key, question, facts = "crs.fever.onset", "First fever", episode.facts
    threshold = facts.fever_threshold_c
    limit = "" if threshold is None else f"from {format_number(threshold)} °C"
    home, there = _home_fever_in(episode), facts.first_fever
    others = _other_fever(facts)
    if home is not None and (
        there is None or _day(home) <= there.at.astimezone(episode.chart.zone).date()
    ):
        seen = "none" if there is None else date_time_text(there.at)
        details = (f"{_home_text(home)}; first measured in hospital: {seen}", *others)
        return Answer(
            key, _COURSE, question, State.ANSWERED, f"{date_text(_day(home))}, at home",
            _day(home).isoformat(), details, () if there is None else (there.entry_id,),
            why=("Stated on this page, see Fever at home",),
        )  # fmt: skip
    answered = episode.stated(StatedAbout.FEVER_AT_HOME) is not None
    at_home = "" if answered else "; fever at home: not known"
    if there is None:
        return not_known(
            key, _COURSE, question, f"no temperature {limit} is charted{at_home}", details=others
        )
    return Answer(
        key, _COURSE, question, State.ANSWERED, date_time_text(there.at), instant(there.at),
        (f"{format_number(there.value, 2)} °C, measured in hospital, {limit}{at_home}", *others),
        (there.entry_id,),
    )  # fmt: skip


def _other_fever(facts: EpisodeFacts) -> tuple[str, ...]:
    other, first = facts.fever_of_other_cause, facts.first_fever
    if other is None or (first is not None and first.at < other.at):
        return ()
    return (f"an earlier fever was of another cause: {date_time_text(other.at)}",)


def _home_text(stated: Statement) -> str:
    degrees = (
        "" if stated.temperature_c is None else f"{format_number(stated.temperature_c, 2)} °C, "
    )
    return f"{degrees}says {FeverSource(stated.source).label}"


def fever_at_home(episode: Episode) -> Answer:
    """Return the answer that people state; a fever of another span is no fever of this one."""
    key, question = "crs.fever.home", "Fever at home"
    stated = episode.stated(StatedAbout.FEVER_AT_HOME)
    if stated is None:
        return not_known(key, _COURSE, question, "nobody has stated it")
    by = f"stated {date_time_text(stated.recorded_at)} by {stated.author_name}"
    if stated.answer == StatedAnswer.NO:
        source = f"says {FeverSource(stated.source).label}"
        return Answer(key, _COURSE, question, State.NO, "No", "no", (source, by))
    if _home_fever_in(episode) is None:
        text = f"stated for {date_text(_day(stated))}, which is not in this period"
        return not_known(key, _COURSE, question, text, details=(by,))
    value = {
        "date": _day(stated).isoformat(),
        "temperature_c": number(stated.temperature_c or Decimal(0)),
        "source": stated.source,
    }
    return Answer(
        key, _COURSE, question, State.YES, f"Yes, {date_text(_day(stated))}", value,
        (_home_text(stated), by, "not graded"),
    )  # fmt: skip


def _highest_temperature(episode: Episode) -> Answer:
    key, question = "crs.fever.max", "Highest temperature"
    highest = episode.facts.highest_temperature
    if highest is None:
        return not_known(key, _COURSE, question, "no temperature is charted")
    return Answer(
        key, _COURSE, question, State.ANSWERED, f"{format_number(highest.value, 2)} °C",
        _reading_json(highest), (date_time_text(highest.at), "whatever its cause"),
        (highest.entry_id,),
    )  # fmt: skip


def _reading_json(reading: Reading) -> dict[str, str]:
    return {"value": number(reading.value), "at": instant(reading.at)}


def _peak(episode: Episode) -> Answer:
    key, question, facts = "crs.grade.max.lee2014", "Highest grade, Lee 2014", episode.facts
    peak, never = facts.peak, _never_known(facts)
    open_text = _open_text(facts)
    if peak is None or (peak.grade == 0 and never):
        return not_known(key, _COURSE, question, never or "nothing is graded")
    if peak.grade == 0:
        if open_text:
            return not_known(key, _COURSE, question, open_text)
        return Answer(
            key, _COURSE, question, State.ANSWERED, "0", {"grade": 0, "at": None},
            (_charted_text(facts),), why=("no criterion is met",), grade=0,
        )  # fmt: skip
    began = f"first on {date_time_text(peak.at)}"
    if peak.continues:
        began = "from before this period"
    details = [episode.after_infusion(peak.at)] if not peak.continues else []
    more = (_by_clock(peak, episode), episode.signed_of(peak.at), open_text)
    details += [text for text in more if text]
    value = {
        "grade": peak.grade,
        "at": instant(peak.at),
        "not_ruled_out": None if facts.not_ruled_out is None else facts.not_ruled_out.grade,
    }
    return Answer(
        key, _COURSE, question, State.ANSWERED, began, value, tuple(details), peak.evidence,
        ((peak.at, "why"),), tuple(met.explanation for met in peak.criteria), grade=peak.grade,
    )  # fmt: skip


def _by_clock(found: Finding, episode: Episode) -> str:
    is_charted = any(one.at == found.at for one in episode.chart.entries)
    return "" if found.continues or is_charted else "by the clock, no entry"


def _time_to_peak(episode: Episode) -> Answer:
    key, question = "crs.grade.max.lee2014.time", "Time to the highest grade"
    peak, facts = episode.facts.peak, episode.facts
    if peak is None or peak.grade == 0 or peak.continues:
        why = (
            "it was reached in the period before" if peak and peak.continues else "no grade above 0"
        )
        return not_known(key, _COURSE, question, why)
    since_infusion = peak.at - episode.chart.infused_at
    value: dict[str, int | str | None] = {"after_infusion_s": seconds(since_infusion)}
    details = []
    if facts.onset is not None and not facts.onset.continues:
        since_onset = peak.at - facts.onset.at
        value["after_onset_s"] = seconds(since_onset)
        details.append(f"{time_text(since_onset)} after the start of CRS")
    text = f"{time_text(since_infusion)} after infusion"
    return Answer(
        key, _COURSE, question, State.ANSWERED, text, value, tuple(details), peak.evidence
    )


def _time_at_grades(episode: Episode) -> Answer:
    key, question, facts = "crs.grade.time.lee2014", "Time at each grade, Lee", episode.facts
    if facts.peak is None:
        return not_known(key, _COURSE, question, "nothing is graded")
    why = _charted_text(facts)
    return times_at_grades(key, _COURSE, question, facts.grades, facts.not_assessed, why=why)


def end_of_crs(episode: Episode) -> Answer:
    """Return when CRS ended: what a clinician states, never what the chart suggests."""
    key, question, facts = "crs.resolved", "End of CRS", episode.facts
    stated = episode.stated(StatedAbout.END_OF_CRS)
    if stated is None or stated.at is None:
        return Answer(
            key, _COURSE, question, State.NOT_STATED, "not stated",
            details=tuple(present_text(facts)),
            instants=() if facts.looked_at is None else ((facts.looked_at.end, "the grade then"),),
            why=("a clinician states it on this page",),
        )  # fmt: skip
    by = f"stated {date_time_text(stated.recorded_at)} by {stated.author_name}"
    if stated.at >= facts.window.end:
        text = f"stated for {date_time_text(stated.at)}"
        return Answer(key, _COURSE, question, State.NO, "Not in this period", "no", (text, by))
    details = [by]
    if stated.at < facts.window.start:
        details.append("before this period")
    elif episode.began_at is not None:
        details.append(f"{hours_text(stated.at - episode.began_at)} after the start of CRS")
    details += after_the_end(stated.at, episode.chart)
    return Answer(
        key, _COURSE, question, State.ANSWERED, date_time_text(stated.at), instant(stated.at),
        tuple(details), instants=((stated.at, "the grade then"),),
    )  # fmt: skip


def present_text(facts: EpisodeFacts) -> Iterable[str]:
    """Yield what the chart says at the end of what is known, beside an end that nobody stated."""
    present = facts.present
    if facts.died_at is not None:
        yield f"died {date_time_text(facts.died_at)}"
        return
    if present is None or facts.looked_at is None:
        return
    if present.grade:
        could_be = f", could be {present.at_most}" if present.at_most > present.grade else ""
        yield f"grade {present.grade}{could_be} at {date_time_text(facts.looked_at.end)}"
    elif present.quiet_since is not None:
        quiet = facts.looked_at.end - present.quiet_since
        yield f"no finding for {time_text(quiet)}, since {date_time_text(present.quiet_since)}"
        if present.at_most:
            yield f"grade {present.at_most} is not ruled out"


def after_the_end(stated_at: datetime, chart: SummaryChart) -> Iterable[str]:
    """Yield what the chart has after an end that was stated: it needs a new look."""
    later = [one for one in chart.periods if one.grade and one.start <= chart.until]
    at_the_end = [
        one for one in later if one.start <= stated_at and (one.end is None or one.end > stated_at)
    ]
    again = [one for one in later if one.start > stated_at]
    if at_the_end:
        yield f"needs a new look: the chart has grade {at_the_end[-1].grade} at that time"
    elif again:
        since = again[0].start - stated_at
        same = ", the same episode" if since <= _SAME_EPISODE else ""
        yield (
            f"needs a new look: grade {again[0].grade} from {date_time_text(again[0].start)}, "
            f"{time_text(since)} later{same}"
        )
