"""Write JSON whose numbers keep the digits that they were charted with.

``json`` writes every number by way of a binary float, and refuses a Decimal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


class Exact(str):
    """A JSON number, as the text that is written."""

    __slots__ = ()


def json_text(value: Any) -> str:
    """Return ``value`` as JSON in one line.

    ``Exact`` is written as it stands, a Decimal by its digits without an exponent. Raises TypeError
    for a float and for what JSON has no word for.
    """
    if isinstance(value, Exact):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, Mapping):
        pairs = (f"{json_text(str(key))}:{json_text(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(json_text, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no exact JSON")
