"""Held items that one tap decides about: all that one system sent of one patient and instant."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from grading.engine.vocabulary import VITAL_SIGN
from patients.exchange.formats.held_corrections import UNTIMED
from patients.exchange.held_infusions import infusion_entries, retraction_entries
from patients.forms.received import NotChartableError, Proposed, proposed_entry
from patients.models import Course, Entry, EntryKind, ExternalSystem, HeldItem, SystemKind
from patients.queries.held import WAITS_FOR_A_PERSON, charted_since

UNUSUAL: Final = "value.unusual"
JOINED: Final = frozenset({EntryKind.VITALS, EntryKind.OXYGEN})
"""Kinds of which the parts sent apart are one entry."""
_TEMPERATURES: Final = frozenset({"temperature_c", "temperature_f"})
"""One sign in two units."""
_NAMES_ENTRY: Final = frozenset({"id", "recorded_at"})


@dataclass(frozen=True, slots=True)
class HeldSet:
    """Items that are charted, or dismissed, together.

    ``proposed`` are the entries that one tap charts; empty where ``refusal`` says why none can be,
    or where nothing is proposed.
    """

    items: tuple[HeldItem, ...]
    proposed: tuple[Proposed, ...]
    refusal: str = ""

    @property
    def first(self) -> HeldItem:
        return self.items[0]

    @property
    def course(self) -> Course | None:
        return self.first.course

    @property
    def system(self) -> ExternalSystem:
        return self.first.message.system

    @property
    def at(self) -> datetime | None:
        """The clinical time; None where none was sent."""
        return self.proposed[0].new.at if self.proposed else self.first.at

    @property
    def reason(self) -> str:
        """Why it is held; of several items, what asks most of a person."""
        reasons = {item.reason for item in self.items}
        return UNUSUAL if UNUSUAL in reasons else self.first.reason

    @property
    def is_of_device(self) -> bool:
        """Whether it is a set of vital signs that a monitor sends again and again."""
        return (
            self.system.kind == SystemKind.MONITOR
            and bool(self.proposed)
            and all(one.new.kind == EntryKind.VITALS for one in self.proposed)
        )


def sets_of(items: Iterable[HeldItem]) -> list[HeldSet]:
    """Put items into sets, each in the place of its first item."""
    found: dict[object, list[HeldItem]] = {}
    for item in items:
        together = item.reason in WAITS_FOR_A_PERSON and item.proposal and item.course_id
        key = (item.message.system_id, item.course_id, _instant(item)) if together else item.pk
        found.setdefault(key, []).append(item)
    return [one for each in found.values() for one in _sets_among(each)]


def _instant(item: HeldItem) -> datetime | None:
    """Return the time of what is proposed: of parts that came one after another, that of all."""
    sent = str((item.proposal or {}).get("at", ""))
    try:
        return datetime.fromisoformat(sent)
    except ValueError:
        return item.at


def set_of(items: Sequence[HeldItem]) -> HeldSet:
    """Return one set of these items, for what a person pressed on."""
    return _set(items)


def _sets_among(items: Sequence[HeldItem]) -> list[HeldSet]:
    one = _set(items)
    if len(items) > 1 and not one.proposed:
        return [_set([item]) for item in items]
    return [one]


def _set(items: Sequence[HeldItem]) -> HeldSet:
    proposals = [dict(item.proposal) for item in items if item.proposal]
    if not proposals:
        return HeldSet(tuple(items), ())
    if any(item.reason == UNTIMED for item in items):
        return HeldSet(tuple(items), (), "Complete it: enter since when.")
    try:
        proposed = tuple(proposed_entry(one) for one in proposals_of(items))
    except NotChartableError as error:
        return HeldSet(tuple(items), (), error.sentence)
    return HeldSet(tuple(items), proposed)


def proposals_of(items: Sequence[HeldItem]) -> list[dict[str, Any]]:
    """Return what is proposed in items of one course, in entries; raises NotChartableError.

    What corrects an entry keeps the values of it that it does not name.
    """
    proposals = [dict(item.proposal) for item in items if item.proposal]
    each = joined(proposals)
    drugs = [one["drug"] for one in each if one.get("kind") == EntryKind.VASOPRESSOR]
    if len(set(drugs)) < len(drugs):
        raise NotChartableError("Two infusions of one drug begin together.")
    of_each = (_completed(one, items[0].course_id) for one in each)
    return [_without_nothing(entry) for entries in of_each for entry in entries]


def _without_nothing(words: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in words.items() if value is not None or name == "rate"}


def _completed(proposal: dict[str, Any], course_id: uuid.UUID | None) -> list[dict[str, Any]]:
    """Return the entries of one proposal: first what was sent, then what follows from it."""
    replaces, kind = proposal.get("replaces"), proposal.get("kind")
    if kind == EntryKind.VASOPRESSOR and course_id is not None:
        return infusion_entries(proposal, course_id)
    if kind == EntryKind.RETRACTION and course_id is not None:
        return retraction_entries(proposal, course_id)
    if not replaces or course_id is None:
        return [proposal]
    charted = charted_since(course_id, uuid.UUID(str(replaces)))
    if charted is None or charted.kind != kind:
        return [{name: value for name, value in proposal.items() if name != "replaces"}]
    named = {**proposal, "replaces": str(charted.pk)}
    if kind == EntryKind.VITALS and charted.at != datetime.fromisoformat(str(proposal["at"])):
        return _moved(charted, named)
    kept = _kept(charted.body, proposal) if kind in JOINED else {}
    return [{**kept, **named}]


def _moved(charted: Entry, proposal: dict[str, Any]) -> list[dict[str, Any]]:
    """Return signs at the time that they have now; the others of their entry stay where they are.

    Each sign keeps the cause that people charted for it.
    """
    gone = set(proposal) | (_TEMPERATURES if _TEMPERATURES & set(proposal) else set())
    signs = {*VITAL_SIGN, *_TEMPERATURES}
    left = {name: value for name, value in charted.body.items() if name not in signs & gone}
    cause = charted.body.get("attribution")
    moved = proposal if cause is None else {"attribution": _cause_of(cause, gone), **proposal}
    if not signs & set(left):
        note = {name: value for name, value in left.items() if name == "note"}
        return [{**note, **moved}]
    del moved["replaces"]
    stays = {"kind": charted.kind, "at": charted.at.isoformat(), **left}
    stays |= {"attribution": _cause_of(cause, set(left)), "replaces": str(charted.pk)}
    return [moved, stays]


def _cause_of(cause: Any, names: set[str]) -> Any:
    """Return the attribution of some signs; of one that is by sign, their part."""
    if not isinstance(cause, Mapping):
        return cause
    wanted = names | ({"temperature_c"} if _TEMPERATURES & names else set())
    return {name: word for name, word in cause.items() if name in wanted} or None


def _kept(body: Mapping[str, Any], proposal: Mapping[str, Any]) -> dict[str, Any]:
    has_temperature = any(name in proposal for name in _TEMPERATURES)
    left = _TEMPERATURES if has_temperature else frozenset()
    return {name: value for name, value in body.items() if name not in left}


def joined(proposals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Join the parts of one set of vital signs, and of one oxygen setting, into one entry each.

    Raises NotChartableError where two parts contradict each other.
    """
    entries: list[dict[str, Any]] = []
    by_kind = sorted(proposals, key=lambda one: str(one.get("kind", "")))
    for kind, group in groupby(by_kind, key=lambda one: one.get("kind", "")):
        for part in group:
            entry = {key: value for key, value in part.items() if key not in _NAMES_ENTRY}
            if kind in JOINED and entries and entries[-1].get("kind") == kind:
                _join(entries[-1], entry)
            elif entry not in entries:
                entries.append(entry)
    return entries


def _join(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if into.setdefault(key, value) != value:
            raise NotChartableError("Its parts contradict each other.")


@dataclass(frozen=True, slots=True)
class Stack:
    """The newest set of a monitor, and the earlier ones that it stands for."""

    newest: HeldSet
    earlier: tuple[HeldSet, ...] = ()


def stacks_of(sets: Iterable[HeldSet]) -> list[Stack]:
    """Put the earlier sets of vital signs of one monitor and patient below the newest one."""
    found: dict[object, list[HeldSet]] = {}
    for one in sets:
        key = (one.system.pk, one.first.course_id) if one.is_of_device else one.first.pk
        found.setdefault(key, []).append(one)
    return [Stack(each[0], tuple(each[1:])) for each in map(_newest_first, found.values())]


def _newest_first(sets: list[HeldSet]) -> list[HeldSet]:
    return sorted(sets, key=lambda one: one.at or one.first.held_at, reverse=True)
