"""Notes, and reasons for not observing: kept, and as if never written for every grade."""

from datetime import timedelta
from typing import Any

import pytest

from grading.course_file import read_course
from grading.engine.entry_json import from_words, to_words
from grading.service import regrade, status_at
from tests.grading.test_course_file import AT, course

FEVER = {"kind": "vitals", "temperature_c": "39.1"}
REMARKS: list[dict[str, Any]] = [
    {"kind": "note", "note": "Seen by the fellow"},
    {"kind": "not_observed", "what": "vital_signs", "reason": "asleep"},
    {"kind": "not_observed", "what": "vital_signs", "reason": "other", "note": "no cuff"},
]


@pytest.mark.parametrize("remark", REMARKS, ids=lambda remark: remark["kind"])
def test_a_remark_changes_no_grade_and_leaves_what_is_stale_stale(remark: dict[str, Any]) -> None:
    """Fever at 10:00, a remark five hours later: the temperature is as old as it was."""
    before = read_course(course(FEVER))
    later = (before.entries[0].at + timedelta(hours=5)).isoformat()
    after = read_course(course(FEVER, {**remark, "at": later}))
    now = before.entries[0].at + timedelta(hours=6)
    graded, status = status_at(before.facts, before.entries, now)
    remarked, status_then = status_at(after.facts, after.entries, now)
    assert remarked.periods == graded.periods
    assert status_then.stale == status.stale == {"temperature_c"}
    assert status_then.latest.keys() == status.latest.keys()


@pytest.mark.parametrize("remark", REMARKS, ids=lambda remark: remark["kind"])
def test_a_remark_before_the_infusion_or_after_a_death_is_kept(remark: dict[str, Any]) -> None:
    prior = {**remark, "at": "2013-12-31T10:00:00+00:00"}
    late = {**remark, "at": "2014-01-07T10:00:00+00:00"}
    document = read_course(course(prior, {"kind": "death", "at": AT}, late))
    assert regrade(document.facts, document.entries).periods[-1].grade == 5
    assert [from_words(to_words(entry)) for entry in document.entries] == list(document.entries)
