"""The grading systems that this product computes."""

from __future__ import annotations

from typing import Final

from grading.engine.grading_system import GradingSystem
from grading.engine.systems.lee_2014 import LEE_2014

HEADLINE: Final[GradingSystem] = LEE_2014
"""The system that is shown as the grade and drives guidance, history and sign-off."""
