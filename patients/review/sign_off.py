"""What is signed of a course, what needs a new look, and what waits: computed when it is read.

Nothing here is stored. Runs of one computed grade, as the chart has them now, are laid beside the
sign-offs; where several cover one time, the one that was recorded last counts. A late entry or the
clock therefore shows at its minute, and a save has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from patients.queries.reviews import SIGNED_AGAIN_AFTER, Run, SignOff

_UNGRADED: Final = -1


class State(Enum):
    """State of a period: its mark, and the mark in words."""

    SIGNED = ("✓", "signed")
    ANOTHER_GRADE = ("≠", "signed with another grade")
    FELL = ("≠", "signed, the computed grade fell")
    NEW_LOOK = ("!", "needs a new look")
    NOT_SIGNED = ("○", "not signed")
    NOTHING_TO_SIGN = ("", "nothing to sign")

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def mark(self) -> str:
        return self.value[0]

    @property
    def words(self) -> str:
        return self.value[1]


class Piece(NamedTuple):
    """One computed grade under one sign-off, or under none.

    ``grade`` None is not graded now. ``is_open``: it goes on at the moment looked at.
    """

    start: datetime
    end: datetime
    grade: int | None
    sign_off: SignOff | None
    is_open: bool

    @property
    def is_settled(self) -> bool:
        """Whether it is signed, and the computed grade is the one that was signed."""
        return self.sign_off is not None and self.sign_off.computed_grade == self.grade

    @property
    def has_risen(self) -> bool:
        """Whether it is signed, and the computed grade is higher by now."""
        return (
            self.sign_off is not None
            and self.grade is not None
            and self.grade > self.sign_off.computed_grade
        )


class ReviewPeriod(NamedTuple):
    """A sign-off, or a run without one, with its state.

    ``pieces`` has more than one where the computed grade changed after the sign-off. ``before`` is
    the sign-off that an unsigned run follows directly or rose above, else None.
    """

    pieces: tuple[Piece, ...]
    state: State
    waits: bool
    before: SignOff | None

    @property
    def start(self) -> datetime:
        return self.pieces[0].start

    @property
    def end(self) -> datetime:
        return self.pieces[-1].end

    @property
    def is_open(self) -> bool:
        return self.pieces[-1].is_open

    @property
    def sign_off(self) -> SignOff | None:
        return self.pieces[0].sign_off

    @property
    def goes_on_as_signed(self) -> bool:
        """Whether it is the open rest of a run that was signed less than a shift ago."""
        return self.state is State.NOT_SIGNED and not self.waits

    @property
    def to_sign(self) -> Piece:
        """The piece that a new sign-off is about: where the grade changed, the highest of those."""
        signed = None if self.sign_off is None else self.sign_off.computed_grade
        changed = [piece for piece in self.pieces if piece.grade != signed]
        return max(changed or self.pieces, key=by_grade)


def review_periods(
    runs: Sequence[Run], sign_offs: Iterable[SignOff], now: datetime, *, goes_on: bool = True
) -> list[ReviewPeriod]:
    """Return the periods of a course up to ``now``, in order of time.

    ``goes_on``: a grade in force at ``now`` is open; of an ended course none is.
    """
    pieces = split_by_sign_off(runs, sign_offs, now, goes_on=goes_on)
    periods: list[ReviewPeriod] = []
    last_signed: Piece | None = None
    for _, group in groupby(pieces, key=_group_key):
        for chunk in _contiguous(tuple(group)):
            sign_off = chunk[0].sign_off
            if sign_off is not None:
                periods.append(_signed_period(chunk, sign_off))
                last_signed = chunk[-1]
            else:
                periods.append(_unsigned_period(chunk[0], last_signed, now))
    return periods


def split_by_sign_off(
    runs: Sequence[Run], sign_offs: Iterable[SignOff], now: datetime, *, goes_on: bool = True
) -> list[Piece]:
    """Return the pieces of a course up to ``now``, in order: each instant in one piece at most.

    A signed time that is not graded now is a piece without grade. A run that begins at ``now`` is
    the last piece, without length.
    """
    begun = [run for run in runs if run.start <= now]
    signed = sorted(sign_offs, key=lambda one: one.pk, reverse=True)
    cuts = {now}
    for run in begun:
        cuts |= {run.start, _until(run, now)}
    for one in signed:
        cuts |= {min(one.start, now), min(one.end, now)}
    pieces: list[Piece] = []
    by_time, place = sorted(cuts), 0
    for start, end in pairwise(by_time):
        while place < len(begun) and _until(begun[place], now) <= start:
            place += 1
        is_graded = place < len(begun) and begun[place].start <= start
        sign_off = next((one for one in signed if one.start <= start < one.end), None)
        if not is_graded and sign_off is None:
            continue
        grade = begun[place].grade if is_graded else None
        is_open = goes_on and is_graded and end == now and begun[place].end != now
        piece = Piece(start, end, grade, sign_off, is_open)
        if pieces and _continues(pieces[-1], piece):
            pieces[-1] = piece._replace(start=pieces[-1].start)
        else:
            pieces.append(piece)
    if begun and begun[-1].start == now:
        pieces.append(Piece(now, now, begun[-1].grade, None, goes_on))
    return pieces


def to_sign_at(pieces: Sequence[Piece], at: datetime) -> Piece | None:
    """Return what a sign-off made at ``at`` covers; None where there is no piece.

    It is the run of one computed grade from its start, or from the end of a sign-off that stands,
    to its end, or to the start of one. A piece whose sign-off stands is signed again alone.
    """
    place = next((i for i, one in enumerate(pieces) if one.start <= at < one.end), None)
    if place is None:
        return None
    piece, first, last = pieces[place], place, place
    if piece.is_settled:
        return piece
    while first > 0 and _goes_on(pieces[first - 1], pieces[first]):
        first -= 1
    while last + 1 < len(pieces) and _goes_on(pieces[last], pieces[last + 1]):
        last += 1
    return piece._replace(
        start=pieces[first].start, end=pieces[last].end, is_open=pieces[last].is_open
    )


def piece_at(pieces: Iterable[Piece], at: datetime) -> Piece | None:
    """Return the piece in which ``at`` lies; None where there is none."""
    return next((piece for piece in pieces if piece.start <= at < piece.end), None)


def period_at(periods: Sequence[ReviewPeriod], at: datetime) -> ReviewPeriod | None:
    """Return the period in which ``at`` lies, the last one where ``at`` is its end."""
    found = next((period for period in periods if period.start <= at < period.end), None)
    if found is None and periods and at == periods[-1].end:
        return periods[-1]
    return found


def first_to_look_at(periods: Sequence[ReviewPeriod]) -> ReviewPeriod | None:
    """Return the first period that needs a new look, else the last that waits, else the last.

    Where nothing waits, a period that goes on as signed is passed over for its sign-off.
    """
    new_looks = [period for period in periods if period.state is State.NEW_LOOK]
    if new_looks:
        return new_looks[0]
    waiting = [period for period in periods if period.waits]
    others = [period for period in periods if not period.goes_on_as_signed]
    return (waiting or others)[-1] if periods else None


def fall_before(periods: Sequence[ReviewPeriod]) -> ReviewPeriod | None:
    """Return the sign-off whose grade fell, where the last run goes on unsigned at the lower grade.

    None where no sign-off precedes the last run so, or where a period needs a new look.
    """
    if len(periods) < 2 or any(period.state is State.NEW_LOOK for period in periods):
        return None
    fell, last = periods[-2:]
    goes_on = fell.end == last.start and fell.pieces[-1].grade == last.pieces[0].grade
    return fell if fell.state is State.FELL and last.sign_off is None and goes_on else None


def by_grade(piece: Piece) -> int:
    """Return the grade as a key to order by; not graded is below every grade."""
    return _UNGRADED if piece.grade is None else piece.grade


def graded_until(
    now: datetime, ended_at: datetime | None, latest_entry_at: datetime | None
) -> datetime:
    """Return up to when a course is reviewed: ``now``, of an ended one its end or last entry."""
    if ended_at is None:
        return now
    return min(now, max(ended_at, latest_entry_at or ended_at))


def overlaps(sign_off: SignOff, start: datetime, end: datetime) -> bool:
    """Return whether ``sign_off`` covers any time of [start, end)."""
    return sign_off.start < end and start < sign_off.end


def _until(run: Run, now: datetime) -> datetime:
    return now if run.end is None else min(run.end, now)


def _continues(earlier: Piece, later: Piece) -> bool:
    return earlier.end == later.start and earlier[2:4] == later[2:4]


def _goes_on(earlier: Piece, later: Piece) -> bool:
    """Return whether two pieces are of one run, and neither has a sign-off that stands."""
    return (
        earlier.end == later.start
        and earlier.grade == later.grade
        and not (earlier.is_settled or later.is_settled)
    )


def _group_key(piece: Piece) -> object:
    """Pieces of one sign-off are one period; unsigned pieces are one each."""
    return piece.start if piece.sign_off is None else piece.sign_off.pk


def _contiguous(pieces: tuple[Piece, ...]) -> list[tuple[Piece, ...]]:
    chunks: list[list[Piece]] = []
    for piece in pieces:
        if chunks and chunks[-1][-1].end == piece.start:
            chunks[-1].append(piece)
        else:
            chunks.append([piece])
    return [tuple(chunk) for chunk in chunks]


def _signed_period(pieces: tuple[Piece, ...], sign_off: SignOff) -> ReviewPeriod:
    if any(piece.has_risen for piece in pieces):
        return ReviewPeriod(pieces, State.NEW_LOOK, waits=True, before=None)
    if not all(piece.is_settled for piece in pieces):
        return ReviewPeriod(pieces, State.FELL, waits=False, before=None)
    state = State.ANOTHER_GRADE if sign_off.disagrees else State.SIGNED
    return ReviewPeriod(pieces, state, waits=False, before=None)


def _unsigned_period(piece: Piece, last_signed: Piece | None, now: datetime) -> ReviewPeriod:
    """Return the period of a run without a sign-off; ``last_signed`` is the last piece with one.

    A run that rose above a sign-off which was made while the period went on needs a new look. Where
    the end of that sign-off has risen too, it is one run with it and waits with it, not apart.
    """
    if not piece.grade:
        return ReviewPeriod((piece,), State.NOTHING_TO_SIGN, waits=False, before=None)
    before = None if last_signed is None else last_signed.sign_off
    if last_signed is None or before is None or not before.was_open:
        return ReviewPeriod((piece,), State.NOT_SIGNED, waits=True, before=None)
    if piece.grade > before.computed_grade:
        waits = not (last_signed.has_risen and _goes_on(last_signed, piece))
        return ReviewPeriod((piece,), State.NEW_LOOK, waits, before)
    if piece.start != before.end or piece.grade != before.computed_grade:
        return ReviewPeriod((piece,), State.NOT_SIGNED, waits=True, before=None)
    waits = not piece.is_open or now - piece.start >= SIGNED_AGAIN_AFTER
    return ReviewPeriod((piece,), State.NOT_SIGNED, waits, before)
