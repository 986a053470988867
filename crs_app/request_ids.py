"""The id of a request: on its answer, in each line of the log, and with words like "Not saved"."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final

HEADER: Final = "X-Request-ID"
_ENVIRON: Final = "HTTP_X_REQUEST_ID"
_TAKEN: Final = "crs.request_id"
_FORM: Final = re.compile(r"[A-Za-z0-9._-]{4,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request that this thread answers, or answered last; "" for none."""
    return _current.get()


def begin(environ: MutableMapping[str, Any], *, is_trusted: bool) -> str:
    """Return the id of the request: that of a trusted proxy, or a new one.

    Another sender's word is dropped: it would stand in the log as ours. Asked again for the same
    request it returns the same id.
    """
    if not (request_id := environ.get(_TAKEN)):
        sent = environ.pop(_ENVIRON, "")
        is_read = is_trusted and _FORM.fullmatch(sent)
        request_id = sent if is_read else secrets.token_hex(5)
        environ[_TAKEN] = request_id
    _current.set(request_id)
    return str(request_id)
