"""The courses that are graded again at every change: demonstration, worked and generated ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.grading.random_courses import random_course
from tests.grading.test_cases import ALL_CASES, DEMO
from tests.grading.test_sentences import documents_of_cases

SEEDS: Final = range(500)
BASE_DIR: Final = Path(__file__).parents[1]
REAL_COURSES: Final = BASE_DIR.parent / "shared" / "data"
"""Where recorded courses lie beside a checkout; the repository holds none of them."""

Named = tuple[str, dict[str, Any]]


def known_courses() -> Iterator[Named]:
    """Yield the demonstration courses, the worked cases and 500 generated courses, with names."""
    for path in sorted(DEMO.glob("*.json")):
        yield f"demo {path.stem}", json.loads(path.read_text("utf-8"))
    for case in ALL_CASES:
        documents = list(documents_of_cases(case))
        name = f"{case.place.partition(':')[0]}: {case.heading}"
        for row, document in enumerate(documents, start=1):
            yield name + (f", row {row}" if len(documents) > 1 else ""), document
    for seed in SEEDS:
        yield f"seed {seed}", random_course(Random(seed))  # noqa: S311 - not for secrets


def recorded_courses(folder: Path) -> Iterator[Named]:
    """Yield the courses of ``folder`` and the folders in it.

    Read are ``*.json`` and ``*.jsonl``, ``.gz`` too; what is no course file is passed over.
    """
    for path in sorted(folder.rglob("*.json*")):
        name, place = path.name.removesuffix(".gz"), path.relative_to(folder)
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            documents = lines if name.endswith(".jsonl") else [lines.read()]
            for number, text in enumerate(documents, start=1):
                document = json.loads(text)
                if isinstance(document, dict) and "therapy" in document:
                    yield f"{place} {number}", document
