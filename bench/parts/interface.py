"""200 monitors that send a message a minute, while nurses chart and processes are killed.

Five minutes; CRS_BENCH_SECONDS=3600 is an hour. After a third of the time the listener is killed by
``kill -9``, after two thirds the database; both are started again at once.

Saves without messages are measured before and after, since the speed of a machine drifts. Each
chart has a set of signs of just now from the start: one that is days old is shorter to show. Nurses
chart the present minute: a save comes after the monitor's last set or seconds late, as on a ward.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from bench.measure import Metric, Progress, percentile
from bench.senders import Monitors, Sent
from bench.servers import BenchError, address_of, free_port, kill, kill_database, running
from bench.site import Site
from crs_app.local_postgres import WEB

_PATIENTS: Final = 200
COURSES = {"monitored": [20] * _PATIENTS}
_SYSTEM: Final = "bench-monitor"
_IN_TIME_S: Final = 1.0
_SAVE_EVERY_S: Final = 0.5
_SAVES_WITHOUT: Final = 60
"""Before the messages, and again after them."""
_CHARTED_BEFORE: Final = timedelta(minutes=5)


def measure(site: Site) -> list[Metric]:
    """Return what was lost, doubled and answered in time, and what a save takes meanwhile."""
    seconds = int(os.environ.get("CRS_BENCH_SECONDS", "300"))
    courses = site.courses["monitored"]
    chart_before = site.vitals_saver(courses, at=lambda _: datetime.now(UTC) - _CHARTED_BEFORE)
    for _ in courses:
        chart_before()
    save = site.vitals_saver(courses, at=lambda _: datetime.now(UTC))
    without = [_paced(save) for _ in range(_SAVES_WITHOUT)]
    with ExitStack() as stack:
        ward = _Ward(site, stack)
        ward.listen()
        monitors = Monitors(ward.port, _mrns(site))
        begun = time.monotonic()
        monitors.start()
        try:
            beside = _chart_and_kill(save, ward, begun, seconds)
        finally:
            monitors.stop()
        without += [_paced(save) for _ in range(_SAVES_WITHOUT)]
    return _metrics(monitors.sent, ward.outages, without, beside)


class _Ward:
    """The listener and the database, each of which is killed once."""

    def __init__(self, site: Site, stack: ExitStack) -> None:
        self.port = free_port()
        self.outages: list[tuple[float, float]] = []
        self._database = site.server
        self._stack = stack
        self._pid = 0
        _register()

    def listen(self) -> None:
        command = [
            *(sys.executable, "manage.py", "listen_hl7", "--system", _SYSTEM),
            *("--port", str(self.port)),
        ]
        environment = {
            "DATABASE_URL": address_of(self._database, WEB),
            "DJANGO_SETTINGS_MODULE": "crs_app.settings",
        }
        self._pid = self._stack.enter_context(running(command, environment, self.port))

    def kill_listener(self) -> None:
        begun = time.monotonic()
        kill(self._pid)
        self.listen()
        self.outages.append((begun, time.monotonic()))

    def kill_database(self) -> None:
        begun = time.monotonic()
        kill_database(self._database)
        self.outages.append((begun, time.monotonic()))


def _chart_and_kill(
    save: Callable[[], float], ward: _Ward, begun: float, seconds: int
) -> list[float]:
    """Save until the time is over; return the milliseconds of saves outside the outages."""
    kills = [(seconds / 3, ward.kill_listener), (seconds * 2 / 3, ward.kill_database)]
    progress = Progress("interface", 3)
    taken: list[float] = []
    while (passed := time.monotonic() - begun) < seconds:
        if kills and passed >= kills[0][0]:
            kills.pop(0)[1]()
            _until_it_saves(save)
            progress.step()
        taken.append(_paced(save))
    progress.step()
    return taken


def _until_it_saves(save: Callable[[], float]) -> None:
    """Save until that succeeds: a web process notes at its next request that it must reconnect."""
    for _ in range(20):
        try:
            save()
        except BenchError:
            time.sleep(0.2)
    save()


def _paced(save: Callable[[], float]) -> float:
    took_ms = save()
    time.sleep(max(0.0, _SAVE_EVERY_S - took_ms / 1000))
    return took_ms


def _register() -> None:
    from patients.exchange.register import register_system
    from patients.models import SystemKind

    register_system(
        _SYSTEM,
        SystemKind.MONITOR,
        by=None,
        mrn_system="urn:crs:mrn",
        allowed_addresses=["127.0.0.1"],
        # Each message is charted and graded: the most that it costs.
        filing={"default": "file"},
        thinning_minutes=None,
    )


def _mrns(site: Site) -> list[str]:
    from patients.models import Course

    found = Course.objects.select_related("patient").in_bulk(
        [course.course_id for course in site.courses["monitored"]]
    )
    return [course.patient.mrn for course in found.values()]


def _metrics(
    sent: list[Sent],
    outages: list[tuple[float, float]],
    without: list[float],
    beside: list[float],
) -> list[Metric]:
    stored, doubled = _stored()
    lost = [message for message in sent if message.code != "AA" or not stored[message.control_id]]
    took = [
        message.answered_at - message.at
        for message in sent
        if not any(
            message.at < end + _IN_TIME_S and message.answered_at > start for start, end in outages
        )
    ]
    in_time = sum(seconds <= _IN_TIME_S for seconds in took) / max(1, len(took))
    twice = sum(count - 1 for count in stored.values() if count > 1)
    return [
        Metric("messages of 200 monitors", len(sent), "", note=f"{len(took)} outside outages"),
        Metric("messages lost", len(lost), "", target=0),
        Metric("messages or entries doubled", twice + doubled, "", target=0),
        Metric("answered within 1 s", in_time, "", target=0.95, at_least=True),
        Metric("answered, p50", median(took) * 1000, "ms"),
        Metric("answered, p95", percentile(took, 0.95) * 1000, "ms"),
        Metric("save p50 without messages", median(without), "ms"),
        Metric("save p50 beside messages", median(beside), "ms"),
        Metric("save p50, beside to without", median(beside) / median(without), "x", target=1.2),
    ]


def _stored() -> tuple[Counter[str], int]:
    """Return how often each control id was accepted, and how many entries stand twice."""
    from django.db import connection

    from patients.models import ActSource, Entry, InboundMessage

    connection.close()  # opened before the kill
    accepted = InboundMessage.objects.filter(system__name=_SYSTEM, verdict="accepted")
    stored = Counter(accepted.values_list("control_id", flat=True))
    entries = Counter(
        Entry.objects.filter(act__source=ActSource.INTERFACE).values_list("course", "at")
    )
    return stored, sum(count - 1 for count in entries.values())
