"""The escaping of what a page prints, without the type that marks it as escaped.

A template only joins what it prints. Jinja2 makes a ``Markup`` of each value first.
"""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escape_text  # type: ignore[attr-defined]  # private


def escape_output(value: Any) -> str:
    """Return the text of ``markupsafe.escape(value)``."""
    kind = type(value)
    if kind is str:
        return escape_text(value)
    if kind is Markup or kind is SafeString:
        return value  # type: ignore[no-any-return]  # a text
    return escape(value)
