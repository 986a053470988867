"""Lee's answers stay what they were before other scales were added, byte for byte.

The hashes were computed by the code of that time. Where an answer changes on purpose, or a worked
case is added, replace the hash of its name by the one that the failing test shows, and say in the
commit why the answer is another one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from random import Random
from typing import Any

import pytest

from grading.course_result import result_json
from tests.grading.random_courses import random_course, random_times
from tests.grading.test_cases import ALL_CASES
from tests.grading.test_sentences import documents_of_cases

RANDOM_COURSES = range(300)
HASHES = {
    "attribution_and_death": "9162eb5af3ba4eceb253688b90fa0585ff9dc20cd79c325deea71689c83424f2",
    "clock": "21281faa1525ff25e8411170e75b2180d106b8f38ebe076e939b8d20d852d33f",
    "ctcae_boundaries": "f295d6fdf09e66b07e7324a5cd149b95adf6835bd11639aaa3a543c1aabb13af",
    "hypotension": "cbf1a6fb38cdbe4c925ac2c8671d8e5d15672d62eae93aab571eee80484745cf",
    "organ_toxicity": "f1a6e840e91c22e6964fcf5dc6aeda1cfe6bb778b5fb3aed40d86ef985fcd34f",
    "oxygen": "fd00a5e2a986ff60fea4a4ff9772b774ce3b9991687a384652cb8647861433e7",
    "published": "618315907bd46e74b6ae9aac5918cc67703fd1d7402562475554d3647d1512d4",
    "units": "2921bfcd0717f99736049e312ede75e925effb76db05944f6a860e44c5ab62ff",
    "vasopressors": "eeea76b3b1570c5ff079eda79963d38918f5db94b7d63eb69f5398941277e6f7",
    "random courses": "a10431ce2af0f066397ec55fdf11cac1192c9d7ac9d1949a224f820434b95434",
}

Asked = tuple[Any, str | None, str | None]


def asked() -> Iterator[tuple[str, list[Asked]]]:
    """Every course with the ``now`` and ``known_at`` that are asked, by the name of its hash."""
    for name, cases in groupby(ALL_CASES, key=lambda case: case.place.partition(":")[0]):
        yield name, [(one, None, None) for case in cases for one in documents_of_cases(case)]
    courses = []
    for seed in RANDOM_COURSES:
        rng = Random(seed)  # noqa: S311 - not for secrets
        document = random_course(rng)
        courses.append((document, *random_times(rng, document)))
    yield "random courses", courses


def hash_of(courses: list[Asked]) -> str:
    answers = sha256()
    for document, *times in courses:
        moments = [None if text is None else datetime.fromisoformat(text) for text in times]
        answers.update(json.dumps(result_json(document, *moments)).encode() + b"\n")
    return answers.hexdigest()


@pytest.mark.parametrize(("name", "courses"), [pytest.param(*one, id=one[0]) for one in asked()])
def test_lees_answers_are_byte_for_byte_what_they_were(name: str, courses: list[Asked]) -> None:
    assert hash_of(courses) == HASHES[name]
