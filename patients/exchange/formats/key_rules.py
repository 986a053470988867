"""What a statement is, by its key: new, as before, a correction, or taken back.

What passes becomes a candidate of the chart (``Chart.candidates``); all else is held or remarked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from grading.engine.entries import Vasopressor
from grading.engine.vocabulary import AT_MOST_AHEAD
from patients.exchange.formats.candidates import admit_value
from patients.exchange.formats.chart_state import Chart, Known
from patients.exchange.formats.context import ALTERNATIVES, Filing, KeyState, Tapped
from patients.exchange.formats.contradictions import (
    ContradictionError,
    stop_words,
    with_its_entry,
)
from patients.exchange.formats.derived import has_in_entry
from patients.exchange.formats.duplicates import is_number, is_older
from patients.exchange.formats.received import Infusion, OxygenPart, Received, Signs, Standing
from patients.exchange.formats.statements import (
    Statement,
    from_json,
    kind_of,
    same_statement,
    same_value,
    statement_of,
    words_of,
)
from patients.exchange.formats.tapped_infusions import as_charted, charted_infusion

FUTURE: Final = "time.future"


def admit(chart: Chart, received: Received) -> None:
    """Decide by its key what a statement is."""
    known = chart.known.get(received.source.key)
    if known is not None and is_older(received.source.version, known.version):
        chart.remark("version.lower", received.source.place, "a newer version came before")
    elif received.standing is Standing.RETRACTED:
        _retract(chart, received, known)
    elif known is not None and known.state is KeyState.RETRACTED:
        _after_retraction(chart, received, known)
    else:
        _read_value(chart, received, known)


def _retract(chart: Chart, received: Received, known: Known | None) -> None:
    source = received.source
    if known is None or known.state is KeyState.RETRACTED:
        what = "nothing of it is charted; it is not charted when it comes later"
        chart.remark("retraction.unknown", source.place, what)
        _forget(chart, received)
        chart.close(source.key)
        return
    overruled = chart.overruled_by(known.entry)
    if overruled is not None:
        _retract_what_people_corrected(chart, received, overruled)
        return
    entry = chart.current(known.entry)
    tapped = chart.context.tapped.get(source.key)
    if entry is None and tapped is not None:
        _retract_what_people_charted(chart, received, tapped)
    elif entry is None:
        chart.remark("retracted", source.place, "it was not charted and is retracted")
        chart.taken_back[source.key] = received
        _forget(chart, received)
        chart.close(source.key)
    elif _filing(chart, str(chart.entries[entry]["kind"])) is Filing.PROPOSE:
        at = datetime.fromisoformat(str(chart.entries[entry]["at"]))
        chart.hold_retraction("unvalidated", source, at, entry)
    elif not _names_its_part(chart, received, known):
        at = datetime.fromisoformat(str(chart.entries[entry]["at"]))
        chart.hold_retraction("value.missing", source, at, None)
    else:
        chart.taken_back[source.key] = received
        _forget(chart, received)
        chart.close(source.key)


def _retract_what_people_charted(chart: Chart, received: Received, tapped: Tapped) -> None:
    """Leave it to people, who charted it under their name."""
    entry = tapped.entry
    while entry in chart.replaced_by:
        entry = chart.replaced_by[entry]
    words = chart.entries[entry]
    if words["kind"] == "retraction":
        chart.remark("retracted", received.source.place, "people have retracted it")
        _forget(chart, received)
        chart.close(received.source.key)
        return
    at = datetime.fromisoformat(str(words["at"]))
    is_theirs = tapped.is_alone and entry == tapped.entry
    infusion = None
    if tapped.is_of_one_key and words["kind"] == Vasopressor.kind:
        infusion = charted_infusion(chart, received.source.key, str(words["drug"]))
    if infusion is not None and infusion.stop is not None:
        chart.hold_retraction("unvalidated", received.source, at, infusion.start, infusion.stop)
    else:
        chart.hold_retraction("unvalidated", received.source, at, entry if is_theirs else None)


def _names_its_part(chart: Chart, received: Received, known: Known) -> bool:
    """Return whether it is known which part of an entry of several keys is taken back."""
    return received.content is not None or known.key in chart.active


def _forget(chart: Chart, received: Received) -> None:
    statement = None if received.content is None else statement_of(received)
    chart.remember(received.source, KeyState.RETRACTED, statement)


def _retract_what_people_corrected(chart: Chart, received: Received, entry: str) -> None:
    words = chart.entries[entry]
    if words["kind"] == "retraction":
        chart.remark("retracted", received.source.place, "people have retracted it")
        _forget(chart, received)
        return
    at = datetime.fromisoformat(str(words["at"]))
    chart.hold_retraction("conflict.corrected", received.source, at, entry)


def _after_retraction(chart: Chart, received: Received, known: Known) -> None:
    """Treat a statement that comes after its retraction: most often an old one that arrives late.

    A value that differs from each one before it did not arrive late: people decide about it.
    """
    version = received.source.version
    if is_number(version) and is_older(known.version, version):
        _read_value(chart, received, None)
    elif received.standing is Standing.PRELIMINARY or not _is_another_value(chart, received):
        chart.remark("retracted.before", received.source.place, "it was retracted before it came")
    else:
        _hold_another_value(chart, received, known)


def _is_another_value(chart: Chart, received: Received) -> bool:
    """Return whether something came before under the key, and none of it is this value."""
    statement, key = statement_of(received), received.source.key
    is_the_same: list[bool] = []
    for row in chart.context.known:
        if row.key != key or row.state is KeyState.RETRACTED:
            continue
        stored = row.statement or {}
        if stored.get("values"):
            earlier = from_json(stored.get("sent") or stored, key, row.version)
            is_the_same.append(same_statement(statement, earlier))
        elif row.entry in chart.entries:
            is_the_same.append(has_in_entry(chart.entries[row.entry], statement))
        else:  # it was held, as what cannot be read or as values that contradict each other
            is_the_same.append(str(words_of(statement)) in stored.get(ALTERNATIVES, ()))
    return bool(is_the_same) and not any(is_the_same)


def _hold_another_value(chart: Chart, received: Received, known: Known) -> None:
    statement, source = statement_of(received), received.source
    words = words_of(statement)
    value = str(words)
    if known.stored.get("after_retraction") == value:
        chart.remark("unchanged", source.place, "as it came before")
        return
    reason = "duplicate.conflict"
    more = "another value of the same key was retracted, and nothing says which is newer"
    chart.hold(reason, statement, words=words, more=more)
    stored = {**known.stored, "after_retraction": value, "why": reason}
    chart.remember(source, KeyState.RETRACTED, stored=stored)


def _read_value(chart: Chart, received: Received, known: Known | None) -> None:
    try:
        statement, received = with_its_entry(received)
        if isinstance(statement.content, Infusion):
            stop_words(statement.content)
    except ContradictionError:
        statement = statement_of(received)
        chart.hold("entry.contradiction", statement, more="the entry sent with it differs")
        chart.remember(received.source, KeyState.ASIDE)
        return
    if known is not None and _came_before(chart, statement, known, received.standing):
        chart.remark("unchanged", received.source.place, "as it came before")
        if received.source.version != known.version:
            chart.remember(
                received.source, known.state, statement,
                entry=known.entry, why=str(known.stored.get("why") or ""),
            )  # fmt: skip
        return
    _judge(chart, received, statement, known)


def _came_before(chart: Chart, statement: Statement, known: Known, standing: Standing) -> bool:
    if known.charted is None and (entry := chart.current(known.entry)) is not None:
        return has_in_entry(chart.entries[entry], statement)
    if known.charted is None and (own := chart.last_own(known.entry)) is not None:
        return not _has_end(statement) and has_in_entry(chart.entries[own], statement)
    if known.state is KeyState.CHARTED:
        return _is_as_charted(chart, statement, known)
    is_as_charted = known.charted is not None and same_statement(statement, known.charted)
    if is_as_charted and known.state is KeyState.ASIDE:
        return True
    if known.seen is None or not same_statement(statement, known.seen):
        return False
    is_due_now = known.stored.get("why") == FUTURE and not _is_ahead(chart, statement.at)
    return _is_waiting_still(known, standing) and not is_due_now


def _has_end(statement: Statement) -> bool:
    return isinstance(statement.content, Infusion) and statement.content.end is not None


def _is_as_charted(chart: Chart, statement: Statement, known: Known) -> bool:
    if known.charted is None or same_statement(statement, known.charted):
        return known.charted is not None
    if known.seen is None or not same_statement(statement, known.seen):
        return False
    return not (_end_was_ahead(statement, known.charted) and not _end_is_ahead(chart, statement))


def _end_was_ahead(statement: Statement, charted: Statement) -> bool:
    new, old = statement.content, charted.content
    return isinstance(new, Infusion) and isinstance(old, Infusion) and new.end != old.end


def _end_is_ahead(chart: Chart, statement: Statement) -> bool:
    end = statement.content.end if isinstance(statement.content, Infusion) else None
    return end is not None and _is_ahead(chart, end)


def _is_waiting_still(known: Known, standing: Standing) -> bool:
    was_preliminary = known.stored.get("why") == "status.preliminary"
    return was_preliminary is (standing is Standing.PRELIMINARY)


def _is_ahead(chart: Chart, at: datetime) -> bool:
    return at - chart.received_at > AT_MOST_AHEAD


def _judge(chart: Chart, received: Received, statement: Statement, known: Known | None) -> None:
    words = words_of(statement)
    content = statement.content
    if received.standing is Standing.PRELIMINARY:
        chart.set_aside("status.preliminary", statement, words=words, more="preliminary")
    elif _is_ahead(chart, statement.at):
        chart.set_aside(FUTURE, statement, more=f"{statement.at.isoformat()} is still to come")
    elif isinstance(content, Infusion) and content.is_over and content.end is None:
        chart.set_aside("infusion.no_end", statement, words=words, more="when did it end?")
    else:
        _correct_or_chart(chart, received, statement, known)
    is_of_parts = isinstance(content, Signs | OxygenPart)
    for detail in received.details:
        if is_of_parts or statement.key in chart.candidates:
            chart.hold_detail(detail, statement)


def _correct_or_chart(
    chart: Chart, received: Received, statement: Statement, known: Known | None
) -> None:
    left = statement if known is None else _correction(chart, received, statement, known)
    if left is None:
        return
    if received.standing is Standing.CORRECTED and known is None:
        what = "a correction of what never came: charted as new"
        chart.remark("correction.unknown", received.source.place, what)
    chart.as_sent[statement.key] = statement
    is_proposed = _filing(chart, kind_of(statement.content)) is Filing.PROPOSE
    admit_value(chart, left, is_proposed=is_proposed)


def _correction(
    chart: Chart, received: Received, statement: Statement, known: Known
) -> Statement | None:
    """Return what takes the place of what the key is charted in, None where people decide."""
    words = words_of(statement)
    if chart.overruled_by(known.entry) is not None:
        more = "people have corrected what was charted of it"
        chart.set_aside("conflict.corrected", statement, words=words, more=more)
        return None
    if chart.current(known.entry) is None:
        return _correction_of_tapped(chart, statement, known)
    if known.charted is not None and is_untimed(statement, known.charted):
        return _untimed(chart, statement, known.charted)
    if _is_newer(received, statement, known):
        return statement
    more = "another value is charted under the same key, and nothing says which is newer"
    chart.set_aside("duplicate.conflict", statement, words=words, more=more)
    return None


def _correction_of_tapped(chart: Chart, statement: Statement, known: Known) -> Statement | None:
    """Return what is proposed in place of what people charted of a key, if they charted it.

    The rate of an infusion is news only where the system sent another one before.
    """
    content = statement.content
    charted = as_charted(chart, statement, content) if isinstance(content, Infusion) else None
    if charted is None or not isinstance(content, Infusion):
        return statement
    before = known.seen
    if before is not None and statement.at == before.at and not is_untimed(statement, before):
        kept = charted.content.fields if isinstance(charted.content, Infusion) else content.fields
        return replace(statement, at=charted.at, content=replace(content, fields=kept))
    return _untimed(chart, statement, charted) if is_untimed(statement, charted) else statement


def is_untimed(statement: Statement, charted: Statement) -> bool:
    """Return whether an infusion has another rate since a time that is not known."""
    new, old = statement.content, charted.content
    return (
        isinstance(new, Infusion)
        and isinstance(old, Infusion)
        and statement.at == charted.at
        and not same_value(dict(new.fields), dict(old.fields))
    )


def _untimed(chart: Chart, statement: Statement, charted: Statement) -> Statement | None:
    """Hold a rate change of unknown time: the charted rate stands, and an end is charted."""
    words, more = words_of(statement), "since when? The charted rate stands"
    new, old = statement.content, charted.content
    if not isinstance(new, Infusion) or not isinstance(old, Infusion) or new.end == old.end:
        chart.set_aside("infusion.change_untimed", statement, words=words, more=more)
        return None
    chart.hold("infusion.change_untimed", statement, words=words, more=more)
    return replace(charted, source=statement.source, content=replace(new, fields=old.fields))


def _is_newer(received: Received, statement: Statement, known: Known) -> bool:
    if received.standing is Standing.CORRECTED:
        return True
    version = received.source.version
    if is_number(version) and is_older(known.version, version):
        return True
    return known.charted is not None and only_ends(statement, known.charted)


def only_ends(statement: Statement, charted: Statement) -> bool:
    """Return whether an infusion that ran differs only in that it has an end now."""
    new, old = statement.content, charted.content
    return (
        isinstance(new, Infusion)
        and isinstance(old, Infusion)
        and statement.at == charted.at
        and old.end is None
        and new.end is not None
        and same_value(dict(new.fields), dict(old.fields))
    )


def _filing(chart: Chart, kind: str) -> Filing:
    filing = chart.context.filing
    return filing.get(kind, filing.get("default", Filing.PROPOSE))
