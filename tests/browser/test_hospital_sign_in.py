"""A nurse signs in at the hospital's own provider, and by the password when that is down."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import User
from crs_app.hospital_sign_in import HospitalSignIn
from patients.models import Course
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.test_people import assert_accessible
from tests.hospital_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, running_provider


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE) as lent:
        yield lent


@pytest.fixture
def hospital(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    monkeypatch.setitem(os.environ, "NO_PROXY", "127.0.0.1")
    with running_provider() as provider:
        provider.person = {"email": "j.ruiz@hospital.example", "email_verified": True}
        settings.HOSPITAL_SIGN_IN = HospitalSignIn(
            provider.issuer, CLIENT_ID, CLIENT_SECRET, button="Sign in with St. Anna"
        )
        yield provider


def test_a_nurse_comes_from_the_hospital_to_the_patient_and_by_password_when_it_is_down(
    page: Page, nurse: User, course: Course, hospital: FakeProvider
) -> None:
    page.goto(f"/courses/{course.pk}/")
    button = page.get_by_role("link", name="Sign in with St. Anna")
    expect(button).to_be_visible()
    assert_accessible(page, "sign-in page")

    button.click()
    expect(page).to_have_title("St. Anna")
    page.get_by_role("link", name="I am Jo").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_text("no user of this site has your name or address")).to_be_visible()
    assert_accessible(page, "refused")

    nurse.email = "j.ruiz@hospital.example"
    nurse.save(update_fields=["email"])
    page.goto(f"/courses/{course.pk}/")
    button.click()
    page.get_by_role("link", name="I am Jo").click()
    expect(page.get_by_role("heading", name="OKONKWO, Ada")).to_be_attached()
    expect(page.get_by_text("J. Ruiz").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="OKONKWO, Ada")).not_to_be_attached()

    page.goto("/")
    page.get_by_role("button", name="Sign out").click()
    hospital.is_broken = True
    button.click()
    expect(page.get_by_text("does not answer as it should")).to_be_visible()
    page.get_by_role("link", name="Sign in with user name and password").click()
    page.get_by_role("textbox", name="Username").fill("nurse")
    page.get_by_role("textbox", name="Password").fill("correct horse 1")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("J. Ruiz").first).to_be_visible()
