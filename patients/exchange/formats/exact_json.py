"""JSON whose numbers stay as they were written, read from strangers and written back.

``19.95000000000000001`` read through a binary float is 19.95, and an FiO2 of
39.999999999999999999 % would be 40 and another grade. A number is therefore text of its own type:
as plain ``str`` the number 38.2 and the string "38.2", which FHIR forbids, would look alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from grading.engine.units import MAX_DIGITS

LARGEST_BYTES: Final = 5_000_000
DEEPEST: Final = 60
_LONGEST_KEY: Final = 60


class Exact(str):
    """A JSON number, as the text that writes it."""

    __slots__ = ()


class NotJsonError(ValueError):
    """The text is no JSON document of the kind that is read here; the message says why."""


def exact(number: str | Decimal) -> Exact:
    """Return a number to write: its own text where JSON can have it, else without exponent or +."""
    text = str(number)
    return Exact(text if _JSON_NUMBER.fullmatch(text) else f"{Decimal(text):f}")


def read_json(document: bytes | str) -> Any:
    """Return a JSON document with every number as ``Exact``.

    Raises NotJsonError for what is not UTF-8 or not JSON, a key twice in one object, a number that
    is not finite or has over 60 digits, more than 60 levels, half of a character, or over 5 MB.
    """
    text = _text(document)
    _check_depth(text)
    try:
        tree = json.loads(
            text, parse_float=_number, parse_int=_number, parse_constant=_no_constant,
            object_pairs_hook=_object,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        raise NotJsonError(f"line {error.lineno}: {error.msg}") from None
    if _HALF_CHARACTER.search(text) and any(_has_half(found) for found in _strings(tree)):
        raise NotJsonError("a text in it has half of a character")
    return tree


def _text(document: bytes | str) -> str:
    size = (
        len(document) if isinstance(document, bytes) else len(document.encode("utf-8", "replace"))
    )
    if size > LARGEST_BYTES:
        raise NotJsonError(f"it has over {LARGEST_BYTES} bytes")
    if isinstance(document, str):
        return document.removeprefix("\ufeff")
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotJsonError("it is not UTF-8") from None


_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_HALF_CHARACTER: Final = re.compile(r"\\u[dD][89a-fA-F]")
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def _check_depth(text: str) -> None:
    """Count brackets before anything is parsed: a parser calls itself at each."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                raise NotJsonError(f"it is over {DEEPEST} levels deep")
        elif found[0] in "]}":
            depth -= 1


def _number(text: str) -> Exact:
    try:
        _, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        raise NotJsonError("a number in it is too large") from None
    places = int(exponent)
    written = len(digits) + places if places >= 0 else max(len(digits), -places)
    if written > MAX_DIGITS:
        raise NotJsonError(f"a number in it has over {MAX_DIGITS} digits")
    return Exact(text)


def _no_constant(word: str) -> Any:
    raise NotJsonError(f"{word} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    words = dict(pairs)
    if len(words) == len(pairs):
        return words
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise NotJsonError(f"the key {json.dumps(key[:_LONGEST_KEY])} stands twice")
        seen.add(key)
    return words


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield key
            yield from _strings(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from _strings(item)


def _has_half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def write_json(tree: Any, indent: int | None = None) -> str:
    """Return ``tree`` as JSON in its own order, each ``Exact`` as the number that it writes.

    ``indent`` blanks a level; None: in one line. Raises TypeError for a float, which is no exact
    number, and for what JSON has no form for.
    """
    return "".join(_written(tree, indent, "\n" if indent is not None else ""))


def _written(tree: Any, indent: int | None, line: str) -> Iterator[str]:
    if isinstance(tree, Exact):
        yield exact(tree)
    elif isinstance(tree, Mapping):
        pairs = ((f"{json.dumps(key, ensure_ascii=False)}: ", item) for key, item in tree.items())
        yield from _bracketed("{}", pairs, indent, line)
    elif isinstance(tree, list | tuple):
        yield from _bracketed("[]", (("", item) for item in tree), indent, line)
    elif tree is None or isinstance(tree, str | bool | int):
        yield json.dumps(tree, ensure_ascii=False)
    else:
        raise TypeError(f"{type(tree).__name__} cannot be written exactly")


def _bracketed(
    brackets: str, items: Iterator[tuple[str, Any]], indent: int | None, line: str
) -> Iterator[str]:
    inner = line + " " * (indent or 0)
    separator = ""
    yield brackets[0]
    for prefix, item in items:
        yield separator + inner + prefix
        yield from _written(item, indent, inner)
        separator = "," if indent is not None else ", "
    yield (line if separator else "") + brackets[1]
