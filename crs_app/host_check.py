"""`manage.py check` and `migrate`: whether the site has a host of its own.

Browsers keep applications of one host from each other by nothing but paths, which scripts and
cookies pass. Under HTTPS the site therefore answers to whole names alone, and at their root.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_host(**_options: Any) -> list[CheckMessage]:
    """Find hosts that other applications could have too, and a place below another one."""
    if not settings.HTTPS:
        return []
    return [*_of_patterns(settings.ALLOWED_HOSTS), *_of_prefix(settings.FORCE_SCRIPT_NAME)]


def _of_patterns(hosts: Iterable[str]) -> list[CheckMessage]:
    patterns = [host for host in hosts if host.startswith((".", "*"))]
    if not patterns:
        return []
    return [
        Error(
            f"CRS_ALLOWED_HOSTS has {', '.join(patterns)}, which is every host of a domain.",
            hint="Give the site a host name of its own, and name it whole.",
            id="crs.E003",
        )
    ]


def _of_prefix(prefix: str | None) -> list[CheckMessage]:
    if not prefix:
        return []
    return [
        Error(
            "The site is served below a path of a host, which other applications share.",
            hint="Give the site a host name of its own.",
            id="crs.E004",
        )
    ]
