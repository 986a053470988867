"""Trusted Types: pages work under them, a text of anybody else never becomes markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.bedside_page import BedsidePage
from tests.factories import chart

SignIn = Callable[[Page, User], None]
NOT_SHOWN = "The server answered, but this page could not show it."

COLLECT = """addEventListener("securitypolicyviolation", ({ violatedDirective, sample }) => {
    window.violations = [...(window.violations ?? []), `${violatedDirective} ${sample}`];
})"""
VIOLATIONS = "window.violations ?? []"
PLANT = """(html) => {
    const faults = [];
    const attempt = (name, act) => {
        try { act(); } catch (error) { faults.push(`${name}: ${error.name}`); }
    };
    const host = document.createElement("div");
    document.body.append(host);
    attempt("innerHTML", () => { host.innerHTML = html; });
    attempt("outerHTML", () => { host.outerHTML = html; });
    attempt("insertAdjacentHTML", () => host.insertAdjacentHTML("beforeend", html));
    attempt("parser", () => new DOMParser().parseFromString(html, "text/html"));
    attempt("script", () => { document.createElement("script").src = "/static/any.js"; });
    attempt("policy", () => trustedTypes.createPolicy("another", {}));
    attempt("default", () => trustedTypes.createPolicy("default", { createHTML: (all) => all }));
    return [faults, host.childNodes.length];
}"""
ANOTHER_ANSWER = """document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.verb === "post") detail.serverResponse = "<p>typed by somebody</p>";
})"""


@pytest.fixture
def watched(page: Page) -> Page:
    """A page that notes what the browser refuses it."""
    page.add_init_script(COLLECT)
    return page


def test_pages_open_and_swap_without_a_violation(
    watched: Page, course: Course, nurse: User, administrator: User, sign_in: SignIn
) -> None:
    chart(course, nurse, "vitals", temperature_c="39.1", systolic_mmhg="84")
    found: dict[str, Any] = {}

    def note(state: str) -> None:
        watched.wait_for_load_state("networkidle")
        found[state] = watched.evaluate(VIOLATIONS)

    sign_in(watched, nurse)
    at = f"/courses/{course.pk}"
    for path in ("/", f"{at}/flowsheet/", f"{at}/review/", f"{at}/paper/", "/accounts/me/"):
        watched.goto(path)
        note(path)

    watched.goto(f"{at}/")
    bedside = BedsidePage(watched)
    bedside.unfold_guidance()
    bedside.open_tab("Oxygen")
    bedside.fill({"Device": "Nasal cannula", "Flow": "2"})
    bedside.save_and_see_it_saved()
    expect(bedside.rows.filter(has_text="Nasal cannula")).to_have_count(1)
    bedside.fill({"Flow": "many"})
    bedside.save()
    expect(bedside.field("Flow")).to_have_attribute("aria-invalid", "true")
    note("bedside")

    sign_in(watched, administrator)
    watched.goto("/people/")
    watched.get_by_role("searchbox", name="Name or user name").fill("rui")
    expect(watched.locator("#people tbody tr")).to_have_count(1)
    note("people")
    assert not any(found.values()), found


@pytest.mark.logs_error("Trusted")
@pytest.mark.logs_error("htmx:swapError")
def test_a_text_that_the_server_did_not_send_never_becomes_markup(
    bedside: BedsidePage, course: Course
) -> None:
    """Nor does one that takes the place of an answer; the page then says what to do."""
    page = bedside.page
    faults, nodes = page.evaluate(PLANT, "<img src=x onerror=alert(1)>")
    names = ("innerHTML", "outerHTML", "insertAdjacentHTML", "parser", "script", "policy")
    assert faults == [f"{name}: TypeError" for name in (*names, "default")]
    assert nodes == 0

    page.evaluate(ANOTHER_ANSWER)
    bedside.fill({"Temperature": "38.4"})
    bedside.save()
    expect(page.get_by_role("alert").filter(has_text=NOT_SHOWN)).to_be_visible()
    assert page.get_by_text("typed by somebody").count() == 0
    page.reload()
    expect(bedside.rows.filter(has_text="Temp 38.4 °C")).to_have_count(1)
    assert course.entries.filter(kind="vitals").count() == 1


@pytest.mark.logs_error("Content Security Policy")
def test_what_could_run_is_taken_out_of_an_answer_and_the_rest_is_shown(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    code = (
        '<b onclick="alert(1)">seen</b><a href=" java&#9;script:alert(1)">link</a>'
        "<template><i onload=x>in it</i></template><iframe srcdoc='x'></iframe>"
    )

    def answer(route: Any) -> None:
        sent = route.fetch()
        body = sent.text()
        assert 'id="entry-form"' in body
        head, mark, rest = body.partition("<form")
        route.fulfill(response=sent, body=head + code + mark + rest)

    page.route("**/entries/oxygen/", answer)
    bedside.open_tab("Oxygen")
    form = page.locator("#entry-form")
    expect(form.get_by_text("seen")).to_be_visible()
    expect(bedside.field("Device")).to_be_visible()
    left = form.evaluate(
        "(form) => [form.innerHTML.match(/onclick|onload|script:|srcdoc/g), "
        "form.querySelectorAll('iframe').length]"
    )
    assert left == [None, 0]
