"""What a policy parameter is, and how one is declared in a single line."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an administrator needs to know of a policy parameter before changing it.

    It has either ``choices`` or a range from ``lowest`` to ``highest``.
    """

    unit: str
    basis: str
    choices: tuple[Any, ...] = ()
    lowest: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    display_only: bool = False


def number(default: str, unit: str, lowest: str, highest: str, basis: str) -> Any:
    """Declare a number with its unit, default, range and basis; all are exact decimals as text."""
    parameter = Parameter(unit, basis, (), Decimal(lowest), Decimal(highest))
    return field(default=Decimal(default), metadata={"parameter": parameter})


def count(
    default: int,
    unit: str,
    highest: int,
    basis: str,
    *,
    lowest: int = 0,
    display_only: bool = False,
) -> Any:
    """Declare a whole number with its unit, default, range and basis."""
    parameter = Parameter(unit, basis, (), Decimal(lowest), Decimal(highest), display_only)
    return field(default=default, metadata={"parameter": parameter})


def choice(default: Any, choices: tuple[Any, ...], basis: str) -> Any:
    """Declare a choice among ``choices``."""
    return field(default=default, metadata={"parameter": Parameter("", basis, choices)})
