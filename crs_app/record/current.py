"""The address of whoever sent the request that this thread answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_ADDRESS: Final[ContextVar[str]] = ContextVar("address", default="")


@contextmanager
def answering(address: str) -> Iterator[None]:
    """Keep ``address`` for the events of one request."""
    token = _ADDRESS.set(address)
    try:
        yield
    finally:
        _ADDRESS.reset(token)


def current_address() -> str:
    """Return the address of the present request, "" outside of one."""
    return _ADDRESS.get()
