"""Decide what of a document of another system is charted, what is held and what is remarked.

A database writer calls ``convert`` inside the transaction that holds the lock of the course, with
a ``Context`` of what the course then has, and

* records ``entries`` as one act in their order, under the ids that they have; their
  ``recorded_at`` is the reception and may be left to the database's clock;
* stores ``keys`` (with ``state`` and ``statement``, which is JSON) with the message, and passes all
  of them as ``Context.known`` to the next call, in the order in which they were stored;
* stores ``held``, each with the ``key`` and ``version`` of its source, and closes earlier items of
  the course and system that have one of ``closed_keys`` and are not decided.

Nothing else is remembered from one message to the next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from patients.exchange.formats.chart_state import Chart
from patients.exchange.formats.context import HELD_AS, Context, KeyState
from patients.exchange.formats.converted import Converted, Filed
from patients.exchange.formats.derived import read_active
from patients.exchange.formats.duplicates import is_older, one_of_each_key
from patients.exchange.formats.held_corrections import name_what_they_correct
from patients.exchange.formats.infusions import wanted_infusions
from patients.exchange.formats.key_rules import admit
from patients.exchange.formats.oxygen_sets import wanted_oxygen
from patients.exchange.formats.proposals import hold_proposals
from patients.exchange.formats.received import Document, Held, Received, Source, WholeEntry
from patients.exchange.formats.sets import changed_by
from patients.exchange.formats.sign_sets import wanted_signs
from patients.exchange.formats.statements import Statement
from patients.exchange.formats.whole_entries import wanted_entries


def convert(document: Document, context: Context, received_at: datetime) -> Converted:
    """Return what becomes of ``document``, received at ``received_at``."""
    chart = Chart(context, received_at)
    read_active(chart, document)
    _take_over(chart, document)
    statements = one_of_each_key(chart, document.statements)
    # Weights first: they convert the rates of the same message.
    for received in sorted(statements, key=lambda one: not _is_weight(one)):
        admit(chart, received)
    hold_proposals(chart)
    changed = changed_by(chart)
    chart.settle(
        [
            *wanted_entries(chart, changed),
            *wanted_signs(chart, changed),
            *wanted_oxygen(chart, changed),
            *wanted_infusions(chart, changed),
        ]
    )
    _finish_candidates(chart)
    _finish_retractions(chart)
    _finish_waiting(chart)
    name_what_they_correct(chart)
    return chart.converted()


def _is_weight(received: Received) -> bool:
    return isinstance(received.content, WholeEntry) and received.content.kind == "weight"


def _take_over(chart: Chart, document: Document) -> None:
    """Hold what the reader held, but for what is held already of the same key and version."""
    for held in document.held:
        known = chart.known.get(held.key) if held.key else None
        if known is not None and is_older(held.version, known.version):
            chart.remark("version.lower", held.place, "a newer version came before")
            continue
        if known is not None and known.state is KeyState.RETRACTED:
            chart.remark("retracted.before", held.place, "it was retracted before it came")
            continue
        if known is not None and known.stored.get(HELD_AS) == _digest(held):
            chart.remark("unchanged", held.place, "as it came before")
            continue
        chart.held.append(held)
        if held.key:
            source = Source(held.place, held.key, held.version)
            chart.remember(source, KeyState.ASIDE, stored={HELD_AS: _digest(held)})
    chart.remarks.extend(document.remarks)


def _digest(held: Held) -> list[str | None]:
    return [held.reason, held.what, held.version]


def _finish_candidates(chart: Chart) -> None:
    """File what is charted now; what people charted, or what is held, waits."""
    for key, statement in list(chart.candidates.items()):
        entry = chart.entry_of.get(key)
        if entry is None:
            chart.remember_waiting(statement, "")
            continue
        chart.filed.append(Filed(statement.source.place, key, entry))
        chart.close(key)
        _remember_charted(chart, statement, entry)


def _remember_charted(chart: Chart, statement: Statement, entry: str) -> None:
    why = chart.noted.get(statement.key, "")
    chart.remember(statement.source, KeyState.CHARTED, statement, entry=entry, why=why)


def _finish_retractions(chart: Chart) -> None:
    """File the retractions under the entry that took the place of the old one."""
    for key, received in chart.taken_back.items():
        known = chart.known[key]
        if known.entry is None:
            continue
        entry = chart.last_of(known.entry) or known.entry
        chart.filed.append(Filed(received.source.place, key, entry))


def _finish_waiting(chart: Chart) -> None:
    """Remember what an earlier message left waiting and this one made possible."""
    waited = {*chart.waiting, *chart.touched} - chart.candidates.keys() - chart.taken_back.keys()
    for key in sorted(waited):
        entry, statement = chart.entry_of.get(key), chart.active.get(key)
        if entry is not None and statement is not None:
            chart.close(key)
            _remember_charted(chart, statement, entry)


def context_after(context: Context, converted: Converted) -> Context:
    """Return the context that the next message of the same system meets."""
    entries = [*context.course["entries"], *converted.entries]
    return replace(
        context,
        course={**context.course, "entries": entries},
        known=(*context.known, *converted.keys),
        own_entries=context.own_entries | {str(entry["id"]) for entry in converted.entries},
    )
