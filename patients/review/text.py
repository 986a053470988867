"""The state of a period of the review in words."""

from __future__ import annotations

from patients.display.sign_off import reason_text, signed_text, time_text
from patients.queries.reviews import SignOff
from patients.review.sign_off import ReviewPeriod, State


def state_text(period: ReviewPeriod, reader_id: int | None) -> str:
    """Return the state of a period in words, as a list has it beside its mark."""
    grade, sign_off = period.to_sign.grade, period.sign_off
    if sign_off is None:
        return _unsigned_text(period, reader_id)
    name, signed = _who(sign_off, reader_id), signed_text(sign_off)
    if period.state is State.NEW_LOOK:
        raised = time_text(period.to_sign.start)
        return f"needs a new look: now {grade} from {raised}, {name} {signed}"
    if period.state is State.FELL:
        today = "not graded now" if grade is None else f"computed now {grade}"
        return f"{signed}, {today} · {name}"
    if period.state is State.ANOTHER_GRADE:
        return f"{name} {signed}: {reason_text(sign_off)}"
    return f"grade {sign_off.stated_grade}, signed by {name}"


def _unsigned_text(period: ReviewPeriod, reader_id: int | None) -> str:
    grade, before = period.to_sign.grade, period.before
    if period.state is State.NEW_LOOK and before is not None:
        return (
            f"needs a new look: now {grade} from {time_text(period.start)}, "
            f"{_who(before, reader_id)} {signed_text(before)}"
        )
    if period.state is State.NOTHING_TO_SIGN:
        return f"grade {grade}"
    if period.goes_on_as_signed:
        return f"grade {grade}, goes on as signed"
    return f"grade {grade}, not signed"


def _who(sign_off: SignOff, reader_id: int | None) -> str:
    return "you" if sign_off.author_id == reader_id else sign_off.author_name
