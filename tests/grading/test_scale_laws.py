"""What must always be true of every scale beside Lee's, whatever was charted."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from grading.course_result import result_json
from grading.engine.policy import SCALE_PARAMETERS
from tests.grading.random_courses import Raw, instants
from tests.grading.random_scale_courses import NEW_KINDS
from tests.grading.scale_answers import (
    CRS_KEYS,
    KEYS,
    findings,
    grade_at,
    graded,
    past,
    period_at,
    scale_laws,
    what_holds,
    with_ids,
    without,
)
from tests.grading.strategies import scale_courses, support_courses, times

ASTCT_BY_NUMBER = {"astct.vasopressor.one", "astct.vasopressor.multiple"}
MORE_SUPPORT = ("cpap", "bipap", "invasive_ventilation", "ecmo")
FORMAT_2 = {"format": "crs-course/2"}


@scale_laws
@given(scale_courses(), st.randoms(use_true_random=False))
def test_the_order_of_entries_never_matters(document: Raw, shuffle: Any) -> None:
    together: dict[tuple[datetime, ...], list[Raw]] = {}
    for entry in with_ids(document)["entries"]:
        when = (entry["at"], entry.get("recorded_at", entry["at"]))
        together.setdefault(tuple(map(datetime.fromisoformat, when)), []).append(entry)
    groups = list(together.values())
    shuffle.shuffle(groups)
    shuffled = {**document, "entries": [entry for group in groups for entry in group]}
    assert what_holds(graded(shuffled)) == what_holds(graded(document))


@scale_laws
@given(st.data())
def test_the_future_never_changes_the_past(data: st.DataObject) -> None:
    """A baseline alone holds for the whole course."""
    document = without(with_ids(data.draw(scale_courses())), "baseline")
    cut = data.draw(st.sampled_from(instants(document)))
    instant = datetime.fromisoformat(cut)
    replaced = {entry.get("replaces") for entry in document["entries"]}
    earlier = [
        entry
        for entry in document["entries"]
        if datetime.fromisoformat(entry["at"]) <= instant
        or entry["id"] in replaced
        or "replaces" in entry
    ]
    assert what_holds(graded({**document, "entries": earlier}, cut)) == what_holds(
        graded(document, cut)
    )


@scale_laws
@given(st.data())
def test_a_later_now_keeps_every_earlier_period(data: st.DataObject) -> None:
    document = data.draw(scale_courses())
    moments = st.sampled_from(instants(document))
    cut, later = sorted((data.draw(moments), data.draw(moments)), key=datetime.fromisoformat)
    early, late = graded(document, cut), graded(document, later)
    for key in KEYS:
        for period in past(early, key)[:-1]:
            assert period in late["scales"][key]["periods"]


@scale_laws
@given(scale_courses())
def test_a_grade_never_exceeds_its_bound(document: Raw) -> None:
    answer = graded(document)
    for key in KEYS:
        scale = answer["scales"][key]
        for period in scale["periods"]:
            grades = [one["grade"] for one in period["criteria"]]
            reach = [one["could_reach"] for one in period["unknown"]]
            assert period["grade"] == max(grades, default=0)
            assert period["grade"] <= period["at_most"] == max([period["grade"], *reach])
        if scale["current"]["grade"] is not None:
            last = past(answer, key)[-1]
            assert scale["current"] == {name: last[name] for name in ("grade", "at_most")}


@scale_laws
@given(st.data())
def test_periods_tile_the_course(data: st.DataObject) -> None:
    document = data.draw(scale_courses())
    now, known_at = data.draw(times(document))
    answer = graded(document, now, known_at)
    begins = datetime.fromisoformat(document["therapy"]["infused_at"])
    for key in KEYS:
        periods = answer["scales"][key]["periods"]
        before, after = past(answer, key), [one for one in periods if one["projected"]]
        for part in (before, after):
            for period, following in pairwise(part):
                assert period["to"] == following["from"] > period["from"]
        if datetime.fromisoformat(answer["now"]) >= begins:
            assert datetime.fromisoformat(before[0]["from"]) == begins
        assert all(period["from"] > answer["now"] for period in after)
        assert not after or after[-1]["to"] is None
        assert all(findings(one) != findings(other) for one, other in pairwise(periods))


def raised(data: st.DataObject, document: Raw) -> Raw | None:
    """The document with one dose, flow or FiO2 higher, or one device that supports more."""
    may_rise = [
        (index, how)
        for index, entry in enumerate(document["entries"])
        for how in ways_to_raise(entry)
    ]
    if not may_rise:
        return None
    index, more = data.draw(st.sampled_from(may_rise))
    entries = list(document["entries"])
    entries[index] = {**entries[index], **more}
    gone = {name for name, value in entries[index].items() if value is None and name != "rate"}
    entries[index] = {name: v for name, v in entries[index].items() if name not in gone}
    return {**document, "entries": entries}


def ways_to_raise(entry: Raw) -> list[Raw]:
    if entry["kind"] == "vasopressor" and entry["rate"] and entry["drug"] != "other_vasopressor":
        return [{"rate": str(Decimal(str(entry["rate"])) * factor)} for factor in (Decimal("1.2"),)]
    if entry["kind"] != "oxygen":
        return []
    ways: list[Raw] = []
    if "flow_l_per_min" in entry:
        ways.append({"flow_l_per_min": str(Decimal(str(entry["flow_l_per_min"])) + 3)})
    if "fio2_percent" in entry:
        ways.append({"fio2_percent": 60})
    device = entry["device"]
    place = MORE_SUPPORT.index(device) if device in MORE_SUPPORT else -1
    if place + 1 < len(MORE_SUPPORT):
        ways.append({"device": MORE_SUPPORT[place + 1], "flow_l_per_min": None})
    return ways


def grades_bipap_below_cpap(document: Raw) -> bool:
    policy = document.get("policy", {})
    bipap = min(policy.get("bipap_grade", 4), policy.get("cartox_child_bipap_grade", 3))
    return policy.get("cpap_grade", 3) > bipap


@scale_laws
@given(st.data())
def test_more_support_never_lowers_a_grade(data: st.DataObject) -> None:
    """The gate of ASTCT is held fixed, for no temperature and no treatment changes."""
    document = data.draw(support_courses())
    more = raised(data, document)
    if more is None or grades_bipap_below_cpap(document):
        return
    before, after = graded(document), graded(more)
    for key in KEYS:
        for instant in map(datetime.fromisoformat, instants(document)):
            was, now = grade_at(before, key, instant), grade_at(after, key, instant)
            assert was is None or (now is not None and now >= was), (key, instant)


def with_vasopressor(data: st.DataObject, drug: Raw) -> tuple[Raw, Raw]:
    """A course without a drug, and the same with it from an instant on."""
    document = with_ids(data.draw(support_courses()))
    of_drug = {entry["id"] for entry in document["entries"] if entry.get("drug") == drug["drug"]}
    replaced: set[str | None] = set(of_drug)
    entries = []
    for entry in document["entries"]:
        if entry["id"] in of_drug or entry.get("replaces") in replaced:
            replaced.add(entry["id"])
        else:
            entries.append(entry)
    at = data.draw(st.sampled_from(instants(document)))
    plain = {**document, "entries": entries}
    return plain, {**plain, "entries": [*entries, {"kind": "vasopressor", "at": at, **drug}]}


@scale_laws
@given(st.data())
def test_a_further_vasopressor_never_lowers_a_grade(data: st.DataObject) -> None:
    document, more = with_vasopressor(data, {"drug": "other_vasopressor", "rate": None})
    before, after = graded(document), graded(more)
    for key in KEYS:
        for instant in map(datetime.fromisoformat, instants(document)):
            was, now = grade_at(before, key, instant), grade_at(after, key, instant)
            assert was is None or (now is not None and now >= was), (key, instant)


@scale_laws
@given(st.data())
def test_vasopressin_beside_another_vasopressor_leaves_astct_where_it_is(
    data: st.DataObject,
) -> None:
    vasopressin = {"drug": "vasopressin", "rate": "0.03", "unit": "units/min"}
    document, more = with_vasopressor(data, vasopressin)
    now = max(instants(more), key=datetime.fromisoformat)
    before, after = graded(document, now), graded(more, now)
    for instant in map(datetime.fromisoformat, instants(document)):
        was = period_at(before, "astct-2019", instant)
        if was is None:
            continue
        codes = {one["code"] for one in (*was["criteria"], *was["withheld"])}
        if codes & ASTCT_BY_NUMBER:
            later = period_at(after, "astct-2019", instant)
            assert later is not None
            assert findings(later) == findings(was)


@scale_laws
@given(st.data())
def test_a_retracted_entry_stays_visible_in_what_was_known_before(data: st.DataObject) -> None:
    document = data.draw(scale_courses())
    plain = [e for e in document["entries"] if "replaces" not in e and e["kind"] != "baseline"]
    if not plain:
        return
    target = data.draw(st.sampled_from(plain))
    now = graded({**document, "entries": plain})["now"]
    mistaken = {**target, "id": "the-mistaken-one"}
    entries = [*(entry for entry in plain if entry is not target), mistaken]
    later = (datetime.fromisoformat(now) + timedelta(hours=1)).isoformat()
    retraction = {"kind": "retraction", "replaces": mistaken["id"], "at": later}
    before = graded({**document, "entries": entries}, now)
    after = graded({**document, "entries": [*entries, retraction]}, now, now)
    assert what_holds(after) == what_holds(before)


def without_prolonged(entries: list[Raw]) -> list[Raw]:
    """The entries without judgements on a prolonged reaction.

    What one of them replaced does not count again: a retraction takes its place, or what replaced
    it in turn.
    """
    gone = {e["id"]: e.get("replaces") for e in entries if e.get("about") == "prolonged_reaction"}

    def kept(replaces: str | None) -> str | None:
        while replaces in gone:
            replaces = gone[replaces]
        return replaces

    left = []
    for entry in entries:
        words = dict(entry)
        if entry["id"] in gone:
            words = {name: entry[name] for name in ("id", "at", "recorded_at") if name in entry}
            words["kind"] = "retraction"
        replaced = kept(entry.get("replaces"))
        if replaced is not None:
            words["replaces"] = replaced
        else:
            words.pop("replaces", None)
        is_last = entry["id"] not in {e.get("replaces") for e in entries}
        if words["kind"] != "retraction" or (replaced is not None and is_last):
            left.append(words)
    return left


def as_format_1(document: Raw) -> Raw:
    """The document without anything that scales other than Lee's alone ask for."""
    plain = without(document, *NEW_KINDS)
    plain = {**plain, "entries": without_prolonged(plain["entries"])}
    new = ("purpose", "due_to")
    entries = [{k: v for k, v in e.items() if k not in new} for e in plain["entries"]]
    policy = {k: v for k, v in document.get("policy", {}).items() if k not in SCALE_PARAMETERS}
    patient = {k: v for k, v in document["patient"].items() if k != "developmental_delay"}
    return {
        **plain,
        "format": "crs-course/1",
        "patient": patient,
        "policy": policy,
        "entries": entries,
    }


