"""Grading systems: each file is one published table, listed here in the order of display.

A new scale is one file and one line in ``SCALES``.
"""

from __future__ import annotations

from typing import Final

from grading.engine.scale import Scale
from grading.engine.systems.astct_2019 import ASTCT_2019
from grading.engine.systems.cartox_2018 import CARTOX_2018
from grading.engine.systems.ctcae_crs import CTCAE_4_03, CTCAE_5_0, CTCAE_6_0
from grading.engine.systems.icans_2019 import ICANS_2019
from grading.engine.systems.mskcc_2018 import MSKCC_2018
from grading.engine.systems.penn_2018 import PENN_2018

SCALES: Final[tuple[Scale, ...]] = (
    ASTCT_2019,
    ICANS_2019,
    PENN_2018,
    CARTOX_2018,
    MSKCC_2018,
    CTCAE_4_03,
    CTCAE_5_0,
    CTCAE_6_0,
)
"""The scales other than Lee's, in the order of display; the first two are always shown."""
