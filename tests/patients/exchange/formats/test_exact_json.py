"""JSON with exact numbers: what is read, what is refused, and that it is written back as it was."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.exchange.formats.exact_json import (
    LARGEST_BYTES,
    Exact,
    NotJsonError,
    exact,
    read_json,
    write_json,
)


def test_a_number_stays_as_it_was_written() -> None:
    text = '{"a": 38.20, "b": 39.999999999999999999, "c": [1.2E+2, -0, 7], "d": "38.2"}'
    tree = read_json(text)
    assert tree["a"] == "38.20"
    assert isinstance(tree["a"], Exact)
    assert not isinstance(tree["d"], Exact)
    assert write_json(tree) == text.replace("1.2E+2", "120")


def nested(depth: int) -> list[Any]:
    """Return an empty list inside as many lists less one."""
    found: list[Any] = []
    for _ in range(depth - 1):
        found = [found]
    return found


REFUSED = [
    (b"", "line 1"),
    (b"{", "line 1"),
    (b"\xff{}", "UTF-8"),
    ("{}".encode("utf-16"), "UTF-8"),
    (b'{"a": 1, "b": {"c": 1, "c": 2}}', 'key "c" stands twice'),
    (b'{"status": "final", "status": "entered-in-error"}', "stands twice"),
    (b"[NaN]", "NaN"),
    (b"[Infinity]", "Infinity"),
    (b"[-Infinity]", "Infinity"),
    (b"[1e999]", "60 digits"),
    (b"[1e-61]", "60 digits"),
    (b"[1e99999999999999999999]", "too large"),
    (b"[" + b"9" * 61 + b"]", "60 digits"),
    (b"[" * 61 + b"]" * 61, "60 levels"),
    (b'{"a":' * 100_000, "60 levels"),
    (b'["\\ud800"]', "half"),
    (b'{"\\udfff": 1}', "half"),
    (b'["' + b"x" * LARGEST_BYTES + b'"]', "bytes"),
]


@pytest.mark.parametrize(("document", "why"), REFUSED)
def test_what_is_no_document_is_refused_with_the_reason(document: bytes, why: str) -> None:
    with pytest.raises(NotJsonError, match=why):
        read_json(document)


ACCEPTED = [
    (b"[" * 60 + b"]" * 60, nested(60)),
    (b"[" + b"9" * 60 + b"]", [Exact("9" * 60)]),
    (b"[0." + b"9" * 60 + b"]", [Exact("0." + "9" * 60)]),
    (b'["' + b"[" * 100 + b'\\"{{{"]', ["[" * 100 + '"{{{']),
    (b'\xef\xbb\xbf{"a": 1}', {"a": Exact("1")}),
    (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
]


@pytest.mark.parametrize(("document", "value"), ACCEPTED)
def test_what_lies_just_within_the_bounds_is_read(document: bytes, value: Any) -> None:
    assert read_json(document) == value


def test_an_endless_row_of_quotes_takes_no_longer_than_its_length() -> None:
    with pytest.raises(NotJsonError):
        read_json(b'"\\"' * 300_000)


NUMBERS = [
    ("+5", "5"),
    (".5", "0.5"),
    ("5.", "5"),
    ("1E+2", "100"),
    ("38.20", "38.20"),
    ("-0", "-0"),
]


@pytest.mark.parametrize(("number", "written"), NUMBERS)
def test_a_number_of_a_chart_is_written_as_json_has_it(number: str, written: str) -> None:
    assert write_json([exact(number)]) == f"[{written}]"


def test_a_float_is_never_written() -> None:
    with pytest.raises(TypeError, match="float"):
        write_json({"value": 38.2})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON, st.sampled_from([None, 0, 1, 2]))
def test_what_is_written_is_the_json_of_the_standard_library(tree: object, indent: int) -> None:
    assert json.loads(write_json(tree, indent)) == tree


@given(st.binary(max_size=60))
def test_no_bytes_end_in_anything_but_a_document_or_a_refusal(document: bytes) -> None:
    with contextlib.suppress(NotJsonError):
        read_json(document)
