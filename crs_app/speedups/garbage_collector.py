"""The garbage collector of Python in a process of the web server."""

from __future__ import annotations

import gc
from typing import Final

# Objects allocated before the youngest generation is searched (Python: 700), and collections of
# one generation before the next older one is searched (Python: 10 and 10).
_THRESHOLDS: Final = (10_000, 20, 20)


def collect_garbage_less_often() -> None:
    """Freeze everything that is loaded, and raise the thresholds; call it once, after the start.

    No later collection searches what was frozen. A request leaves few cycles, and a course graded
    from scratch allocates much and leaves none.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
