"""Every number that decides a grade is cited, and defined once."""

import ast
from collections import Counter
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path

from grading.engine import evidence
from grading.engine.evidence import SOURCES, Citation, GradedBy, Threshold
from grading.engine.policy import DEFAULT_POLICY, PARAMETERS
from grading.engine.systems.lee_2014 import TABLE_2

ENGINE = Path(evidence.__file__).parent
WITH_NUMBERS = {"evidence.py", "policy.py", "vocabulary.py", "analytes.py", "units.py"}
ARITHMETIC = {0, 1, 2, 3, 4, 5, 60, 100}
"""Counting, indices, CRS grades, minutes in an hour, percent: no clinical threshold."""


def thresholds() -> list[Threshold]:
    found: list[Threshold] = []
    for value in vars(evidence).values():
        if isinstance(value, Threshold):
            found.append(value)
        elif isinstance(value, dict):
            found += [item for item in value.values() if isinstance(item, Threshold)]
    return found


def test_every_threshold_has_a_citation_of_a_known_source() -> None:
    assert len(thresholds()) > 20
    rows = [row for row in evidence.CTCAE_LABORATORY.values() if is_dataclass(row)]
    cited: list[Citation] = [t.citation for t in thresholds()] + [row.citation for row in rows]
    cited += [rule.citation for rule in TABLE_2]
    for citation in cited:
        assert citation.source in SOURCES
        assert citation.place.strip()
        assert citation.place in str(citation)


def test_no_threshold_is_defined_twice() -> None:
    uses = Counter((t.value, t.unit, t.citation) for t in thresholds())
    assert [what for what, times in uses.items() if times > 1] == []


def test_every_laboratory_row_grades_something() -> None:
    for row in evidence.CTCAE_LABORATORY.values():
        assert isinstance(row, GradedBy)
        assert any(getattr(row, item.name) for item in fields(row) if item.name != "citation")


def test_no_clinical_number_hides_in_the_rules() -> None:
    hidden = [
        f"{module.name}:{node.lineno}: {node.value}"
        for module in sorted(ENGINE.rglob("*.py"))
        if module.name not in WITH_NUMBERS
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and node.value not in ARITHMETIC
    ]
    assert hidden == []


def test_no_decimal_is_written_as_text_in_the_rules() -> None:
    for module in sorted(ENGINE.rglob("*.py")):
        if module.name in WITH_NUMBERS:
            continue
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "Decimal",
                "Fraction",
            ):
                texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                assert not [t for t in texts if isinstance(t, str) and t[:1].isdigit()], module.name


def test_every_policy_parameter_has_a_basis_and_a_default_in_its_range() -> None:
    for name, parameter in PARAMETERS.items():
        default = getattr(DEFAULT_POLICY, name)
        assert parameter.basis.strip()
        if parameter.choices:
            assert default in parameter.choices
        else:
            assert parameter.lowest <= Decimal(default) <= parameter.highest


def test_no_policy_number_is_also_a_threshold_of_the_paper() -> None:
    """Table 3's doses and the 40 % are the paper's: no parameter may carry them."""
    assert not {"oxygen_high", "table_3"} & set(PARAMETERS)
    assert evidence.OXYGEN_HIGH.citation.source == "lee-2014"
    assert {t.citation.source for t in evidence.TABLE_3_MONOTHERAPY.values()} == {"lee-2014"}
