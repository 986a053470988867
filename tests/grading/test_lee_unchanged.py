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
    "clock": "1ab14093c2c190e4339f8acbf7f282d2bf0574e51de292c4c74cb754bd81d23a",
    "ctcae_boundaries": "fe33bc2e124e98f544d68a45a563736339afbce3c25d28f3a9ff6f160495775e",
    "hypotension": "2528344f4c5bc5006c227dea73e52b616d5dbb2347ce49e837261143d2714f17",
    "organ_toxicity": "cdc9554658fb6742c4ea16119671d0e60f56570b06bbe6c9c56e9032c2bb08e2",
    "oxygen": "6763a6e5ade5de673ba59df81bfce0c94abaa8acea5325d09a63f6a7441a700a",
    "published": "618315907bd46e74b6ae9aac5918cc67703fd1d7402562475554d3647d1512d4",
    "units": "edcedfaa72a381d2eb291fbdbc29dcbd481b4c6145c8e54fa7f61b7cd52aa8b3",
    "vasopressors": "eeea76b3b1570c5ff079eda79963d38918f5db94b7d63eb69f5398941277e6f7",
    "random courses": "41b3866b062ec0352acedd8f0452b62d1dd30614e4e10a1617f6b45dafa43fcd",
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
