"""Statements of one key in one document: which of them counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from patients.exchange.formats.chart_state import Chart
from patients.exchange.formats.context import ALTERNATIVES, KeyState
from patients.exchange.formats.received import Received, Standing
from patients.exchange.formats.statements import same_statement, statement_of, words_of

_NUMBER: Final = frozenset("0123456789")
_LONGEST_ID: Final = 64
"""Characters of an id of FHIR R4; a longer one is no number, however it looks."""


def is_older(version: str | None, than: str | None) -> bool:
    """Return whether a version is lower than another: both are numbers, compared as numbers."""
    return is_number(version) and is_number(than) and int(version or 0) < int(than or 0)


def is_number(version: str | None) -> bool:
    return bool(version) and len(version or "") <= _LONGEST_ID and set(version or "") <= _NUMBER


def one_of_each_key(chart: Chart, statements: Iterable[Received]) -> list[Received]:
    """Return the statement of each key that counts; the others are held or remarked."""
    by_key: dict[str, list[Received]] = {}
    for received in statements:
        by_key.setdefault(received.source.key, []).append(received)
    chosen = (group[0] if len(group) == 1 else _one_of(chart, group) for group in by_key.values())
    return [received for received in chosen if received is not None]


def _one_of(chart: Chart, group: Sequence[Received]) -> Received | None:
    """Return the one of a key that counts; None where they contradict each other."""
    newest = [
        one
        for one in group
        if not any(is_older(one.source.version, other.source.version) for other in group)
    ]
    _remark_others(chart, group, newest, "version.lower", "a newer version stands here too")
    taken_back = [one for one in newest if one.standing is Standing.RETRACTED]
    if taken_back:
        _remark_others(chart, newest, taken_back[:1], "retracted", "it is retracted here too")
        return taken_back[0]
    final = [one for one in newest if one.standing is not Standing.PRELIMINARY] or newest
    _remark_others(chart, newest, final, "superseded", "the final value stands here too")
    if all(_alike(one, final[0]) for one in final[1:]):
        _remark_others(chart, final, final[:1], "duplicate.equal", "it stands here twice")
        return final[0]
    _hold_all(chart, final)
    return None


def _alike(one: Received, other: Received) -> bool:
    if one.content is None or other.content is None:
        return one.content is other.content
    return same_statement(statement_of(one), statement_of(other))


def _remark_others(
    chart: Chart, group: Sequence[Received], left: Sequence[Received], reason: str, what: str
) -> None:
    for received in group:
        if not any(received is one for one in left):
            chart.remark(reason, received.source.place, what)


def _hold_all(chart: Chart, group: Sequence[Received]) -> None:
    """Hold statements of one key that differ; the same ones again are no news."""
    alternatives = sorted(str(words_of(statement_of(one))) for one in group)
    key = group[0].source.key
    known = chart.known.get(key)
    if known is not None and known.stored.get(ALTERNATIVES) == alternatives:
        for received in group:
            chart.remark("unchanged", received.source.place, "came before")
        return
    for received in group:
        statement = statement_of(received)
        chart.hold(
            "duplicate.conflict",
            statement,
            words=words_of(statement),
            more="another value stands here under the same key",
        )
    chart.remember(group[-1].source, KeyState.ASIDE, stored={ALTERNATIVES: alternatives})
