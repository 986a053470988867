"""Columns of JSON, which the driver may bring as text."""

import json
from typing import Any


def parsed(value: Any) -> Any:
    """Return a JSON column as values, whether or not the driver has parsed it."""
    return json.loads(value) if isinstance(value, str) else value
