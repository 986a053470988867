"""Pages: the bedside page of short and long courses, and the board of 200 open courses."""

from __future__ import annotations

import re
from functools import partial

from bench.measure import Metric, in_turn, ratio_metric
from bench.parts.save import COURSES as OF_EVERY_SIZE
from bench.parts.save import PLAIN_AT, SIZES
from bench.servers import BenchError
from bench.site import Site

_OPEN_COURSES = 200
_OTHERS = sum(len(sizes) for sizes in OF_EVERY_SIZE.values())
COURSES = {**OF_EVERY_SIZE, "board": [100] * (_OPEN_COURSES - _OTHERS)}
_ROUNDS = 12
_SEEN = re.compile(rb'hx-get="/\?seen=([^"]+)"')


def measure(site: Site) -> list[Metric]:
    """Return the ratios of the bedside page, and of the board changed and unchanged."""
    stamp = _SEEN.search(site.product.get("/").body)
    if stamp is None:
        raise BenchError("the board's page has no stamp of its rows")
    unchanged = f"/?seen={stamp[1].decode()}"
    subjects = {"floor": site.floor_ms}
    for size in SIZES:
        path = f"/courses/{site.courses[str(size)][0].course_id}/"
        subjects[str(size)] = partial(site.page_ms, path)
        if size == PLAIN_AT:
            subjects["plain"] = partial(site.on_plain_django().page_ms, path)
    subjects["board"] = lambda: site.page_ms("/", htmx=True)
    subjects["unchanged"] = lambda: site.page_ms(unchanged, status=204, htmx=True)
    blocks = {"floor": 8, "board": 3, "plain": 5} | {name: 5 for name in subjects if name.isdigit()}
    blocks["unchanged"] = 8
    found = in_turn("read", subjects, rounds=_ROUNDS, block=blocks, warm_up=4, budget_s=40)
    floor = found["floor"]
    return [
        *(
            ratio_metric(
                f"bedside page at {size:,}",
                found[str(size)],
                floor,
                target=4,
                plain=found["plain"] if size == PLAIN_AT else None,
            )
            for size in SIZES
        ),
        ratio_metric("board of 200 courses, changed", found["board"], floor),
        ratio_metric("board of 200 courses, unchanged", found["unchanged"], floor, target=1),
    ]
