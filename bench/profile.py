"""The time of a save: each statement of the database, and the code by room."""

from __future__ import annotations

import cProfile
import pstats
import re
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.parts.statements import signed_in
from bench.servers import BASE_DIR
from bench.site import Page, Site

_SAVES: Final = 200
_LITERALS: Final = re.compile(r"%s|'[^']*'|\b\d+\b")
_ROOMS: Final = (
    ("engine", "grading/"),
    ("forms", "django/forms/"),
    ("forms", "patients/forms/"),
    ("templates", "django/template/"),
    ("templates", "jinja2/"),
    ("templates", "markupsafe/"),
    ("templates", "/templates/"),
    ("templates", "patients/display/template_filters.py"),
    ("database driver", "psycopg"),
    ("ORM", "django/db/"),
    ("chart and panels", "patients/"),
    ("sign-in and session", "crs_app/accounts/"),
    ("sign-in and session", "crs_app/speedups/"),
    ("sign-in and session", "django/contrib/auth/"),
    ("sign-in and session", "django/contrib/sessions/"),
    ("middleware and views", "django/"),
)


def profile_of(site: Site, group: str) -> str:
    """Return two tables for saves of vital signs to the first course of ``group``."""
    save = _saver(site, site.courses[group][0])
    for _ in range(20):
        save()
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(_SAVES):
        save()
    whole_ms = (time.perf_counter() - begun) * 1000 / _SAVES
    own_ms = (time.process_time() - cpu) * 1000 / _SAVES
    title = (
        f"A save at {site.courses[group][0].size:,} entries: {whole_ms:.2f} ms in process, "
        f"{own_ms:.2f} ms of them Python's own"
    )
    return "\n".join((title, "", *_by_statement(save), "", *_by_room(save)))


def _saver(site: Site, course: Any) -> Callable[[], None]:
    browser, path = signed_in(), f"/courses/{course.course_id}/entries/vitals/"
    temperatures, page = iter(range(10**9)), Page(course)

    def save() -> None:
        temperature = f"{37 + next(temperatures) % 25 / 10}"
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
        at = site.next_minute(course)
        sent |= {"observed_date": f"{at:%Y-%m-%d}", "observed_time": f"{at:%H:%M}"}
        sent |= {"temperature": temperature, "systolic_mmhg": "104", "heart_rate": "98"}
        answer = browser.post(path, sent, headers={"HX-Request": "true", **page.headers()})
        if answer.status_code != 200:
            raise AssertionError(f"a save was answered {answer.status_code}")
        page.take(answer.headers)

    return save


def _by_statement(save: Callable[[], None]) -> Iterator[str]:
    """Yield a line for each statement: how long the application waited for it."""
    took: dict[str, list[float]] = defaultdict(list)
    with _timed(took):
        for _ in range(_SAVES):
            save()
    yield f"{'ms a save':>10} {'times':>6}  statement"
    for statement, times in sorted(took.items(), key=lambda item: -sum(item[1])):
        yield f"{sum(times) * 1000 / _SAVES:10.3f} {len(times) / _SAVES:6.2f}  {statement[:110]}"
    total = sum(map(sum, took.values())) * 1000 / _SAVES
    yield f"{total:10.3f} {sum(map(len, took.values())) / _SAVES:6.2f}  together"


@contextmanager
def _timed(took: dict[str, list[float]]) -> Iterator[None]:
    from django.db import connection

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            statement = " ".join(_LITERALS.sub("?", sql).split())
            took[_shortened(statement)].append(time.perf_counter() - begun)

    with connection.execute_wrapper(note):
        yield


def _shortened(sql: str) -> str:
    """Return a SELECT without its list of columns."""
    verb, _, rest = sql.partition(" ")
    _, found, origin = rest.partition(" FROM ")
    return f"{verb} ... FROM {origin}" if verb == "SELECT" and found else sql


def _by_room(save: Callable[[], None]) -> Iterator[str]:
    """Yield each room's share of the processor's time; the profiler itself makes all slower."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(_SAVES):
        save()
    profile.disable()
    by_room: dict[str, float] = defaultdict(float)
    stats = pstats.Stats(profile)
    for (file, _, _), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        by_room[_room(file)] += own
    whole = sum(by_room.values())
    yield f"{'share':>10}  room"
    for room, own in sorted(by_room.items(), key=lambda item: -item[1]):
        yield f"{own / whole:10.1%}  {room}"
    stats.dump_stats(Path(BASE_DIR) / "var" / "bench.prof")


def _room(file: str) -> str:
    if not file.startswith("/"):
        return "built-in functions"
    return next((room for room, part in _ROOMS if part in file), "everything else")
