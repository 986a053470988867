"""Why a sign-in at the hospital is refused here, in words for the user who tried."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from crs_app.accounts.models import User


class Why(StrEnum):
    """Reason of a refusal; the record keeps this word."""

    BUSY = "busy"
    CANCELLED = "cancelled"
    NO_ANSWER = "no answer"
    STATE = "state"
    CODE = "code"
    TOKEN = "token"  # noqa: S105 - a word of the record
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NONCE = "nonce"
    NOT_ASKED = "not asked again"
    UNVERIFIED = "unverified"
    UNKNOWN = "unknown"
    TWO_USERS = "two users"
    OTHER_IDENTITY = "other identity"
    DEACTIVATED = "deactivated"
    OTHER_USER = "other user"


NOT_COUNTED: Final = frozenset({Why.BUSY, Why.CANCELLED, Why.NO_ANSWER, Why.OTHER_USER})
"""Refusals that are no failure of the user who tried: the throttle does not count them."""
OF_THE_PROVIDER: Final = frozenset({Why.BUSY, Why.NO_ANSWER})
"""Refusals that may end by themselves."""

_START_AGAIN: Final = "Start again. If it happens again, call the help desk and give this word."
_SENTENCES: Final = {
    Why.BUSY: ("Many people are signing in at this moment. Try again in a few seconds.",),
    Why.CANCELLED: ("You did not finish the hospital's sign-in.",),
    Why.NO_ANSWER: (
        "The hospital's sign-in does not answer as it should.",
        "Sign in with your user name and password here, or try again in a few minutes.",
    ),
    Why.STATE: (
        "This sign-in was used already, was started in another browser or tab, or took longer "
        "than 10 minutes.",
        "Start again.",
    ),
    Why.NOT_ASKED: (
        "The hospital's sign-in did not ask who you are: somebody may have signed in there "
        "before you.",
        "Start again, and sign in there as yourself.",
    ),
    Why.UNVERIFIED: (
        "The hospital's sign-in does not say that your name or address there is verified.",
        "Call the help desk of the hospital.",
    ),
    Why.UNKNOWN: (
        "The hospital's sign-in knows you, but no user of this site has your name or address "
        "there.",
        "Ask an administrator of this site.",
    ),
    Why.TWO_USERS: (
        "Two users of this site have your name or address at the hospital's sign-in.",
        "Ask an administrator of this site to correct it.",
    ),
    Why.OTHER_IDENTITY: (
        "The hospital's sign-in does not know you as the person who used this user before.",
        "Ask an administrator of this site.",
    ),
    Why.DEACTIVATED: (
        "Your user on this site is deactivated.",
        "Ask an administrator of this site.",
    ),
    Why.OTHER_USER: (
        "Somebody else is signed in here.",
        "Sign out first, then sign in as yourself.",
    ),
}


class RefusedError(Exception):
    """The sign-in is refused; ``user`` is whom the provider named, where that is known."""

    def __init__(self, why: Why, user: User | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.user = user


def sentences_of(why: Why) -> tuple[str, ...]:
    """Return what the page says; of an answer that is not valid, a word for the help desk."""
    if why in _SENTENCES:
        return _SENTENCES[why]
    return (f"What the hospital's sign-in sent is not valid here ({why.value}).", _START_AGAIN)
