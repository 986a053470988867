"""The plan of a run: which processes are killed, in which order, and after which pause.

A plan follows from its seed alone: the same seed kills the same in the same order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kill(StrEnum):
    """What one step of a plan does to the site."""

    WORKER = "kill a web worker"
    ALL_WORKERS = "kill all web workers"
    MASTER = "kill the web server's master"
    BACKEND = "kill a backend"
    POSTMASTER = "kill the postmaster"
    TERMINATE_ONE = "terminate a connection"
    TERMINATE_ALL = "terminate all connections"
    PAUSE_WORKER = "stop a web worker for seconds"
    PAUSE_DATABASE = "stop the database for seconds"
    STANDBY = "kill the standby"
    PRIMARY = "kill the primary and promote the standby"


ONE_MACHINE: Final[Mapping[Kill, int]] = {
    Kill.WORKER: 8,
    Kill.ALL_WORKERS: 2,
    Kill.MASTER: 1,
    Kill.BACKEND: 6,
    Kill.POSTMASTER: 4,
    Kill.TERMINATE_ONE: 5,
    Kill.TERMINATE_ALL: 2,
    Kill.PAUSE_WORKER: 1,
    Kill.PAUSE_DATABASE: 1,
}
"""How often each kill comes in one round of the plan."""
TWO_MACHINES: Final[Mapping[Kill, int]] = {
    Kill.WORKER: 2,
    Kill.ALL_WORKERS: 1,
    Kill.BACKEND: 2,
    Kill.TERMINATE_ONE: 2,
    Kill.PAUSE_WORKER: 1,
    Kill.STANDBY: 1,
    Kill.PRIMARY: 2,
}
_PAUSED_AT_MOST_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Step:
    """One kill, ``after_s`` seconds after the step before it was over.

    ``pick`` chooses among the processes that may be meant (0 to 0.99); ``paused_s`` is how long a
    stopped process stands.
    """

    kill: Kill
    after_s: float
    pick: float
    paused_s: float

    def __str__(self) -> str:
        paused = f" for {self.paused_s:.1f} s" if self.kill.startswith("stop") else ""
        return f"after {self.after_s:.1f} s {self.kill.value}{paused} (pick {self.pick:.2f})"


def steps(seed: int, weights: Mapping[Kill, int], every_s: float) -> Iterator[Step]:
    """Yield the steps of a seed without end, one about every ``every_s`` seconds.

    Each kind comes once at first, in an order by chance, and then in rounds by its weight.
    """
    chance = random.Random(seed)
    first = True
    while True:
        kills = [kill for kill, times in weights.items() for _ in range(1 if first else times)]
        chance.shuffle(kills)
        for kill in kills:
            yield Step(
                kill,
                after_s=round(every_s * chance.uniform(0.4, 1.6), 2),
                pick=round(chance.uniform(0, 0.99), 2),
                paused_s=round(chance.uniform(1, _PAUSED_AT_MOST_S), 1),
            )
        first = False
