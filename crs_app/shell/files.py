"""The files of the shell: what a service worker keeps, and nothing else."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse

PAGE: Final = "shell/page.html"
_FILES: Final = (
    "vendor/bootstrap/css/bootstrap.min.css",
    "vendor/idb-keyval/index.js",
    "crs/crs.css",
    "crs/icon.svg",
    "crs/outbox/outbox.css",
    "crs/outbox/database.js",
    "crs/outbox/shell.js",
    "crs/theme.js",
)


@cache
def shell_page() -> str:
    """Return the page, which is the same for everybody."""
    return render_to_string(PAGE, {"site_name": settings.SITE_NAME})


@cache
def shell_addresses() -> list[str]:
    """Return the addresses of the page and of its files, by the hashes of their contents."""
    return [reverse("shell"), *(static(name) for name in _FILES)]


@cache
def shell_version() -> str:
    """Return a name for the present page and files: where one of them changes, another name."""
    text = shell_page() + "".join(shell_addresses())
    return hashlib.sha256(text.encode()).hexdigest()[:16]
