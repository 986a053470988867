"""Clocks that a test can move forward: that of the server and that of a page."""

from collections.abc import Callable
from datetime import datetime, timedelta

from playwright.sync_api import Page


def install_clock(page: Page) -> None:
    """Load ``page`` again with a clock that the test moves.

    While it is installed the clock says 1970 for a moment. A page that is open then takes what
    follows for fifty years without a touch, and locks its session.
    """
    here = page.url
    page.goto("about:blank")
    page.clock.install()
    page.goto(here)


class MovedClock:
    """The clock by which the server shows grades; the database keeps its own for what is saved."""

    def __init__(self, real: Callable[[], datetime]) -> None:
        self._real = real
        self._moved = timedelta(0)

    def now(self) -> datetime:
        return self._real() + self._moved

    def forward(self, by: timedelta) -> None:
        self._moved += by
