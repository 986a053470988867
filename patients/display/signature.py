"""Digest of what a part of a page shows: it tells whether that part has changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def signature_of(*shown: Any) -> str:
    """Return 16 hexadecimal digits that differ where ``shown`` differs.

    As JSON, in which named tuples are lists and what it does not know has its ``repr``: a named
    tuple writes its own name and those of its fields by Python, which takes half as long again.
    """
    return hashlib.sha256(json.dumps(shown, default=repr).encode()).hexdigest()[:16]
