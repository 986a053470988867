"""Statements of one system as they stand after a message, and the entries they stood in before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from patients.exchange.formats.chart_state import Chart
from patients.exchange.formats.derived import names_stated_by, shared_key, without
from patients.exchange.formats.received import Content
from patients.exchange.formats.statements import Statement

Changed = Mapping[str, Statement | None]
"""The keys of a message, each with its new statement, or None where it is taken back."""


def changed_by(chart: Chart) -> dict[str, Statement | None]:
    """Return what the message changes."""
    return {**dict.fromkeys(chart.taken_back), **chart.candidates}


def stated_after(
    chart: Chart, changed: Changed, kinds: type[Content] | tuple[type[Content], ...]
) -> dict[str, Statement]:
    """Return the statements with contents of some types as they are after the message."""
    after = {key: one for key, one in chart.active.items() if key not in changed}
    for key, statement in changed.items():
        _take_out_of_entry(chart, after, key, statement)
        if statement is not None:
            after[key] = statement
    return {key: one for key, one in after.items() if isinstance(one.content, kinds)}


def _take_out_of_entry(
    chart: Chart, after: dict[str, Statement], key: str, statement: Statement | None
) -> None:
    """Take the fields of a key out of an entry that it shares with others."""
    shared = shared_key(chart.shared_entries.get(key, ""))
    if shared not in after:
        return
    received = chart.taken_back.get(key)
    content = statement.content if statement is not None else None
    if content is None and received is not None:
        content = received.content
    if content is None:
        return
    left = without(after[shared], names_stated_by(content))
    if left is None:
        del after[shared]
    else:
        after[shared] = left


def current_entries(chart: Chart, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the own entries in force that some keys are charted in."""
    found = (chart.entry_now(key) for key in keys)
    return tuple(dict.fromkeys(entry for entry in found if entry is not None))


def times_of(
    chart: Chart, changed: Changed, after: Mapping[str, Statement], kind: type[Content]
) -> set[datetime]:
    """Return the times at which the message changes statements with contents of a type."""
    times = {
        statement.at
        for key in changed
        for statement in (chart.active.get(key), after.get(key))
        if statement is not None and isinstance(statement.content, kind)
    }
    shared = (
        shared_key(chart.shared_entries[key]) for key in changed if key in chart.shared_entries
    )
    return times | {
        chart.active[key].at for key in shared if isinstance(chart.active[key].content, kind)
    }


def recorded_at_of(chart: Chart, keys: Iterable[str]) -> datetime | None:
    """Return when the last of the message's statements was charted elsewhere, if that is known."""
    times = [
        recorded_at
        for key in keys
        if key in chart.candidates
        and (recorded_at := chart.candidates[key].recorded_at) is not None
    ]
    return max(times, default=None)
