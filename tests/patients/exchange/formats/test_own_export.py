"""What is taken from the entry that our own export sends with a coded value, and what is held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from patients.exchange.formats.received import (
    Content,
    Held,
    Infusion,
    OxygenPart,
    Signs,
    WholeEntry,
)
from tests.patients.exchange.formats.statements_sent import (
    NOON,
    context,
    converted,
    received,
)

AT = NOON.isoformat()
HALF_PAST = (NOON + timedelta(minutes=30)).isoformat()
NE = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
LAB = {"analyte": "creatinine", "value": "1.2", "unit": "mg/dL"}
ODD = {**LAB, "upper_limit": "106"}
"""With a limit of normal that is unusual, about which a person was asked before."""


def whole(kind: str, **fields: Any) -> WholeEntry:
    return WholeEntry(kind, fields, kind)


def entry(kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": "e7", "kind": kind, "at": AT, "recorded_at": HALF_PAST, **fields}


AGREEING: list[tuple[Content, dict[str, Any], dict[str, Any]]] = [
    (
        Signs({"heart_rate": "88.0"}),
        entry("vitals", heart_rate="88", note="asleep"),
        {"note": "asleep"},
    ),
    (Signs({"temperature_c": "38"}), entry("vitals", temperature_f="100.4", heart_rate="88"), {}),
    (
        OxygenPart("nasal_cannula", fio2_percent="35"),
        entry("oxygen", device="nasal_cannula", fio2_percent="0.35", purpose="airway_protection"),
        {"purpose": "airway_protection"},
    ),
    (
        Infusion({**NE}, None),
        entry("vasopressor", **NE, note="via left arm"),
        {"note": "via left arm"},
    ),
    (whole("lab", **LAB), entry("lab", **LAB), {}),
    (whole("lab", **ODD), entry("lab", **ODD), {}),
    (whole("death"), entry("death", due_to=["crs"]), {"due_to": ["crs"]}),
]
CONTRADICTING: list[tuple[Content, dict[str, Any]]] = [
    (Signs({"heart_rate": "90"}), entry("vitals", heart_rate="88")),
    (Signs({"heart_rate": "88"}), entry("vitals", temperature_c="38")),
    (Signs({"heart_rate": "88"}), entry("vitals", heart_rate="88", at=HALF_PAST)),
    (Signs({"heart_rate": "88"}), entry("vitals", heart_rate="88", attribution="other")),
    (Signs({"heart_rate": "88"}), entry("weight", weight_kg="88")),
    (Signs({"heart_rate": "88"}), entry("vitals", heart_rate="fast")),
    (OxygenPart("nasal_cannula"), entry("oxygen", device="nasal_cannula", fio2_percent="40")),
    (OxygenPart("nasal_cannula", "2"), entry("oxygen", device="nasal_cannula", flow_l_per_min="4")),
    (Infusion({**NE}, None), entry("vasopressor", **{**NE, "rate": "50"})),
    (Infusion({**NE}, None), entry("vasopressor", **{**NE, "rate": None})),
    (Infusion({**NE, "rate": None}, None), entry("vasopressor", **NE)),
    (Infusion({**NE, "rate": None}, None), entry("vasopressor", **{**NE, "rate": "0"})),
    (
        Infusion({**NE}, NOON + timedelta(minutes=60), stop_entry=entry("vasopressor", **NE)),
        entry("vasopressor", **NE),
    ),
    (whole("lab", **LAB), entry("lab", **{**LAB, "value": "2.1"})),
    (whole("lab", **LAB), entry("lab", **LAB, upper_limit="1.1")),
    (whole("lab", **LAB, comparator=">"), entry("lab", **LAB)),
    (whole("baseline", systolic_mmhg="126"), entry("baseline", systolic_mmhg="116")),
    (whole("risk", older_age=True), entry("risk", older_age=False)),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words", "taken"), AGREEING)
def test_an_entry_that_agrees_gives_what_no_code_says(
    content: Content, words: Mapping[str, Any], taken: dict[str, Any]
) -> None:
    found = converted(context(), received(content, entry=words))
    assert found.held == ()
    (charted,) = found.entries
    assert charted["id"] != "e7"
    assert charted["recorded_at"] != HALF_PAST
    own = {name: charted[name] for name in ("note", "purpose", "due_to") if name in charted}
    assert own == taken


@pytest.mark.parametrize(("content", "words"), CONTRADICTING)
def test_an_entry_that_contradicts_the_coded_value_is_held_and_neither_is_charted(
    content: Content, words: Mapping[str, Any]
) -> None:
    found = converted(context(), received(content, entry=words))
    assert found.entries == ()
    assert [item.reason for item in found.held] == ["entry.contradiction"]


def test_a_null_rate_that_the_entry_has_too_is_meant() -> None:
    missing = Held("rate.missing", "entry[a].resource.dosage")
    rate = {"drug": "norepinephrine", "rate": None}
    sent = received(Infusion(rate, None), details=(missing,), entry=entry("vasopressor", **rate))
    found = converted(context(), sent)
    assert found.held == ()
    assert found.entries[0]["rate"] is None


def test_the_words_of_a_stop_come_back() -> None:
    end = NOON + timedelta(minutes=60)
    stop = entry("vasopressor", **{**NE, "rate": "0"}, at=end.isoformat(), note="weaned")
    found = converted(context(), received(Infusion({**NE}, end, stop_entry=stop)))
    assert [(one["rate"], one.get("note")) for one in found.entries] == [
        ("5", None),
        ("0", "weaned"),
    ]


def test_baseline_and_risk_that_were_one_entry_are_one_again() -> None:
    measured_at = (NOON - timedelta(days=9)).isoformat()
    baseline = entry(
        "baseline", systolic_mmhg="126", diastolic_mmhg="74", measured_at=measured_at, note="clinic"
    )
    risk = entry("risk", older_age=True, chronic_corticosteroids=False) | {"id": "e8"}
    days = -9 * 24 * 3600
    found = converted(
        context(),
        received(whole("baseline", systolic_mmhg="126"), "a", seconds=days, entry=baseline),
        received(whole("baseline", diastolic_mmhg="74"), "b", seconds=days, entry=baseline),
        received(whole("risk", older_age=True), "c", entry=risk),
        received(whole("risk", chronic_corticosteroids=False), "d", entry=risk),
    )
    assert found.held == ()
    of_baseline, of_risk = sorted(found.entries, key=lambda one: one["kind"])
    assert (of_baseline["systolic_mmhg"], of_baseline["diastolic_mmhg"]) == ("126", "74")
    assert (of_baseline["at"], of_baseline["measured_at"]) == (AT, measured_at)
    assert (of_risk["older_age"], of_risk["chronic_corticosteroids"]) == (True, False)


def test_baseline_without_its_entry_is_an_entry_each() -> None:
    found = converted(
        context(),
        received(whole("baseline", systolic_mmhg="126", measured_at=AT), "a"),
        received(whole("baseline", diastolic_mmhg="74", measured_at=AT), "b"),
    )
    assert [one["kind"] for one in found.entries] == ["baseline", "baseline"]
