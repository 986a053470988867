"""Checks a page by the rules of axe-core, in light and in dark, from phone to desk.

All rules run in light, and those on colours in dark: a theme changes nothing but colours.
"""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"
SERVED_AT = "/static/axe-core/axe.min.js"
WIDTHS = {390: 844, 768: 1024, 1440: 900}
ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"light": ALL, "dark": ["color-contrast"]}
# axe-core keeps the markup of each element that it looks at, in a fifth of the time of a run;
# here it is read for a fault alone.
RUN_AXE = """async ({ within, rulesByTheme }) => {
    axe.configure({ noHtml: true });
    const markupOf = ([selector]) =>
        document.querySelector(selector)?.outerHTML.slice(0, 200) ?? selector;
    const faults = [];
    for (const [theme, rules] of Object.entries(rulesByTheme)) {
        document.documentElement.dataset.bsTheme = theme;
        const found = await axe.run(within, { runOnly: rules, resultTypes: ["violations"] });
        for (const { id, help, nodes } of found.violations) {
            faults.push(`${theme}: ${id}: ${help}: ` + nodes.map(({ target, failureSummary }) =>
                `${markupOf(target)} ${failureSummary}`).join(" | "));
        }
    }
    return faults;
}"""
FITS_SOON = """async () => {  // plots are drawn again some frames after the width has changed
    const page = document.documentElement;
    for (let frame = 0; frame < 60 && page.scrollWidth > page.clientWidth; frame += 1) {
        await new Promise(requestAnimationFrame);
    }
    return page.scrollWidth <= page.clientWidth;
}"""


def faults_of(
    page: Page, state: str, within: str = "html", sizes: Mapping[int, int] = WIDTHS
) -> list[str]:
    """The rules that the page breaks in ``state``, at every width and in both themes.

    ``within`` is the part that is new in this state, where the others were checked before.
    """
    _put_in(page)
    faults: list[str] = []
    for width, height in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")  # else the sticky bar may cover a part of a button
        if not page.evaluate(FITS_SOON):
            faults.append(f"{state}, {width} px: wider than the screen")
        faults += [f"{state}, {width} px, {fault}" for fault in _find(page, within)]
    return faults


def faults_as_shown(page: Page) -> list[str]:
    """The same at the size that the page has."""
    _put_in(page)
    return _find(page, "html")


def _put_in(page: Page) -> None:
    if not page.evaluate("typeof axe === 'object'"):
        try:
            page.add_script_tag(url=SERVED_AT)
        except PlaywrightError:  # a page without the network or of no server
            page.add_script_tag(path=AXE)


def _find(page: Page, within: str) -> list[str]:
    return list(page.evaluate(RUN_AXE, {"within": within, "rulesByTheme": RULES}))
