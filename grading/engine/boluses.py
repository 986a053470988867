"""The latest fluid boluses, of which scales other than Lee's ask whether there were several."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from grading.engine.entries import FluidBolus
from grading.engine.times import moved


class Boluses(NamedTuple):
    """The two latest boluses, and ``repeated``: the latest that another had shortly preceded."""

    latest: FluidBolus | None = None
    before: FluidBolus | None = None
    repeated: FluidBolus | None = None

    def with_bolus(self, bolus: FluidBolus, within: timedelta) -> Boluses:
        """Return what holds once ``bolus`` is added; ``within`` is what "shortly" means."""
        repeats = self.latest is not None and bolus.at - self.latest.at <= within
        return Boluses(bolus, self.latest, bolus if repeats else self.repeated)

    def read_under(self, within: timedelta) -> Boluses:
        """Compare the two latest by another ``within``."""
        latest, before, repeated = self
        if latest is None or before is None:
            return self
        if latest.at - before.at <= within:
            return self._replace(repeated=latest)
        return self._replace(repeated=None if repeated is latest else repeated)

    def repeated_until(self, hold: timedelta) -> datetime | None:
        """Return until when one of several counts."""
        return None if self.repeated is None else moved(self.repeated.at, hold)


NO_BOLUSES: Final = Boluses()
