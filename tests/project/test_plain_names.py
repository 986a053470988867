"""Names and comments of the code avoid words that do not name a value."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

PACKAGES = ("crs_app", "grading", "patients")
NOT_A_NAME = frozenset({"said", "told", "beside", "given"})
"""Words that name no value: each value has a noun of its own."""
VAGUE = re.compile(r"\b(said|told|beside|given|held)\b", re.IGNORECASE)
VAGUE_AT_MOST = 60
TERMS = {"patients/exchange": re.compile(r"\bheld\b", re.IGNORECASE)}
"""Words that name a thing in one room, by docs/glossary.md: a held item is not charted."""


def modules() -> list[Path]:
    """Every module of the code, migrations apart: those are never changed."""
    found = [
        path
        for package in PACKAGES
        for path in (Path(settings.BASE_DIR) / package).rglob("*.py")
        if "migrations" not in path.parts
    ]
    assert len(found) > 100
    return sorted(found)


def _name(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Each name that a module binds, as a variable, argument, field, function, class or import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.alias):
            yield node.asname or node.name, 0


def prose(source: str) -> Iterator[str]:
    """The comments and docstrings of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        # A string that stands alone documents what is above it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _without_terms(path: Path, text: str) -> str:
    for room, term in TERMS.items():
        if _name(path).startswith(f"{room}/") or _name(path) == "patients/models/exchange.py":
            text = term.sub("", text)
    return text


@pytest.mark.parametrize("path", modules(), ids=_name)
def test_a_value_is_named_by_a_noun(path: Path) -> None:
    bound = bound_names(ast.parse(path.read_text()))
    assert [(name, line) for name, line in bound if name in NOT_A_NAME] == []


def test_comments_and_docstrings_use_plain_words() -> None:
    found: Counter[str] = Counter()
    for path in modules():
        for text in prose(path.read_text()):
            found[_name(path)] += len(VAGUE.findall(_without_terms(path, text)))
    assert found.total() <= VAGUE_AT_MOST, found.most_common(20)


def test_the_check_sees_each_kind_of_name() -> None:
    source = (
        "import a as said\ngiven: int = 1\n"
        "def told(beside): pass\nfor self.given in (): pass\n# held\n'''Told.'''\n"
    )
    names = [name for name, _ in bound_names(ast.parse(source))]
    assert {"said", "given", "told", "beside"} <= set(names)
    assert names.count("given") == 2
    assert sum(len(VAGUE.findall(text)) for text in prose(source)) == 2
