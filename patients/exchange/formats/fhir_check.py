"""Whether an Observation is one of FHIR R4: what makes it invalid, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from patients.exchange.formats.fhir_tree import (
    Tree,
    an_object,
    boolean,
    choice,
    codings,
    integer,
    invalid,
    objects,
    quantity,
    text,
    when,
)
from patients.exchange.formats.unreadable import UnreadableError

VALUES: Final = frozenset(
    {
        "Quantity", "CodeableConcept", "String", "Boolean", "Integer", "Range", "Ratio",
        "SampledData", "Time", "DateTime", "Period",
    }
)  # fmt: skip
EFFECTIVE: Final = frozenset({"DateTime", "Period", "Timing", "Instant"})

_READERS: Final[dict[str, Callable[[Tree, str], Any]]] = {
    "valueQuantity": quantity,
    "valueString": text,
    "valueBoolean": boolean,
    "valueInteger": integer,
    "valueCodeableConcept": lambda node, key: codings(an_object(node, key)),
}


def check_observation(node: Tree) -> None:
    """Raise UnreadableError ``invalid`` for an Observation that FHIR R4 does not allow.

    Two of a choice of types, a value with the reason of its absence (obs-6), a Quantity without
    form (qty-3), a reversed Period (per-1), a time without its offset.
    """
    if an_object(node, "code") is None:
        raise invalid("it has no code")
    for part in (node, *objects(node, "component")):
        _check_value(part)
    try:
        when(node, "effective", EFFECTIVE)
    except UnreadableError as error:
        if error.reason == "invalid":
            raise


def _check_value(part: Tree) -> None:
    codings(an_object(part, "code"))
    key = choice(part, "value", VALUES)
    if key is not None and is_absent(part):
        raise invalid("it has a value and the reason why it has none")
    if key is not None and key in _READERS:
        _READERS[key](part, key)
    for limits in objects(part, "referenceRange"):
        quantity(limits, "low")
        quantity(limits, "high")


def is_absent(part: Tree) -> bool:
    """Return whether an Observation or a component says why it has no value."""
    return an_object(part, "dataAbsentReason") is not None


def value_key(part: Tree) -> str | None:
    """Return the key of the value (``valueQuantity``), None where there is none."""
    return choice(part, "value", VALUES)
