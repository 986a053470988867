"""Bags of a drug in a flowsheet: from when to when each ran, and what overlapping ones mean.

Warehouses list a bag that was hung before the one it follows had run dry. Whether both ran, or one
took the other's place, no row says, so that who converts a cohort must.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any, Final

from grading.engine.units import EXACT
from patients.exchange.formats.received import (
    Held,
    Infusion,
    Received,
    RefusedDocumentError,
    Source,
    Standing,
)

_MOST_LISTED: Final = 20
_OF_THE_UNIT: Final = ("unit", "concentration_per_ml", "weight_kg")


class Overlap(Enum):
    """What bags of one drug that overlap mean: nothing without a person's word.

    ``SUM`` adds the rates of bags in one unit, ``LATEST`` takes the one that began last, ``HOLD``
    charts that the drug runs at a rate not known, and holds the rest.
    """

    REFUSE = "refuse"
    SUM = "sum"
    LATEST = "latest"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Bag:
    """One row of a drug; ``end`` None: until the next row of the drug begins.

    ``fields`` are those of a vasopressor in the course file.
    """

    place: str
    item: str
    start: datetime
    end: datetime | None
    fields: Mapping[str, Any]
    details: tuple[Held, ...] = ()
    recorded_at: datetime | None = None
    note: str = ""

    @property
    def drug(self) -> str:
        return str(self.fields["drug"])

    def runs_at(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


def infusions_of(bags: Iterable[Bag], overlap: Overlap) -> list[Received]:
    """Return the statements of all bags; raises RefusedDocumentError where they overlap."""
    by_drug: dict[str, list[Bag]] = defaultdict(list)
    for bag in bags:
        by_drug[bag.drug].append(bag)
    ended = {drug: _with_ends(of_drug) for drug, of_drug in by_drug.items()}
    overlapping = {drug: list(_overlaps(of_drug)) for drug, of_drug in ended.items()}
    if overlap is Overlap.REFUSE:
        _refuse(overlapping)
    stated: list[Received] = []
    for drug, of_drug in ended.items():
        is_clear = not overlapping[drug] or overlap is Overlap.HOLD
        made = of_drug if is_clear else _joined(of_drug, overlap)
        stated += _stated(made)
    return stated


def _with_ends(bags: Iterable[Bag]) -> list[Bag]:
    """Return bags in order, an open one ended by the next; a rate of 0 is an instant."""
    ordered = sorted(bags, key=lambda bag: bag.start)
    starts = sorted({bag.start for bag in ordered})
    following = dict(pairwise(starts))
    return [
        replace(bag, end=bag.start if _is_stop(bag) else bag.end or following.get(bag.start))
        for bag in ordered
    ]


def _is_stop(bag: Bag) -> bool:
    rate = bag.fields["rate"]
    return rate is not None and Decimal(rate) == 0


def _overlaps(bags: Sequence[Bag]) -> Iterator[tuple[Bag, Bag]]:
    """Yield each bag that begins while one before it runs, after that one."""
    running: list[Bag] = []
    for bag in bags:
        if _is_stop(bag):
            continue
        running = [one for one in running if one.runs_at(bag.start)]
        if running:
            yield running[-1], bag
        if bag.end is None or bag.end > bag.start:
            running.append(bag)


def _refuse(overlapping: Mapping[str, Sequence[tuple[Bag, Bag]]]) -> None:
    pairs = [pair for found in overlapping.values() for pair in found]
    if not pairs:
        return
    listed = "; ".join(f"{one.place} and {other.place}" for one, other in pairs[:_MOST_LISTED])
    more = f", and {len(pairs) - _MOST_LISTED} more" if len(pairs) > _MOST_LISTED else ""
    raise RefusedDocumentError(
        "infusion.overlap", pairs[0][1].place,
        f"bags of one drug overlap: {listed}{more}; say what that means by --overlap",
    )  # fmt: skip


def _joined(bags: Sequence[Bag], overlap: Overlap) -> list[Bag]:
    """Return bags that follow one another in place of those that overlap."""
    times = sorted({time for bag in bags for time in (bag.start, bag.end) if time is not None})
    joined: list[Bag] = []
    for at, until in [*pairwise(times), (times[-1], None)]:
        running = [bag for bag in bags if bag.runs_at(at)]
        if not running:
            continue
        one = replace(_together(running, overlap), start=at, end=until)
        if joined and joined[-1].end == at and joined[-1].fields == one.fields:
            joined[-1] = replace(joined[-1], end=until)
        else:
            joined.append(one)
    stops = [bag for bag in bags if _is_stop(bag)]
    at_rest = [bag for bag in stops if not any(one.runs_at(bag.start) for one in joined)]
    return [*joined, *at_rest]


def _together(running: Sequence[Bag], overlap: Overlap) -> Bag:
    last = running[-1]
    if overlap is Overlap.LATEST or len(running) == 1:
        return last
    units = {tuple(bag.fields.get(name) for name in _OF_THE_UNIT) for bag in running}
    rates = [bag.fields["rate"] for bag in running]
    recorded = [bag.recorded_at for bag in running if bag.recorded_at is not None]
    joined = replace(last, recorded_at=max(recorded, default=None))
    if len(units) > 1 or None in rates:
        what = f"{', '.join(bag.place for bag in running)}: rates that cannot be added"
        return replace(
            joined,
            fields={**last.fields, "rate": None},
            details=(Held("infusion.overlap", last.place, what),),
        )
    total = Decimal(0)
    for rate in rates:
        total = EXACT.add(total, Decimal(rate))
    return replace(joined, fields={**last.fields, "rate": f"{total:f}"}, details=())


def _stated(bags: Iterable[Bag]) -> Iterator[Received]:
    """Yield the statement of each bag, under a key of its own."""
    seen: dict[str, int] = defaultdict(int)
    for bag in bags:
        key = f"{bag.item}|{bag.start.astimezone(UTC).isoformat()}"
        seen[key] += 1
        if seen[key] > 1:
            key = f"{key}|{seen[key]}"
        yield Received(
            Source(bag.place, key), Standing.FINAL, bag.start, Infusion(bag.fields, bag.end),
            details=bag.details, note=bag.note, recorded_at=bag.recorded_at,
        )  # fmt: skip
