"""The handover as Chromium prints it: one page, not shrunk, on both papers.

A row that cannot wrap makes the browser shrink the whole page and still report one page, so the
scale of each printed page is read in the PDF. The size of its type: test_printed_type.py.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from random import Random

import pytest
from playwright.sync_api import BrowserContext, Page

from crs_app.accounts.models import User
from patients.exchange.course_file import import_course
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.grading.random_courses import Raw, random_course
from tests.patients.review.reviewed_course import import_reviewed

UNSHRUNK = 3.125
"""The scale of what is drawn inside the margins: 300 dots for 96 pixels of CSS."""
INSIDE_MARGINS = re.compile(rb"([.\d]+) 0 0 [.\d]+ 1[34]\d[.\d]* [.\d]+ cm\b")
"""What is drawn from the left margin of 12 mm on, in dots."""
PAPERS = ("A4", "Letter")


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE) as lent:
        lent.set_default_timeout(30_000)
        yield lent


def printed(page: Page, paper: str) -> tuple[int, float]:
    """How many pages, and the smallest scale at which anything inside the margins is drawn."""
    pdf = page.pdf(format=paper)
    pages = len(re.findall(rb"/Type /Page\b", pdf))
    scales = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            drawn = zlib.decompress(stream)
        except zlib.error:
            continue
        scales += [float(found[1]) for found in INSIDE_MARGINS.finditer(drawn)]
    return pages, min(scales)


def rich_course(seed: int) -> Raw:
    """A course with the entries of several random ones, and a name that is hard to set."""
    chance = Random(seed)  # noqa: S311
    document = random_course(chance)
    infused_at = document["therapy"]["infused_at"]
    document.pop("policy", None)
    entries = [*document["entries"]]
    for _ in range(chance.randint(0, 5)):
        other = random_course(chance)
        if other["therapy"]["infused_at"] == infused_at:
            entries += other["entries"]
    kept = []
    for place, raw in enumerate(entries):
        if raw["kind"] in ("retraction",) or "replaces" in raw:
            continue
        if raw["kind"] == "death" and chance.randrange(4):
            continue
        kept.append({**raw, "id": f"e{place}"})
    names = ("Ng", "NOWAK, Irena", "Wolfeschlegelsteinhausenbergerdorff" * 2, "de la Cruz " * 6)
    document["patient"] |= {"mrn": f"{seed:06}", "name": chance.choice(names).strip()}
    document["therapy"] = document["therapy"] | {"product": f"CAR-T {seed}"}
    return {**document, "entries": kept}


@pytest.mark.parametrize("group", range(5))
def test_fifty_courses_are_one_page_each_on_both_papers(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None], group: int
) -> None:
    sign_in(page, nurse)
    faults = []
    for seed in range(group * 10, group * 10 + 10):
        document = rich_course(seed)
        course = import_course(json.dumps(document).encode(), [nurse])
        page.goto(f"/courses/{course.pk}/handover/")
        for paper in PAPERS:
            pages, scale = printed(page, paper)
            if (pages, scale) != (1, UNSHRUNK):
                faults.append((seed, paper, pages, scale))
    assert faults == []


@pytest.fixture
def opened(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None], site_in_utc: None
) -> Course:
    course = import_reviewed(nurse)
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/handover/?known_at=2026-11-28T08:40:00Z")
    return course


def test_a_row_that_cannot_wrap_would_be_noticed(page: Page, opened: Course) -> None:
    assert printed(page, "A4") == (1, UNSHRUNK)
    page.add_style_tag(content=".handover-values { flex-wrap: nowrap } li { white-space: nowrap }")
    pages, scale = printed(page, "A4")
    assert (pages, scale < UNSHRUNK) == (1, True), (pages, scale)
    assert opened.pk is not None


def test_the_page_has_no_fault_and_prints_what_is_needed(page: Page, opened: Course) -> None:
    assert faults_of(page, "the handover") == []
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.evaluate("window.print = () => { document.title = 'printed' }")
    page.get_by_role("button", name="Print").focus()
    page.keyboard.press("Enter")
    assert page.title() == "printed"
    page.emulate_media(media="print")
    text = page.locator(".handover").inner_text()
    for words in ("AS KNOWN AT 28 NOV 2026 08:40", "Nowak, Irena", "5502718", "14 Mar 1965"):
        assert words.lower() in text.lower()
    assert page.locator(".handover [style]").count() == 0
    assert not page.locator(".site-bar").is_visible()
    assert opened.pk is not None
