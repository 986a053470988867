"""Courses of any length: real intensive-care courses, or generated ones, repeated to size."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import cycle, islice
from typing import Any, Final

from bench.servers import BASE_DIR

Words = Mapping[str, Any]

_REAL: Final = BASE_DIR.parent / "shared" / "data" / "icu-replay" / "courses_mimic4.jsonl.gz"
_LONGEST: Final = 8
_PAUSE: Final = timedelta(hours=1)
_OF_THE_ROW: Final = frozenset({"id", "at", "kind", "recorded_at"})


@dataclass(frozen=True, slots=True)
class Charted:
    """One entry: time after the infusion, kind, and body as JSON has it."""

    after: timedelta
    kind: str
    body: Words


def source() -> str:
    """Return the source of the courses, for the report."""
    return "MIMIC-IV demo, repeated to size" if _REAL.exists() else "generated"


def charted(size: int) -> list[Charted]:
    """Return the first ``size`` entries of an endless course."""
    return list(islice(_without_end(), size))


def _without_end() -> Iterator[Charted]:
    offset = timedelta(0)
    for course in cycle(_pieces()):
        for entry in course:
            yield Charted(offset + entry.after, entry.kind, entry.body)
        offset += course[-1].after + _PAUSE


@cache
def _pieces() -> list[list[Charted]]:
    if _REAL.exists():
        return _real()
    return [_generated(random.Random(seed)) for seed in range(_LONGEST)]  # noqa: S311


def _real() -> list[list[Charted]]:
    """Return the longest courses, from the infusion on."""
    with gzip.open(_REAL, "rt", encoding="utf-8") as lines:
        courses = [_after_infusion(json.loads(line)) for line in lines]
    return sorted(courses, key=len, reverse=True)[:_LONGEST]


def _after_infusion(document: Words) -> list[Charted]:
    infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
    found = []
    for words in document["entries"]:
        after = datetime.fromisoformat(words["at"]) - infused_at
        if after >= timedelta(0):
            body = {key: value for key, value in words.items() if key not in _OF_THE_ROW}
            found.append(Charted(after, words["kind"], body))
    return sorted(found, key=lambda entry: entry.after)


def _generated(chance: random.Random) -> list[Charted]:
    """Return sixteen days of rounds, laboratory values and an intermittent infusion."""
    found = [Charted(timedelta(0), "weight", {"weight_kg": str(chance.randint(50, 110))})]
    rounds = vitals(chance)
    for hour in range(16 * 24):
        at = timedelta(hours=hour, minutes=chance.randint(0, 50))
        found.append(Charted(at, "vitals", next(rounds)))
        if hour % 4 == 0:
            at += timedelta(minutes=1)
            found.append(Charted(at, "vasopressor", _infusion(chance, runs=hour % 96 < 48)))
        if hour % 6 == 0:
            at += timedelta(minutes=1)
            flow = str(chance.choice((0.5, 1, 2, 4, 6)))
            found.append(Charted(at, "oxygen", {"device": "nasal_cannula", "flow_l_per_min": flow}))
        if hour % 12 == 0:
            at += timedelta(minutes=1)
            crp = {"analyte": "crp", "value": str(chance.randint(5, 300)), "unit": "mg/L"}
            found.append(Charted(at, "lab", crp))
    return found


def vitals(chance: random.Random) -> Iterator[dict[str, str]]:
    """Yield sets of vital signs that drift as a patient's do, and sometimes cross a limit."""
    temperature, systolic, heart_rate = 37.6, 108.0, 96.0
    while True:
        temperature += (37.8 - temperature) * 0.2 + chance.gauss(0, 0.25)
        systolic += (106 - systolic) * 0.2 + chance.gauss(0, 5)
        heart_rate += (98 - heart_rate) * 0.2 + chance.gauss(0, 4)
        yield {
            "temperature_c": f"{temperature:.1f}",
            "systolic_mmhg": f"{systolic:.0f}",
            "diastolic_mmhg": f"{systolic * 0.6:.0f}",
            "heart_rate": f"{heart_rate:.0f}",
            "respiratory_rate": str(chance.randint(14, 26)),
            "spo2_percent": str(chance.randint(92, 99)),
        }


def _infusion(chance: random.Random, *, runs: bool) -> dict[str, str]:
    rate = f"{chance.choice((0.05, 0.1, 0.2, 0.3))}" if runs else "0"
    return {"drug": "norepinephrine", "rate": rate, "unit": "ug/kg/min"}


def instants(entries: Sequence[Charted]) -> Iterator[list[Charted]]:
    """Yield the entries of each instant together: they were charted in one act."""
    together: list[Charted] = []
    for entry in entries:
        if together and entry.after != together[0].after:
            yield together
            together = []
        together.append(entry)
    if together:
        yield together
