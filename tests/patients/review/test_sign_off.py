"""What is signed, what needs a new look and what waits, found from runs and sign-offs alone.

A course is drawn as its computed grade minute by minute; "-" is not graded. Random histories are
held against a second reading, minute by minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.queries.reviews import Run, SignOff
from patients.review.changes import differences_between
from patients.review.sign_off import (
    SIGNED_AGAIN_AFTER,
    ReviewPeriod,
    State,
    first_to_look_at,
    graded_until,
    period_at,
    piece_at,
    review_periods,
    split_by_sign_off,
    to_sign_at,
)

BEGIN = datetime(2026, 11, 27, 6, tzinfo=UTC)
GRADES = st.lists(st.sampled_from([None, 0, 1, 2, 2, 3]), min_size=1, max_size=24)


def at(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def minute_of(instant: datetime) -> int:
    return int((instant - BEGIN) / timedelta(minutes=1))


def runs_of(grades: Sequence[int | None], *, goes_on: bool = True) -> list[Run]:
    """The runs of a course with a grade for each minute; the last one is open."""
    runs, minute = [], 0
    for grade, group in groupby(grades):
        length = len(list(group))
        if grade is not None:
            runs.append(Run(at(minute), at(minute + length), grade))
        minute += length
    if goes_on and runs and runs[-1].end == at(len(grades)):
        runs[-1] = runs[-1]._replace(end=None)
    return runs


def drawn(text: str) -> list[int | None]:
    return [None if letter == "-" else int(letter) for letter in text]


def sign_off(
    pk: int,
    start: int,
    end: int,
    computed: int,
    stated: int | None = None,
    *,
    was_open: bool = False,
) -> SignOff:
    grade = computed if stated is None else stated
    recorded = at(end) if was_open else at(end + 1000)
    reason = "" if grade == computed else "other"
    by = (1, "A. Osei", "icu_reviewer")
    return SignOff(pk, at(start), at(end), computed, grade, reason, "", recorded, *by, 7)


def periods(text: str, *sign_offs: SignOff, now: int | None = None) -> list[ReviewPeriod]:
    grades = drawn(text)
    return review_periods(runs_of(grades), sign_offs, at(len(grades) if now is None else now))


def told(found: Sequence[ReviewPeriod]) -> list[tuple[int, int, State, bool]]:
    return [(minute_of(one.start), minute_of(one.end), one.state, one.waits) for one in found]


def test_a_run_of_grade_1_or_more_waits_and_grade_0_does_not() -> None:
    assert told(periods("0001122")) == [
        (0, 3, State.NOTHING_TO_SIGN, False),
        (3, 5, State.NOT_SIGNED, True),
        (5, 7, State.NOT_SIGNED, True),
    ]


def test_a_signed_run_waits_no_more() -> None:
    found = periods("0011133", sign_off(1, 2, 5, 1))
    assert told(found)[1:] == [(2, 5, State.SIGNED, False), (5, 7, State.NOT_SIGNED, True)]


def test_another_grade_is_kept_beside_the_computed_one() -> None:
    assert told(periods("222", sign_off(1, 0, 3, 2, 3))) == [(0, 3, State.ANOTHER_GRADE, False)]


def test_a_raised_part_makes_the_whole_sign_off_need_a_new_look() -> None:
    """As drawn: 26 Nov 14:20 to 27 Nov 06:30 was signed 2, and is 3 from 19:30 by a late entry."""
    (found,) = periods("2233322", sign_off(1, 0, 7, 2))
    assert (found.state, found.waits) == (State.NEW_LOOK, True)
    assert (found.start, found.end) == (at(0), at(7))
    assert (found.to_sign.start, found.to_sign.end, found.to_sign.grade) == (at(2), at(5), 3)


def test_of_two_raised_parts_the_higher_is_signed_first() -> None:
    (found,) = periods("1221331", sign_off(1, 0, 7, 1))
    assert (found.to_sign.start, found.to_sign.grade) == (at(4), 3)


def test_signing_the_raised_part_leaves_ticks_on_both_sides() -> None:
    found = periods("2233322", sign_off(1, 0, 7, 2), sign_off(2, 2, 5, 3))
    assert told(found) == [
        (0, 2, State.SIGNED, False), (2, 5, State.SIGNED, False), (5, 7, State.SIGNED, False),
    ]  # fmt: skip


def test_a_rise_asks_for_a_new_look_also_where_the_reviewer_had_stated_as_much() -> None:
    (found,) = periods("333", sign_off(1, 0, 3, 2, 3))
    assert found.state is State.NEW_LOOK


def test_where_the_grade_fell_nothing_waits_and_no_tick_stands() -> None:
    (found,) = periods("33223", sign_off(1, 0, 5, 3))
    assert (found.state, found.waits) == (State.FELL, False)
    assert (found.to_sign.start, found.to_sign.grade) == (at(2), 2)


def test_a_rise_counts_for_more_than_a_fall() -> None:
    (found,) = periods("1322", sign_off(1, 0, 4, 2))
    assert found.state is State.NEW_LOOK


def test_a_signed_time_that_is_not_graded_any_more_has_no_tick() -> None:
    (found,) = periods("11---", sign_off(1, 0, 4, 1))
    assert (found.state, minute_of(found.end)) == (State.FELL, 4)


def test_an_open_run_that_was_signed_waits_again_after_a_shift() -> None:
    grades = [2] * 2000
    signed = sign_off(1, 0, 10, 2, was_open=True)
    hours = int(SIGNED_AGAIN_AFTER / timedelta(minutes=1))
    for now, waits in ((11, False), (10 + hours - 1, False), (10 + hours, True)):
        _, rest = review_periods(runs_of(grades), [signed], at(now))
        assert (rest.state, rest.waits, rest.is_open) == (State.NOT_SIGNED, waits, True), now


def test_a_signed_open_run_waits_once_its_grade_has_changed() -> None:
    """The minutes between the sign-off and the change belong to no sign-off."""
    found = periods("2222211", sign_off(1, 0, 3, 2, was_open=True))
    assert told(found) == [
        (0, 3, State.SIGNED, False), (3, 5, State.NOT_SIGNED, True), (5, 7, State.NOT_SIGNED, True),
    ]  # fmt: skip


def test_a_rise_after_an_open_run_was_signed_is_a_new_look_from_its_minute() -> None:
    signed = sign_off(1, 0, 3, 2, was_open=True)
    assert not any(one.waits for one in periods("222223", signed, now=4))
    for now in (5, 6):
        *_, risen = periods("222223", signed, now=now)
        assert (risen.state, risen.waits, risen.before) == (State.NEW_LOOK, True, signed), now
        assert risen.start == at(5)


def test_a_sign_off_of_an_open_run_that_rose_is_signed_again_together_with_its_rest() -> None:
    signed = sign_off(1, 0, 4, 2, was_open=True)
    assert told(periods("223333", signed)) == [
        (0, 4, State.NEW_LOOK, True), (4, 6, State.NEW_LOOK, False),
    ]  # fmt: skip
    pieces = split_by_sign_off(runs_of(drawn("223333")), [signed], at(6))
    for minute in (2, 3, 4, 5):
        to_sign = to_sign_at(pieces, at(minute))
        assert to_sign is not None
        assert (to_sign.start, to_sign.end, to_sign.is_open) == (at(2), at(6), True)
    assert told(periods("223333", signed, sign_off(2, 2, 6, 3, was_open=True))) == [
        (0, 2, State.SIGNED, False), (2, 6, State.SIGNED, False),
    ]  # fmt: skip


def test_a_run_is_signed_from_the_end_of_the_sign_off_before_to_the_start_of_the_next() -> None:
    signed = [sign_off(1, 1, 3, 2), sign_off(2, 6, 7, 2)]
    pieces = split_by_sign_off(runs_of(drawn("22222222")), signed, at(8))
    to_sign = to_sign_at(pieces, at(4))
    assert to_sign is not None
    assert (to_sign.start, to_sign.end, to_sign.is_open) == (at(3), at(6), False)
    assert to_sign_at(pieces, at(2)) == pieces[1]
    assert to_sign_at(pieces, at(9)) is None


def test_a_rise_after_a_sign_off_of_a_run_that_was_over_is_a_run_without_one() -> None:
    *_, risen = periods("222333", sign_off(1, 0, 3, 2, 3))
    assert (risen.state, risen.before) == (State.NOT_SIGNED, None)


def test_the_sign_off_that_was_recorded_last_counts() -> None:
    found = periods("2222", sign_off(2, 0, 4, 2), sign_off(1, 0, 4, 2, 3))
    assert told(found) == [(0, 4, State.SIGNED, False)]


def test_the_first_to_look_at_is_a_new_look_then_the_last_that_waits() -> None:
    signed = sign_off(1, 0, 3, 1)

    def first(text: str, *sign_offs: SignOff) -> tuple[int, State]:
        found = first_to_look_at(periods(text, *sign_offs))
        assert found is not None
        return minute_of(found.start), found.state

    assert first("2220113", signed) == (0, State.NEW_LOOK)
    assert first("1110110", signed) == (4, State.NOT_SIGNED)
    assert first("1110000", signed) == (3, State.NOTHING_TO_SIGN)
    assert first("1111111", sign_off(1, 0, 3, 1, was_open=True)) == (0, State.SIGNED)
    assert first_to_look_at([]) is None


def test_a_period_is_found_by_an_instant_in_it() -> None:
    found = periods("1122")
    assert [period_at(found, at(minute)) for minute in (0, 1, 2, 4)] == [
        found[0], found[0], found[1], found[1],
    ]  # fmt: skip
    assert period_at(found, at(-1)) is None


@pytest.mark.parametrize(
    ("ended", "latest", "until"),
    [(None, 3, 10), (5, 3, 5), (5, 7, 7), (5, None, 5), (20, None, 10)],
)
def test_an_ended_course_is_reviewed_to_its_end_or_its_last_entry(
    ended: int | None, latest: int | None, until: int
) -> None:
    end = None if ended is None else at(ended)
    assert graded_until(at(10), end, None if latest is None else at(latest)) == at(until)


def test_an_ended_course_has_no_open_period() -> None:
    (found,) = review_periods(runs_of(drawn("222")), [], at(3), goes_on=False)
    assert not found.is_open


# A sign-off of any stretch; an open one ends at the moment at which it is recorded.
SIGN_OFFS = st.lists(
    st.tuples(st.integers(0, 26), st.integers(1, 26), st.integers(0, 3), st.booleans()), max_size=5
)


def _made(spans: list[tuple[int, int, int, bool]]) -> list[SignOff]:
    return [
        sign_off(pk, start, start + length, computed, was_open=was_open)
        for pk, (start, length, computed, was_open) in enumerate(spans, 1)
    ]


@given(GRADES, SIGN_OFFS)
def test_each_minute_has_the_grade_of_now_and_the_last_sign_off_that_covers_it(
    grades: list[int | None], spans: list[tuple[int, int, int, bool]]
) -> None:
    signed, now = _made(spans), len(grades)
    pieces = split_by_sign_off(runs_of(grades), signed, at(now))
    for minute, grade in enumerate(grades):
        covering = [one for one in signed if one.start <= at(minute) < one.end]
        last = max(covering, key=lambda one: one.pk, default=None)
        piece = piece_at(pieces, at(minute))
        if grade is None and last is None:
            assert piece is None
        else:
            assert piece is not None
            assert (piece.grade, piece.sign_off) == (grade, last)
    assert all(earlier.end <= later.start for earlier, later in pairwise(pieces))
    found = review_periods(runs_of(grades), signed, at(now))
    assert [piece for period in found for piece in period.pieces] == pieces


@given(GRADES, SIGN_OFFS)
def test_a_sign_off_needs_a_new_look_exactly_where_a_minute_of_it_is_higher_than_signed(
    grades: list[int | None], spans: list[tuple[int, int, int, bool]]
) -> None:
    for period in review_periods(runs_of(grades), _made(spans), at(len(grades))):
        one = period.sign_off
        minutes = grades[minute_of(period.start) : minute_of(period.end)]
        if one is None:
            assert len(set(minutes)) == 1
            assert period.waits is False or minutes[0]
            continue
        rose = any(grade is not None and grade > one.computed_grade for grade in minutes)
        fell = any(grade != one.computed_grade for grade in minutes)
        expected = State.NEW_LOOK if rose else State.FELL if fell else State.SIGNED
        assert (period.state, period.waits) == (expected, rose)


@given(GRADES, st.lists(st.tuples(st.integers(0, 23), st.sampled_from([1, 2, 3])), max_size=6))
def test_what_waits_can_be_signed_until_nothing_waits_and_a_rise_waits_again(
    grades: list[int | None], rises: list[tuple[int, int]]
) -> None:
    """A random history: sign all that waits, change a grade of the past, and look again."""
    signed: list[SignOff] = []
    _sign_all(grades, signed)
    for minute, grade in rises:
        if minute >= len(grades) or grades[minute] is None:
            continue
        grades[minute] = grade
        covering = [one for one in signed if one.start <= at(minute) < one.end]
        computed = covering[-1].computed_grade if covering else 0
        waiting = _waiting(grades, signed)
        waits = any(one.start <= at(minute) < one.end for one in waiting)
        assert waits is (grade > computed), (grades, minute)
        _sign_all(grades, signed)


def _waiting(grades: Sequence[int | None], signed: Sequence[SignOff]) -> list[ReviewPeriod]:
    found = review_periods(runs_of(grades), signed, at(len(grades)))
    return [period for period in found if period.waits]


def _sign_all(grades: Sequence[int | None], signed: list[SignOff]) -> None:
    for _ in range(2 * len(grades) + 1):
        waiting = _waiting(grades, signed)
        if not waiting:
            return
        pieces = split_by_sign_off(runs_of(grades), signed, at(len(grades)))
        piece = to_sign_at(pieces, waiting[0].to_sign.start)
        assert piece is not None
        assert piece.grade is not None
        start, end = minute_of(piece.start), minute_of(piece.end)
        signed.append(sign_off(len(signed) + 1, start, end, piece.grade, was_open=piece.is_open))
    raise AssertionError(f"never done: {grades}")


@given(GRADES, GRADES, st.integers(0, 24))
def test_the_differences_are_the_minutes_at_which_the_grade_is_another_now(
    then: list[int | None], today: list[int | None], until: int
) -> None:
    def grade(grades: list[int | None], minute: int) -> int | None:
        return grades[min(minute, len(grades) - 1)]

    found = differences_between(runs_of(then), runs_of(today), at(until))
    told = {
        minute: (one.before, one.after)
        for one in found
        for minute in range(minute_of(one.start), minute_of(one.end))
    }
    expected = {
        minute: pair
        for minute in range(until)
        if (pair := (grade(then, minute), grade(today, minute)))[0] != pair[1]
    }
    assert told == expected
