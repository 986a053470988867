"""What must always be true of a grading, whatever was charted (the laws of the grading rules)."""

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.course_file import read_course
from grading.course_result import result_json
from grading.engine.checkpoint import ResumePoint, save_state
from grading.engine.entries import BaselineFacts, in_force
from grading.engine.fold import fold, in_order
from grading.engine.state import CourseState
from grading.engine.systems.lee_2014 import LEE_2014
from grading.service import Regraded, regrade
from tests.grading import oracle
from tests.grading.random_courses import Raw, instants
from tests.grading.strategies import circulation_courses, courses, times

laws = settings(
    max_examples=int(os.environ.get("LAW_EXAMPLES", "150")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def graded(document: Mapping[str, Any], now: str | None = None, known: str | None = None) -> Raw:
    return result_json(
        json.dumps(document), *(t and datetime.fromisoformat(t) for t in (now, known))
    )


def what_holds(course: Raw) -> list[tuple[Any, ...]]:
    """The periods without the words that describe them."""
    return [
        (
            period["from"],
            period["to"],
            period["grade"],
            period["at_most"],
            frozenset(c["code"] for c in period["criteria"]),
            frozenset(u["code"] for u in period["unknown"]),
        )
        for period in course["periods"]
    ]


def grade_at(course: Raw, instant: datetime) -> int | None:
    """The grade that a history shows for an instant it covers."""
    found = None
    for period in course["periods"]:
        if not period["projected"] and datetime.fromisoformat(period["from"]) <= instant:
            found = period["grade"]
    return found


@laws
@given(st.data())
def test_a_second_implementation_agrees(data: st.DataObject) -> None:
    document = data.draw(courses())
    now, known_at = data.draw(times(document))
    assert oracle.restrict(graded(document, now, known_at)) == oracle.answer(
        document, now, known_at
    )


@laws
@given(circulation_courses())
def test_a_second_implementation_agrees_on_the_circulation(document: Raw) -> None:
    assert oracle.restrict(graded(document)) == oracle.answer(document)


@laws
@given(courses(), st.randoms(use_true_random=False))
def test_the_order_of_entries_never_matters(document: Raw, shuffle: Any) -> None:
    together: dict[tuple[str, str], list[Raw]] = {}
    for entry in document["entries"]:
        recorded_at = entry.get("recorded_at", entry["at"])
        key = tuple(str(datetime.fromisoformat(t)) for t in (entry["at"], recorded_at))
        together.setdefault(key, []).append(entry)
    groups = list(together.values())
    shuffle.shuffle(groups)
    shuffled = {**document, "entries": [entry for group in groups for entry in group]}
    assert what_holds(graded(shuffled)) == what_holds(graded(document))


@laws
@given(st.data())
def test_the_future_never_changes_the_past(data: st.DataObject) -> None:
    document = data.draw(courses())
    document["entries"] = [e for e in document["entries"] if e["kind"] != "baseline"]
    known = {entry.get("id") for entry in document["entries"]}
    document["entries"] = [
        e for e in document["entries"] if e.get("replaces", None) in (None, *known)
    ]
    cut = data.draw(st.sampled_from(instants(document)))
    instant = datetime.fromisoformat(cut)
    replaced = {e.get("replaces") for e in document["entries"]} - {None}
    earlier = [
        e
        for e in document["entries"]
        if datetime.fromisoformat(e["at"]) <= instant or e.get("id") in replaced or "replaces" in e
    ]
    until_then = graded({**document, "entries": earlier}, cut)
    whole = graded(document, cut)
    assert what_holds(until_then) == what_holds(whole)


@laws
@given(st.data())
def test_a_later_now_keeps_every_earlier_period(data: st.DataObject) -> None:
    document = data.draw(courses())
    moments = st.sampled_from(instants(document))
    cut, later = sorted((data.draw(moments), data.draw(moments)), key=datetime.fromisoformat)
    early, late = graded(document, cut), graded(document, later)
    covered = [p for p in early["periods"] if not p["projected"]]
    for period in covered[:-1]:
        assert period in late["periods"]


@laws
@given(courses())
def test_a_grade_never_exceeds_its_bound(document: Raw) -> None:
    for period in graded(document)["periods"]:
        reach = [unknown["could_reach"] for unknown in period["unknown"]]
        assert period["grade"] <= period["at_most"] == max([period["grade"], *reach])


ANSWERS: dict[str, tuple[Raw, ...]] = {
    "oxygen.fio2": tuple(
        {"kind": "oxygen", "device": "venturi_mask", "fio2_percent": value}
        for value in (24, 39, 60)
    ),
    "oxygen.fio2_estimated": tuple(
        {"kind": "oxygen", "device": "nasal_cannula", "fio2_percent": value} for value in (30, 50)
    ),
    "hypotension.relative": tuple(
        {"kind": "judgement", "about": "relative_hypotension", "present": value}
        for value in (True, False)
    ),
    "hypotension.refractory": tuple(
        {"kind": "judgement", "about": "refractory_hypotension", "present": value}
        for value in (True, False)
    ),
    "life_threatening": tuple(
        {"kind": "judgement", "about": "life_threatening", "present": value}
        for value in (True, False)
    ),
}


@laws
@given(st.data())
def test_answering_one_unknown_stays_below_the_former_bound(data: st.DataObject) -> None:
    document = data.draw(courses())
    before = graded(document)
    if not before["periods"] or before["current"]["grade"] is None:
        return
    last = [p for p in before["periods"] if not p["projected"]][-1]
    asked = [u["code"] for u in last["unknown"] if u["code"] in ANSWERS]
    if not asked:
        return
    chosen = data.draw(st.sampled_from(ANSWERS[data.draw(st.sampled_from(asked))]))
    answered = {**document, "entries": [*document["entries"], {**chosen, "at": before["now"]}]}
    assert graded(answered)["current"]["grade"] <= before["current"]["at_most"]


@laws
@given(st.data())
def test_more_support_never_lowers_the_grade(data: st.DataObject) -> None:
    document = data.draw(circulation_courses())
    rising = [
        index
        for index, entry in enumerate(document["entries"])
        if entry["kind"] == "vasopressor" and entry["rate"] and entry["drug"] != "other_vasopressor"
    ]
    if not rising:
        return
    index = data.draw(st.sampled_from(rising))
    entry = document["entries"][index]
    more = {**entry, "rate": str(Decimal(str(entry["rate"])) * Decimal("1.2"))}
    entries = [*document["entries"][:index], more, *document["entries"][index + 1 :]]
    before, after = graded(document), graded({**document, "entries": entries})
    for instant in map(datetime.fromisoformat, instants(document)):
        was, now = grade_at(before, instant), grade_at(after, instant)
        assert was is None or (now is not None and now >= was)


@laws
@given(st.data())
def test_a_further_vasopressor_never_lowers_the_grade(data: st.DataObject) -> None:
    document = data.draw(circulation_courses())
    at = data.draw(st.sampled_from(instants(document)))
    further = {"kind": "vasopressor", "drug": "other_vasopressor", "rate": None, "at": at}
    entries = [e for e in document["entries"] if e.get("drug") != "other_vasopressor"]
    kept = {entry.get("id") for entry in entries}
    entries = [e for e in entries if e.get("replaces", None) in (None, *kept)]
    before = graded({**document, "entries": entries})
    after = graded({**document, "entries": [*entries, further]})
    for instant in map(datetime.fromisoformat, instants(document)):
        was, now = grade_at(before, instant), grade_at(after, instant)
        assert was is None or (now is not None and now >= was)


@laws
@given(st.data())
def test_periods_tile_the_course(data: st.DataObject) -> None:
    document = data.draw(courses())
    now, known_at = data.draw(times(document))
    course = graded(document, now, known_at)
    past = [p for p in course["periods"] if not p["projected"]]
    projected = [p for p in course["periods"] if p["projected"]]
    for period, following in pairwise(past):
        assert period["to"] == following["from"] > period["from"]
    for period, following in pairwise(projected):
        assert period["to"] == following["from"] > period["from"]
    for period in projected:
        assert period["from"] > course["now"]
    if projected:
        assert projected[-1]["to"] is None
    keys = [key[2:] for key in what_holds(course)]
    assert all(key != following for key, following in pairwise(keys))


@laws
@given(st.data())
def test_a_retracted_entry_stays_visible_in_what_was_known_before(data: st.DataObject) -> None:
    document = data.draw(courses())
    plain = [e for e in document["entries"] if "replaces" not in e and e["kind"] != "baseline"]
    if not plain:
        return
    target = data.draw(st.sampled_from(plain))
    now = graded({**document, "entries": plain})["now"]
    target = {**target, "id": "the-mistaken-one"}
    entries = [*(e for e in plain if e is not target), target]
    later = (datetime.fromisoformat(now) + timedelta(hours=1)).isoformat()
    retraction = {"kind": "retraction", "replaces": target["id"], "at": later}
    before = graded({**document, "entries": entries}, now)
    after = graded({**document, "entries": [*entries, retraction]}, now, now)
    assert what_holds(after) == what_holds(before)


def periods_of(course: Regraded) -> list[tuple[Any, ...]]:
    return [(p.start, p.end, p.grade, p.at_most, p.findings_json()) for p in course.periods]


@pytest.mark.parametrize("strategy", [courses(), circulation_courses()], ids=["any", "circulation"])
@laws
@given(st.data())
def test_resumed_equals_from_scratch(strategy: st.SearchStrategy[Raw], data: st.DataObject) -> None:
    """A checkpoint after any instant, written to JSON and read back, leads to the same history."""
    document = read_course(json.dumps(data.draw(strategy)))
    entries = in_force(document.entries)
    graded_ones = [e for e in entries if not isinstance(e, BaselineFacts)]
    every = sorted({e.at for e in graded_ones if e.at >= document.facts.infused_at})
    if not every:
        return
    whole = regrade(document.facts, entries)
    cut = data.draw(st.sampled_from(every))
    early = [e for e in entries if e.at <= cut or isinstance(e, BaselineFacts)]
    late = [e for e in entries if e.at > cut or isinstance(e, BaselineFacts)]
    found = _checkpoint_at(document, early, cut)
    resumed = regrade(document.facts, late, resume=found)
    expected = [p for p in periods_of(whole) if p[0] > cut]
    assert periods_of(resumed) == expected
    continuing = [p for p in whole.periods if p.start <= cut]
    if continuing:
        assert resumed.continuing_until == continuing[-1].end


def _checkpoint_at(document: Any, entries: list[Any], cut: datetime) -> ResumePoint:
    baselines = [e for e in entries if isinstance(e, BaselineFacts)]
    graded_entries = [e for e in entries if not isinstance(e, BaselineFacts)]
    baseline = document.facts.baseline.with_entries(baselines)
    state = CourseState.at_start(document.facts, baseline, LEE_2014)
    fold(state, in_order(graded_entries))
    made = save_state(state)
    assert made.at == cut
    return made.to_resume_point()
