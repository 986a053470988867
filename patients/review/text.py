"""The state of a period of the review in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from patients.display.assessment import NONE_MET
from patients.display.sign_off import (
    SignedNow,
    computed_text,
    reason_text,
    signed_text,
    stated_text,
    time_text,
)
from patients.queries.reviews import SignOff
from patients.review.sign_off import ReviewPeriod, State, overlaps

_MOST_URGENT_FIRST: Final = (State.NEW_LOOK, State.FELL, State.ANOTHER_GRADE, State.SIGNED)


def state_text(
    period: ReviewPeriod,
    reader_id: int | None,
    *,
    today: str = "now",
    is_assessed: bool | None = None,
) -> str:
    """Return the state of a period in words, as a list has it beside its mark.

    ``today`` is the word for the time looked at: "then" where that is past. ``is_assessed`` is
    whether a grade 0 of the period is known, None where that was not read: only one that is known
    is called a grade 0.
    """
    grade, sign_off = period.to_sign.grade, period.sign_off
    if sign_off is None:
        return _unsigned_text(period, reader_id, today, is_assessed=is_assessed)
    name, signed = _who(sign_off, reader_id), signed_text(sign_off)
    if period.state is State.NEW_LOOK:
        raised = time_text(period.to_sign.start)
        return f"needs a new look: {today} {grade} from {raised}, {name} {signed}"
    if period.state is State.FELL:
        return f"{signed}, {computed_text(grade, today, is_assessed=is_assessed)} · {name}"
    if period.state is State.ANOTHER_GRADE:
        return f"{name} {signed}: {reason_text(sign_off)}"
    return f"{stated_text(sign_off)}, signed by {name}"


def short_text(period: ReviewPeriod, waiting: int, *, is_assessed: bool | None = None) -> str:
    """Return the state of a course in two or three words, for a board; "" where nothing is signed.

    ``waiting`` counts its periods that wait; ``period`` is the first to look at. ``is_assessed``
    as in ``state_text``.
    """
    if period.state is State.NEW_LOOK:
        return "new look"
    if period.state is State.FELL and period.sign_off is not None:
        computed = computed_text(period.to_sign.grade, "now", is_assessed=is_assessed)
        return f"{signed_text(period.sign_off)}, {computed}"
    if waiting:
        return "not signed" if waiting == 1 else f"{waiting} not signed"
    return "" if period.sign_off is None else signed_text(period.sign_off)


def label_text(period: ReviewPeriod, *, today: str = "now", is_assessed: bool | None = None) -> str:
    """Return what stands behind the mark of a period in the plots, where there is room."""
    sign_off, grade = period.sign_off, period.to_sign.grade
    if period.state is State.NEW_LOOK:
        return "new look"
    if sign_off is None:
        return "goes on as signed" if period.goes_on_as_signed else "not signed"
    if period.state is State.FELL:
        return f"{signed_text(sign_off)}, {computed_text(grade, today, is_assessed=is_assessed)}"
    if period.state is State.ANOTHER_GRADE:
        return f"stated {sign_off.stated_grade} · {sign_off.author_name}"
    return f"{stated_text(sign_off)} · {sign_off.author_name}"


def _unsigned_text(
    period: ReviewPeriod, reader_id: int | None, today: str, *, is_assessed: bool | None
) -> str:
    grade, before = period.to_sign.grade, period.before
    computed = f"grade {grade}"
    if grade == 0 and not is_assessed:
        computed = NONE_MET if is_assessed is None else "not assessed"
    if period.state is State.NEW_LOOK and before is not None:
        return (
            f"needs a new look: {today} {grade} from {time_text(period.start)}, "
            f"{_who(before, reader_id)} {signed_text(before)}"
        )
    if period.state is State.NOTHING_TO_SIGN:
        return computed
    if period.goes_on_as_signed:
        return f"{computed}, goes on as signed"
    return f"{computed}, not signed"


def _who(sign_off: SignOff, reader_id: int | None) -> str:
    return "you" if sign_off.author_id == reader_id else sign_off.author_name


def signed_now(
    periods: Iterable[ReviewPeriod], sign_offs: Sequence[SignOff]
) -> dict[int, SignedNow]:
    """Return how each of ``sign_offs`` stands now, by its key; ``periods`` are those of the course.

    Of one that a later sign-off has cut into parts, the most urgent part counts.
    """
    parts: dict[int, list[ReviewPeriod]] = {}
    for period in periods:
        if period.sign_off is not None:
            parts.setdefault(period.sign_off.pk, []).append(period)
    return {one.pk: _signed_now(one, parts.get(one.pk, ()), sign_offs) for one in sign_offs}


def _signed_now(
    sign_off: SignOff, parts: Sequence[ReviewPeriod], others: Iterable[SignOff]
) -> SignedNow:
    text = signed_text(sign_off)
    if not parts and any(
        one.pk > sign_off.pk and overlaps(one, sign_off.start, sign_off.end) for one in others
    ):
        return SignedNow("signed_again", "↷", "signed again later", f"{text}, signed again later")
    if not parts:
        state = State.ANOTHER_GRADE if sign_off.disagrees else State.SIGNED
    else:
        part = min(parts, key=lambda one: _MOST_URGENT_FIRST.index(one.state))
        state, grade = part.state, part.to_sign.grade
        if state is State.NEW_LOOK:
            text += f", needs a new look: {computed_text(grade, 'now')}"
        elif state is State.FELL:
            text += f", {computed_text(grade, 'now')}"
    return SignedNow(state.key, state.mark, state.words, text)
