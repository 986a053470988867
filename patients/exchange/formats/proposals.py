"""What is proposed to people instead of being charted: each statement as one tap would chart it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from patients.exchange.formats.chart_state import Chart
from patients.exchange.formats.held_corrections import END
from patients.exchange.formats.oxygen_sets import as_last_charted, grouped
from patients.exchange.formats.plausible import faults_of, unusual
from patients.exchange.formats.received import Infusion, OxygenPart
from patients.exchange.formats.statements import Statement, same_value, words_of

UNVALIDATED: Final = "unvalidated"


def hold_proposals(chart: Chart) -> None:
    """Hold what the message proposes, each with what a form would ask about it.

    Parts of oxygen are proposed as the set that they make.
    """
    of_sets = _sets(chart)
    for statement, fault in chart.proposed:
        words = of_sets.get(statement.key) or words_of(statement)
        is_whole = not faults_of(words)
        asked = [sentence for _, sentence in unusual(chart, words)] if is_whole else []
        more = "; ".join(text for text in (fault, *asked) if text)
        words = {**words, **_end_of(statement)}
        chart.set_aside(UNVALIDATED, statement, words=words if is_whole else None, more=more)


def _end_of(statement: Statement) -> Mapping[str, Any]:
    """Return when an infusion ended, for the tap that charts it to chart the stop too."""
    content = statement.content
    is_running = isinstance(content, Infusion) and not same_value(content.fields.get("rate"), 0)
    end = content.end if is_running and isinstance(content, Infusion) else None
    return {} if end is None else {END: end.isoformat()}


def _sets(chart: Chart) -> dict[str, Mapping[str, Any]]:
    """Return the entry that the parts of each set of oxygen make, by the key of a part."""
    parts = [one for one, _ in chart.proposed if isinstance(one.content, OxygenPart)]
    words: dict[str, Mapping[str, Any]] = {}
    for one in grouped(parts):
        for statement in one.statements:
            last = as_last_charted(chart, statement)
            words[statement.key] = one.words if "device" in one.parts else last or one.words
    return words
