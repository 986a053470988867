"""Where a printed plot draws an instant and a value, and the paths of its lines, as SVG has them.

The handover and the printed course draw by these. Numbers here are places in the drawing; floats
are exact enough for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class TimeAxis(NamedTuple):
    """The time from ``since`` to ``until``, drawn from ``left`` to ``right``."""

    since: datetime
    until: datetime
    left: float
    right: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def x(self, at: datetime | None) -> float:
        """Return where ``at`` is; None is the end, and a time outside is the nearer edge."""
        at = self.until if at is None else min(max(at, self.since), self.until)
        return self.left + self.width * ((at - self.since) / (self.until - self.since))


class ValueScale(NamedTuple):
    """Values from ``least`` to ``most`` over a height below ``top``; by their logarithm if so."""

    least: float
    most: float
    top: float
    height: float
    is_log: bool = False

    def y(self, value: object) -> float:
        low, high, here = (self._on_scale(one) for one in (self.least, self.most, value))
        return self.top + self.height * (1 - (here - low) / (high - low))

    def _on_scale(self, value: object) -> float:
        number = float(value)  # type: ignore[arg-type]
        return math.log10(max(number, 1e-6)) if self.is_log else number


class Dot(NamedTuple):
    """A measured value; ``begins``: no line joins it to the one before."""

    x: float
    y: float
    begins: bool


class Step(NamedTuple):
    """A value that holds from ``x`` to ``x_end``; ``begins``: it does not go on from another."""

    x: float
    x_end: float
    y: float
    begins: bool = False


def joined_path(dots: Iterable[Dot], *, with_dots: bool = False) -> str:
    """Return values joined by lines; single ones are crosses, ``with_dots`` all of them."""
    known = list(dots)
    parts: list[str] = []
    for number, dot in enumerate(known):
        begins = number == 0 or dot.begins
        ends = number + 1 == len(known) or known[number + 1].begins
        x, y = place(dot.x), place(dot.y)
        parts.append(f"{'M' if begins else 'L'}{x} {y}")
        if with_dots or (begins and ends):
            parts.append(f"m-1 0h2m-1 -1v2M{x} {y}")
    return "".join(parts)


def step_path(steps: Iterable[Step]) -> str:
    """Return a line of steps, which is never sloped; what is not known between two is a gap."""
    parts: list[str] = []
    until: float | None = None
    for step in steps:
        goes_on = until == step.x and not step.begins
        parts.append(f"V{place(step.y)}" if goes_on else f"M{place(step.x)} {place(step.y)}")
        parts.append(f"H{place(step.x_end)}")
        until = step.x_end
    return "".join(parts)


def place(value: float) -> str:
    """Return a place in the drawing with one decimal."""
    return f"{value:.1f}".removesuffix(".0")
