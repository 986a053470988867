"""Nurses: threads that sign in, save, correct, send again what was not answered, and look."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Final

from bench.client import Answer, Client
from bench.servers import BenchError
from chaos.charting import (
    Chart,
    Charted,
    FilledForm,
    correction,
    new_entry,
    retraction,
)
from chaos.history import Attempt, Outcome, PageRead, SentForm
from chaos.ward import PASSWORD

ANSWER_WITHIN_S: Final = 8.0
_SIGNED_IN_WITHIN_S: Final = 120.0
_NO_ANSWER: Final = 0
_TRIES_FOR_S: Final = 60
_ROW: Final = re.compile(rb'<li id="entry-([0-9a-f-]{36})"\s+class="[^"]*?( row-retracted)?[ "]')
_OLDER: Final = b'<li id="older"'
_OPEN_AT_ONCE: Final = 4
_NEXT_COURSE_AFTER_S: Final = 15


@dataclass
class Ledger:
    """What all nurses sent and saw; ``unexpected`` are answers that no form or page may have."""

    sent: list[SentForm] = field(default_factory=list)
    reads: list[PageRead] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    acknowledged: int = 0
    _lock: Lock = field(default_factory=Lock)

    def acknowledge(self) -> None:
        with self._lock:
            self.acknowledged += 1


class Nurse:
    """One nurse at one tablet, at work in a thread until ``over`` is set."""

    def __init__(
        self,
        username: str,
        tablet: int,
        port: int,
        charts: Sequence[Chart],
        ledger: Ledger,
        seed: int,
        over: Event,
    ) -> None:
        self._username, self._charts, self._ledger, self._over = username, charts, ledger, over
        self._chance = random.Random(f"{seed} {tablet}")
        self._mark, self._forms = f"n{tablet:02}", 0
        self._browser = Client(port)
        self._begun_s = time.monotonic()
        self._saved: list[FilledForm] = []
        self._thread = Thread(target=self._work, name=f"{username} at {tablet}", daemon=True)

    def sign_in(self) -> None:
        """Sign in, before anything is killed."""
        self._browser.timeout_s = _SIGNED_IN_WITHIN_S
        self._browser.sign_in(self._username, PASSWORD)
        self._browser.timeout_s = ANSWER_WITHIN_S

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        try:
            self._act_until_over()
        except Exception as error:  # a nurse who stops would make the run prove less
            self._ledger.unexpected.append(f"{self._thread.name} stopped: {error!r}")

    def _act_until_over(self) -> None:
        while not self._over.is_set():
            chart = self._chart()
            acts: tuple[tuple[Callable[[Chart], None], float], ...] = (
                (self._save, 70), (self._correct, 12), (self._retract, 3), (self._tap_twice, 8),
                (self._reuse, 2), (self._give_up, 5),
            )  # fmt: skip
            act = self._chance.choices([act for act, _ in acts], [often for _, often in acts])[0]
            act(chart)
            if self._chance.random() < 0.3:
                self._look(chart)

    def _chart(self) -> Chart:
        """Choose one of the few courses that all nurses work on at this time."""
        first = int((time.monotonic() - self._begun_s) / _NEXT_COURSE_AFTER_S)
        place = first + self._chance.randrange(_OPEN_AT_ONCE)
        return self._charts[place % len(self._charts)]

    def _new_mark(self) -> str:
        self._forms += 1
        return f"{self._mark}-{self._forms:06}"

    def _save(self, chart: Chart) -> None:
        filled = new_entry(chart, self._username, self._new_mark(), self._chance)
        self._send_until_answered(chart, filled)

    def _correct(self, chart: Chart) -> None:
        old = chart.recent(self._chance)
        if old is None:
            return self._save(chart)
        filled = correction(chart, old, self._username, self._new_mark(), self._chance)
        return self._send_until_answered(chart, filled)

    def _retract(self, chart: Chart) -> None:
        old = chart.recent(self._chance)
        if old is None:
            return self._save(chart)
        filled = retraction(chart, old, self._username, self._new_mark())
        return self._send_until_answered(chart, filled)

    def _tap_twice(self, chart: Chart) -> None:
        """Send one form twice at the same time, then again until it is answered."""
        filled = new_entry(chart, self._username, self._new_mark(), self._chance)
        self._ledger.sent.append(filled.sent)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: self._attempt(filled), range(2)))
        self._send_until_answered(chart, filled, is_listed=True)

    def _reuse(self, chart: Chart) -> None:
        """Send other contents under the id of a form that was saved: that must be refused."""
        if not self._saved:
            return
        before = self._chance.choice(self._saved).sent
        filled = new_entry(
            next(one for one in self._charts if one.course == before.course),
            self._username, self._new_mark(), self._chance,
        )  # fmt: skip
        filled.sent.form_id = before.form_id
        fields = {**filled.fields, "form_id": before.form_id}
        self._send_until_answered(chart, FilledForm(filled.path, fields, filled.sent))

    def _give_up(self, chart: Chart) -> None:
        """Send a form once, and never again, whatever the answer was."""
        filled = new_entry(chart, self._username, self._new_mark(), self._chance)
        self._ledger.sent.append(filled.sent)
        self._after(chart, filled, self._attempt(filled))

    def _send_until_answered(
        self, chart: Chart, filled: FilledForm, *, is_listed: bool = False
    ) -> None:
        if not is_listed:
            self._ledger.sent.append(filled.sent)
        last = time.monotonic() + _TRIES_FOR_S
        outcomes = {one.outcome for one in filled.sent.attempts}
        while not outcomes & {Outcome.SAVED, Outcome.REFUSED} and time.monotonic() < last:
            if outcomes:
                time.sleep(self._chance.uniform(0.05, 0.4))
            outcome, body = self._attempt(filled)
            outcomes.add(outcome)
            self._after(chart, filled, (outcome, body))

    def _after(self, chart: Chart, filled: FilledForm, answered: tuple[Outcome, bytes]) -> None:
        outcome, body = answered
        sent = filled.sent
        if outcome is Outcome.REFUSED and sent.replaces:
            chart.remove(sent.replaces)
        if outcome is not Outcome.SAVED:
            return
        self._saved = [*self._saved, filled][-10:]
        if sent.replaces:
            chart.remove(sent.replaces)
        entry_id = entry_of(body, sent.body.get("note", ""))
        if entry_id and sent.at is not None:
            chart.add(Charted(entry_id, sent.kind, sent.at))

    def _attempt(self, filled: FilledForm) -> tuple[Outcome, bytes]:
        begun = time.monotonic()
        try:
            answer = self._browser.post(filled.path, filled.fields)
        except OSError:
            outcome, status, body = Outcome.UNKNOWN, _NO_ANSWER, b""
        else:
            outcome, status, body = self._outcome(answer, filled), answer.status, answer.body
        was_known = filled.sent.is_acknowledged
        filled.sent.attempts.append(Attempt(begun, time.monotonic(), outcome, status))
        if outcome is Outcome.SAVED and not was_known:
            self._ledger.acknowledge()
        return outcome, body

    def _outcome(self, answer: Answer, filled: FilledForm) -> Outcome:
        if answer.status == 200:
            return Outcome.SAVED
        if answer.status in (409, 422):
            if answer.status == 422:
                self._note(answer, filled.path)
            return Outcome.REFUSED
        if answer.status == 503:
            if "retry-after" not in answer.headers:
                self._note(answer, filled.path)
            says_no = answer.headers.get("crs-stored") == "no"
            return Outcome.NOT_STORED if says_no else Outcome.UNKNOWN
        self._note(answer, filled.path)
        return Outcome.UNKNOWN

    def _look(self, chart: Chart) -> None:
        """Read the newest entries of a course as its page shows them."""
        begun = time.monotonic()
        path = f"/courses/{chart.course}/timeline/"
        try:
            answer = self._browser.get(path, htmx=True)
        except OSError:
            return
        ended = time.monotonic()
        if answer.status == 200:
            rows, is_whole = rows_of(answer.body)
            page = PageRead(chart.course, self._username, begun, ended, rows, is_whole)
            self._ledger.reads.append(page)
        elif answer.status != 503:
            self._note(answer, path)

    def _note(self, answer: Answer, path: str) -> None:
        request = answer.headers.get("x-request-id", "none")
        line = f"{path} was answered {answer.status}, request {request}"
        self._ledger.unexpected.append(line)


def rows_of(page: bytes) -> tuple[tuple[tuple[str, bool], ...], bool]:
    """Return the entries that a timeline shows, and whether it shows all there are."""
    rows = tuple((found[1].decode(), bool(found[2])) for found in _ROW.finditer(page))
    return rows, _OLDER not in page


def entry_of(answer: bytes, mark: str) -> str | None:
    """Return the id of the entry with the note ``mark`` that an answer shows, None for none."""
    place = answer.rfind(mark.encode()) if mark else -1
    before = [found[1].decode() for found in _ROW.finditer(answer, 0, max(place, 0))]
    return before[-1] if before else None


def charts_of(courses: Sequence[str], infused_at: datetime) -> list[Chart]:
    """Return the charts of a new ward."""
    return [Chart(course, infused_at) for course in courses]


def sign_in_all(nurses: Sequence[Nurse]) -> None:
    """Sign all nurses in.

    :raises BenchError: where that is refused.
    """
    try:
        for nurse in nurses:
            nurse.sign_in()
    except OSError as error:
        raise BenchError(f"signing in was not answered: {error}") from error
