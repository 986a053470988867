"""Check rates by the weight under the lock: a form has checked them by the weight that it read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from grading.engine.entries import Vasopressor, Weight
from grading.engine.vasopressors import needs_weight
from patients.models import ActSource, Course, Entry, EntryKind
from patients.queries.doses import rates_made_impossible
from patients.queries.entries import EntryRow, parse_entries
from patients.queries.snapshot import SaveSnapshot
from patients.recording.inputs import ImpossibleRateError, Submission

_FORM_WAS_READ_WITHIN: Final = timedelta(minutes=1)


def check_rates(
    course: Course,
    snapshot: SaveSnapshot,
    new_rows: Sequence[EntryRow],
    replaced: Sequence[Entry],
    submission: Submission,
) -> None:
    """Raise ImpossibleRateError where the act brings a rate beyond its hard limit.

    The form has checked the dose by the weight that it read. Where the act before this one is less
    than a minute old, the form may have been read before it, and one more statement checks again.
    Imports are not checked; what another system sent was converted under the lock.
    """
    kinds = {row.kind for row in new_rows} | {entry.kind for entry in replaced}
    last, is_import = snapshot.last_recorded_at, submission.recorded_at is not None
    is_interface = submission.source is ActSource.INTERFACE
    if is_import or is_interface or last is None or snapshot.clock - last > _FORM_WAS_READ_WITHIN:
        return
    new = [one for one in parse_entries(new_rows) if isinstance(one, Weight | Vasopressor)]
    if EntryKind.WEIGHT not in kinds and not any(map(_is_converted, new)):
        return
    gone = [entry.pk for entry in replaced]
    for rate in rates_made_impossible(course, replaced=gone, new=new):
        raise ImpossibleRateError(rate)


def _is_converted(entry: Weight | Vasopressor) -> bool:
    """Return whether a charted weight converts the rate of ``entry``."""
    if isinstance(entry, Weight):
        return True
    return entry.weight_kg is None and needs_weight(entry.drug, entry.unit)
