"""Sixteen clients at once: each on its own course, and all on one course."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from statistics import median

from bench.measure import Metric, Progress, spread
from bench.site import Site

_CLIENTS = 16
COURSES = {"crowd": [1_000] * _CLIENTS}
_SLICES = 4
_SLICE_S = 3.0


def measure(site: Site) -> list[Metric]:
    """Return saves a second and their ratio to the floor's, in slices that take turns."""
    crowd = site.courses["crowd"]
    subjects: dict[str, Sequence[Callable[[], float]]] = {
        "floor": [site.floor_ms] * _CLIENTS,
        "many": [site.vitals_saver([course]) for course in crowd],
        "one": [site.vitals_saver(crowd[:1]) for _ in range(_CLIENTS)],
    }
    found: dict[str, list[float]] = {name: [] for name in subjects}
    progress = Progress("throughput", _SLICES)
    for _ in range(_SLICES):
        for name, clients in subjects.items():
            found[name].append(_per_second(clients))
        progress.step()
    metrics = [
        Metric("floor, 16 clients", median(found["floor"]), "/s", spread(found["floor"])),
        Metric("saves, 16 clients on 16 courses", median(found["many"]), "/s"),
        Metric("saves, 16 clients on one course", median(found["one"]), "/s"),
    ]
    for name, target in (("many", 1 / 3), ("one", 1 / 4)):
        shares = [mine / least for mine, least in zip(found[name], found["floor"], strict=True)]
        title = "16 courses" if name == "many" else "one course"
        metrics.append(
            Metric(
                f"throughput on {title}, to the floor",
                median(shares),
                "x",
                spread(shares),
                target=target,
                at_least=True,
            )
        )
    return metrics


def _per_second(clients: Sequence[Callable[[], float]]) -> float:
    """Return how many requests all clients together finish in a second."""
    done = [0] * len(clients)
    faults: list[Exception] = []
    deadline = time.monotonic() + _SLICE_S

    def run(place: int) -> None:
        try:
            while time.monotonic() < deadline:
                clients[place]()
                done[place] += 1
        except Exception as fault:
            faults.append(fault)

    begun = time.monotonic()
    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sum(done) / (time.monotonic() - begun)
