"""The sentences of other scales, each as it stands in ``scale_sentences.md``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grading.engine.scale import Scale
from grading.engine.scale_sentences import render_finding
from grading.scales import BY_KEY, SCALES
from tests.grading.scale_case_tables import scale_course, scale_entries, table
from tests.grading.test_cases import instant
from tests.grading.test_scale_list import chart_at

FILE = Path(__file__).with_name("scale_sentences.md")
COLUMNS = ["given", "charted", "then", "look at", "scale", "code", "shown", "reason"]
LINES = FILE.read_text(encoding="utf-8").splitlines()
ROWS = table([line for line in LINES if line.startswith("|")], COLUMNS, [])


def sentences(row: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Code, sentence and reason of everything that is found in the course of a row."""
    entries = [
        *scale_entries(row["charted"], instant("10:00")),
        *scale_entries(row["then"], instant("11:00")),
    ]
    chart = chart_at(scale_course(row["given"]) | {"entries": entries}, instant(row["look at"]))
    scale = BY_KEY[row["scale"]]
    assessed = scale.assess(chart)
    for criterion in scale.criteria(chart, (*assessed.met, *assessed.withheld)):
        rule = scale.by_code.get(criterion.code)
        reason = "" if rule is None else rule.phrase_in(chart)
        yield criterion.code, criterion.explanation, reason
    for unknown in scale.unknowns(chart, assessed):
        yield unknown.code, unknown.why, ""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['scale']} {row['code']}")
def test_a_finding_is_said_as_the_table_says(row: dict[str, str]) -> None:
    assert (row["code"], row["shown"], row["reason"]) in list(sentences(row))


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.key)
def test_the_table_has_a_sentence_for_every_code(scale: Scale) -> None:
    written = {row["code"] for row in ROWS if row["scale"] == scale.key}
    shared = ("hypotension.", "life_threatening", "oxygen.fio2")
    codes = {*scale.by_code, *(doubt.code for doubt in scale.doubts)}
    assert {code for code in codes - written if not code.startswith(shared)} == set()


def test_a_sentence_that_no_finding_has_is_refused() -> None:
    with pytest.raises(KeyError):
        render_finding("no.such_sentence", {})
