"""Types of the arguments of commands; a wrong one is refused in words."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Final

LAST_PORT: Final = 65_535


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return the type of a whole number from ``lowest`` to ``highest``."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
            return int(text)
        raise ArgumentTypeError(f"{text!r} is no whole number from {lowest} to {highest}")

    return read
