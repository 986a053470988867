"""Every rule of filing as a case: messages of one system through ``to-course``, as FHIR text."""

from __future__ import annotations

from pathlib import Path

import pytest

from patients.exchange.__main__ import main
from patients.exchange.formats.exact_json import write_json
from tests.patients.exchange.message_cases import (
    Case,
    bundles_of,
    context_of,
    read_cases,
    shown_held,
    shown_in_force,
    shown_remarks,
)

NOW = "2026-03-02T18:00:00+00:00"


@pytest.mark.parametrize("case", list(read_cases()), ids=lambda case: case.name)
def test_messages_become_what_the_case_states(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = tmp_path / "context.json"
    context.write_text(write_json(context_of(case)))
    files = []
    for number, bundle in enumerate(bundles_of(case)):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(bundle)
    status = main(["to-course", "--context", str(context), "--now", NOW, *map(str, files)])
    answer, errors = capsys.readouterr()
    assert errors == ""
    found = (shown_in_force(answer), shown_held(answer), shown_remarks(answer))
    assert found == (case.in_force, case.held, case.remarks)
    assert status == (1 if case.held else 0)
