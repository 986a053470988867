"""Fills the form of a sign-off."""

from playwright.sync_api import Page, expect


def sign_grade_1_by_keyboard(page: Page) -> None:
    """Sign grade 1 with a reason in place of a computed 2; the focus is on *Another grade*."""
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Less")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Stated 1, computed then 2:")
