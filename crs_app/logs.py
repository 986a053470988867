"""Log format that shows where something failed and the type of error, never patient data."""

import logging
import traceback
from types import TracebackType
from typing import TypeAlias

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class WithoutValues(logging.Formatter):
    """Formatter that prints the stack of an exception and its type, without its message.

    The message of a database error quotes the failing row, and a parser's message its input.
    """

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the name is logging's
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            kind = type(error)
            lines += [
                *traceback.format_tb(error.__traceback__),
                f"{kind.__module__}.{kind.__name__}\n",
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            if error is not None:
                lines.append("after\n")
        return "".join(lines).rstrip()
