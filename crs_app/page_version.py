"""The version of the pages: another one where the product, a script or a style is another one."""

from __future__ import annotations

import hashlib
from functools import cache

from django.contrib.staticfiles.storage import staticfiles_storage

from crs_app import VERSION


@cache
def page_version() -> str:
    """Return a short text that says nothing of the version itself: strangers read it too."""
    files = getattr(staticfiles_storage, "manifest_hash", "")
    return hashlib.sha256(f"{VERSION} {files}".encode()).hexdigest()[:12]
