"""Which part of a course a plot asks for: the window, its width in pixels, one row more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.vocabulary import VITAL_SIGN
from patients.review.address import BadAddressError, parse_instants

WIDTH_PX: Final = 1000
"""The width of a plot whose address does not say it."""
NARROWEST_PX: Final = 50
WIDEST_PX: Final = 8000
MORE_ROWS: Final = frozenset({*VITAL_SIGN, *(f"lab.{analyte}" for analyte in Analyte)})
"""Keys of rows of a flowsheet whose values can be asked for beside those always plotted."""


class PlotQuery(NamedTuple):
    """A window (None: that of the range), the width of its plot, and the key of a row or ""."""

    window: tuple[datetime, datetime] | None
    width_px: int
    row: str


def parse_plot_query(query: Mapping[str, str], now: datetime) -> PlotQuery:
    """Return what the query asks for; raises BadAddressError for a part that it cannot have."""
    return PlotQuery(_window(query, now), _width(query), _row(query))


def _window(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime] | None:
    if "from" not in query and "to" not in query:
        return None
    if not {"from", "to"} <= query.keys():
        raise BadAddressError("from" if "to" in query else "to", "expected with the other end")
    since, until = (_instant(field, query[field], now) for field in ("from", "to"))
    if not since < until:
        raise BadAddressError("to", "expected a time after that of from")
    return since, until


def _instant(field: str, typed: str, now: datetime) -> datetime:
    try:
        return parse_instants({"at": typed}, now).at
    except BadAddressError as error:
        raise BadAddressError(field, str(error)) from None


def _width(query: Mapping[str, str]) -> int:
    typed = query.get("width", str(WIDTH_PX))
    if not re.fullmatch(r"[0-9]{1,4}", typed) or not NARROWEST_PX <= int(typed) <= WIDEST_PX:
        raise BadAddressError("width", f"expected whole pixels from {NARROWEST_PX} to {WIDEST_PX}")
    return int(typed)


def _row(query: Mapping[str, str]) -> str:
    row = query.get("row", "")
    if row and row not in MORE_ROWS:
        raise BadAddressError("row", "expected the key of a vital sign or a result")
    return row
