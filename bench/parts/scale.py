"""A hospital of 200 courses of 10,000 entries: what pages and saves cost there.

Measured three times in one run: with few courses, with all of them, and after their acts and
entries were converted to partitions. CRS_BENCH_COURSES=2000 is a tenth of 100 such hospitals.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any, Final

from bench.client import PASSWORD, USERNAME
from bench.measure import Blocks, Metric, in_turn, ratios, spread
from bench.parts.board import _stamp
from bench.parts.statements import signed_in
from bench.servers import BenchError
from bench.site import Site
from crs_app.local_postgres import WEB

_TEMPLATES: Final = 4
COURSES = {"scale": [10_000] * _TEMPLATES, "saved": [1_000] * 4}
_ROUNDS: Final = 10
_PARTITIONS: Final = 16


def measure(site: Site) -> list[Metric]:
    """Return each cost on the large site as a ratio to that on the small one, and what fills it."""
    from bench import large_site
    from crs_app.operations.partitions.convert import partition_charts
    from crs_app.operations.programs import Address

    courses = int(os.environ.get("CRS_BENCH_COURSES", "200"))
    few = _costs(site, "few courses")
    generated = large_site.fill(site.courses["scale"], courses)
    sizes = large_site.table_bytes()
    many = _costs(site, f"{courses} courses")
    scans = large_site.sequential_scans(_statements(site))
    from django.db import connection

    done = partition_charts(
        Address.of(connection.settings_dict), WEB, _print, partitions=_PARTITIONS
    )
    _end_sessions()
    for _ in range(20):  # the floor does not look whether its connections still work
        site.floor.post("/notes/", {"text": "a connection of before fails once"})
    parts = _costs(site, "in partitions")
    scans_of_parts = large_site.sequential_scans(_statements(site))
    for scan in {*scans, *scans_of_parts}:
        _print(f"reads a large table from end to end: {scan}")
    metrics = [
        *_growth("", few, many),
        *_growth(" in partitions", many, parts),
        Metric("generated rows a second", generated.per_second, "/s"),
        Metric("sequential scans of large tables", len(scans), "", target=0),
        Metric("the same in partitions", len(scans_of_parts), "", target=0),
        Metric("partitions: longest lock", done.longest_lock_ms, "ms", target=3000),
        Metric("partitions: longest lock of a course", done.longest_course_lock_ms, "ms"),
        Metric("partitions: rows copied a second", _rate(done), "/s"),
    ]
    for table, (rows, indexes) in sizes.items():
        count = generated.rows[table]
        metrics.append(Metric(f"{table}: rows", count, ""))
        metrics.append(Metric(f"{table}: bytes a row", rows / max(count, 1), "B"))
        metrics.append(Metric(f"{table}: index bytes a row", indexes / max(count, 1), "B"))
    return metrics


def _end_sessions() -> None:
    """End the connections of the web processes, as their restart does."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [WEB]
        )
    connection.close()  # its own statements are planned once from here on, too


def _rate(done: Any) -> float:
    return float((done.acts + done.entries) / done.copying_s)


def _costs(site: Site, title: str) -> Mapping[str, Blocks]:
    """Measure saves and pages in turn with the floor."""
    # Filling takes longer than an idle session lives.
    site.product.cookies.clear()
    site.product.sign_in(USERNAME, PASSWORD)
    course = site.courses["scale"][0].course_id
    shown = _stamp(site)

    def unchanged_ms() -> float:
        nonlocal shown
        try:
            return site.page_ms(f"/?seen={shown}", status=204, htmx=True)
        except BenchError:  # somebody saved: the page shows another stamp
            shown = _stamp(site)
            return site.page_ms(f"/?seen={shown}", status=204, htmx=True)

    subjects: dict[str, Callable[[], float]] = {
        "floor": site.floor_ms,
        "save": site.vitals_saver(site.courses["saved"]),
        "bedside page": partial(site.page_ms, f"/courses/{course}/"),
        "board, whole": partial(site.page_ms, "/"),
        "board, unchanged": unchanged_ms,
        "board, search": partial(site.page_ms, "/?q=patient+01", htmx=True),
        "closed courses, search": partial(site.page_ms, "/?ended=1&q=patient"),
        "review page": partial(site.page_ms, f"/courses/{course}/review/"),
        "verify a course": partial(_verify_ms, site),
    }
    blocks = dict.fromkeys(subjects, 4) | {"save": 12, "floor": 8, "verify a course": 1}
    return in_turn(title, subjects, rounds=_ROUNDS, block=blocks, warm_up=3, budget_s=90)


def _verify_ms(site: Site) -> float:
    from patients.models import Course
    from patients.recording.verify import differences

    found = Course.objects.select_related("patient", "policy").get(
        pk=site.courses["saved"][0].course_id
    )
    begun = time.monotonic()
    differences(found)
    return (time.monotonic() - begun) * 1000


def _growth(suffix: str, before: Mapping[str, Blocks], after: Mapping[str, Blocks]) -> list[Metric]:
    """Return for each subject its ratio to the floor after, to that before."""
    metrics = []
    for name in before:
        if name == "floor":
            continue
        was = median(ratios(before[name], before["floor"]))
        found = [one / was for one in ratios(after[name], after["floor"])]
        target = 1.1 if name == "save" else None
        metrics.append(Metric(f"{name}{suffix}", median(found), "x", spread(found), target))
    return metrics


def _statements(site: Site) -> list[str]:
    """Return the statements of a save, a bedside page, a board and a review page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser, course = signed_in(), site.courses["scale"][0]
    at = site.next_minute(course)
    sent = {
        "form_id": str(uuid.uuid4()), "attribution": "crs", "temperature": "38.4",
        "temperature_unit": "c", "systolic_mmhg": "96", "observed_date": f"{at:%Y-%m-%d}",
        "observed_time": f"{at:%H:%M}",
    }  # fmt: skip
    path = f"/courses/{course.course_id}/"
    with CaptureQueriesContext(connection) as captured:
        browser.post(f"{path}entries/vitals/", sent, headers={"HX-Request": "true"})
        for page in (path, "/", "/?q=patient", f"{path}review/"):
            browser.get(page)
    return [query["sql"] for query in captured.captured_queries]


def _print(line: str) -> None:
    print(f"  {line}", file=sys.stderr)
