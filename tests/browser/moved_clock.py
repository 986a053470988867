"""A clock of the server that a test can move forward."""

from collections.abc import Callable
from datetime import datetime, timedelta


class MovedClock:
    """The clock by which the server shows grades; the database keeps its own for what is saved."""

    def __init__(self, real: Callable[[], datetime]) -> None:
        self._real = real
        self._moved = timedelta(0)

    def now(self) -> datetime:
        return self._real() + self._moved

    def forward(self, by: timedelta) -> None:
        self._moved += by
