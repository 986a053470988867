"""The oxygen requirement and ventilator support: Table 2, grades 2 to 4."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from grading.engine.entries import Oxygen
from grading.engine.evidence import (
    CANNULA_FIO2_BASE,
    CANNULA_FIO2_PER_L,
    CANNULA_LOW_FLOW_UP_TO,
    FIO2_ESTIMATE_DOUBTFUL_FROM,
    OXYGEN_HIGH,
    ROOM_AIR_FIO2,
)
from grading.engine.periods import Assessed, Explain, Explained
from grading.engine.policy import LOW_FLOW_UP_TO_6, Policy
from grading.engine.units import EXACT, format_number
from grading.engine.vocabulary import Attribution, OxygenDevice

BELOW_40: Final = "oxygen.below_40"
AT_LEAST_40: Final = "oxygen.at_least_40"
CPAP: Final = "oxygen.cpap"
BIPAP: Final = "oxygen.bipap"
VENTILATOR: Final = "ventilator"
FIO2_UNKNOWN: Final = "oxygen.fio2"
FIO2_ESTIMATED: Final = "oxygen.fio2_estimated"

_COULD_REACH: Final = 3
_NO_REQUIREMENT: Final[Assessed] = ((), ())
_LEFT_OPEN: Final = frozenset(
    {
        OxygenDevice.VENTURI_MASK,
        OxygenDevice.HIGH_FLOW_NASAL_CANNULA,
        OxygenDevice.TRACHEOSTOMY_MASK,
    }
)


class Fio2(NamedTuple):
    """The FiO2 that a device gives, in percent; None where oxygen flows at an amount not known."""

    percent: Decimal | None
    estimated: bool
    low_by_rule: bool = False


@dataclass(slots=True)
class OxygenSupport:
    """What the patient breathes now: the latest oxygen entry, as a whole."""

    policy: Policy
    entry: Oxygen | None = None

    def read_under(self, policy: Policy) -> None:
        self.policy = policy

    def note(self, entry: Oxygen) -> None:
        self.entry = entry

    def assess(self) -> Assessed:
        entry = self.entry
        if entry is None or not entry.counts or entry.device is OxygenDevice.ROOM_AIR:
            return _NO_REQUIREMENT
        support = self._support(entry.device)
        if support is not None and entry.fio2_percent is None:
            return ((support,), ())
        fio2 = fio2_of(entry, self.policy)
        if fio2 is None:
            return _NO_REQUIREMENT if support is None else ((support,), ())
        met, unknown = _by_fio2(fio2)
        return (met, unknown) if support is None else ((*met, support), unknown)

    def _support(self, device: OxygenDevice) -> str | None:
        """Return the criterion that the device is by itself, whatever the FiO2."""
        if device in (OxygenDevice.INVASIVE_VENTILATION, OxygenDevice.ECMO):
            return VENTILATOR
        if device is OxygenDevice.CPAP:
            return CPAP
        if device is OxygenDevice.BIPAP:
            return VENTILATOR if self.policy.bipap_grade == _BIPAP_IS_VENTILATION else BIPAP
        return None

    def explain(self, code: str) -> Explained:
        entry = self.entry
        if entry is None:
            raise ValueError("no oxygen is charted")
        uncertain = entry.attribution is Attribution.UNCERTAIN
        if code in (VENTILATOR, CPAP, BIPAP):
            return Explained((entry.id,), {"device": str(entry.device)}, uncertain)
        return Explained((entry.id,), self._params(code, entry), uncertain)

    def explainer(self) -> Explain:
        """Return an explainer of the present findings that later entries do not change."""
        return OxygenSupport(self.policy, self.entry).explain

    def _params(self, code: str, entry: Oxygen) -> dict[str, Any]:
        params: dict[str, Any] = {"device": str(entry.device)}
        if entry.flow_l_per_min is not None:
            params["flow_l_per_min"] = format_number(entry.flow_l_per_min)
        fio2 = fio2_of(entry, self.policy)
        if fio2 is not None and fio2.percent is not None:
            params["fio2_percent"] = format_number(fio2.percent)
            params["estimated"] = fio2.estimated
            if code == FIO2_ESTIMATED:
                params["limit_percent"] = format_number(OXYGEN_HIGH.value)
        return params


_BIPAP_IS_VENTILATION: Final = 4


def _by_fio2(fio2: Fio2) -> Assessed:
    if fio2.percent is None:
        return ((BELOW_40,), ((FIO2_UNKNOWN, _COULD_REACH),))
    if fio2.low_by_rule or fio2.percent < OXYGEN_HIGH.value:
        doubtful = (
            fio2.estimated
            and not fio2.low_by_rule
            and fio2.percent >= FIO2_ESTIMATE_DOUBTFUL_FROM.value
        )
        return ((BELOW_40,), ((FIO2_ESTIMATED, _COULD_REACH),) if doubtful else ())
    return ((AT_LEAST_40,), ())


def fio2_of(entry: Oxygen, policy: Policy) -> Fio2 | None:
    """Return the FiO2 used for ``entry``; None where it is no oxygen requirement."""
    if entry.fio2_percent is not None:
        needed = entry.fio2_percent > ROOM_AIR_FIO2.value
        return Fio2(entry.fio2_percent, estimated=False) if needed else None
    if entry.device is OxygenDevice.NASAL_CANNULA:
        return _cannula(entry.flow_l_per_min, policy)
    if entry.device in _LEFT_OPEN:
        return Fio2(None, estimated=False)
    by_device = {
        OxygenDevice.BLOW_BY: policy.blow_by_fio2_percent,
        OxygenDevice.SIMPLE_MASK: policy.simple_mask_fio2_percent,
        OxygenDevice.PARTIAL_REBREATHER_MASK: policy.partial_rebreather_fio2_percent,
        OxygenDevice.NON_REBREATHER_MASK: policy.non_rebreather_fio2_percent,
    }
    estimate = by_device.get(entry.device)
    return None if estimate is None else Fio2(estimate, estimated=True)


def _cannula(flow: Decimal | None, policy: Policy) -> Fio2 | None:
    if flow is None:
        return Fio2(None, estimated=False)
    if flow == 0:
        return None
    estimate = EXACT.add(CANNULA_FIO2_BASE.value, EXACT.multiply(CANNULA_FIO2_PER_L.value, flow))
    low_by_rule = (
        policy.nasal_cannula_rule == LOW_FLOW_UP_TO_6 and flow <= CANNULA_LOW_FLOW_UP_TO.value
    )
    return Fio2(estimate, estimated=True, low_by_rule=low_by_rule)
