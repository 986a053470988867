"""How often a process of the web server looks for cycles of garbage."""

from __future__ import annotations

import gc


def freeze_garbage_collector() -> None:
    """To be called once everything is loaded that lives as long as the process.

    No later collection looks through that. A request leaves little behind in cycles; to look for
    it as often as Python does costs more than it frees.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
