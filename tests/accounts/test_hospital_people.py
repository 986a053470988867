"""What administrators and users do about the hospital's sign-in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts.links import make_link
from crs_app.accounts.models import HospitalIdentity, Role, User
from crs_app.record.models import Event, EventKind
from tests.accounts.conftest import EMAIL
from tests.accounts.test_hospital_sign_in import come_back
from tests.hospital_provider import FakeProvider

PASSWORD, NEW = "correct horse 1", "a longer horse 2"

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(administrator: User) -> Client:
    client = Client()
    client.post("/accounts/sign-in/", {"username": "admin", "password": PASSWORD})
    return client


@pytest.fixture
def nurse(hospital: FakeProvider, make_user: Callable[..., User]) -> User:
    """Nurse without a password, who has signed in at the hospital."""
    user = make_user("nurse", Role.WARD_CLINICIAN, first_name="Jo", last_name="Ruiz", email=EMAIL)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    come_back(Client(), hospital)
    assert HospitalIdentity.objects.filter(user=user).exists()
    return user


def comes_in(hospital: FakeProvider) -> bool:
    client = Client()
    come_back(client, hospital)
    return SESSION_KEY in client.session


def test_a_new_user_gets_the_address_by_which_the_hospital_names_him(
    admin: Client, hospital: FakeProvider
) -> None:
    sent = {
        "first_name": "Jo", "last_name": "Ruiz", "username": "j.ruiz", "role": "auditor",
        "email": EMAIL,
    }  # fmt: skip
    assert "E-mail address at the hospital" in admin.get("/people/new/").content.decode()
    assert admin.post("/people/new/", sent).status_code == 200
    assert comes_in(hospital)
    again = admin.post("/people/new/", sent | {"username": "second", "email": EMAIL.upper()})
    assert again.status_code == 422
    assert "Another user has this e-mail address" in again.content.decode()


def test_an_address_is_changed_on_the_page_of_the_user(
    admin: Client, hospital: FakeProvider, make_user: Callable[..., User], administrator: User
) -> None:
    user = make_user("nurse", Role.WARD_CLINICIAN)
    page = admin.get(f"/people/{user.pk}/").content.decode()
    assert "without an e-mail address it cannot name this user" in page
    wrong = admin.post(f"/people/{user.pk}/email/", {"email": "j.ruiz"})
    assert wrong.status_code == 422
    assert admin.post(f"/people/{user.pk}/email/", {"email": EMAIL}).status_code == 302
    assert comes_in(hospital)
    taken = admin.post(f"/people/{administrator.pk}/email/", {"email": EMAIL.title()})
    assert "Another user has this e-mail address" in taken.content.decode()
    changed = Event.objects.filter(kind=EventKind.USER_CHANGED).values_list("details", flat=True)
    assert list(changed) == [{"user": "nurse", "email": "changed"}]


def test_without_a_provider_no_address_is_asked_for(
    admin: Client, nurse: User, settings: Any
) -> None:
    settings.HOSPITAL_SIGN_IN = None
    assert "E-mail" not in admin.get("/people/new/").content.decode()
    page = admin.get(f"/people/{nurse.pk}/").content.decode()
    assert "Hospital" not in page
    assert admin.get(f"/people/{nurse.pk}/email/").status_code == 404


def test_a_user_of_the_hospital_alone_is_no_user_who_cannot_sign_in(
    admin: Client, nurse: User
) -> None:
    row = re.search(r"<tr.*?nurse.*?</tr>", admin.get("/people/").content.decode(), re.DOTALL)
    assert row is not None
    assert ">hospital<" in row[0]
    assert "Cannot sign in" not in row[0]
    assert "nurse" not in admin.get("/people/?show=attention").content.decode()
    page = admin.get(f"/people/{nurse.pk}/").content.decode()
    assert "linked since" in page


def test_a_forgotten_link_lets_another_identity_in_and_ends_every_session(
    admin: Client, nurse: User, hospital: FakeProvider
) -> None:
    tablet = Client()
    come_back(tablet, hospital)
    hospital.person["sub"] = "another identity"
    assert not comes_in(hospital)
    assert admin.post(f"/people/{nurse.pk}/forget-hospital/").status_code == 302
    assert tablet.get("/").status_code == 302
    assert comes_in(hospital)
    again = admin.post(f"/people/{nurse.pk}/forget-hospital/")
    assert again.status_code == 302
    assert "not linked" in admin.post(f"/people/{nurse.pk}/forget-hospital/").content.decode()
    methods = Event.objects.filter(kind=EventKind.SIGN_IN_METHODS_CHANGED).order_by("number")
    assert [event.details["hospital"] for event in methods] == [
        "linked", "forgotten", "linked", "forgotten",
    ]  # fmt: skip


def test_a_link_that_was_never_used_ends_with_the_first_sign_in_at_the_hospital(
    hospital: FakeProvider, make_user: Callable[..., User]
) -> None:
    """Whoever finds the slip later must not make a password of it."""
    user = make_user("nurse", Role.WARD_CLINICIAN, email=EMAIL)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    address = f"/accounts/start/{make_link(user, None, timezone.now())}/"
    assert Client().get(address).status_code == 200
    assert comes_in(hospital)
    sent = {"new_password1": NEW, "new_password2": NEW}
    assert Client().post(address, sent).status_code == 404
    user.refresh_from_db()
    assert not user.has_usable_password()


def test_a_link_adds_a_password_to_a_user_of_the_hospital_only_on_purpose(
    admin: Client, nurse: User
) -> None:
    address = f"/people/{nurse.pk}/link/"
    assert "sign in past the hospital" in admin.get(address).content.decode()
    refused = admin.post(address)
    assert refused.status_code == 422
    assert "/accounts/start/" not in refused.content.decode()
    made = admin.post(address, {"adds_password": "on"}).content.decode()
    found = re.search(r"http://testserver(/accounts/start/[^<\s]+)", made)
    assert found is not None
    assert Client().post(found[1], {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    event = Event.objects.filter(kind=EventKind.USER_CHANGED).get()
    assert event.details == {"user": "nurse", "link": "made", "password": "added"}


def test_who_has_a_password_gets_a_link_as_before(
    admin: Client, auditor: User, hospital: FakeProvider
) -> None:
    assert "/accounts/start/" in admin.post(f"/people/{auditor.pk}/link/").content.decode()


def test_a_user_without_a_password_changes_none(nurse: User, hospital: FakeProvider) -> None:
    client = Client()
    come_back(client, hospital)
    page = client.get("/accounts/me/").content.decode()
    assert "Hospital sign-in" in page
    assert "Change password" not in page
    assert client.get("/accounts/me/password/").status_code == 302


def test_an_administrator_without_a_password_shows_at_the_hospital_who_it_is(
    hospital: FakeProvider, nurse: User, time_machine: TimeMachineFixture
) -> None:
    """After 15 minutes; what was typed before can then be sent, from the same page."""
    nurse.role = Role.ADMINISTRATOR
    nurse.save(update_fields=["role"])
    client = Client(enforce_csrf_checks=True)
    time_machine.move_to("2026-03-01 10:00:00Z", tick=False)
    come_back(client, hospital)
    for minutes in (9, 18):
        time_machine.move_to(f"2026-03-01 10:{minutes:02}:00Z", tick=False)
        page = client.get("/people/new/").content.decode()
    assert "Sign in at the hospital once more" in page
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    sent = {
        "first_name": "Ewa", "last_name": "Nowak", "username": "e.nowak", "role": "auditor",
        "csrfmiddlewaretoken": token[1],
    }  # fmt: skip
    refused = client.post("/people/new/", sent)
    assert refused.status_code == 422
    assert 'value="Nowak"' in refused.content.decode()
    come_back(client, hospital)
    assert client.post("/people/new/", sent).status_code == 200
    assert User.objects.filter(username="e.nowak").exists()


def test_an_identity_of_another_provider_counts_for_nothing(
    nurse: User, hospital: FakeProvider, settings: Any, admin: Client
) -> None:
    settings.HOSPITAL_SIGN_IN = replace(
        settings.HOSPITAL_SIGN_IN, issuer="https://new.hospital.example"
    )
    assert "not used yet" in admin.get(f"/people/{nurse.pk}/").content.decode()
    assert "/accounts/start/" in admin.post(f"/people/{nurse.pk}/link/").content.decode()
