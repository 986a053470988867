"""Digest of what a part of a page shows: it tells whether that part has changed."""

from __future__ import annotations

import hashlib
from typing import Any


def signature_of(*shown: Any) -> str:
    """Return 16 hexadecimal digits that differ where the ``repr`` of ``shown`` differs."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
