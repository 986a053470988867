"""Which of several values of one thing is the worst: stated once, for every sheet and plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from grading.engine.analytes import Analyte
from grading.engine.vocabulary import Labelled, OxygenDevice


class Worst(Labelled):
    """How the value that stands for several is chosen; ``TOTAL`` adds up what was given."""

    LOWEST = "lowest", "lowest"
    HIGHEST = "highest", "highest"
    TOTAL = "total", "total"


WORST_OF_SIGN: Final[Mapping[str, Worst]] = {
    "temperature_c": Worst.HIGHEST,
    "systolic_mmhg": Worst.LOWEST,
    "diastolic_mmhg": Worst.LOWEST,
    "mean_arterial_pressure_mmhg": Worst.LOWEST,
    "heart_rate": Worst.HIGHEST,
    "respiratory_rate": Worst.HIGHEST,
    "spo2_percent": Worst.LOWEST,
}
"""By the key of the vital sign."""

_FALLING: Final = frozenset(
    {Analyte.FIBRINOGEN, Analyte.PLATELETS, Analyte.LVEF, Analyte.ANC, Analyte.HEMOGLOBIN}
)
_BY_SUPPORT: Final = (
    OxygenDevice.ROOM_AIR,
    OxygenDevice.BLOW_BY,
    OxygenDevice.NASAL_CANNULA,
    OxygenDevice.SIMPLE_MASK,
    OxygenDevice.VENTURI_MASK,
    OxygenDevice.TRACHEOSTOMY_MASK,
    OxygenDevice.PARTIAL_REBREATHER_MASK,
    OxygenDevice.NON_REBREATHER_MASK,
    OxygenDevice.HIGH_FLOW_NASAL_CANNULA,
    OxygenDevice.CPAP,
    OxygenDevice.BIPAP,
    OxygenDevice.INVASIVE_VENTILATION,
    OxygenDevice.ECMO,
)


def worst_of_analyte(analyte: Analyte) -> Worst:
    """Return which result of ``analyte`` is the worst of several."""
    return Worst.LOWEST if analyte in _FALLING else Worst.HIGHEST


def support_of(device: OxygenDevice) -> int:
    """Return how much a device supports, as a number to compare with: more is worse."""
    return _BY_SUPPORT.index(device)
