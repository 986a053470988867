"""Takes the pictures of the help pages, on demand: CRS_SCREENSHOTS=1.

The patient is that of tests/patients/review/reviewed_course.json, on 28 November at 09:40.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import Role, User
from crs_app.help.contents import PAGES
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.patients.review.reviewed_course import import_reviewed

PICTURES = Path(settings.BASE_DIR) / "static/crs/help"
AS_OF = datetime(2026, 11, 28, 8, 40, tzinfo=UTC)
THEN = "2026-11-27T03:40:00%2B00:00"
LOOKED_AT = "2026-11-27T03:25:00%2B00:00"
IN_GRADE_3 = "2026-11-27T13:00:00%2B00:00"
TABLET, DESKTOP = {"width": 768, "height": 640}, {"width": 1100, "height": 640}
OF_COURSE = {
    # picture: role, address, the part of the page, its width
    "vitals": (Role.WARD_CLINICIAN, "", "#entry-form", TABLET),
    "oxygen": (Role.WARD_CLINICIAN, "?kind=oxygen", "#entry-form", TABLET),
    "grade": (Role.WARD_CLINICIAN, "", "#grade-card", TABLET),
    "advice": (Role.WARD_CLINICIAN, "", "#guidance", TABLET),
    "correct": (Role.WARD_CLINICIAN, "", "#entry-form", TABLET),
    "not-observed": (Role.WARD_CLINICIAN, "", "form[aria-label$='not observed']", TABLET),
    "move": (Role.WARD_CLINICIAN, "place/", "", TABLET),
    "review": (Role.ICU_REVIEWER, f"review/?range=all&at={IN_GRADE_3}", "", DESKTOP),
    "instant": (Role.ICU_REVIEWER, f"review/instant/?at={IN_GRADE_3}", "", DESKTOP),
    "table": (Role.ICU_REVIEWER, "review/?range=all&view=table", "", DESKTOP),
    "flowsheet": (Role.ICU_REVIEWER, "flowsheet/", "", DESKTOP),
    "known-at": (
        Role.ICU_REVIEWER, f"review/?range=all&at={LOOKED_AT}&known_at={THEN}", "", DESKTOP,
    ),
    "sign-off": (Role.ICU_REVIEWER, "sign-off/", "#sign-off", TABLET),
    "seen": (Role.ICU_REVIEWER, "review/", ".changes", DESKTOP),
}  # fmt: skip
OF_SITE = {
    "board": (Role.WARD_CLINICIAN, "/", "", TABLET),
    "admit": (Role.WARD_CLINICIAN, "/courses/admit/", "main", TABLET),
    "waiting": (Role.ICU_REVIEWER, "/reviews/", "main", TABLET),
    "users": (Role.ADMINISTRATOR, "/people/", "main", DESKTOP),
    "user": (Role.ADMINISTRATOR, "/people/{user}/", "", DESKTOP),
    "roles": (Role.ADMINISTRATOR, "/roles/", "", DESKTOP),
    "wards": (Role.ADMINISTRATOR, "/wards/", "main", DESKTOP),
    "find": (Role.ADMINISTRATOR, "/find/?q={name}", "main", DESKTOP),
    "emergency": (Role.ADMINISTRATOR, "/emergency-access/", "main", DESKTOP),
    "record": (Role.ADMINISTRATOR, "/record/", "main", DESKTOP),
    "policy": (Role.ADMINISTRATOR, "/policy/", "", DESKTOP),
}
on_demand = pytest.mark.skipif(
    os.environ.get("CRS_SCREENSHOTS") != "1", reason="CRS_SCREENSHOTS is not 1"
)


@pytest.fixture
def patient(nurse: User, site_in_utc: None) -> Iterator[Course]:
    with time_machine.travel(AS_OF, tick=True):
        yield import_reviewed(nurse)


@pytest.fixture
def picture_of(
    browser: Browser, live_server: Any, sign_in: Callable[[Page, User], None]
) -> Iterator[Callable[..., None]]:
    contexts = []

    def take(name: str, user: User, address: str, part: str, size: Any) -> None:
        context = browser.new_context(
            base_url=live_server.url, viewport=size, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        sign_in(page, user)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if name == "correct":
            page.locator("#timeline-rows .row-menu summary").first.click()
            page.get_by_role("link", name="Correct", exact=True).first.click()
            expect(page.get_by_label("Reason for the correction")).to_be_visible()
        shown = page.locator(part).first if part else page
        clip = {"animations": "disabled", "path": PICTURES / f"{name}.png"}
        shown.screenshot(**clip)

    yield take
    for context in contexts:
        context.close()


@on_demand
@pytest.mark.parametrize("name", OF_COURSE)
def test_a_page_of_a_patient_is_drawn(
    name: str, patient: Course, make_user: Callable[..., User], picture_of: Callable[..., None]
) -> None:
    role, address, part, size = OF_COURSE[name]
    user = make_user("reader", role)
    picture_of(name, user, f"/courses/{patient.pk}/{address}", part, size)


@on_demand
@pytest.mark.parametrize("name", OF_SITE)
def test_a_page_of_the_site_is_drawn(
    name: str, patient: Course, make_user: Callable[..., User], picture_of: Callable[..., None],
    nurse: User,
) -> None:  # fmt: skip
    role, address, part, size = OF_SITE[name]
    user = make_user("reader", role)
    picture_of(name, user, address.format(user=nurse.pk, name=patient.patient.name), part, size)


def test_every_page_leads_to_the_help_of_the_reader(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    page.goto("/accounts/sign-in/")
    expect(page.get_by_role("contentinfo").get_by_role("link", name="Help")).to_be_visible()
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    page.get_by_role("contentinfo").get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Help: Nurse or ward doctor")
    page.get_by_role("navigation", name="On this page").get_by_role("link").nth(3).click()
    expect(page.get_by_role("region", name="Chart vital signs")).to_be_in_viewport()
    page.get_by_role("navigation", name="Help for").get_by_role("link").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Help: ICU reviewer")


def test_no_rule_of_axe_is_broken(contexts: SharedContexts) -> None:
    faults: list[str] = []
    with contexts.lend(**FOR_AXE) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        for key in PAGES:
            page.goto(f"/help/{key}/")
            page.evaluate("for (const one of document.images) one.loading = 'eager'")
            page.wait_for_function("[...document.images].every((one) => one.naturalWidth > 0)")
            faults += faults_of(page, key)
    assert not faults, "\n".join(faults)[:4000]
