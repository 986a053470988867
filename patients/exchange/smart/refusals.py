"""Why a launch is refused, in words for the user who tried."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from crs_app.accounts.models import User


class Reason(StrEnum):
    """Reason of a refusal; the record keeps this word."""

    ISSUER = "unknown record"
    BUSY = "busy"
    STATE = "state"
    CANCELLED = "cancelled"
    NO_ANSWER = "no answer"
    CONFIGURATION = "configuration"
    CREDENTIAL = "credential"
    NO_PATIENT = "no patient"
    MODIFIED = "modifier"
    OUT_OF_USE = "record out of use"
    NO_NUMBER = "no record number"
    NO_USER = "unknown user"
    TWO_USERS = "two users"
    DEACTIVATED = "deactivated"
    ROLE = "role"
    CONTRADICTION = "contradiction"
    NO_COURSE = "no course"


PASSING: Final = frozenset({Reason.NO_ANSWER, Reason.BUSY})
"""Refusals that may end by themselves."""
_START_AGAIN: Final = "Open it again from the health record."
_ASK: Final = "Ask an administrator of this site."
SENTENCES: Final = {
    Reason.ISSUER: ("This health record may not open this application.", _ASK),
    Reason.BUSY: (
        "Many launches come at this moment.",
        "Load this page again in a few seconds.",
    ),
    Reason.STATE: (
        "This launch was used already, was started in another browser or tab, or took longer than "
        "10 minutes.",
        _START_AGAIN,
    ),
    Reason.CANCELLED: ("The health record did not finish the launch.", _START_AGAIN),
    Reason.NO_ANSWER: ("The health record does not answer as it should.", _START_AGAIN),
    Reason.CONFIGURATION: (
        "Its smart-configuration does not have issuer, authorization_endpoint, token_endpoint and "
        "jwks_uri by https, with S256.",
    ),
    Reason.CREDENTIAL: (
        "This site can no longer read its own secret or key at the health record.",
        "An administrator must enter it again, on the page Launches.",
    ),
    Reason.NO_PATIENT: ("The health record did not say which patient is open.", _START_AGAIN),
    Reason.MODIFIED: (
        "The patient in the health record has a mark (modifierExtension or implicitRules) that "
        "this site does not know.",
        _ASK,
    ),
    Reason.NO_NUMBER: (
        "The health record has no record number of this patient that this site knows.",
        _ASK,
    ),
    Reason.NO_USER: ("The health record knows you, but you are no user of this site.", _ASK),
    Reason.TWO_USERS: ("Two users of this site are linked to you.", _ASK),
    Reason.DEACTIVATED: ("Your user on this site is deactivated.", _ASK),
    Reason.ROLE: ("Your role does not open charts.", _ASK),
    Reason.CONTRADICTION: (
        "The record number is that of a patient here who was born on another day.",
        "Nothing is opened: find out who the patient is.",
    ),
}


class LaunchRefusedError(Exception):
    """A launch opens nothing; ``user`` is who tried, where that is known.

    ``doubt`` says why the Patient there is not the record to use.
    """

    def __init__(
        self, why: Reason, user: User | None = None, mrn: str = "", doubt: str = ""
    ) -> None:
        super().__init__(why.value)
        self.why = why
        self.user = user
        self.mrn = mrn
        self.doubt = doubt


def sentences_for(refused: LaunchRefusedError) -> tuple[str, ...]:
    """Return what the page says."""
    if refused.why is Reason.NO_COURSE:
        return (
            f"No course of the patient with MRN {refused.mrn} is open here.",
            "Admit the patient on the ward board first. Nothing was opened.",
        )
    if refused.why is Reason.OUT_OF_USE:
        return (f"Nothing was opened: {refused.doubt}.", "Open the record that holds there.")
    return SENTENCES[refused.why]
