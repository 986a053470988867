"""Node ids of the tests, read from their files without running or importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from safety.hazards import BASE_DIR


def node_ids(path: str) -> frozenset[str]:
    """Return the node ids of one file, ``path`` from the root; none where there is no file."""
    file = BASE_DIR / path
    if not file.is_file():
        return frozenset()
    return frozenset(f"{path}::{name}" for name in _names(file))


def _names(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name.startswith("test_"):
                    yield f"{node.name}::{method.name}"
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
