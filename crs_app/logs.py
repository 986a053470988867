"""Log lines that show where something failed and the type of error, never patient data.

CRS_LOG=json writes each line as one JSON object, and one more for each request.
"""

import json
import logging
import os
import traceback
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, TypeAlias

from crs_app.outages import in_one_line, is_outage
from crs_app.request_ids import current_request_id

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

AS_JSON: Final = os.environ.get("CRS_LOG", "").strip().lower() == "json"
REQUESTS: Final = "crs_app.answered"
"""Name of the logger that has a line for each request."""
_LONGEST_LINE: Final = 400
"""Characters of a line about an outage: with time and name it stays under 500 bytes."""

TO_STDERR: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "crs_app.logs.WithoutValues",
            "format": "{asctime} {levelname} {name} [{request_id}]: {message}",
            "style": "{",
        },
        "json": {"()": "crs_app.logs.JsonLines"},
    },
    "filters": {"without_requests": {"()": "crs_app.logs.WithoutRequests"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if AS_JSON else "plain",
            "filters": ["without_requests"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
"""Configuration that Django and gunicorn share."""


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


class JsonLines(WithoutValues):
    """Formatter of one JSON object a line: time, level, logger, request and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a stack is one of its texts."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", ""),
            "message": record.getMessage(),
            **getattr(record, "answered", {}),
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line)


class WithoutRequests(logging.Filter):
    """Filter that takes out of a message what came with a request, but for its method and path.

    gunicorn names the address with its query, and quotes a line that it cannot read; Django and
    asyncio quote the message of an error. The stack of an outage is left out: it does not tell
    what is wrong with the database, and it fills a disk that may be nearly full.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite ``record``; every record passes."""
        record.request_id = current_request_id() or "-"
        self._leave_out_request(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_outage(error):
            record.msg = f"{record.getMessage()[: _LONGEST_LINE // 2]}: {in_one_line(error)}"
            record.args, record.exc_info, record.exc_text = (), None, None
            record.msg = record.msg[:_LONGEST_LINE]
        return True

    def _leave_out_request(self, record: logging.LogRecord) -> None:
        text, args = record.msg, record.args
        if isinstance(text, BaseException):
            record.msg, record.args = type(text).__name__, ()
        elif record.name == "django.security.csrf":
            pass  # its reasons are fixed texts
        elif record.name.startswith("django.security."):
            request = getattr(record, "request", None)
            kind, path = record.name.removeprefix("django.security."), getattr(request, "path", "")
            record.msg, record.args = "%s: %s", (kind, path)
        elif record.name == "django.request" and isinstance(args, tuple) and text == "%s: %s":
            record.args = (_reason(record), *args[1:])
        elif record.name == "gunicorn.error":
            self._shorten(record)
        elif record.name == "asyncio":
            # Its further lines show a task with the message of its error.
            record.msg, record.args = record.getMessage().partition("\n")[0], ()

    def _shorten(self, record: logging.LogRecord) -> None:
        text, args = str(record.msg), record.args
        if text.startswith("Invalid request from ip="):
            record.msg, record.args = "Invalid request", ()
        elif text.startswith("Exception during worker exit"):
            record.msg, record.args = "Exception during worker exit", ()
        elif text.startswith("Error handling request") and isinstance(args, tuple):
            record.args = tuple(str(arg).partition("?")[0] for arg in args)


def _reason(record: logging.LogRecord) -> str:
    """Return what the status of a failed request means, in place of the message of its error."""
    status = getattr(record, "status_code", 0)
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Failed"
