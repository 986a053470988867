"""Rows of consciousness, seizures, signs of the nervous system and the place of care."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from grading.engine import entries as kinds
from grading.engine.scale_vocabulary import (
    AdmissionSetting,
    ConsciousnessLevel,
    NeuroSignName,
    SeizureType,
)
from grading.engine.units import format_number
from patients.display.worst import Worst
from patients.queries.timeline import TimelineEntry
from patients.review.flowsheet_cells import Value
from patients.review.flowsheet_rows import Row, RowMaker, Series

_LEVELS: Final = {
    ConsciousnessLevel.ALERT: "alert",
    ConsciousnessLevel.SPONTANEOUS: "drowsy",
    ConsciousnessLevel.VOICE: "to voice",
    ConsciousnessLevel.TACTILE: "to touch",
    ConsciousnessLevel.UNAROUSABLE: "does not wake",
}
_SETTINGS: Final = {
    AdmissionSetting.HOME: "home",
    AdmissionSetting.WARD: "ward",
    AdmissionSetting.ICU: "intensive care",
}
"""Words of a narrow column, in the order from the least to the worst."""
_SEIZURES: Final = {
    SeizureType.FOCAL: "focal",
    SeizureType.GENERALISED: "general",
    SeizureType.NONCONVULSIVE: "EEG only",
}
_LEVEL_RANKS: Final = {level: Decimal(rank) for rank, level in enumerate(_LEVELS)}
_SETTING_RANKS: Final = {setting: Decimal(rank) for rank, setting in enumerate(_SETTINGS)}
_NOT_DONE: Final = "not done"


def neurology(maker: RowMaker) -> list[Row]:
    """Return ICE, CAPD, consciousness, seizures and signs; what lasts holds until the next."""
    rows = [
        Series("ice", "ICE", Worst.LOWEST, "of 10"),
        Series("capd", "CAPD", Worst.HIGHEST, "of 32"),
        Series("consciousness", "Consciousness", Worst.HIGHEST, merges=True, lasts=True),
        Series("seizure", "Seizure", Worst.HIGHEST),
        *(
            Series(f"neuro_sign.{sign}", sign.label, Worst.HIGHEST, merges=True, lasts=True)
            for sign in NeuroSignName
        ),
    ]
    return _filled(maker, rows, _neurologic)


def place_of_care(maker: RowMaker) -> list[Row]:
    row = Series("admission", "Place of care", Worst.HIGHEST, merges=True, lasts=True)
    return _filled(maker, [row], _admission)


_Read = tuple[str, Decimal | None, str, bool]
"""Key of the row, number to compare, text, and whether it lasts."""


def _filled(
    maker: RowMaker, series: list[Series], read_as: Callable[[Any], _Read | None]
) -> list[Row]:
    by_key = {one.key: one for one in series}
    for one in maker.all:
        found = read_as(one.read)
        if found is not None:
            key, number, text, runs = found
            by_key[key].values.append(_value(maker, one, number, text, runs=runs))
    return maker.rows(series)


def _value(
    maker: RowMaker, one: TimelineEntry, number: Decimal | None, text: str, *, runs: bool
) -> Value:
    return Value(one.row.at, number, text, runs=runs, sources=maker.source(one))


def _neurologic(read: kinds.Entry) -> _Read | None:
    if isinstance(read, kinds.Ice):
        return _ice(read)
    if isinstance(read, kinds.Capd):
        if read.score is None:
            return "capd", None, _NOT_DONE, False
        return "capd", Decimal(read.score), str(read.score), False
    if isinstance(read, kinds.Consciousness):
        return "consciousness", _LEVEL_RANKS[read.level], _LEVELS[read.level], True
    if isinstance(read, kinds.Seizure):
        return _seizure(read)
    if isinstance(read, kinds.NeuroSign):
        text = "present" if read.present else "absent"
        return f"neuro_sign.{read.sign}", Decimal(int(read.present)), text, read.present
    return None


def _ice(read: kinds.Ice) -> _Read:
    if not read.performed:
        return "ice", None, _NOT_DONE, False
    lowest, highest = read.lowest, read.highest
    text = str(lowest) if lowest == highest else f"{lowest}–{highest}"
    return "ice", Decimal(lowest), text, False


def _seizure(read: kinds.Seizure) -> _Read:
    minutes = read.duration_minutes
    kind = _SEIZURES[read.seizure_type]
    if minutes is None:
        return "seizure", Decimal(0), kind, False
    return "seizure", minutes, f"{kind}, {format_number(minutes)} min", False


def _admission(read: kinds.Entry) -> _Read | None:
    if not isinstance(read, kinds.Admission):
        return None
    why = ", for CRS" if read.because_of_crs else ""
    return "admission", _SETTING_RANKS[read.setting], f"{_SETTINGS[read.setting]}{why}", True
