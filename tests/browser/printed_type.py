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
    operands: list[bytes] = []
    kept: list[tuple[Matrix, float]] = []
    matrix, size, text = around, 0.0, _SAME
    for token in _TOKEN.findall(drawn):
        if token == b"q":
            kept.append((matrix, size))
        elif token == b"Q":
            matrix, size = kept.pop()
        elif token == b"cm":
            matrix = _times(_matrix(operands), matrix)
        elif token == b"BT":
            text = _SAME
        elif token == b"Tm":
            text = _matrix(operands)
        elif token == b"Tf":
            size = float(operands[-1])
        elif token in (b"Tj", b"TJ"):
            _, _, c, d, _, _ = _times(text, matrix)
            yield round(size * math.hypot(c, d), 2)
        elif token == b"Do":  # a drawing within the drawing: /X12 is the object 12
            yield from _sizes(objects, int(re.sub(rb"\D", b"", operands[-1])), matrix)
        else:
            operands.append(token)
            continue
        operands.clear()


def _matrix(operands: list[bytes]) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands[-6:])
    return a, b, c, d, e, f
