"""Read an Observation that was entered in error: its key, and the signs that it was about."""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_check import EFFECTIVE
from patients.exchange.formats.fhir_observed import Parts, parts_of
from patients.exchange.formats.fhir_results import Head, Results
from patients.exchange.formats.fhir_times import infusion_time, time_or_reason
from patients.exchange.formats.fhir_tree import Tree, an_object
from patients.exchange.formats.fhir_values import known_meaning
from patients.exchange.formats.received import Content, OxygenPart, Signs
from patients.exchange.formats.unreadable import UnreadableError

_PRESSURES: Final = ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")
_OXYGEN: Final = {
    Kind.OXYGEN_DEVICE: "device",
    Kind.OXYGEN_FLOW: "flow_l_per_min",
    Kind.FIO2: "fio2_percent",
}


def retract_observation(node: Tree, head: Head, context: Context, results: Results) -> None:
    """Collect the retraction of an Observation, which needs no value and no time.

    Where it was about vital signs or oxygen, their fields are named, for the rest of a set stays.
    """
    at, _ = time_or_reason(node, "effective", EFFECTIVE, context)
    when = at or head.issued or infusion_time(context)
    signs, oxygen = _contents(node, context)
    results.state(head, when, signs or oxygen)
    is_known = any(known.key == f"{head.key}#oxygen" for known in context.known)
    if signs is not None and (oxygen is not None or is_known):
        results.state(head, when, oxygen, suffix="#oxygen")


def _contents(node: Tree, context: Context) -> tuple[Content | None, Content | None]:
    """Return the signs and the parts of oxygen that an Observation was about."""
    try:
        meaning = known_meaning(an_object(node, "code"), context)
    except UnreadableError:
        return None, None
    try:
        parts = parts_of(node, "", None, context)
    except UnreadableError:
        parts = Parts()
    signs = {name: value.text for values in parts.signs.values() for name, value in values.items()}
    oxygen = {name: value.text for name, value in parts.oxygen.items()}
    if meaning.kind is Kind.SIGN and not signs:
        signs = {meaning.word: ""}
    elif meaning.kind is Kind.PRESSURES:
        signs = dict.fromkeys(_PRESSURES, "") | signs
    elif meaning.kind in _OXYGEN:
        oxygen = {_OXYGEN[meaning.kind]: ""} | oxygen
    method = next((method for method, values in parts.signs.items() if values), meaning.method)
    return (
        Signs(signs, method) if signs else None,
        OxygenPart(oxygen.get("device"), oxygen.get("flow_l_per_min"), oxygen.get("fio2_percent"))
        if oxygen
        else None,
    )
