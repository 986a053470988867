"""A history of forms that were sent and acts that were stored, and the faults in it.

The method is that of list-append in Elle (Kingsbury and Alvaro, VLDB 2020): the acts of a course
are a list to which each saved form appends one. Its recorded order must have every form whose save
was acknowledged, once, as it was sent, and after each form that was acknowledged before it was
begun; and every page that somebody read must show a beginning of that list (``chaos.pages``).

Plain Python: it knows neither the product nor the driver. Times ``..._s`` are seconds of one
monotonic clock; the database's clock orders nothing here.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

_ONE_MINUTE: Final = timedelta(minutes=1)


class Outcome(StrEnum):
    """What the answer to one attempt says about the save."""

    SAVED = "saved"
    REFUSED = "refused"
    NOT_STORED = "answered: nothing was saved, try again"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A form sent once: from when to when, and its answer; ``status`` 0 is no answer."""

    begun_s: float
    ended_s: float
    outcome: Outcome
    status: int


@dataclass(slots=True)
class SentForm:
    """A form as its author sent it, with all attempts.

    ``at`` is the clinical time, None where none was typed; ``body`` is the entry in the keys of the
    course file; ``replaces`` is the entry that it corrects or retracts, for ``reason``.
    ``opened_at`` is the wall clock at the first attempt.
    """

    form_id: str
    author: str
    course: str
    kind: str
    at: datetime | None
    body: Mapping[str, Any]
    opened_at: datetime
    replaces: str | None = None
    reason: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def begun_s(self) -> float:
        return min((one.begun_s for one in self.attempts), default=math.inf)

    @property
    def acknowledged_s(self) -> float:
        """When its author knew that it was saved; infinite where that never was."""
        saved = (one.ended_s for one in self.attempts if one.outcome is Outcome.SAVED)
        return min(saved, default=math.inf)

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged_s < math.inf

    @property
    def is_refused(self) -> bool:
        """Whether every attempt was answered, and each time with: nothing is stored."""
        negative = (Outcome.REFUSED, Outcome.NOT_STORED)
        return all(one.outcome in negative for one in self.attempts)

    @property
    def is_contradicted(self) -> bool:
        """Whether one attempt was acknowledged, and another refused for good."""
        outcomes = {one.outcome for one in self.attempts}
        return {Outcome.SAVED, Outcome.REFUSED} <= outcomes


