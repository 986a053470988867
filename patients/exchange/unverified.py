"""The rows of the code tables whose meaning nobody has compared with a public source."""

from __future__ import annotations

from functools import cache
from typing import Final

from patients.exchange.formats.code_rows import ATC, LOINC, MDC, RXNORM, SNOMED, CodeRow
from patients.exchange.formats.codes import CODES

NAMES: Final = {
    LOINC: "LOINC",
    SNOMED: "SNOMED CT",
    RXNORM: "RxNorm",
    ATC: "ATC",
    MDC: "MDC (ISO/IEEE 11073)",
}
"""The code systems as people name them."""


@cache
def unverified_rows() -> tuple[tuple[str, CodeRow], ...]:
    """Return each unverified row with the name of its code system, in the order of the tables."""
    return tuple(
        (NAMES.get(row.system, row.system), row) for row in CODES if row.verified_on is None
    )
