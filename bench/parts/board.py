"""The ward board and the wall of 200 open courses: after a change, and where nothing changed."""

from __future__ import annotations

import re
from functools import partial
from itertools import cycle

from bench.measure import Metric, in_turn, ratio_metric
from bench.parts.statements import signed_in
from bench.servers import BenchError
from bench.site import Site

_OPEN_COURSES = 200
COURSES = {"board": [100] * _OPEN_COURSES}
_LIMITED = ("/?show=late", "/?show=severe&sort=could_be", "/?q=patient+01", "/?sort=place")
_ROUNDS = 12
_SEEN = re.compile(rb'hx-get="/\?seen=([^"]+)"')


def measure(site: Site) -> list[Metric]:
    """Return the ratios of the board as it is polled, and its statements.

    Before each poll of the changed board a course is charted, which is not timed.
    """
    save, old = site.vitals_saver(site.courses["board"]), _stamp(site)
    shown = [old]

    def changed_ms() -> float:
        save()
        return site.page_ms(f"/?seen={old}", htmx=True)

    def page_ms() -> float:
        shown[0] = _stamp(site)
        return site.page_ms("/")

    limited = cycle(_LIMITED)
    subjects = {
        "floor": site.floor_ms,
        "changed": changed_ms,
        "page": page_ms,
        "unchanged": lambda: site.page_ms(f"/?seen={shown[0]}", status=204, htmx=True),
        "limited": lambda: site.page_ms(next(limited), htmx=True),
    }
    blocks = {"floor": 8, "changed": 6, "page": 3, "unchanged": 8, "limited": 4}
    found = in_turn("board", subjects, rounds=_ROUNDS, block=blocks, warm_up=8, budget_s=40)
    of_200 = partial(ratio_metric, floor=found["floor"])
    return [
        of_200("board of 200 courses, changed", found["changed"], target=8),
        of_200("board of 200 courses, whole page", found["page"]),
        of_200("board of 200 courses, unchanged", found["unchanged"], target=1),
        of_200("board of 200 courses, searched or limited", found["limited"]),
        Metric("SQL statements, board changed", _statements(), "", target=8),
    ]


def _stamp(site: Site) -> str:
    """Return what the board's page says that it shows."""
    found = _SEEN.search(site.product.get("/").body)
    if found is None:
        raise BenchError("the board's page has no stamp of its rows")
    return found[1].decode()


def _statements() -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = signed_in()
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            browser.get("/", headers={"HX-Request": "true"})
    return len(captured.captured_queries)