@dataclass(frozen=True, slots=True)
class StoredAct:
    """An act of one entry, as the database has it."""

    form_id: str
    author: str
    course: str
    recorded_at: datetime
    entry_id: str
    kind: str
    at: datetime
    body: Mapping[str, Any]
    replaces: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PageRead:
    """The newest entries of a course as a page showed them, newest first.

    ``rows`` are the id of each entry and whether it was shown as entered in error. ``is_whole``:
    the page showed all there were.
    """

    course: str
    reader: str
    begun_s: float
    ended_s: float
    rows: tuple[tuple[str, bool], ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a run. ``stored`` is in recorded order, the courses in any.

    ``before`` are the form ids of acts that were stored before the run.
    """

    sent: Sequence[SentForm]
    stored: Sequence[StoredAct]
    reads: Sequence[PageRead] = ()
    before: frozenset[str] = frozenset()


class FaultKind(StrEnum):
    """Kinds of faults."""

    LOST = "lost"
    DOUBLED = "doubled"
    DIFFERENT = "different"
    SWAPPED = "swapped"
    FORKED = "forked"
    REFUSED_BUT_STORED = "refused but stored"
    SENT_BY_NOBODY = "stored but sent by nobody"
    MISSED = "missed by a page"
    AGAINST_ORDER = "page against the order"
    SERVER_ERROR = "answered with an error of the server"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with a sentence that names the form or entry."""

    kind: FaultKind
    sentence: str


def find_faults(history: History) -> list[Fault]:
    """Return every fault of the acts; those of pages are found by ``chaos.pages``."""
    return [
        *_lost(history),
        *_doubled(history),
        *_different(history),
        *_swapped(history),
        *_forked(history),
        *_refused_but_stored(history),
        *_sent_by_nobody(history),
        *_server_errors(history.sent),
    ]


def acts_by_course(stored: Iterable[StoredAct]) -> dict[str, list[StoredAct]]:
    """Return the acts of each course in recorded order."""
    found: dict[str, list[StoredAct]] = defaultdict(list)
    for act in stored:
        found[act.course].append(act)
    return found


def forms_of_acts(history: History) -> dict[str, SentForm]:
    """Return the form of each stored form id; of two under one id, the one that was stored."""
    bodies = {act.form_id: act.body for act in history.stored}
    found: dict[str, SentForm] = {}
    for form in history.sent:
        if form.form_id not in bodies:
            continue
        if form.form_id not in found or form.body == bodies[form.form_id]:
            found[form.form_id] = form
    return found


def figures_of(history: History) -> dict[str, int]:
    """Return how many forms were acknowledged, refused and never answered, and pages read."""
    stored = {id(form) for form in forms_of_acts(history).values()}
    acknowledged = [form for form in history.sent if form.is_acknowledged]
    unknown = [form for form in history.sent if not (form.is_acknowledged or form.is_refused)]
    return {
        "saves acknowledged": len(acknowledged),
        "of these on a retry": sum(
            any(one.outcome is not Outcome.SAVED for one in form.attempts) for form in acknowledged
        ),
        "forms refused": sum(form.is_refused for form in history.sent),
        "forms without an answer": len(unknown),
        "of these stored": sum(id(form) in stored for form in unknown),
        "pages read": len(history.reads),
    }


def _lost(history: History) -> Iterator[Fault]:
    stored = {act.form_id for act in history.stored}
    for form in history.sent:
        if form.is_acknowledged and form.form_id not in stored:
            yield _fault(FaultKind.LOST, form, "was acknowledged and is not stored")


def _doubled(history: History) -> Iterator[Fault]:
    """Find form ids that are stored twice, and bodies: each body that is sent is the only one."""
    stored = [act for act in history.stored if act.form_id not in history.before]
    for form_id, times in Counter(act.form_id for act in stored).items():
        if times > 1:
            yield Fault(FaultKind.DOUBLED, f"form {form_id} is stored {times} times")
    bodies = Counter((act.kind, repr(sorted(act.body.items()))) for act in stored if act.body)
    for (kind, body), times in bodies.items():
        if times > 1:
            yield Fault(FaultKind.DOUBLED, f"{kind} {body} is stored {times} times")


def _different(history: History) -> Iterator[Fault]:
    acts = {act.form_id: act for act in history.stored}
    stored_as = forms_of_acts(history)
    for form in history.sent:
        act = acts.get(form.form_id)
        is_other = stored_as.get(form.form_id) is not form and not form.is_acknowledged
        if act is None or form.is_refused or is_other:
            continue
        if differing := list(_differing(form, act)):
            yield _fault(FaultKind.DIFFERENT, form, f"is stored with other {', '.join(differing)}")


def _differing(form: SentForm, act: StoredAct) -> Iterator[str]:
    for name in ("author", "course", "kind", "body", "replaces", "reason"):
        if getattr(form, name) != getattr(act, name):
            yield name
    if form.at is None:
        # It was observed when it was sent, to the minute; a retry may be some minutes later.
        if not form.opened_at - _ONE_MINUTE <= act.at <= act.recorded_at:
            yield "time"
    elif form.at != act.at:
        yield "time"


def _swapped(history: History) -> Iterator[Fault]:
    """Find acts that are recorded after another that was begun when they were acknowledged."""
    forms = forms_of_acts(history)
    for acts in acts_by_course(history.stored).values():
        latest: SentForm | None = None
        for act in acts:
            form = forms.get(act.form_id)
            if form is None:
                continue
            if latest is not None and form.acknowledged_s < latest.begun_s:
                yield _fault(
                    FaultKind.SWAPPED, form,
                    f"was acknowledged before {latest.form_id} was sent and is recorded after it",
                )  # fmt: skip
            if latest is None or form.begun_s > latest.begun_s:
                latest = form


def _forked(history: History) -> Iterator[Fault]:
    successors = Counter(act.replaces for act in history.stored if act.replaces)
    for entry, times in successors.items():
        if times > 1:
            yield Fault(FaultKind.FORKED, f"entry {entry} has {times} successors")
    winners: dict[str, SentForm] = {}
    for form in history.sent:
        if form.replaces is None or not form.is_acknowledged:
            continue
        first = winners.setdefault(form.replaces, form)
        if first.form_id != form.form_id:
            why = f"and {first.form_id} were both acknowledged as successor of {form.replaces}"
            yield _fault(FaultKind.FORKED, form, why)


def _refused_but_stored(history: History) -> Iterator[Fault]:
    acts = {act.form_id: act for act in history.stored}
    for form in history.sent:
        act = acts.get(form.form_id)
        if act is None or not _is_stored_as(form, act):
            continue
        if form.is_refused or form.is_contradicted:
            statuses = ", ".join(str(one.status) for one in form.attempts)
            yield _fault(FaultKind.REFUSED_BUT_STORED, form, f"was answered {statuses}")


def _is_stored_as(form: SentForm, act: StoredAct) -> bool:
    """Return whether ``act`` is of ``form``, and not of another under the same id."""
    return (form.kind, form.body, form.replaces) == (act.kind, act.body, act.replaces)


def _sent_by_nobody(history: History) -> Iterator[Fault]:
    sent = {form.form_id for form in history.sent} | history.before
    for act in history.stored:
        if act.form_id not in sent:
            yield Fault(FaultKind.SENT_BY_NOBODY, f"form {act.form_id}: {act.kind} {act.body}")


def _server_errors(sent: Sequence[SentForm]) -> Iterator[Fault]:
    for form in sent:
        for one in form.attempts:
            if one.status >= 500 and one.status != 503:
                yield _fault(FaultKind.SERVER_ERROR, form, f"was answered {one.status}")


def _fault(kind: FaultKind, form: SentForm, what: str) -> Fault:
    return Fault(kind, f"form {form.form_id} ({form.kind} by {form.author}) {what}")
