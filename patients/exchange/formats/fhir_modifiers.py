"""What changes the meaning of a resource: FHIR R4 forbids to process it where that is not known.

No modifier extension and no set of implicit rules is known here, so that whatever has one is held
(http://hl7.org/fhir/R4/extensibility.html#modifierExtension, resource.html#implicitRules).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from patients.exchange.formats.fhir_tree import Tree
from patients.exchange.formats.unreadable import UnreadableError

MODIFIERS: Final = ("modifierExtension", "implicitRules")


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
