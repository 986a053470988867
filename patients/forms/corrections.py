"""Refuse a correction that changes nothing: it would be shown as if it had."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from patients.forms.entry_form import EntryForm
from patients.models import REASON
from patients.queries.entries import parse_entry

NOTHING_CHANGED: Final = "Nothing was changed. Change a value or the time, or cancel."


def changes_nothing(form: EntryForm) -> bool:
    """Return whether a valid correction has the values, time and cause of what it corrects.

    One that somebody else has corrected meanwhile is a conflict, which says more.
    """
    corrected = form.correcting
    if corrected is None or hasattr(corrected, "replaced_by") or len(form.charted) != 1:
        return False
    before, (after,) = parse_entry(corrected), form.charted
    as_before = replace(
        after, id=before.id, recorded_at=before.recorded_at, replaces=before.replaces
    )
    cause = form.submission_answers().get(REASON, "")
    return as_before == before and cause == corrected.act.answers.get(REASON, "")
