"""Launches that were sent to the sign-in of a health record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crs_app.round_trips import RoundTrips

LAUNCHES: Final = RoundTrips("crs-launch")


@dataclass(frozen=True)
class Begun:
    """A launch that was sent to the health record's sign-in: its secrets, and whose it is."""

    state: str
    nonce: str
    verifier: str
    iss: str
    is_framed: bool
