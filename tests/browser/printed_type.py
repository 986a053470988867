"""The size of the type in a PDF that Chromium printed, in points on the paper.

What counts is the font size times the matrix of the text times every matrix around it, so a page
that the browser shrank to its paper shows as small type, whatever its style sheet says.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_OBJECT = re.compile(rb"(?m)^(\d+) 0 obj\b")
_HEAD = re.compile(rb"(.*?)(?:\bendobj|\bstream\r?\n)", re.DOTALL)
_MATRIX = re.compile(rb"/Matrix \[([^\]]*)\]")
_LENGTH = re.compile(rb"/Length (\d+)")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_PICTURE = re.compile(rb"/Subtype\s*/Image\b")
_CONTENTS = re.compile(rb"/Contents (\d+) 0 R")
_OPERATORS = frozenset((b"q", b"Q", b"cm", b"BT", b"Tm", b"Tf", b"Tj", b"TJ", b"Do"))
_TOKEN = re.compile(
    rb"\((?:\\.|[^\\()])*\)|<<|>>|<[0-9A-Fa-f\s]*>|\[|\]|/[^\s/<>\[\]()]+|[^\s/<>\[\]()]+"
)

Matrix = tuple[float, float, float, float, float, float]
_SAME: Matrix = (1, 0, 0, 1, 0, 0)


class _Object(NamedTuple):
    head: bytes
    stream: bytes


class Printed(NamedTuple):
    """How many pages a PDF has, and how often each size of type is on them, in points."""

    pages: int
    sizes: Counter[float]

    @property
    def smallest_pt(self) -> float:
        return min(self.sizes)


def printed_type(pdf: bytes) -> Printed:
    """Read every page of a PDF of Chromium."""
    objects = {int(found[1]): _object(pdf, found.end()) for found in _OBJECT.finditer(pdf)}
    pages = [one.head for one in objects.values() if _PAGE.search(one.head)]
    sizes: Counter[float] = Counter()
    for head in pages:
        for number in _CONTENTS.findall(head):
            sizes.update(_sizes(objects, int(number), _SAME))
    return Printed(len(pages), sizes)


def _object(pdf: bytes, place: int) -> _Object:
    found = _HEAD.match(pdf, place)
    length = _LENGTH.search(found[1]) if found else None
    if found is None or length is None:
        return _Object(found[1] if found else b"", b"")
    stream = pdf[found.end() : found.end() + int(length[1])]
    return _Object(found[1], zlib.decompress(stream) if b"/FlateDecode" in found[1] else stream)


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s,
        e * p + f * r + t, e * q + f * s + u,
    )  # fmt: skip


def _sizes(objects: dict[int, _Object], number: int, around: Matrix) -> Iterator[float]:
    head, drawn = objects[number]
    if _PICTURE.search(head):
        return
    if own := _MATRIX.search(head):
        around = _times(_matrix(own[1].split()), around)
    pen = _Pen(around)
    for operator, operands in _operations(drawn):
        if operator in (b"Tj", b"TJ"):
            _, _, c, d, _, _ = _times(pen.text, pen.matrix)
            yield round(pen.size * math.hypot(c, d), 2)
        elif operator == b"Do":  # a drawing within the drawing: /X12 is the object 12
            yield from _sizes(objects, int(re.sub(rb"\D", b"", operands[-1])), pen.matrix)
        else:
            pen.turn(operator, operands)


def _operations(drawn: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
    operands: list[bytes] = []
    for token in _TOKEN.findall(drawn):
        if token in _OPERATORS:
            yield token, operands
            operands = []
        else:
            operands.append(token)


class _Pen:
    """What holds where text is drawn: the matrices around it and of it, and the font size."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix, self.text, self.size = matrix, _SAME, 0.0
        self._kept: list[tuple[Matrix, float]] = []

    def turn(self, operator: bytes, operands: list[bytes]) -> None:
        if operator == b"q":
            self._kept.append((self.matrix, self.size))
        elif operator == b"Q":
            self.matrix, self.size = self._kept.pop()
        elif operator == b"cm":
            self.matrix = _times(_matrix(operands), self.matrix)
        elif operator == b"Tf":
            self.size = float(operands[-1])
        else:
            self.text = _SAME if operator == b"BT" else _matrix(operands)


def _matrix(operands: list[bytes]) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands[-6:])
    return a, b, c, d, e, f
