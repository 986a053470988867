"""The sentences of pages, forms and scripts use today's words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOTS = (
    "templates",
    "static/crs",
    "patients",
    "crs_app",
    "grading",
)
OLD_WORDS = re.compile(
    r"\b(anew|told|mend(s|ed)?|found out|(taken|takes?|took) (it |them )?back|taken up again"
    r"|backwards|ascribed|meanwhile|still so|something broke"
    r"|give (the|an?) (name|sex|mrn|time|date|year|age|reason|birth date|earlier time))\b",
    re.IGNORECASE,
)
COMMENT_OF_TEMPLATE = re.compile(r"\{#.*?#\}", re.DOTALL)
COMMENT_OF_SCRIPT = re.compile(r"^\s*//[^\n]*$|/\*.*?\*/", re.MULTILINE | re.DOTALL)


def files() -> Iterator[Path]:
    for root in ROOTS:
        path = Path(settings.BASE_DIR) / root
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        texts = [
            each
            for each in found
            if each.suffix in {".html", ".js", ".py"} and "migrations" not in each.parts
        ]
        assert texts, root
        yield from texts


def sentences(path: Path) -> Iterator[str]:
    """What a user can read of a file: no comment, no docstring, no name."""
    text = path.read_text()
    if path.suffix == ".html":
        yield COMMENT_OF_TEMPLATE.sub("", text)
    elif path.suffix == ".js":
        yield COMMENT_OF_SCRIPT.sub("", text)
    else:
        tree = ast.parse(text)
        alone = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in alone:
                yield node.value  # type: ignore[attr-defined, misc]


@pytest.mark.parametrize("path", list(files()), ids=lambda p: str(p.relative_to(settings.BASE_DIR)))
def test_a_page_speaks_plainly(path: Path) -> None:
    assert [found[0] for text in sentences(path) for found in OLD_WORDS.finditer(text)] == []


def test_the_check_reads_what_users_read(tmp_path: Path) -> None:
    samples = {
        "a.html": "{# told #}<p>Open it anew</p>",
        "a.js": "// told\nsay('Open it anew'); /* told */",
        "a.py": '"""Told."""\nsay("Open it anew")  # told\n',
    }
    for name, text in samples.items():
        (tmp_path / name).write_text(text)
        found = [
            word[0] for each in sentences(tmp_path / name) for word in OLD_WORDS.finditer(each)
        ]
        assert found == ["anew"], name
