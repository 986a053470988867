"""Parts of a page, rendered once for the values that they print."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import get_language


def render_part(macro: Callable[..., str], *values: Hashable) -> str:
    """Return ``macro(*values)``, cached by everything that it prints.

    The macro may print nothing but ``values``: no age, no token, no id of a form. A time of day is
    printed with its date on another day, so the key has the day, the time zone and the language.
    """
    zone = timezone.get_default_timezone()
    today = timezone.now().astimezone(zone).date()
    return _render(macro, (today, zone, get_language()), values)


@lru_cache(maxsize=2048)
def _render(macro: Callable[..., str], _context: Hashable, values: tuple[Hashable, ...]) -> str:
    return macro(*values)
