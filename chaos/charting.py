"""The forms that a nurse of the run sends: fields as a page sends them, and what must be stored."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any, Final

from chaos.history import SentForm

RETRACTION: Final = "retraction"
_LATE_BY_AT_MOST_MIN: Final = 20
_RECENT: Final = 6


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form ready to be sent to ``path``, and its line of the ledger."""

    path: str
    fields: Mapping[str, str]
    sent: SentForm


@dataclass(frozen=True, slots=True)
class Charted:
    """An acknowledged entry that somebody may correct."""

    entry_id: str
    kind: str
    at: datetime


class Chart:
    """One course as the nurses know it: the minute charted last, and the newest entries.

    Clinical times go on from minute to minute, so that a save regrades little, as at a bedside.
    """

    def __init__(self, course: str, infused_at: datetime) -> None:
        self.course, self._infused_at = course, infused_at
        self._minutes = count(1)
        self._recent: list[Charted] = []
        self._lock = Lock()

    def next_time(self, chance: random.Random) -> datetime:
        """Return a minute of its own, sometimes an earlier one: charted late."""
        with self._lock:
            minute = next(self._minutes)
        if chance.random() < 0.1:
            minute = max(1, minute - chance.randint(1, _LATE_BY_AT_MOST_MIN))
        return self._infused_at + timedelta(minutes=minute)

    def add(self, entry: Charted) -> None:
        with self._lock:
            self._recent = [*self._recent, entry][-_RECENT:]

    def remove(self, entry_id: str) -> None:
        with self._lock:
            self._recent = [one for one in self._recent if one.entry_id != entry_id]

    def recent(self, chance: random.Random) -> Charted | None:
        """Return an entry that others may choose at the same time; None where there is none."""
        with self._lock:
            return chance.choice(self._recent) if self._recent else None


def new_entry(chart: Chart, author: str, mark: str, chance: random.Random) -> FilledForm:
    """Fill in a new entry with the note ``mark``, which no other entry has."""
    kind = chance.choices(("vitals", "oxygen", "note"), (6, 2, 2))[0]
    at = None if chance.random() < 0.005 else chart.next_time(chance)
    fields, body = _values(kind, mark, chance)
    path = f"/courses/{chart.course}/entries/{kind}/"
    return _filled(path, fields, SentForm(_new_id(), author, chart.course, kind, at, body, _now()))


def correction(
    chart: Chart, old: Charted, author: str, mark: str, chance: random.Random
) -> FilledForm:
    """Fill in a correction of ``old``: other values at its own time."""
    fields, body = _values(old.kind, mark, chance)
    reason = f"misread {mark}"
    sent = SentForm(
        _new_id(), author, chart.course, old.kind, old.at, body, _now(), old.entry_id, reason
    )
    path = f"/courses/{chart.course}/entries/{old.entry_id}/correct/"
    return _filled(path, {**fields, "reason": reason}, sent)


def retraction(chart: Chart, old: Charted, author: str, mark: str) -> FilledForm:
    """Fill in that ``old`` was entered in error."""
    reason = f"other patient {mark}"
    sent = SentForm(
        _new_id(), author, chart.course, RETRACTION, old.at, {}, _now(), old.entry_id, reason
    )
    path = f"/courses/{chart.course}/entries/{old.entry_id}/retract/"
    return FilledForm(path, {"form_id": sent.form_id, "reason": reason}, sent)


def _filled(path: str, fields: Mapping[str, str], sent: SentForm) -> FilledForm:
    times = {}
    if sent.at is not None:
        times = {"observed_date": f"{sent.at:%Y-%m-%d}", "observed_time": f"{sent.at:%H:%M}"}
    return FilledForm(path, {"form_id": sent.form_id, **fields, **times}, sent)


def _values(kind: str, mark: str, chance: random.Random) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the fields of a form of ``kind``, and the body that they must become."""
    if kind == "note":
        return {"note": mark}, {"note": mark}
    if kind == "oxygen":
        flow = str(chance.choice((1, 2, 4, 6)))
        body = {"device": "nasal_cannula", "flow_l_per_min": flow}
        return {**body, "note": mark, "attribution": "crs"}, _body(body, mark)
    temperature = f"{chance.uniform(36.5, 39.5):.1f}"
    others = {
        "systolic_mmhg": str(chance.randint(85, 140)),
        "heart_rate": str(chance.randint(60, 130)),
        "spo2_percent": str(chance.randint(88, 99)),
    }
    fields = {**others, "temperature": temperature, "temperature_unit": "c", "attribution": "crs"}
    body = {**others, "temperature_c": temperature}
    return {**fields, "note": mark}, _body(body, mark)


def _body(values: Mapping[str, str], mark: str) -> dict[str, Any]:
    return {**values, "note": mark}


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC)
