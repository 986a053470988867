"""What the inbox shows of each thing that is held: who, what, why, and what one tap would do."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from grading.engine import entries
from grading.engine.vocabulary import VITAL_SIGN, VITAL_SIGNS
from patients.display.received import WhyHeld, why_held
from patients.display.text import clock_text, entry_text, short_value
from patients.exchange.formats.statements import PRESSURES
from patients.exchange.held_sets import HeldSet, Stack, set_of, sets_of, stacks_of
from patients.exchange.incoming import CONTRADICTION
from patients.forms.confirmation import ConfirmQuestion
from patients.forms.received import ProposalForm
from patients.models import (
    Course,
    Decided,
    Entry,
    HeldDecision,
    HeldItem,
    InboundMessage,
    MessageFormat,
)
from patients.queries.courses import now_for
from patients.queries.entries import entry_row_of, parse_entry
from patients.queries.status import read_course_status

_SEPARATOR: Final = " · "
CONFLICTS: Final = frozenset({"conflict.corrected", "conflict.same_minute", "duplicate.conflict"})
"""Reasons where a value is charted already, and a person chooses between the two."""
REASONS_TO_SET_ASIDE: Final = (
    "Artefact, or a test",
    "Not this patient",
    "Charted by hand",
    "What is charted holds",
    "Too old to matter",
)
KEEP: Final = "What is charted holds"
LATER_SET: Final = "A later set was charted or set aside"


@dataclass(frozen=True, slots=True)
class SetShown:
    """A set of items in words.

    ``value`` is what one tap charts, or what was sent; ``count`` how many values that are.
    """

    held: HeldSet
    value: str
    count: int

    @property
    def ids(self) -> list[str]:
        return [str(item.pk) for item in self.held.items]

    @property
    def at(self) -> datetime | None:
        return self.held.at


@dataclass(frozen=True, slots=True)
class Card:
    """One card of the inbox.

    ``last`` is what is charted of the same thing, with its time. ``form_id`` is the idempotency key
    of the tap. ``questions`` were asked before it is saved, ``wrong`` says why it was not.
    """

    shown: SetShown
    earlier: tuple[SetShown, ...]
    why: WhyHeld
    last: str
    form_id: uuid.UUID
    questions: tuple[ConfirmQuestion, ...] = ()
    confirmed: str = ""
    confirm_label: str = ""
    wrong: tuple[str, ...] = ()
    kinds: tuple[str, ...] = field(default=())

    @property
    def item(self) -> HeldItem:
        return self.shown.held.first

    @property
    def course(self) -> Course | None:
        return self.item.course

    @property
    def system(self) -> Any:
        return self.item.message.system

    @property
    def can_save(self) -> bool:
        """Whether one tap can chart it as it is."""
        return bool(self.shown.held.proposed) and self.can_be_charted

    @property
    def can_be_charted(self) -> bool:
        """Whether a form may chart it: never what may be of another patient."""
        is_open = self.course is not None and self.course.ended_at is None
        return is_open and self.shown.held.reason != CONTRADICTION

    @property
    def is_partial(self) -> bool:
        """Whether something is proposed that a person has to complete."""
        return self.can_be_charted and self.item.proposal is not None and not self.can_save

    @property
    def is_conflict(self) -> bool:
        return self.shown.held.reason in CONFLICTS

    @property
    def save_label(self) -> str:
        """What the button says that charts it."""
        if self.is_conflict:
            return "Save what was sent"
        count = self.shown.count
        return f"Save these {count} on the chart" if count > 1 else "Save on the chart"

    @property
    def ids(self) -> list[str]:
        return self.shown.ids

    @property
    def earlier_ids(self) -> list[str]:
        return [one for each in self.earlier for one in each.ids]


def shown_set(held: HeldSet) -> SetShown:
    """Return a set in words."""
    if not held.proposed:
        what = _SEPARATOR.join(dict.fromkeys(item.what for item in held.items if item.what))
        return SetShown(held, what or "Nothing that can be shown", len(held.items))
    texts = [_with_its_time(one.parsed, held.first.at) for one in held.proposed]
    return SetShown(held, _SEPARATOR.join(texts), sum(_count(one.parsed) for one in held.proposed))


def _with_its_time(entry: entries.Entry, at: datetime | None) -> str:
    """Return an entry in one line, with its time where it is not that of the card."""
    text = entry_text(entry)
    if at is None or clock_text(entry.at, at) == clock_text(at, at):
        return text
    return f"{text}, {clock_text(entry.at, at)}"


def _count(entry: entries.Entry) -> int:
    """Return how many values an entry has: the pressures of one reading are one."""
    if not isinstance(entry, entries.Vitals):
        return 1
    signs = [sign.key for sign in VITAL_SIGNS if entry.value_of(sign.key) is not None]
    return len({"pressure" if key in PRESSURES else key for key in signs})


def cards_of(items: Iterable[HeldItem]) -> list[Card]:
    """Return the cards of items, in their order; each course is read once."""
    latest: dict[uuid.UUID, tuple[Mapping[str, entries.Entry], datetime]] = {}
    cards = []
    for stack in stacks_of(sets_of(items)):
        course = stack.newest.course
        if course is not None and course.pk not in latest and stack.newest.proposed:
            latest[course.pk] = read_latest(course)
        known, now = latest.get(course.pk, ({}, None)) if course is not None else ({}, None)
        cards.append(_card(stack, last_charted(stack.newest, known, now)))
    return cards


def card_of(items: Iterable[HeldItem], form: ProposalForm | None = None) -> Card:
    """Return the card of one set; ``form`` is its form as it was sent, with questions or faults."""
    held = set_of(list(items))
    known, now = ({}, None) if held.course is None else read_latest(held.course)
    return _card(Stack(held), last_charted(held, known, now), form)


def _card(stack: Stack, last: str, form: ProposalForm | None = None) -> Card:
    shown = shown_set(stack.newest)
    earlier = tuple(shown_set(one) for one in stack.earlier)
    why = why_held(stack.newest.reason)
    if form is None:
        return Card(shown, earlier, why, last, uuid.uuid4())
    asks = form.questions if form.unconfirmed and not form.errors else []
    return Card(
        shown,
        earlier,
        why,
        last,
        form.cleaned_data.get("form_id") or uuid.uuid4(),
        questions=tuple(asks),
        confirmed=form.questions_digest if asks else "",
        confirm_label=form.confirm_label if asks else "",
        wrong=tuple(str(text) for texts in form.errors.values() for text in texts),
    )


def read_latest(course: Course) -> tuple[Mapping[str, entries.Entry], datetime]:
    """Read the latest entry about each thing of a course, and the time of reading."""
    now = now_for(course)
    at = now if course.ended_at is None else min(now, course.ended_at)
    return read_course_status(course, at).current.latest, now


def last_charted(held: HeldSet, latest: Mapping[str, entries.Entry], now: datetime | None) -> str:
    """Return what is charted last of the things in a set, each time named once."""
    by_time: dict[datetime, list[str]] = {}
    for one in held.proposed:
        for key in _keys_of(one.parsed):
            entry = latest.get(key)
            if entry is not None:
                label, value, unit = short_value(key, entry)
                text = value if entry_text(entry) == value else f"{label} {value} {unit}".rstrip()
                texts = by_time.setdefault(entry.at, [])
                if text not in texts:
                    texts.append(text)
    if not by_time or now is None:
        return ""
    return "; ".join(
        f"{_SEPARATOR.join(texts)}, {clock_text(at, now)}" for at, texts in by_time.items()
    )


def _keys_of(entry: entries.Entry) -> list[str]:
    """Return the keys of the chart that an entry is about."""
    if isinstance(entry, entries.Vitals):
        keys = [key for key in VITAL_SIGN if entry.value_of(key) is not None]
        return [key for key in keys if key != "diastolic_mmhg" or "systolic_mmhg" not in keys]
    if isinstance(entry, entries.Lab):
        return [f"lab.{entry.analyte}"]
    if isinstance(entry, entries.Vasopressor):
        return [f"vasopressor.{entry.drug}"]
    return [entry.kind]


def signature_of_cards(cards: Iterable[Card], strangers: Iterable[InboundMessage]) -> str:
    """Return a text that is equal while the same items and messages wait."""
    ids = [one for card in cards for one in (*card.ids, *card.earlier_ids)]
    ids += [str(message.pk) for message in strangers]
    return hashlib.sha256("".join(sorted(ids)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Done:
    """What was decided about items by one tap; ``value`` is what was charted, or set aside."""

    decision: HeldDecision
    value: str

    @property
    def item(self) -> HeldItem:
        return self.decision.item

    @property
    def is_charted(self) -> bool:
        return self.decision.what == Decided.CHARTED

    @property
    def is_withdrawn(self) -> bool:
        """Whether the sender cancelled or retracted it."""
        return self.decision.what == Decided.CLOSED


def done_cards(decisions: Iterable[HeldDecision]) -> list[Done]:
    """Return what was decided, one for each tap, in their order."""
    taps: dict[object, list[HeldDecision]] = {}
    for one in decisions:
        taps.setdefault(one.act_id or (one.by_id, one.at), []).append(one)
    charted: dict[object, list[str]] = {}
    acts = [each[0].act_id for each in taps.values() if each[0].act_id is not None]
    for entry in Entry.objects.filter(act__in=acts).order_by("place").select_related("recorded_by"):
        charted.setdefault(entry.act_id, []).append(entry_text(parse_entry(entry_row_of(entry))))
    return [
        Done(
            each[0],
            _SEPARATOR.join(charted[each[0].act_id])
            if each[0].act_id in charted
            else shown_set(set_of([one.item for one in each])).value,
        )
        for each in taps.values()
    ]


def segment_of(item: HeldItem) -> str:
    """Return the part of a message that an item stands in, as it was sent.

    Of HL7 v2 the segment; of all else, and where the place names no segment, the whole message.
    """
    text = message_text(item.message)
    name, _, number = item.place.partition("[")
    digits = number.partition("]")[0]
    of_name = [line for line in text.split("\n") if line.startswith(f"{name}|")]
    if item.message.format != MessageFormat.HL7_V2 or not digits.isdigit():
        return text
    return of_name[int(digits) - 1] if 1 <= int(digits) <= len(of_name) else text


def message_text(message: InboundMessage) -> str:
    """Return a message as text: that of HL7 v2 with a line for each segment."""
    text = bytes(message.raw).decode(message.charset or "utf-8", "replace")
    if message.format != MessageFormat.HL7_V2:
        return text
    lines = text.strip("\x0b\x1c\r\n").replace("\n", "\r").split("\r")
    return "\n".join(line for line in lines if line)
