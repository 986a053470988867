"""The file of a cohort: how long it takes, how that grows, and what memory its worker needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.client import PASSWORD, Answer, Client
from bench.measure import Metric, Progress
from bench.servers import BenchError, children_of, memory_mb
from bench.site import Site

_FEW, _MORE = 100, 900
_SHORT, _LONG = 40, 150
"""Entries of a course: the two groups were infused on different days."""
COURSES = {"export, few": [_SHORT] * _FEW, "export, more": [_LONG] * _MORE}
_MEMORY_MB: Final = 150
_GROWTH: Final = 2
"""For each entry: shorter courses are read by as many statements."""
_REVIEWER: Final = "bench-reviewer"
_SAMPLED_EVERY_S: Final = 0.02
_FORMATS: Final = ("csv", "json")
_CONTENTS: Final = ("identified", "deidentified")


def measure(site: Site) -> list[Metric]:
    """Return time to the floor and peak memory of a cohort of 1,000 courses, and the growth."""
    client = _reviewer(site)
    few, more = (site.courses[group][0] for group in COURSES)
    of_few = {"since": _day(few.infused_at), "until": _day(few.infused_at)}
    of_all = {"since": _day(more.infused_at - timedelta(days=60)), "until": _day(few.infused_at)}
    if of_few["since"] == _day(more.infused_at):
        raise BenchError("both groups of courses were infused on one day")
    floor = sorted(site.floor_ms() for _ in range(40))[20]
    workers = children_of(site.product_pid) or [site.product_pid]
    rest = {pid: memory_mb(pid) for pid in workers}
    metrics = []
    progress = Progress("exports", len(_FORMATS) * len(_CONTENTS))
    for contents in _CONTENTS:
        for written in _FORMATS:
            asked = {"contents": contents, "format": written}
            name = f"{contents}, {written}"
            short = _file(client, {**of_few, **asked}, _FEW)
            with _peak_above(rest) as peak:
                long = _file(client, {**of_all, **asked}, _FEW + _MORE)
            entries = (_FEW * _SHORT + _MORE * _LONG) / (_FEW * _SHORT)
            metrics += [
                Metric(f"cohort of 1,000, {name}", long.took_ms / floor, "x"),
                Metric(
                    f"cohort of 1,000 to 100, {name}, for each entry",
                    long.took_ms / short.took_ms / entries,
                    "x",
                    target=_GROWTH,
                ),
                Metric(
                    f"memory above rest, cohort of 1,000, {name}", peak[0], "MB", target=_MEMORY_MB
                ),
            ]
            progress.step()
    return metrics


def _reviewer(site: Site) -> Client:
    """Sign a new reviewer in: the nurse may not export a cohort."""
    from crs_app.accounts.models import Role, User

    User.objects.create_user(_REVIEWER, password=PASSWORD, role=Role.ICU_REVIEWER)
    client = Client(site.product.port)
    client.sign_in(_REVIEWER, PASSWORD)
    return client


def _file(client: Client, asked: dict[str, str], courses: int) -> Answer:
    """Download a cohort; raise BenchError where it has not so many courses."""
    sent = {"purpose": "measurement", "run": "", **asked}
    answer = client.post("/exports/", sent, htmx=False)
    lines = answer.body.count(b'"crs-course/1"') if asked["format"] == "json" else _rows(answer)
    if answer.status != 200 or lines != courses:
        raise BenchError(f"a cohort was answered {answer.status} with {lines} courses")
    return answer


def _rows(answer: Answer) -> int:
    return answer.body.count(b"axicabtagene ciloleucel")


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


@contextmanager
def _peak_above(rest: Mapping[int, float]) -> Iterator[list[float]]:
    """Yield a list that holds, after the block, how far a worker's memory rose above its rest."""
    highest, done, found = dict(rest), threading.Event(), [0.0]

    def watch() -> None:
        while not done.wait(_SAMPLED_EVERY_S):
            for pid in rest:
                highest[pid] = max(highest[pid], memory_mb(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
        found[0] = max(highest[pid] - rest[pid] for pid in rest)
