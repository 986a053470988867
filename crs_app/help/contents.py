"""The help pages by their names in an address, and by role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crs_app.help.administrator import ADMINISTRATOR
from crs_app.help.nurse import NURSE
from crs_app.help.page import HelpPage
from crs_app.help.reviewer import REVIEWER

PAGES: Final[Mapping[str, HelpPage]] = {page.key: page for page in (NURSE, REVIEWER, ADMINISTRATOR)}
"""The help pages by the name in their address."""


def page_of_role(role: str) -> HelpPage:
    """Return the help of a role; that of the nurse for a role without a page of its own."""
    return next((page for page in PAGES.values() if page.role == role), NURSE)
