"""The safety file names controls that exist, and its generated pages are current."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from grading.engine.policy import Policy
from safety.components import PURPOSES, NoPurposeError, components_text, former_text
from safety.hazards import (
    ACCEPTED,
    BEARABLE,
    CONSTRAINT,
    FOLDER,
    POLICY,
    SETTING,
    TEST,
    HazardFileError,
    read_hazard,
    read_hazards,
)
from safety.matrix import matrix_text
from safety.node_ids import node_ids

HAZARDS = read_hazards()
NAMED = {
    kind: sorted(
        {one.name for hazard in HAZARDS for one in hazard.references() if one.kind == kind}
    )
    for kind in (TEST, SETTING, POLICY, CONSTRAINT)
}
CURRENT = "make safety"


def test_there_are_enough_hazards_and_each_has_one_number() -> None:
    numbers = [hazard.id for hazard in HAZARDS]
    assert numbers == [f"H-{number:02}" for number in range(1, len(HAZARDS) + 1)]
    assert len(HAZARDS) >= 30
    assert all(hazard.path.name.startswith(f"{hazard.id}-") for hazard in HAZARDS)


def test_each_hazard_has_a_control_that_is_a_test() -> None:
    without = [h.id for h in HAZARDS if all(one.kind != TEST for one in h.references())]
    assert without == []


def test_each_test_that_is_named_exists() -> None:
    gone = [
        name
        for file, names in groupby(NAMED[TEST], key=lambda name: name.partition("::")[0])
        for name in sorted(set(names) - node_ids(file))
    ]
    assert gone == []


def test_each_setting_that_is_named_is_read_and_documented() -> None:
    root = Path(settings.BASE_DIR)
    read = "".join(path.read_text("utf-8") for path in (root / "crs_app").glob("*.py"))
    listed = (root / "docs" / "settings.md").read_text("utf-8")
    gone = [name for name in NAMED[SETTING] if f'"{name}"' not in read or f"`{name}`" not in listed]
    assert gone == []


def test_each_policy_parameter_that_is_named_exists() -> None:
    assert set(NAMED[POLICY]) <= set(Policy().values())


def test_each_constraint_that_is_named_is_in_the_database(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint UNION SELECT tgname FROM pg_trigger"
            " UNION SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indisunique"
        )
        existing = {name for (name,) in cursor.fetchall()}
    assert [name for name in NAMED[CONSTRAINT] if name not in existing] == []


def test_no_residual_risk_is_above_what_the_scales_allow() -> None:
    for hazard in HAZARDS:
        assert hazard.residual.value <= min(hazard.before.value, BEARABLE), hazard.id
        if hazard.residual.value > ACCEPTED:
            assert "Residual risk above 6:" in hazard.residual_text, hazard.id


def test_the_matrix_is_current() -> None:
    assert (FOLDER / "matrix.md").read_text("utf-8") == matrix_text(HAZARDS), CURRENT


def test_the_components_are_current() -> None:
    assert former_text() == components_text(former_text()), CURRENT


def test_a_licence_of_what_is_not_installed_here_is_kept() -> None:
    former = "| colorama | 0.4.5 | BSD-3-Clause | colours |\n"
    assert "| colorama | 0.4.6 | BSD-3-Clause |" in components_text(former)


def test_a_component_without_a_purpose_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shorter = tmp_path / "purposes.toml"
    text = PURPOSES.read_text("utf-8")
    shorter.write_text("".join(x for x in text.splitlines(True) if not x.startswith("django =")))
    monkeypatch.setattr("safety.components.PURPOSES", shorter)
    with pytest.raises(NoPurposeError, match="django is for"):
        components_text("")


GOOD = HAZARDS[0].path.read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("id: ", "number: ", "expected the keys"),
        ("severity: 4", "severity: 6", "from 1 to 5"),
        ("## Effect", "## Harm", "expected the headings"),
        ("  - test `", "  - guess `", "expected a control"),
        ("- Each drug has", "- Nothing.\n- Each drug has", "a control must name"),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    path = tmp_path / "H-01-wrong.md"
    path.write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(HazardFileError, match=rf"H-01-wrong.md: .*{fault}"):
        read_hazard(path)


@pytest.mark.parametrize("heading", ["Cause", "Effect", "Residual risk"])
def test_a_heading_with_nothing_below_it_is_named(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "H-01-empty.md"
    path.write_text(re.sub(rf"(## {heading}\n\n)[^#]+", r"\1", GOOD), "utf-8")
    with pytest.raises(HazardFileError, match="expected text under each heading"):
        read_hazard(path)


def test_a_test_that_is_gone_is_not_found() -> None:
    here = "tests/project/test_safety_file.py"
    assert f"{here}::test_a_test_that_is_gone_is_not_found" in node_ids(here)
    assert f"{here}::test_that_never_was" not in node_ids(here)
    assert node_ids("tests/project/test_no_such_file.py") == frozenset()
    assert "tests/journeys/test_clocks.py::TestTwoMachines::test_a_correction_is_saved" in node_ids(
        "tests/journeys/test_clocks.py"
    )
