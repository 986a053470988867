"""The bedside page as a user sees it: its regions, and what is clicked and typed there."""

import re

from playwright.sync_api import Locator, Page, expect

OF_THE_SERVER = {"X-Request-ID": "7f3aa90c11"}
"""What each answer of the server has, and a page of the network between has not."""


class BedsidePage:
    """A page that shows one course."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.card = page.get_by_role("region", name="CRS grade now")
        self.timeline = page.get_by_role("region", name="Timeline")
        self.rows = self.timeline.get_by_role("listitem")
        self.announcer = page.locator("#announcer")
        self.guidance = page.get_by_role("region", name="Guidance · Figure 2, 2014")
        self.conversion = page.locator("[data-conversion]")

    def unfold_guidance(self) -> None:
        """Opens what the panel has folded away."""
        folded = self.guidance.locator("#guidance-folded")
        if folded.count() and folded.get_attribute("open") is None:
            folded.locator("summary").first.click()

    def guidance_item(self, text: str) -> Locator:
        """The item of guidance that contains ``text``."""
        return self.guidance.get_by_role("article").filter(has_text=text)

    def choose_dose(self, item: Locator, amount: str) -> None:
        """Chooses one of the doses of ``item`` and opens the form that charts it."""
        item.get_by_role("radio", name=amount).check()
        item.get_by_role("link", name=f"{amount} given…").click()

    def open_menu(self) -> None:
        """Opens the menu of the user: shortcuts, theme and sign out."""
        menu = self.page.locator("details.user-menu")
        if menu.get_attribute("open") is None:
            menu.locator("summary").click()

    def open_shortcuts(self) -> None:
        self.open_menu()
        self.page.get_by_role("button", name="Shortcuts").click()

    def sign_out(self) -> None:
        self.open_menu()
        self.page.get_by_role("button", name="Sign out").click()

    def expect_form_of_vital_signs(self) -> None:
        expect(self.page.get_by_role("heading", name="Chart: Vital signs")).to_be_visible()

    def open_tab(self, name: str) -> None:
        tabs = self.page.get_by_role("navigation", name="What to chart")
        tab = tabs.locator("a").filter(has_text=name)
        if tab.get_attribute("aria-current") is None:
            if not tab.is_visible():
                tabs.locator("summary").click()
            tab.click()
        expect(tab).to_have_attribute("aria-current", "page")

    def open_round(self) -> None:
        """Opens the round of ICE, which takes the place of the page."""
        tabs = self.page.get_by_role("navigation", name="What to chart")
        tabs.locator("summary").click()
        tabs.get_by_role("link", name="ICE and consciousness").click()
        heading = self.page.get_by_role("heading", name="Chart: ICE and consciousness")
        expect(heading).to_be_visible()

    def open_attribution(self) -> None:
        block = self.page.locator("#attribution")
        if block.count() and block.get_attribute("open") is None:
            block.locator("summary").click()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def fill(self, typed: dict[str, str]) -> None:
        """Types into inputs and chooses in lists, by their labels."""
        for label, value in typed.items():
            if self.field(label).evaluate("field => field.tagName") == "SELECT":
                self.field(label).select_option(label=value)
            else:
                self.field(label).fill(value)

    def save(self) -> None:
        self.page.get_by_role("button", name=re.compile("^Save")).click()

    def save_and_see_it_saved(self) -> None:
        self.save()
        self.expect_saved()

    def expect_saved(self, text: str = "") -> None:
        saved = self.page.get_by_role("status").filter(has_text="Saved")
        expect(saved).to_contain_text(text)

    def expect_grade(self, grade: int) -> None:
        expect(self.card.get_by_role("strong")).to_have_text(str(grade))

    def expect_not_assessed(self) -> None:
        expect(self.card.get_by_role("strong")).to_have_text("–")
        expect(self.card).to_contain_text("Not yet assessed")

    def change(self, text: str, how: str) -> None:
        """Opens the menu of the entry that reads ``text`` and follows ``how``."""
        row = self.rows.filter(has=self.page.get_by_label(f"Change this entry: {text}", exact=True))
        row.locator("summary").click()
        row.get_by_role("link", name=how).click()
        title = "Correct an entry" if how == "Correct" else how
        expect(self.page.get_by_role("region", name=title)).to_be_visible()
