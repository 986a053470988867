"""The checker of `make chaos` finds every fault that is planted, and none in a good history."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chaos.__main__ import main
from chaos.history import (
    Attempt,
    Fault,
    FaultKind,
    History,
    Outcome,
    PageRead,
    SentForm,
    StoredAct,
    figures_of,
    find_faults,
)
from chaos.nurses import entry_of, rows_of
from chaos.pages import find_faults_of_pages
from chaos.plan import ONE_MACHINE, TWO_MACHINES, Kill, steps

START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
COURSE = "course"
chances = st.randoms(use_true_random=False)


class Server:
    """A server that does all right: what it answers, stores and shows, in the order of its acts."""

    def __init__(self) -> None:
        self.stored: list[StoredAct] = []

    def take(self, form: SentForm) -> bool:
        """Store the form; return False where somebody replaced its entry first."""
        if form.replaces and any(act.replaces == form.replaces for act in self.stored):
            return False
        number = len(self.stored)
        recorded_at = START + timedelta(seconds=number)
        act = StoredAct(
            form.form_id, form.author, COURSE, recorded_at, f"entry-{number}", form.kind,
            form.at or START, form.body, form.replaces, form.reason,
        )  # fmt: skip
        self.stored.append(act)
        return True

    def page(self, rows: int) -> tuple[tuple[tuple[str, bool], ...], bool]:
        gone = {act.replaces for act in self.stored if act.kind != "retraction"}
        retracted = {act.replaces for act in self.stored if act.kind == "retraction"}
        shown = sorted(
            (
                (act.at, act.recorded_at, act.entry_id)
                for act in self.stored
                if act.kind != "retraction" and act.entry_id not in gone
            ),
            reverse=True,
        )
        newest = [(entry, entry in retracted) for _, _, entry in shown[:rows]]
        return tuple(newest), len(shown) <= rows


def filled(number: int, chance: random.Random, entries: Sequence[StoredAct]) -> SentForm:
    """A form: a new entry, or one that replaces another."""
    at, body = START - timedelta(minutes=chance.randint(0, 30)), {"note": f"n-{number}"}
    form = SentForm(f"form-{number}", "nurse", COURSE, "vitals", at, body, START)
    if entries and chance.random() < 0.3:
        old = chance.choice(entries)
        form.replaces, form.reason, form.at = old.entry_id, "misread", old.at
        if chance.random() < 0.3:
            form.kind, form.body = "retraction", {}
    return form


def simulated(chance: random.Random) -> History:
    """Forms and pages that overlap in time, each taken at one instant between its two ends."""
    server, sent, reads = Server(), [], []
    instants = sorted(round(chance.uniform(0, 20), 3) for _ in range(chance.randint(4, 24)))
    for number, instant in enumerate(instants):
        begun = instant - chance.uniform(0.001, 2)
        ended = instant + chance.uniform(0.001, 2)
        if chance.random() < 0.3:
            rows, is_whole = server.page(chance.randint(3, 8))
            reads.append(PageRead(COURSE, "nurse", begun, ended, rows, is_whole))
            continue
        old = [act for act in server.stored if act.kind != "retraction"]
        form = filled(number, chance, old)
        sent.append(form)
        if chance.random() < 0.1:
            form.attempts.append(Attempt(begun, ended, Outcome.NOT_STORED, 503))
            continue
        if chance.random() < 0.2:
            form.attempts.append(Attempt(begun, instant, Outcome.UNKNOWN, 0))
        if not server.take(form):
            form.attempts.append(Attempt(begun, ended, Outcome.REFUSED, 409))
        elif chance.random() < 0.15:
            form.attempts.append(Attempt(begun, ended, Outcome.UNKNOWN, 503))
        else:
            form.attempts.append(Attempt(instant, ended, Outcome.SAVED, 200))
    return History(sent, server.stored, reads)


def found(history: History) -> list[Fault]:
    return [*find_faults(history), *find_faults_of_pages(history)]


def kinds(history: History) -> set[FaultKind]:
    return {fault.kind for fault in found(history)}


@given(chances)
@settings(max_examples=150, deadline=None)
def test_a_good_history_has_no_fault(chance: random.Random) -> None:
    history = simulated(chance)
    assert found(history) == []
    figures = figures_of(history)
    answered = figures["saves acknowledged"] + figures["forms refused"]
    assert answered + figures["forms without an answer"] == len(history.sent)


def acknowledged(history: History) -> list[SentForm]:
    return [form for form in history.sent if form.is_acknowledged]


def act_of(history: History, form: SentForm) -> StoredAct:
    return next(act for act in history.stored if act.form_id == form.form_id)


def with_act(history: History, old: StoredAct, *new: StoredAct) -> History:
    stored = [one for act in history.stored for one in (new if act is old else (act,))]
    return replace(history, stored=stored)


def some_form(history: History, chance: random.Random) -> SentForm:
    forms = acknowledged(history)
    assume(forms)
    return chance.choice(forms)


def some_act(history: History, chance: random.Random) -> StoredAct:
    return act_of(history, some_form(history, chance))


def dropped(history: History, chance: random.Random) -> History:
    return with_act(history, some_act(history, chance))


def doubled_form(history: History, chance: random.Random) -> History:
    act = some_act(history, chance)
    again = replace(act, entry_id="again", recorded_at=act.recorded_at + timedelta(seconds=0.5))
    return with_act(history, act, act, again)


def doubled_body(history: History, chance: random.Random) -> History:
    act = some_act(history, chance)
    assume(act.body)
    return with_act(history, act, act, replace(act, entry_id="again", form_id="other form"))


def other_body(history: History, chance: random.Random) -> History:
    act = some_act(history, chance)
    return with_act(history, act, replace(act, body={"note": "other"}))


def other_time(history: History, chance: random.Random) -> History:
    act = some_act(history, chance)
    return with_act(history, act, replace(act, at=act.at - timedelta(minutes=1)))


def other_author(history: History, chance: random.Random) -> History:
    act = some_act(history, chance)
    return with_act(history, act, replace(act, author="somebody else"))


def swapped(history: History, chance: random.Random) -> History:
    """Two acts change their places, of which one was acknowledged before the other was sent."""
    pairs = [
        (first, second)
        for first in acknowledged(history)
        for second in acknowledged(history)
        if first.acknowledged_s < second.begun_s
    ]
    assume(pairs)
    first, second = (act_of(history, form) for form in chance.choice(pairs))
    places = {
        first.form_id: replace(second, recorded_at=first.recorded_at),
        second.form_id: replace(first, recorded_at=second.recorded_at),
    }
    return replace(history, stored=[places.get(act.form_id, act) for act in history.stored])


def forked(history: History, chance: random.Random) -> History:
    """A second correction of one entry is acknowledged, and stored or not."""
    corrections = [form for form in acknowledged(history) if form.replaces]
    assume(corrections)
    first = chance.choice(corrections)
    body = {"note": "the other branch"}
    second = replace(first, form_id="other branch", body=body, attempts=[*first.attempts])
    history = replace(history, sent=[*history.sent, second])
    if chance.random() < 0.5:
        return history
    act = act_of(history, first)
    return with_act(
        history, act, act, replace(act, form_id=second.form_id, entry_id="branch", body=body)
    )


def refused(history: History, chance: random.Random) -> History:
    form = some_form(history, chance)
    answers = [replace(one, outcome=Outcome.REFUSED, status=409) for one in form.attempts]
    return replace(
        history,
        sent=[replace(one, attempts=answers) if one is form else one for one in history.sent],
    )


def contradicted(history: History, chance: random.Random) -> History:
    form = some_form(history, chance)
    last = form.attempts[-1]
    later = Attempt(last.ended_s + 1, last.ended_s + 2, Outcome.REFUSED, 409)
    return replace(
        history,
        sent=[
            replace(one, attempts=[*one.attempts, later]) if one is form else one
            for one in history.sent
        ],
    )


def sent_by_nobody(history: History, chance: random.Random) -> History:
    form = some_form(history, chance)
    return replace(history, sent=[one for one in history.sent if one is not form])


def server_error(history: History, chance: random.Random) -> History:
    form = some_form(history, chance)
    failed = Attempt(form.begun_s, form.begun_s, Outcome.UNKNOWN, 500)
    return replace(
        history,
        sent=[
            replace(one, attempts=[failed, *one.attempts]) if one is form else one
            for one in history.sent
        ],
    )


PLANTED: list[tuple[Callable[[History, random.Random], History], FaultKind]] = [
    (dropped, FaultKind.LOST),
    (doubled_form, FaultKind.DOUBLED),
    (doubled_body, FaultKind.DOUBLED),
    (other_body, FaultKind.DIFFERENT),
    (other_time, FaultKind.DIFFERENT),
    (other_author, FaultKind.DIFFERENT),
    (swapped, FaultKind.SWAPPED),
    (forked, FaultKind.FORKED),
    (refused, FaultKind.REFUSED_BUT_STORED),
    (contradicted, FaultKind.REFUSED_BUT_STORED),
    (sent_by_nobody, FaultKind.SENT_BY_NOBODY),
    (server_error, FaultKind.SERVER_ERROR),
]


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=lambda one: getattr(one, "__name__", ""))
@given(chance=chances)
@settings(max_examples=25, deadline=None)
def test_a_planted_fault_is_found(
    plant: Callable[[History, random.Random], History], kind: FaultKind, chance: random.Random
) -> None:
    assert kind in kinds(plant(simulated(chance), chance))


def read_history(*pages: PageRead) -> History:
    """Two forms that overlap, the first recorded first, and then one alone; and pages."""
    server = Server()
    times = [(1.0, 5.0), (2.0, 6.0), (7.0, 8.0)]
    sent = []
    for number, (begun, ended) in enumerate(times):
        at = START - timedelta(minutes=9 - number)
        form = SentForm(f"f{number}", "nurse", COURSE, "note", at, {"note": f"n{number}"}, START)
        form.attempts.append(Attempt(begun, ended, Outcome.SAVED, 200))
        sent.append(form)
        server.take(form)
    return History(sent, server.stored, pages)


def page(begun: float, ended: float, *entries: str, is_whole: bool = True) -> PageRead:
    return PageRead(COURSE, "nurse", begun, ended, tuple((one, False) for one in entries), is_whole)


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (page(0, 0.5), None),
        (page(3, 4), None),
        (page(3, 4, "entry-0"), None),
        (page(3, 4, "entry-1", "entry-0"), None),
        (page(9, 10, "entry-2", "entry-1", "entry-0"), None),
        (page(9, 10, "entry-2", "entry-1", is_whole=False), None),
        # The second without the first, which was recorded before it.
        (page(3, 4, "entry-1"), FaultKind.AGAINST_ORDER),
        # One that was acknowledged before is missing.
        (page(9, 10, "entry-1", "entry-0"), FaultKind.MISSED),
        (page(5.5, 5.6), FaultKind.MISSED),
        # One that nobody had sent yet.
        (page(3, 4, "entry-2", "entry-1", "entry-0"), FaultKind.AGAINST_ORDER),
        (page(9, 10, "entry-0", "entry-1", "entry-2"), FaultKind.AGAINST_ORDER),
        (page(9, 10, "entry-2", "entry-1", "entry-0", "gone"), FaultKind.LOST),
    ],
)
def test_a_page_shows_a_beginning_of_the_recorded_order(
    read: PageRead, kind: FaultKind | None
) -> None:
    expected = set() if kind is None else {kind}
    assert kinds(read_history(read)) == expected


def test_two_pages_cannot_show_two_orders() -> None:
    """One reader sees the first form alone, another the second alone: a fork."""
    assert kinds(read_history(page(3, 4, "entry-0"), page(3, 4, "entry-1"))) == {
        FaultKind.AGAINST_ORDER
    }


ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
PAGE = f"""
  <li id="entry-{ONE}"
      class="row-vitals row-new">38.4 <span class="row-note">n00-000007</span></li>
  <li id="entry-{TWO}"
      class="row-note row-retracted"><s>n00-000006</s></li>
""".encode()


def test_the_rows_of_a_timeline_are_read() -> None:
    assert rows_of(PAGE) == (((ONE, False), (TWO, True)), True)
    assert rows_of(PAGE + b'<li id="older" class="older">')[1] is False
    assert entry_of(PAGE, "n00-000007") == ONE
    assert entry_of(PAGE, "n00-000006") == TWO
    assert entry_of(PAGE, "n00-000005") is None


@pytest.mark.parametrize("weights", [ONE_MACHINE, TWO_MACHINES])
def test_a_seed_is_a_plan_that_begins_with_every_kill(weights: Mapping[Kill, int]) -> None:
    first, again, other = (list(islice(steps(seed, weights, 5), 60)) for seed in (7, 7, 8))
    assert first == again != other
    assert {step.kill for step in first[: len(weights)]} == set(weights)
    assert len({str(step) for step in first}) > 50


def test_a_setting_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOS_SEED", "twelve")
    with pytest.raises(SystemExit, match="CHAOS_SEED is not a number: twelve"):
        main([])
