"""The thresholds of Python's garbage collector in a process of the web server."""

from __future__ import annotations

import gc
from typing import Final

# Objects allocated before the youngest generation is searched (Python: 700), and collections of
# one generation before the next older one is searched (Python: 10 and 10).
_THRESHOLDS: Final = (10_000, 20, 20)


def collect_garbage_less_often() -> None:
    """Raise the thresholds: a course graded from scratch allocates much and leaves no cycles."""
    gc.set_threshold(*_THRESHOLDS)
