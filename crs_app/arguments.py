"""Types of the arguments of commands; a wrong one is refused in words."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from typing import Final

LAST_PORT: Final = 65_535


def fault_in(arguments: Iterable[str]) -> str:
    """Return what is wrong with the first argument that is no text in UTF-8; "" where none is.

    Python keeps such bytes as characters that can be neither stored nor printed.
    """
    for number, argument in enumerate(arguments, 1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            return f"Argument {number} is not in UTF-8: {argument!a}"
    return ""


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return the type of a whole number from ``lowest`` to ``highest``."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
            return int(text)
        raise ArgumentTypeError(f"{text!r} is no whole number from {lowest} to {highest}")

    return read
