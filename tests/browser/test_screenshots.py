"""Takes the screenshots of the README, on demand: CRS_SCREENSHOTS=1."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User

NOON = datetime(2026, 3, 14, 12, 4, tzinfo=UTC)
DOCS = Path(settings.BASE_DIR) / "docs"


@pytest.mark.skipif(os.environ.get("CRS_SCREENSHOTS") != "1", reason="CRS_SCREENSHOTS is not 1")
@pytest.mark.parametrize(("scheme", "name"), [("light", "bedside"), ("dark", "bedside-dark")])
def test_the_bedside_is_drawn(
    browser: Browser,
    live_server: Any,
    nurse: User,
    sign_in: Callable[[Page, User], None],
    scheme: Any,
    name: str,
    site_in_utc: None,
) -> None:
    """The demonstration ward at a fixed noon; a patient whose grade the clock is about to raise."""
    with time_machine.travel(NOON, tick=True):
        call_command("demo_ward")
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": 1440, "height": 1000},
            color_scheme=scheme,
            timezone_id="UTC",
        )
        page = context.new_page()
        sign_in(page, nurse)
        page.goto("/")
        page.get_by_role("row").filter(has_text="grade 3 at").get_by_role("link").first.click()
        expect(page.get_by_role("region", name="CRS grade now")).to_contain_text("Grade 3 at")
        expect(page.get_by_role("button", name="now")).to_be_visible()
        expect(page.locator("#last-day svg").first).to_be_visible()
        page.screenshot(path=DOCS / f"{name}.png")
        context.close()
