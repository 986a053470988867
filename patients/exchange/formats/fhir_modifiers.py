"""What changes the meaning of a resource: FHIR R4 forbids to process it where that is not known.

No modifier extension and no set of implicit rules is known here, so that whatever has one is held
(http://hl7.org/fhir/R4/extensibility.html#modifierExtension, resource.html#implicitRules).
``active`` and ``link`` of a Patient are modifiers too, and are known (patient.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.fhir_tree import Tree
from patients.exchange.formats.unreadable import UnreadableError

MODIFIERS: Final = ("modifierExtension", "implicitRules")
_REPLACED_BY: Final = "replaced-by"
"""Word of FHIR R4 link-type: the other record is to be used instead of this one."""
_OTHER_RECORD: Final = re.compile(
    r"(?:.*/)?(Patient/[A-Za-z0-9.-]{1,64})(?:/_history/.*)?", re.ASCII
)


def modifier_of(node: Tree) -> str:
    """Return the name of a modifier in a resource or anywhere below it, "" where none is."""
    left: list[Any] = [node]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            if name := own_modifier_of(one):
                return name
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return ""


def own_modifier_of(node: Tree) -> str:
    """Return the name of a modifier at a node itself, "" where none is."""
    return next((name for name in MODIFIERS if node.get(name)), "")


def check_understood(node: Tree) -> None:
    """Raise ``code.unknown`` for a resource whose meaning something unknown changes."""
    if name := modifier_of(node):
        raise not_understood(name)


def not_understood(name: str) -> UnreadableError:
    return UnreadableError("code.unknown", f"its {name} may change what it means")


def out_of_use(patient: Tree) -> str:
    """Return why a Patient is not the record to use, in words; "" where it is.

    FHIR R4: a record with ``active`` false should not be treated as valid, and in place of one with
    a link ``replaced-by`` the other is to be used.
    """
    links = patient.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("type") == _REPLACED_BY:
            return f"the sender replaced this record of the patient by {_named(link.get('other'))}"
    if patient.get("active") not in (None, True):
        return "the sender has this record of the patient out of use (active is false)"
    return ""


def _named(other: Any) -> str:
    reference = other.get("reference") if isinstance(other, Mapping) else None
    is_text = isinstance(reference, str) and not isinstance(reference, Exact)
    found = _OTHER_RECORD.fullmatch(reference) if is_text and reference else None
    return "another one" if found is None else found[1]


def reason_not_to_read(modifier: str, doubt: str) -> UnreadableError | None:
    """Return why a resource is held as it is, None where it is read.

    ``doubt`` says why its patient may be another one than that of the chart.
    """
    if modifier:
        return not_understood(modifier)
    return UnreadableError("patient.contradiction", doubt) if doubt else None
