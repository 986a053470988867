"""Which addresses of a health record are safe to ask and to show pages to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from crs_app.hospital_sign_in import origin_of

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST: Final = 300


def is_private_address(address: object) -> bool:
    """Return whether this is an absolute address by https; by http on this machine alone."""
    if not isinstance(address, str) or not 0 < len(address) <= _LONGEST:
        return False
    if not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        origin_of(address)
    except ValueError:
        return False
    is_here = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    return (parts.scheme == "https" or is_here) and not parts.fragment


def is_origin(address: str) -> bool:
    """Return whether this is scheme, host and port alone, as ``frame-ancestors`` takes it."""
    if not is_private_address(address) or any(mark in address for mark in ";,'\"*"):
        return False
    parts = urlsplit(address)
    return address == f"{parts.scheme}://{parts.netloc}"
