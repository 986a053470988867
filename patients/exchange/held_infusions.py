"""The entries that one tap charts of a proposed infusion: its rate, and the stop at its end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from patients.exchange.formats.chart_state import END_REPLACES
from patients.exchange.formats.held_corrections import END, OF_AN_END
from patients.exchange.formats.statements import same_value
from patients.forms.received import NotChartableError
from patients.models import Entry, EntryKind
from patients.queries.held import charted_since, infusions_since

_RATE: Final = ("drug", "rate", "unit", "concentration_per_ml", "weight_kg")
Words = dict[str, Any]


def infusion_entries(proposal: Mapping[str, Any], course_id: uuid.UUID) -> list[Words]:
    """Return what is to be charted of a proposed infusion, as entries.

    A rate and a stop that are charted as they were sent are left out. Raises NotChartableError
    where nothing is left, and where another rate was charted before the end, or a stop after the
    beginning of one that has no end: which of the two ended nobody knows.
    """
    rate = {key: value for key, value in proposal.items() if key not in OF_AN_END}
    start, stop = (
        _charted(course_id, proposal.get("replaces")),
        _charted(course_id, proposal.get(END_REPLACES)),
    )
    rate.pop("replaces", None)
    if start is not None:
        rate["replaces"] = str(start.pk)
    began = datetime.fromisoformat(str(proposal["at"]))
    end = None if proposal.get(END) is None else datetime.fromisoformat(str(proposal[END]))
    own = {one.pk for one in (start, stop) if one is not None}
    others = [
        one
        for one in infusions_since(course_id, str(proposal["drug"]), began, end)
        if one.pk not in own and not (one.at == began and _is_stop(one))
    ]
    entries = [] if start is not None and _is_as_charted(start, rate) else [rate]
    if end is not None:
        entries += _stop(str(proposal["drug"]), end, others, stop)
    else:
        if entries and any(map(_is_stop, others)):
            raise NotChartableError(
                "A stop of this drug was charted since it began. Chart by hand what holds."
            )
        entries += [] if stop is None else [_retraction_of(stop)]
    if not entries:
        raise NotChartableError("It is on the chart as it was sent.")
    return entries


def retraction_entries(proposal: Mapping[str, Any], course_id: uuid.UUID) -> list[Words]:
    """Return the retraction that is proposed, and that of the stop where an infusion has one."""
    first = {key: value for key, value in proposal.items() if key not in OF_AN_END}
    stop = _charted(course_id, proposal.get(END_REPLACES))
    return [first] if stop is None else [first, _retraction_of(stop)]


def _charted(course_id: uuid.UUID, entry_id: Any) -> Entry | None:
    found = None if entry_id is None else charted_since(course_id, uuid.UUID(str(entry_id)))
    return found if found is not None and found.kind == EntryKind.VASOPRESSOR else None


def _is_as_charted(charted: Entry, words: Mapping[str, Any]) -> bool:
    is_same_time = charted.at == datetime.fromisoformat(str(words["at"]))
    return is_same_time and all(
        same_value(charted.body.get(name), words.get(name)) for name in _RATE
    )


def _is_stop(entry: Entry) -> bool:
    return same_value(entry.body.get("rate"), 0)


def _stop(drug: str, end: datetime, others: list[Entry], stop: Entry | None) -> list[Words]:
    """Return the stop at the end of an infusion; ``stop`` is the one charted of it."""
    if stop is not None and stop.at == end:
        return []
    if any(one.at < end for one in others):
        raise NotChartableError(
            "Another rate of this drug was charted before it ended. Chart by hand what holds."
        )
    if others:  # another rate, or a stop, begins when it ends
        return [] if stop is None else [_retraction_of(stop)]
    words = {"kind": EntryKind.VASOPRESSOR.value, "at": end.isoformat(), "drug": drug, "rate": "0"}
    return [words if stop is None else {**words, "replaces": str(stop.pk)}]


def _retraction_of(entry: Entry) -> Words:
    return {
        "kind": EntryKind.RETRACTION.value,
        "at": entry.at.isoformat(),
        "replaces": str(entry.pk),
    }
