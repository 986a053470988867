"""Laws of filing: every statement is counted once, the same message again changes nothing, and
the order of messages does not matter where each says something of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from grading.course_file import read_course
from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import (
    Infusion,
    OxygenPart,
    Received,
    Signs,
    Standing,
    WholeEntry,
)
from tests.patients.exchange.formats.statements_sent import (
    NOON,
    after,
    context,
    converted,
    in_force,
    received,
)

KEYS = tuple("abcde")
SECONDS = (0, 0, 20, 50, 70, 600)
PEOPLE: list[dict[str, Any]] = [
    {"id": "p0", "kind": "vitals", "at": "2026-03-02T12:00:30+00:00", "heart_rate": "88"},
    {
        "id": "p1", "kind": "vitals", "at": "2026-03-02T12:10:00+00:00",
        "systolic_mmhg": "118", "diastolic_mmhg": "66",
    },
    {"id": "p2", "kind": "oxygen", "at": "2026-03-02T12:00:40+00:00", "device": "nasal_cannula"},
    {
        "id": "p3", "kind": "vasopressor", "at": "2026-03-02T12:10:20+00:00",
        "drug": "norepinephrine", "rate": "5", "unit": "ug/min",
    },
]  # fmt: skip


def signs() -> st.SearchStrategy[Signs]:
    one = st.sampled_from(
        (
            ("heart_rate", "88"), ("heart_rate", "90"), ("heart_rate", "999"),
            ("temperature_c", "38.2"), ("temperature_f", "100.76"), ("systolic_mmhg", "118"),
            ("diastolic_mmhg", "66"), ("mean_arterial_pressure_mmhg", "83"),
        )
    )  # fmt: skip
    return st.builds(
        lambda pairs, method: Signs(dict(pairs), method),
        st.lists(one, min_size=1, max_size=2),
        st.sampled_from(("", "", "cuff", "arterial")),
    )


def oxygen() -> st.SearchStrategy[OxygenPart]:
    return st.builds(
        OxygenPart,
        st.sampled_from((None, "nasal_cannula", "room_air", "venturi_mask")),
        st.sampled_from((None, "2", "99")),
        st.sampled_from((None, "40", "21")),
    ).filter(lambda part: part != OxygenPart())


def infusions() -> st.SearchStrategy[Infusion]:
    rates = st.sampled_from(({"rate": "5", "unit": "ug/min"}, {"rate": None}, {"rate": "0"}))
    ends = st.sampled_from((None, 600, 700, 1200, 7 * 3600))
    return st.builds(
        lambda rate, end, is_over: Infusion(
            {"drug": "norepinephrine", **rate},
            None if end is None else NOON + timedelta(seconds=end),
            is_over,
        ),
        rates, ends, st.booleans(),
    )  # fmt: skip


def results() -> st.SearchStrategy[WholeEntry]:
    return st.builds(
        lambda value: WholeEntry(
            "lab", {"analyte": "creatinine", "value": value, "unit": "mg/dL"}, "lab:creatinine"
        ),
        st.sampled_from(("1.2", "2.1", "999")),
    )


CONTENTS = st.one_of(signs(), oxygen(), infusions(), results())


@st.composite
def statements(draw: st.DrawFn) -> Received:
    standing = draw(st.sampled_from((Standing.FINAL, *Standing)))
    content = draw(CONTENTS)
    return received(
        None if standing is Standing.RETRACTED and draw(st.booleans()) else content,
        draw(st.sampled_from(KEYS)),
        seconds=draw(st.sampled_from(SECONDS)),
        version=draw(st.sampled_from((None, "1", "2", "3"))),
        standing=standing,
    )


MESSAGES = st.lists(st.lists(statements(), min_size=1, max_size=5), min_size=1, max_size=4)
KINDS = st.sampled_from((SystemKind.EHR, SystemKind.MONITOR))


def numbered(message: list[Received]) -> list[Received]:
    """Give each statement of a message a place of its own."""
    return [
        Received(
            type(one.source)(f"entry[{number}].resource", one.source.key, one.source.version),
            one.standing, one.at, one.content,
        )
        for number, one in enumerate(message)
    ]  # fmt: skip


def counted(one: Converted, place: str) -> bool:
    named = [item.what for item in one.held if item.reason == "oxygen.contradiction"]
    return (
        any(filed.place == place for filed in one.filed)
        or any(item.place == place for item in (*one.held, *one.remarks))
        or any(place in what for what in named)
    )


@settings(max_examples=80, deadline=None)
@given(MESSAGES, KINDS, st.sampled_from(Filing))
def test_every_statement_is_filed_or_held_or_remarked_and_the_course_can_be_read(
    messages: list[list[Received]], kind: SystemKind, filing: Filing
) -> None:
    start = context(PEOPLE, kind, filing)
    places = [numbered(message) for message in messages]
    end, results = after(start, places)
    for message, one in zip(places, results, strict=True):
        assert all(counted(one, statement.source.place) for statement in message)
        assert len({filed.place for filed in one.filed}) == len(one.filed)
    read_course(end.course)


def corrected_by_people(context_now: Context, number: int, *, retracts: bool) -> Context:
    """The context after people corrected, or retracted, one entry that came from the system."""
    entries = context_now.course["entries"]
    gone = {entry.get("replaces") for entry in entries}
    own = [
        entry
        for entry in entries
        if entry["id"] not in gone
        and entry["kind"] != "retraction"
        and not entry["id"].startswith("p")
    ]
    if not own:
        return context_now
    old = own[number % len(own)]
    after_all = {
        "id": f"people-{len(entries)}", "replaces": old["id"],
        "recorded_at": "2026-03-02T18:00:01+00:00",
    }  # fmt: skip
    words = {"kind": "retraction", "at": old["at"]} if retracts else {**old, "note": "looked again"}
    course = {**context_now.course, "entries": [*entries, {**words, **after_all}]}
    return replace(context_now, course=course)


@settings(max_examples=60, deadline=None)
@given(MESSAGES, KINDS, st.lists(st.tuples(st.integers(0, 20), st.booleans())), MESSAGES)
def test_every_statement_is_counted_after_people_corrected_what_came_before(
    first: list[list[Received]],
    kind: SystemKind,
    corrections: list[tuple[int, bool]],
    second: list[list[Received]],
) -> None:
    current, _ = after(context(PEOPLE, kind), [numbered(message) for message in first])
    for number, retracts in corrections:
        current = corrected_by_people(current, number, retracts=retracts)
    places = [numbered(message) for message in second]
    end, results = after(current, places)
    for message, one in zip(places, results, strict=True):
        assert all(counted(one, statement.source.place) for statement in message)
    read_course(end.course)


RATE = Signs({"heart_rate": "88"})
ONE_KEY_TWICE = [
    received(OxygenPart(fio2_percent="40")),
    received(
        WholeEntry(
            "lab", {"analyte": "creatinine", "value": "1.2", "unit": "mg/dL"}, "lab:creatinine"
        )
    ),
]
"""After a rate that people charted too: the same rate under another key reads that one again."""


@settings(max_examples=50, deadline=None)
@given(MESSAGES, KINDS, st.sampled_from(Filing))
@example([[received(RATE)], [*ONE_KEY_TWICE, received(RATE, "b")]], SystemKind.EHR, Filing.FILE)
def test_the_same_message_again_charts_and_holds_nothing(
    messages: list[list[Received]], kind: SystemKind, filing: Filing
) -> None:
    end, _ = after(context(PEOPLE, kind, filing), messages)
    again = converted(end, *messages[-1])
    assert (again.entries, again.held, again.filed) == ((), (), ())


@settings(max_examples=50, deadline=None)
@given(MESSAGES, KINDS)
def test_what_people_charted_is_never_changed(
    messages: list[list[Received]], kind: SystemKind
) -> None:
    end, _ = after(context(PEOPLE, kind), messages)
    replaced = {entry.get("replaces") for entry in end.course["entries"]}
    assert replaced.isdisjoint({str(entry["id"]) for entry in PEOPLE})


SET = [
    received(Signs({"temperature_c": "38.2"}), "t"),
    received(Signs({"systolic_mmhg": "118", "diastolic_mmhg": "66"}), "bp"),
    received(Signs({"mean_arterial_pressure_mmhg": "83"}, "arterial"), "map"),
    received(Signs({"mean_arterial_pressure_mmhg": "70"}, "cuff"), "cuff"),
]
OXYGEN = [
    received(OxygenPart(device="venturi_mask"), "d", seconds=20),
    received(OxygenPart(flow_l_per_min="8"), "f"),
    received(OxygenPart(fio2_percent="40"), "i", seconds=60),
    received(OxygenPart(device="room_air"), "e", seconds=300),
]


def bag(key: str, rate: str, start: int, end: int) -> Received:
    """A bag that runs between two hours after noon."""
    fields = {"drug": "norepinephrine", "rate": rate, "unit": "ug/min"}
    return received(Infusion(fields, NOON + timedelta(hours=end)), key, seconds=3600 * start)


BAGS = [bag("a", "5", 0, 2), bag("b", "8", 1, 4), bag("c", "9", 4, 5), bag("d", "2", 3, 4)]


def test_the_order_of_messages_does_not_matter() -> None:
    for parts in (SET, OXYGEN, BAGS):
        together, _ = after(context(), [parts])
        for order in permutations(parts):
            one_by_one, _ = after(context(), [[one] for one in order])
            assert in_force(one_by_one) == in_force(together), [one.source.key for one in order]
