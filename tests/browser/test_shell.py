"""A page that is loaded without the network: a shell that names no patient and takes no entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from tests.browser.axe import faults_of
from tests.browser.bedside_page import BedsidePage
from tests.browser.conftest import TABLET
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.test_outbox import expect_no_strip, save_without_network

READY = "navigator.serviceWorker.ready.then(({ active }) => active.state)"
IS_NOT_INSTALLED = """async () => {
    const { worker } = document.body.dataset;
    const { installing, active } = await navigator.serviceWorker.register(worker);
    if (active) throw new Error("installed");
    if (!installing) return false;
    return new Promise((done) => {
        installing.addEventListener("statechange", () => done(installing.state === "redundant"));
    });
}"""
CACHED = """async () => {
    const texts = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            texts.push(request.url, await (await cache.match(request)).text());
        }
    }
    return texts;
}"""


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE, viewport=TABLET, service_workers="allow") as lent:
        yield lent


@pytest.fixture
def bedside(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> BedsidePage:
    """The bedside of a tablet that has its service worker."""
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    page.evaluate(READY)
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    return BedsidePage(page)


def test_a_page_without_the_network_is_the_shell_and_comes_back_with_it(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    page.context.set_offline(True)
    save_without_network(bedside, {"Temperature": "39.2"})
    page.locator("#outbox summary").click()
    faults = faults_of(page, "list of what is unsent", "#outbox")
    page.reload()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    expect(page.get_by_text("Not graded: 1 entry unsent")).to_be_visible()
    expect(page.get_by_text("J. Ruiz: 1 entry unsent")).to_be_visible()
    expect(page.get_by_text("Open again when the network is back.")).to_be_visible()
    assert page.locator("input, form, textarea").count() == 0
    assert course.patient.name not in page.content()
    faults += faults_of(page, "shell")
    assert not faults, "\n".join(faults)
    page.get_by_role("button", name="Open again").click()
    expect(page.get_by_text("Still no connection.")).to_be_visible()
    unreadable = page.context.new_page()
    unreadable.add_init_script("IDBObjectStore.prototype.getAll = () => { throw new Error(); }")
    unreadable.goto(page.url)
    expect(unreadable.get_by_text("unsent on this tablet cannot be read")).to_be_visible()
    unreadable.close()

    page.context.set_offline(False)
    bedside.expect_form_of_vital_signs()
    expect_no_strip(page)
    expect(bedside.rows.filter(has_text="Temp 39.2 °C")).to_have_count(1)
    assert Entry.objects.filter(course=course, kind=EntryKind.VITALS).count() == 1


def test_the_files_of_the_shell_are_there_while_a_proxy_answers(page: Page) -> None:
    """Its worker gives a kept file where the proxy has none, and the network's where it has one."""
    got = page.evaluate(
        r"""async (source) => {
            const on = {};
            const location = new URL("https://crs.example/");
            const self = { location, addEventListener: (name, act) => { on[name] = act; } };
            const caches = { open: async () => ({ match: async () => new Response("kept") }) };
            const texts = [];
            for (const status of [502, 404, 200]) {
                const fetch = async () => new Response("network", { status });
                new Function("self", "caches", "fetch", source)(self, caches, fetch);
                const address = source.match(/"(\/static\/[^"]+)"/)[1];
                let answer;
                const request = { method: "GET", mode: "cors", url: location.origin + address };
                on.fetch({ request, respondWith: (promised) => { answer = promised; } });
                texts.push(await (await answer).text());
            }
            return texts;
        }""",
        Client().get("/worker.js").content.decode(),
    )
    assert got == ["kept", "kept", "network"]


def test_the_service_worker_keeps_no_answer_that_names_a_patient(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    bedside.fill({"Temperature": "39.2"})
    bedside.save_and_see_it_saved()
    for path in ("/", f"/courses/{course.pk}/review/", f"/courses/{course.pk}/"):
        page.goto(path)
    cached = page.evaluate(CACHED)
    addresses = [text for text in cached if text.startswith("http")]
    assert all(re.search(r"/static/|/shell/$", address) for address in addresses), addresses
    assert not [
        text for text in cached if course.patient.name in text or course.patient.mrn in text
    ]


def test_an_answer_that_was_cut_among_its_headers_is_not_kept(
    page: Page,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks like a good one of no type: the worker is installed with the next page."""
    sign_in(page, nurse)
    with monkeypatch.context() as patch:
        serve = StaticFilesHandler.serve

        def serve_cut(handler: StaticFilesHandler, request: HttpRequest) -> HttpResponseBase:
            answer = serve(handler, request)
            if request.path.endswith("/outbox/shell.js"):
                del answer["Content-Type"]
            return answer

        patch.setattr(StaticFilesHandler, "serve", serve_cut)
        page.goto(f"/courses/{course.pk}/")
        page.wait_for_function(IS_NOT_INSTALLED)
    page.reload()
    page.evaluate(READY)
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("No entry is unsent on this tablet.")).to_be_visible()
