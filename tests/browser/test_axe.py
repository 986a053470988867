"""The check by axe-core finds a fault that a page has at one width or in one theme alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts

PAGE = """<!DOCTYPE html><html lang="en"><title>A page</title><style>
    html { color-scheme: light } html[data-bs-theme=dark] { color-scheme: dark }
    body { color: #111; background: #fff }
    [data-bs-theme=dark] body { color: #eee; background: #111 }
    button { min-height: 30px; margin: 2px } .sheet { display: none }
    STYLE
</style><main><h1>A page</h1><p id="text">Sufficient contrast</p><div class="sheet"></div>
<label id="label" for="weight">Weight</label> <input id="weight">
<div><button>One</button><button id="two">Two</button></div></main></html>"""
PHONE, TABLET, DESK = (
    "@media (max-width: 600px)",
    "@media (min-width: 601px) and (max-width: 1000px)",
    "@media (min-width: 1001px)",
)
PLANTED = {
    "a colour": (
        PHONE + " { [data-bs-theme=dark] #text { color: #444 } }",
        "390 px, dark: color-contrast",
    ),
    "a sheet behind the text": (
        PHONE + " { [data-bs-theme=dark] .sheet { display: block; position: absolute;"
        " inset: 0; background: #ddd; z-index: -1 } }",
        "390 px, dark: color-contrast",
    ),
    "no label": (DESK + " { #label { display: none } }", "1440 px, light: label"),
    "small targets": (
        TABLET + " { button { all: unset; font-size: 8px } }",
        "768 px, light: target-size",
    ),
}


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE) as lent:
        yield lent


def test_a_fault_of_one_width_and_one_theme_is_found(page: Page) -> None:
    page.set_content(PAGE)
    assert faults_of(page, "no fault") == []
    for name, (style, expected) in PLANTED.items():
        page.set_content(PAGE.replace("STYLE", style))
        faults = faults_of(page, name)
        assert [": ".join(fault.split(": ")[:2]) for fault in faults] == [f"{name}, {expected}"]
        assert all(": <" in fault for fault in faults), "a fault shows the markup of its elements"
