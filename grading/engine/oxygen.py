"""Oxygen and ventilator support: which device, and how much oxygen it gives."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from grading.engine.entries import Oxygen
from grading.engine.evidence import (
    CANNULA_LOW_FLOW_UP_TO,
    FIO2_ESTIMATE_DOUBTFUL_FROM,
    OXYGEN_HIGH,
    ROOM_AIR_FIO2,
    cannula_fio2_percent,
)
from grading.engine.periods import Explained
from grading.engine.policy import LOW_FLOW_UP_TO_6, Policy
from grading.engine.units import format_number
from grading.engine.vocabulary import Attribution, OxygenDevice

VENTILATION: Final = frozenset({OxygenDevice.INVASIVE_VENTILATION, OxygenDevice.ECMO})
NON_INVASIVE: Final = frozenset({OxygenDevice.CPAP, OxygenDevice.BIPAP})
POSITIVE_PRESSURE: Final = VENTILATION | NON_INVASIVE
"""Devices that are support by themselves, whatever the FiO2."""

_LEFT_OPEN: Final = frozenset(
    {
        OxygenDevice.VENTURI_MASK,
        OxygenDevice.HIGH_FLOW_NASAL_CANNULA,
        OxygenDevice.TRACHEOSTOMY_MASK,
    }
)

_ESTIMATE: Final = {
    OxygenDevice.BLOW_BY: "blow_by_fio2_percent",
    OxygenDevice.SIMPLE_MASK: "simple_mask_fio2_percent",
    OxygenDevice.PARTIAL_REBREATHER_MASK: "partial_rebreather_fio2_percent",
    OxygenDevice.NON_REBREATHER_MASK: "non_rebreather_fio2_percent",
}
"""The policy's estimate for a device that gives no FiO2 of its own."""


class Fio2(NamedTuple):
    """The FiO2 that a device gives, in percent; None where oxygen flows at an amount not known."""

    percent: Decimal | None
    estimated: bool
    low_by_rule: bool = False

    @property
    def is_high(self) -> bool:
        """Whether it is 40 % or more (Lee 2014, Table 2)."""
        return (
            self.percent is not None and not self.low_by_rule and self.percent >= OXYGEN_HIGH.value
        )

    @property
    def is_doubtful(self) -> bool:
        """Whether an estimate is just below 40 %, too close to it to decide."""
        return (
            self.percent is not None
            and self.estimated
            and not self.low_by_rule
            and FIO2_ESTIMATE_DOUBTFUL_FROM.value <= self.percent < OXYGEN_HIGH.value
        )


@dataclass(slots=True)
class OxygenSupport:
    """What the patient breathes now: the latest oxygen entry, as a whole."""

    policy: Policy
    entry: Oxygen | None = None

    def read_under(self, policy: Policy) -> None:
        self.policy = policy

    def note(self, entry: Oxygen) -> None:
        self.entry = entry

    def frozen_copy(self) -> OxygenSupport:
        """Copy the state for explanations; the copy is never advanced."""
        return OxygenSupport(self.policy, self.entry)

    @property
    def device(self) -> OxygenDevice | None:
        """The device in use, None where none is charted, or where its need is not ascribed to CRS.

        Room air is no device.
        """
        entry = self.entry
        if entry is None or not entry.counts or entry.device is OxygenDevice.ROOM_AIR:
            return None
        return entry.device

    @property
    def needed(self) -> Fio2 | None:
        """The FiO2 of oxygen that is needed; None where none is, or the device alone says it."""
        entry, device = self.entry, self.device
        if entry is None or device is None:
            return None
        if device in POSITIVE_PRESSURE and entry.fio2_percent is None:
            return None
        return fio2_of(entry, self.policy)

    def explain_device(self) -> Explained:
        entry = self.charted
        uncertain = entry.attribution is Attribution.UNCERTAIN
        return Explained((entry.id,), {"device": str(entry.device)}, uncertain)

    def explain_fio2(self) -> Explained:
        """Device, flow and FiO2, which may be an estimate or not known."""
        entry = self.charted
        return Explained(
            (entry.id,), self._params(entry), entry.attribution is Attribution.UNCERTAIN
        )

    def explain_estimate(self) -> Explained:
        """The same with the limit that the estimate is close to."""
        explained = self.explain_fio2()
        limit = {"limit_percent": format_number(OXYGEN_HIGH.value)}
        return explained._replace(params={**explained.params, **limit})

    @property
    def charted(self) -> Oxygen:
        """The latest entry; raises ValueError where there is none."""
        if self.entry is None:
            raise ValueError("no oxygen is charted")
        return self.entry

    def _params(self, entry: Oxygen) -> dict[str, Any]:
        params: dict[str, Any] = {"device": str(entry.device)}
        if entry.flow_l_per_min is not None:
            params["flow_l_per_min"] = format_number(entry.flow_l_per_min)
        fio2 = fio2_of(entry, self.policy)
        if fio2 is not None and fio2.percent is not None:
            params["fio2_percent"] = format_number(fio2.percent)
            params["estimated"] = fio2.estimated
        return params


def fio2_of(entry: Oxygen, policy: Policy) -> Fio2 | None:
    """Return the FiO2 used for ``entry``; None where it is no oxygen requirement."""
    if entry.fio2_percent is not None:
        needed = entry.fio2_percent > ROOM_AIR_FIO2.value
        return Fio2(entry.fio2_percent, estimated=False) if needed else None
    if entry.device is OxygenDevice.NASAL_CANNULA:
        return _cannula(entry.flow_l_per_min, policy)
    if entry.device in _LEFT_OPEN:
        return Fio2(None, estimated=False)
    estimate = _ESTIMATE.get(entry.device)
    return None if estimate is None else Fio2(getattr(policy, estimate), estimated=True)


def _cannula(flow: Decimal | None, policy: Policy) -> Fio2 | None:
    if flow is None:
        return Fio2(None, estimated=False)
    if flow == 0:
        return None
    low_by_rule = (
        policy.nasal_cannula_rule == LOW_FLOW_UP_TO_6 and flow <= CANNULA_LOW_FLOW_UP_TO.value
    )
    return Fio2(cannula_fio2_percent(flow), estimated=True, low_by_rule=low_by_rule)
