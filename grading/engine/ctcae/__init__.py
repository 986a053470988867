"""CTCAE v4.03's criteria of every term that can be charted, paraphrased, for whoever grades."""

from __future__ import annotations

from typing import Final

from grading.engine.ctcae.cardiac import CARDIAC
from grading.engine.ctcae.laboratory import LABORATORY
from grading.engine.ctcae.neurologic import NEUROLOGIC
from grading.engine.ctcae.never_counted import NEVER_COUNTED
from grading.engine.ctcae.other_organs import OTHER_ORGANS
from grading.engine.ctcae.words import NOT_IN_CTCAE, SOURCE, TermWords

__all__ = ["CTCAE_WORDS", "NOT_IN_CTCAE", "SOURCE", "TermWords"]

CTCAE_WORDS: Final[dict[str, TermWords]] = {
    **LABORATORY,
    **CARDIAC,
    **NEUROLOGIC,
    **OTHER_ORGANS,
    **NEVER_COUNTED,
}
