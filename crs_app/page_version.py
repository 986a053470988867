"""The version of the pages: another one where the product, a script or a style is another one."""

from __future__ import annotations

import hashlib
from functools import cache

from django.contrib.staticfiles.storage import staticfiles_storage

from crs_app import VERSION


@cache
def page_version() -> str:
    """Return a short digest; strangers read it too, and cannot read the version from it."""
    files = getattr(staticfiles_storage, "manifest_hash", "")
    return hashlib.sha256(f"{VERSION} {files}".encode()).hexdigest()[:12]
