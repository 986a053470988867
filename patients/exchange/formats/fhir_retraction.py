"""Read an Observation that was entered in error: its key, and the signs that it was about."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.context import Context, KeyState
from patients.exchange.formats.duplicates import is_older
from patients.exchange.formats.fhir_check import EFFECTIVE
from patients.exchange.formats.fhir_parts import Parts, parts_of
from patients.exchange.formats.fhir_results import Head, Results
from patients.exchange.formats.fhir_times import infusion_time, time_or_reason
from patients.exchange.formats.fhir_tree import Tree, an_object
from patients.exchange.formats.fhir_values import known_meaning
from patients.exchange.formats.received import (
    Cancelled,
    Content,
    OxygenPart,
    Signs,
    Source,
    Standing,
)
from patients.exchange.formats.statements import PRESSURES
from patients.exchange.formats.unreadable import UnreadableError

_PART: Final = re.compile(r"#(oxygen|cuff|arterial|signs|weight|lab:[a-z0-9_]+)")
"""What a key has after that of its resource, for a further statement of one resource."""
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
    stated = {""}
    if signs is not None and oxygen is not None:
        results.state(head, when, oxygen, suffix="#oxygen")
        stated.add("#oxygen")
    retract_parts(head, when, stated, context, results)


def retract_parts(
    head: Head, at: datetime, stated: set[str], context: Context, results: Results
) -> None:
    """Collect the retraction of what a resource stated once under a key of its own, and now not.

    ``stated`` are the suffixes of keys that it states now. A final resource takes nothing back
    unless its version is newer.
    """
    parts = {
        known.key.removeprefix(head.key): known
        for known in context.known
        if known.key.startswith(head.key)
    }
    for suffix, known in parts.items():
        is_left_out = suffix not in stated and _PART.fullmatch(suffix) is not None
        is_newer = head.standing is not Standing.FINAL or is_older(known.version, head.version)
        if is_left_out and is_newer and known.state is not KeyState.RETRACTED:
            results.state(replace(head, standing=Standing.RETRACTED), at, None, suffix=suffix)


def cancel_observation(node: Tree, head: Head, context: Context, results: Results) -> None:
    """Collect that an Observation was cancelled, with what it stated under keys of its own."""
    at, _ = time_or_reason(node, "effective", EFFECTIVE, context)
    results.remark("status.cancelled", head.place)
    own = (one.key for one in context.known if one.key.startswith(head.key))
    parts = [key for key in own if _PART.fullmatch(key.removeprefix(head.key))]
    for key in dict.fromkeys((head.key, *parts)):
        results.cancelled.append(Cancelled(Source(head.place, key, head.version), at))


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
        signs = dict.fromkeys(PRESSURES, "") | signs
    elif meaning.kind in _OXYGEN:
        oxygen = {_OXYGEN[meaning.kind]: ""} | oxygen
    method = next((method for method, values in parts.signs.items() if values), meaning.method)
    return (
        Signs(signs, method) if signs else None,
        OxygenPart(oxygen.get("device"), oxygen.get("flow_l_per_min"), oxygen.get("fio2_percent"))
        if oxygen
        else None,
    )
