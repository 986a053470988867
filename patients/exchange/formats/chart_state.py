"""The chart of one course as a message of another system meets it, and what the message changes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from grading.course_file import FORMAT_2, read_course
from grading.engine.facts import CourseFacts
from grading.plain_text import LONGEST_NOTE
from patients.exchange.formats.context import Context, KeyState, KnownKey
from patients.exchange.formats.converted import CONFIRMED, Confirmed, Converted, Filed
from patients.exchange.formats.described import described
from patients.exchange.formats.received import Held, Received, Remark, Source
from patients.exchange.formats.statements import (
    BETWEEN_NOTES,
    Statement,
    from_json,
    place_of,
    same_values,
    to_json,
    values_of,
    words_of,
)

Words = Mapping[str, Any]

_NAMESPACE: Final = uuid.UUID("8e0d3b52-1c67-4a4e-9f52-6f4f3c2a7d10")
SHARED: Final = "\0"
"""Begins the name of what an entry of several keys has, which no key of a system begins with."""
END_REPLACES: Final = "end_replaces"
"""Key of a proposal about an infusion: the charted stop that it is about too."""
_OF_THE_ROW: Final = frozenset({"id", "recorded_at", "replaces"})


@dataclass(slots=True)
class Known:
    """What is known of one key before the message.

    ``seen`` is what came last, ``charted`` what takes part in the chart; both None where only the
    entry is known. ``entry`` is the id that it was charted under last; ``stored`` is ``seen`` as
    it was stored.
    """

    key: str
    version: str | None
    state: KeyState
    entry: str | None = None
    seen: Statement | None = None
    charted: Statement | None = None
    stored: Words = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether something of it may be held still."""
        is_held = self.state in (KeyState.ASIDE, KeyState.WAITING)
        return is_held or bool(self.stored.get("why"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry as it should be after the message, None where nothing should stand.

    ``keys`` are those that it is made of, ``current`` the ids of own entries that stood for them.
    """

    words: Words | None
    keys: tuple[str, ...]
    current: tuple[str, ...]
    recorded_at: datetime | None = None


class Chart:
    """Entries, keys and statements of one course; collects what becomes of a message."""

    def __init__(self, context: Context, received_at: datetime) -> None:
        self.context = context
        self.received_at = received_at
        self.entries: dict[str, Words] = {}
        self.replaced_by: dict[str, str] = {}
        for number, words in enumerate(context.course["entries"]):
            self._add(words, f"entry-{number}")
        self.known = _known(context.known)
        self.own = set(context.own_entries) | {row.entry for row in context.known if row.entry}
        self.active: dict[str, Statement] = {}
        self.shared_entries: dict[str, str] = {}
        self.waiting = {key for key, one in self.known.items() if one.state is KeyState.WAITING}
        self.candidates: dict[str, Statement] = {}
        self.proposed: list[tuple[Statement, str]] = []
        self.as_sent: dict[str, Statement] = {}
        self.taken_back: dict[str, Received] = {}
        self.entry_of: dict[str, str] = {}
        self.noted: dict[str, str] = {}
        self.touched: set[str] = set()
        self.rows: dict[str, KnownKey] = {}
        self.new_entries: list[Words] = []
        self.filed: list[Filed] = []
        self.held: list[Held] = []
        self.remarks: list[Remark] = []
        self.closed: dict[str, None] = {}
        self.confirmed: list[Confirmed] = []

    @cached_property
    def facts(self) -> CourseFacts:
        """Facts of the course apart from its entries."""
        return read_course({**self.context.course, "format": FORMAT_2, "entries": []}).facts

    def _add(self, words: Words, default_id: str = "") -> None:
        identity = str(words.get("id") or default_id)
        self.entries[identity] = words
        if words.get("replaces") is not None:
            self.replaced_by[str(words["replaces"])] = identity

    def in_force(self, identity: str) -> bool:
        words = self.entries.get(identity)
        return (
            words is not None and identity not in self.replaced_by and words["kind"] != "retraction"
        )

    def entries_in_force(self, kind: str) -> list[tuple[str, Words]]:
        """Return the entries of a kind that count, with their ids, in the order of the file."""
        return [
            (identity, words)
            for identity, words in self.entries.items()
            if words["kind"] == kind and self.in_force(identity)
        ]

    def of_people(self, kind: str) -> list[tuple[str, Words]]:
        """Return the entries of a kind that count and did not come from this system."""
        return [one for one in self.entries_in_force(kind) if one[0] not in self.own]

    def current(self, entry: str | None) -> str | None:
        """Return the own entry in force that ``entry`` has become by corrections of the system."""
        last = self.last_of(entry)
        return last if last is not None and last in self.own and self.in_force(last) else None

    def entry_now(self, key: str) -> str | None:
        """Return the own entry in force that a key is charted in."""
        if key.startswith(SHARED):
            return self.current(key[1:])
        known = self.known.get(key)
        is_charted = known is not None and known.state is not KeyState.RETRACTED
        return self.current(known.entry) if known is not None and is_charted else None

    def overruled_by(self, entry: str | None) -> str | None:
        """Return the entry of people that corrected or retracted an own entry, or None."""
        last = self.last_of(entry)
        return last if last is not None and last not in self.own else None

    def last_of(self, entry: str | None) -> str | None:
        """Return what ``entry`` became by corrections of the system, or the first by people."""
        while entry in self.replaced_by and entry in self.own:
            entry = self.replaced_by[entry]
        return entry

    def last_own(self, entry: str | None) -> str | None:
        """Return the own entry that ``entry`` was when people corrected or retracted it."""
        if self.overruled_by(entry) is None:
            return None
        while entry is not None and (after := self.replaced_by.get(entry)) in self.own:
            entry = after
        return entry

    def hold(
        self,
        reason: str,
        statement: Statement,
        *,
        name: str = "",
        words: Words | None = None,
        more: str = "",
    ) -> None:
        """Hold a statement, or one field of it; ``words`` is the entry that one tap would chart."""
        sent = words_of(statement) if words is None else words
        of_others = set(values_of(statement.content)) - {name} if name else set()
        what = described({key: value for key, value in sent.items() if key not in of_others})
        self.noted.setdefault(statement.key, reason)
        self.held.append(
            Held(
                reason,
                place_of(statement, name) or self.first_place,
                ": ".join(text for text in (what, more) if text),
                None if words is None else proposal_of(words),
                "" if statement.key.startswith(SHARED) else statement.key,
                statement.source.version,
                statement.at,
            )
        )

    def hold_detail(self, detail: Held, statement: Statement) -> None:
        """Hold a part of a statement under the key of the whole."""
        source = statement.source
        self.held.append(
            replace(
                detail,
                key=detail.key or source.key,
                version=source.version,
                at=detail.at or statement.at,
            )
        )
        self.noted.setdefault(source.key, detail.reason)

    @property
    def first_place(self) -> str:
        """Where the first statement of the message stands, which an earlier one is held for."""
        for received in self.taken_back.values():
            return received.source.place
        return next((one.source.place for one in self.candidates.values()), "")

    def hold_retraction(
        self, reason: str, source: Source, at: datetime, entry: str | None, stop: str | None = None
    ) -> None:
        """Hold that a statement was taken back; ``entry`` is what one tap would retract.

        ``stop`` is what it would retract too: the end of an infusion.
        """
        proposal = None
        if entry is not None:
            proposal = {"kind": "retraction", "at": at.isoformat(), "replaces": entry}
            proposal |= {} if stop is None else {END_REPLACES: stop}
        what = "retracted by its sender"
        self.held.append(Held(reason, source.place, what, proposal, source.key, source.version, at))

    def set_aside(
        self, reason: str, statement: Statement, *, words: Words | None = None, more: str = ""
    ) -> None:
        """Hold a statement and leave it to people; what is charted of its key stays."""
        self.hold(reason, statement, words=words, more=more)
        self.remember_aside(statement, reason)

    def remember_aside(self, statement: Statement, why: str) -> None:
        """Leave a statement to people; what is charted of its key stays."""
        sent = self.as_sent.get(statement.key, statement)
        self.remember(statement.source, KeyState.ASIDE, sent, why=why)
        self.candidates.pop(statement.key, None)

    def remember_waiting(self, statement: Statement, why: str) -> None:
        """Leave a statement that is held, or confirmed, in its set for later messages."""
        known = self.known.get(statement.key)
        if known is not None and known.state is KeyState.CHARTED:
            self.remember_aside(statement, why)
            return
        self.remember(statement.source, KeyState.WAITING, statement, why=why)
        self.waiting.add(statement.key)
        self.candidates.pop(statement.key, None)

    def remark(self, reason: str, place: str, what: str = "") -> None:
        self.remarks.append(Remark(reason, place, what))

    def remember(
        self,
        source: Source,
        state: KeyState,
        statement: Statement | None = None,
        *,
        entry: str | None = None,
        why: str = "",
        stored: Words | None = None,
    ) -> None:
        """Remember the key of a source; ``why`` is why it is not charted."""
        if source.key.startswith(SHARED):
            return
        if statement is not None:
            stored = {**to_json(statement), "why": why}
        sent = self.as_sent.get(source.key)
        if stored is not None and sent is not None and sent is not statement:
            stored = {**stored, "sent": to_json(sent)}
        if (before := self.rows.get(source.key)) and before.of_held:
            stored = {**(stored or {}), **before.of_held}
        self.rows[source.key] = KnownKey(source.key, source.version, entry, state, stored)

    def close(self, key: str) -> None:
        """Close what was held of a key."""
        known = self.known.get(key)
        if known is not None and known.is_open:
            self.closed[key] = None

    def confirm(
        self, statement: Statement, entry: str, *, name: str = "", is_new: bool = True
    ) -> None:
        """Note that people charted the same value in the same minute."""
        self.confirmed.append(Confirmed(statement.key, entry))
        self.close(statement.key)
        if is_new:
            self.remark(CONFIRMED, place_of(statement, name), "people charted the same value")

    def settle(self, all_wanted: Sequence[Wanted]) -> None:
        """Make the new entries, corrections and retractions that bring the chart to ``wanted``."""
        freed: dict[str, str] = {}
        waiting: list[Wanted] = []
        for wanted in map(self._with_a_note_that_fits, all_wanted):
            if wanted.words is None:
                freed |= {key: entry for entry in wanted.current for key in wanted.keys}
            elif wanted.current:
                self._correct(wanted)
                freed |= {SHARED + entry: entry for entry in wanted.current[1:]}
            else:
                waiting.append(wanted)
        used: set[str] = set()
        for wanted in waiting:
            old = next((freed[key] for key in wanted.keys if key in freed), None)
            replaces = None if old in used else old
            used |= {replaces} if replaces is not None else set()
            self._chart(wanted, replaces)
        for entry in dict.fromkeys(freed.values()):
            if entry not in used and self.in_force(entry):
                at = self.entries[entry]["at"]
                self._write({"kind": "retraction", "at": at}, entry, None)

    def _with_a_note_that_fits(self, wanted: Wanted) -> Wanted:
        """Leave out the last of several notes where they are too long together for one entry."""
        note = "" if wanted.words is None else str(wanted.words.get("note") or "")
        if wanted.words is None or len(note) <= LONGEST_NOTE:
            return wanted
        left = note[: LONGEST_NOTE + len(BETWEEN_NOTES)].rpartition(BETWEEN_NOTES)[0]
        self.remark("note.left_out", self.first_place, "notes too long for one entry")
        return replace(wanted, words={**wanted.words, "note": left})

    def _correct(self, wanted: Wanted) -> None:
        old = self.entries[wanted.current[0]]
        if wanted.words is not None and same_values(bare(old), bare(wanted.words)):
            self.entry_of |= dict.fromkeys(wanted.keys, wanted.current[0])
        else:
            self._chart(wanted, wanted.current[0])

    def _chart(self, wanted: Wanted, replaces: str | None) -> None:
        if wanted.words is not None:
            identity = self._write(wanted.words, replaces, wanted.recorded_at)
            self.entry_of |= dict.fromkeys(wanted.keys, identity)

    def _write(self, words: Words, replaces: str | None, recorded_at: datetime | None) -> str:
        at = datetime.fromisoformat(str(words["at"]))
        seed = [self.context.system, dict(self.context.course["patient"]).get("mrn", "")]
        seed += [self.received_at.isoformat(), len(self.entries), replaces, dict(words)]
        identity = str(uuid.uuid5(_NAMESPACE, json.dumps(seed, default=str, sort_keys=True)))
        entry = {
            "id": identity,
            "recorded_at": max(recorded_at or self.received_at, at).isoformat(),
            **words,
        }
        if replaces is not None:
            entry["replaces"] = replaces
        self._add(entry)
        self.own.add(identity)
        self.new_entries.append(entry)
        return identity

    def converted(self) -> Converted:
        return Converted(
            entries=tuple(self.new_entries),
            filed=tuple(self.filed),
            held=tuple(self.held),
            remarks=tuple(self.remarks),
            keys=tuple(self.rows.values()),
            closed_keys=tuple(self.closed),
            confirmed=tuple(self.confirmed),
        )


def bare(words: Words) -> dict[str, Any]:
    """Return an entry without what each entry has of its own, and without what is not stated."""
    left = {name: value for name, value in words.items() if name not in _OF_THE_ROW}
    if left.get("attribution") == "crs":
        del left["attribution"]
    return {
        name: value
        for name, value in left.items()
        if name == "rate" or (value is not None and value != "")
    }


def proposal_of(words: Words) -> dict[str, Any]:
    """Return an entry as one tap would chart it."""
    return {name: value for name, value in words.items() if name not in _OF_THE_ROW}


def _known(rows: Sequence[KnownKey]) -> dict[str, Known]:
    """Return what is known of each key; of its rows, the last one holds."""
    known: dict[str, Known] = {}
    for row in rows:
        one = known.get(row.key) or Known(row.key, row.version, row.state)
        one.version = row.version if row.version is not None else one.version
        one.state = row.state
        one.stored = row.statement or {}
        has_values = bool(one.stored.get("values"))
        stated = from_json(one.stored, row.key, row.version) if has_values else None
        sent = one.stored.get("sent")
        one.seen = stated if sent is None else from_json(sent, row.key, row.version)
        if row.state in (KeyState.CHARTED, KeyState.WAITING):
            one.entry = row.entry if row.entry is not None else one.entry
            one.charted = stated
        elif row.state is KeyState.RETRACTED:
            one.charted = None
        known[row.key] = one
    return known
