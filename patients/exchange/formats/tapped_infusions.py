"""Infusions that people charted from a proposal: the rate, and the stop that its end made.

A later version of one is about these entries. Its rate and its end are compared with what the
system sent before, and not with the chart: who tapped may have charted another rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from patients.exchange.formats.chart_state import Chart
from patients.exchange.formats.derived import infusion_fields
from patients.exchange.formats.received import Infusion
from patients.exchange.formats.statements import Statement, from_json, same_value


@dataclass(frozen=True, slots=True)
class ChartedInfusion:
    """Ids of the entries in force that an infusion is charted in; ``stop`` None: it has no end."""

    start: str
    stop: str | None = None


def charted_infusion(chart: Chart, key: str, drug: str) -> ChartedInfusion | None:
    """Return where the infusion of a key is charted, None where people hold nothing of it."""
    stated = list(_stated(chart, key))
    starts = {one.at for one, _ in stated}
    ends = {content.end for _, content in stated}
    ids = [one for one in _entries_of(chart, key) if chart.entries[one].get("drug") == drug]
    start = stop = None
    for identity in ids:
        words = chart.entries[identity]
        at = datetime.fromisoformat(str(words["at"]))
        if at in ends and same_value(words.get("rate"), 0):
            stop = _in_force(chart, identity)
        elif at in starts or len(ids) == 1:
            start = _in_force(chart, identity)
    return None if start is None else ChartedInfusion(start, stop)


def as_charted(chart: Chart, statement: Statement, content: Infusion) -> Statement | None:
    """Return what is charted of an infusion that people charted, None where nothing is."""
    found = charted_infusion(chart, statement.key, str(content.fields["drug"]))
    if found is None:
        return None
    words = chart.entries[found.start]
    end = None if found.stop is None else chart.entries[found.stop]["at"]
    return replace(
        statement,
        at=datetime.fromisoformat(str(words["at"])),
        content=Infusion(
            infusion_fields(words), None if end is None else datetime.fromisoformat(str(end))
        ),
    )


def _stated(chart: Chart, key: str) -> Iterator[tuple[Statement, Infusion]]:
    """Give what came before under a key, as it was sent and as it was charted or proposed."""
    for row in chart.context.known:
        stored = row.statement or {}
        if row.key != key or not stored.get("values"):
            continue
        for words in (stored, stored.get("sent")):
            one = None if words is None else from_json(words, key, row.version)
            if one is not None and isinstance(one.content, Infusion):
                yield one, one.content


def _entries_of(chart: Chart, key: str) -> Iterator[str]:
    tapped, known = chart.context.tapped.get(key), chart.known.get(key)
    if known is not None and known.entry in chart.entries:
        yield str(known.entry)
    if tapped is not None:
        yield from (one for one in tapped.entries if one in chart.entries)


def _in_force(chart: Chart, identity: str) -> str | None:
    while identity in chart.replaced_by:
        identity = chart.replaced_by[identity]
    return identity if chart.in_force(identity) else None
