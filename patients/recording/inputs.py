"""What a caller hands to the recorder, and the errors that it raises."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crs_app.accounts.models import User
from grading.engine.entries import Entry as ChartedEntry
from patients.models import ActSource, ChartingAct, Entry
from patients.queries.laboratory import ReportedLimits


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Entry to be recorded: ``body`` in the words of the course file; ``replaces`` is corrected.

    ``entry`` is ``body`` as its reader made it, with an id and a time of recording still to come;
    None where nothing has read it yet.
    """

    kind: str
    at: datetime
    body: Mapping[str, Any]
    replaces: uuid.UUID | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    entry: ChartedEntry | None = None


class ReplacedAlreadyError(Exception):
    """The entry to correct or retract has a successor already: ``successor``, by someone else."""

    def __init__(self, successor: Entry) -> None:
        super().__init__(str(successor))
        self.successor = successor


class FormReusedError(Exception):
    """This form was saved before with other contents; ``act`` is what was recorded then."""

    def __init__(self, act: ChartingAct) -> None:
        super().__init__(str(act))
        self.act = act


@dataclass(frozen=True, slots=True)
class Submission:
    """Who sends an act and under which form. ``recorded_at`` is given by an import alone.

    ``limits`` are those of normal that came with results, to be remembered for the next patient.
    """

    by: User
    form_id: uuid.UUID
    request_digest: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    source: ActSource = ActSource.BEDSIDE
    recorded_at: datetime | None = None
    limits: Sequence[ReportedLimits] = ()