def a_correction_to_another_question() -> Raw:
    """A judgement that was typed for the wrong question, and corrected to one of other scales."""
    at = "2024-03-01T06:00:00+00:00"
    judgement = {"kind": "judgement", "at": at}
    return {
        "format": "crs-course/2",
        "patient": {"mrn": "0001", "name": "Random Patient", "sex": "unknown", "age_years": 40},
        "therapy": {"product": "CAR-T", "infused_at": at},
        "entries": [
            {"kind": "vitals", "at": at, "temperature_c": "38.0"},
            {**judgement, "id": "first", "about": "life_threatening", "present": True},
            {**judgement, "replaces": "first", "about": "prolonged_reaction", "present": False},
        ],
    }


@scale_laws
@given(scale_courses())
@example(a_correction_to_another_question())
def test_lees_answer_is_the_same_with_and_without_what_other_scales_ask(document: Raw) -> None:
    document = with_ids(document)
    whole = graded(document)
    alone = result_json(json.dumps(document))
    assert {name: value for name, value in whole.items() if name in alone} == alone
    plain = as_format_1(document)
    now = datetime.fromisoformat(whole["now"])
    as_before = result_json(json.dumps(plain), now)
    assert as_before == {
        **alone,
        "policy": {k: v for k, v in alone["policy"].items() if k not in SCALE_PARAMETERS},
        "warnings": as_before["warnings"],
    }


@scale_laws
@given(scale_courses())
def test_icans_depends_on_no_vital_sign(document: Raw) -> None:
    document = with_ids(document)
    whole = graded(document)
    bare = graded(without(document, "vitals"), whole["now"])
    assert what_holds(bare, "icans-2019") == what_holds(whole, "icans-2019")


@scale_laws
@given(scale_courses())
def test_no_crs_scale_depends_on_ice_consciousness_seizures_or_signs_of_the_nerves(
    document: Raw,
) -> None:
    document = with_ids(document)
    whole = graded(document)
    kinds = ("ice", "capd", "consciousness", "seizure", "neuro_sign")
    bare = graded({**without(document, *kinds), **FORMAT_2}, whole["now"])
    assert what_holds(bare, *CRS_KEYS) == what_holds(whole, *CRS_KEYS)
    assert bare["periods"] == whole["periods"]
