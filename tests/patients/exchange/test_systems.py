"""The pages on which administrators register other systems, their keys and rights."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import PASSWORD_AT
from crs_app.record.models import Event, EventKind
from patients.exchange.access.keys import scopes_of
from patients.models import Course, ExternalSystem, SystemGrant, SystemKey
from tests.entry_forms import HTMX, text_of
from tests.patients.exchange import signed
from tests.patients.exchange.hl7_messages import laboratory
from tests.received import a_message

pytestmark = pytest.mark.django_db
NEW = {
    "name": "Monitor 7B",
    "kind": "monitor",
    "mrn_system": "urn:oid:1.2.3",
    "timezone": "Europe/Berlin",
    "charset": "utf-8",
    "filing": "propose",
    "thinning_minutes": "15",
    "allowed_addresses": "10.1.2.0/24\n10.1.3.4",
}


@pytest.fixture(autouse=True)
def password_is_fresh(administrator_client: Client) -> None:
    """The administrator has just entered the own password."""
    session = administrator_client.session
    session[PASSWORD_AT] = timezone.now().timestamp()
    session.save()


def test_before_a_change_the_own_password_is_asked_for(administrator: User, client: Client) -> None:
    client.force_login(administrator)
    answer = post(client, "new_system", **NEW)
    assert answer.status_code == 422
    assert "Your own password" in answer.content.decode()
    assert not ExternalSystem.objects.exists()


def post(client: Client, page: str, *args: Any, **fields: Any) -> Any:
    """The answer to a form of a page for administrators."""
    return client.post(reverse(f"patients:{page}", args=args), fields)


def shown(client: Client, page: str, system: ExternalSystem, field: str) -> str:
    """What a page has in a hidden field."""
    form = client.get(reverse(f"patients:{page}", args=[system.pk])).context["form"]
    assert f'name="{field}"' in str(form[field])
    return str(form[field].value())


def test_a_page_that_was_opened_before_a_change_does_not_undo_it(
    administrator_client: Client,
) -> None:
    system = laboratory()
    opened = shown(administrator_client, "change_system", system, "seen")
    fields = {**NEW, "seen": opened}
    assert post(administrator_client, "change_system", system.pk, **fields).status_code == 302
    system.refresh_from_db()
    again = post(administrator_client, "change_system", system.pk, **fields)
    assert again.status_code == 302, "a second tap asks for the same"
    for seen in (opened, ""):
        stale = {**NEW, "filing": "file", "seen": seen}
        answer = post(administrator_client, "change_system", system.pk, **stale)
        assert answer.status_code == 409
        assert "has changed this system since" in text_of(answer.content.decode())
    system.refresh_from_db()
    assert system.filing == {"default": "propose"}


def test_a_system_is_registered_changed_and_deactivated(
    administrator: User, administrator_client: Client, course: Course
) -> None:
    assert post(administrator_client, "new_system", **NEW).status_code == 302
    system = ExternalSystem.objects.get()
    assert (system.name, system.kind, system.timezone) == ("Monitor 7B", "monitor", "Europe/Berlin")
    assert system.allowed_addresses == ["10.1.2.0/24", "10.1.3.4"]
    changed = {**NEW, "filing_lab": "file", "file_wards": str(course.on_ward_id)}
    changed["seen"] = shown(administrator_client, "change_system", system, "seen")
    assert post(administrator_client, "change_system", system.pk, **changed).status_code == 302
    system.refresh_from_db()
    assert system.filing == {"default": "propose", "lab": "file"}
    assert system.filing_of_wards == {str(course.on_ward_id): {"default": "file"}}
    assert system.changed_by == administrator
    assert system.changes.count() == 1
    wanted = shown(administrator_client, "system_active", system, "is_active")
    for _ in range(2):  # a second tap does not undo the first
        answer = post(administrator_client, "system_active", system.pk, is_active=wanted)
        assert answer.status_code == 302
    system.refresh_from_db()
    assert not system.is_active
    assert post(administrator_client, "system_active", system.pk).status_code == 422
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {EventKind.SYSTEM_REGISTERED, EventKind.SYSTEM_CHANGED} <= kinds


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("timezone", "Berlin", "This is no time zone"),
        ("charset", "klingon", "This is no character set"),
        *(
            ("charset", name, "This is no character set")
            for name in ("hex", "zlib", "idna", "utf-16", "utf-7", "unicode_escape", "undefined")
        ),
        ("allowed_addresses", "10.1.2.300", "is no address or network"),
        ("thinning_minutes", "0", "greater than or equal to 1"),
        ("kind", "toaster", "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    administrator_client: Client, field: str, value: str, sentence: str
) -> None:
    answer = post(administrator_client, "new_system", **{**NEW, field: value})
    assert answer.status_code == 422
    assert sentence in text_of(answer.content.decode())
    assert not ExternalSystem.objects.exists()


def test_two_systems_never_have_one_name(administrator_client: Client) -> None:
    for _ in range(2):  # a second tap is the same
        assert post(administrator_client, "new_system", **NEW).status_code == 302
    answer = post(administrator_client, "new_system", **{**NEW, "name": "monitor 7b"})
    assert "Another system has this name." in answer.content.decode()
    assert ExternalSystem.objects.count() == 1


def test_keys_are_added_and_ended_and_a_private_one_is_refused(
    administrator_client: Client,
) -> None:
    system = laboratory()
    key = signed.ec_key("lab-key")
    private = {"key_set": json.dumps(key.as_dict(private=True))}
    refused = post(administrator_client, "system_keys", system.pk, **private)
    assert refused.status_code == 422
    assert "has its private part" in text_of(refused.content.decode())
    public = {"key_set": signed.jwks(key)}
    for _ in range(2):  # a second tap is the same
        assert post(administrator_client, "system_keys", system.pk, **public).status_code == 302
    added = SystemKey.objects.get()
    other = {"key_set": signed.jwks(signed.rsa_key("lab-key"))}
    assert post(administrator_client, "system_keys", system.pk, **other).status_code == 422
    assert "lab-key" in administrator_client.get(f"/systems/{system.pk}/").content.decode()
    assert post(administrator_client, "end_system_key", system.pk, added.pk).status_code == 302
    assert SystemKey.objects.get().end.by.username
    assert post(administrator_client, "system_keys", system.pk, **public).status_code == 422


def test_rights_are_granted_one_by_one_and_taken_back(administrator_client: Client) -> None:
    system = laboratory()
    scope, client = "system/Observation.c", administrator_client
    for _ in range(2):
        post(client, "system_scopes", system.pk, scopes=[scope], seen="0")
    assert scopes_of(system) == [scope]
    assert SystemGrant.objects.count() == 1
    opened = shown(client, "system_scopes", system, "seen")
    post(client, "system_scopes", system.pk, seen=opened)
    assert scopes_of(system) == []
    more = [scope, "system/Patient.rs"]
    stale = post(client, "system_scopes", system.pk, scopes=more, seen=opened)
    assert stale.status_code == 409
    assert "has changed these rights since" in text_of(stale.content.decode())
    assert scopes_of(system) == []
    wrong = post(administrator_client, "system_scopes", system.pk, scopes=["system/Patient.cud"])
    assert wrong.status_code == 422


def test_the_list_is_searched_by_name(administrator_client: Client) -> None:
    laboratory("Laboratory")
    laboratory("Blood gas")
    rows = administrator_client.get("/systems/?q=gas", **HTMX).context["rows"]
    assert [row.system.name for row in rows] == ["Blood gas"]


def test_faults_are_listed_without_the_patient_and_opening_one_is_recorded(
    administrator: User, administrator_client: Client
) -> None:
    system = laboratory()
    segments = ["PID|1||4471920^^^^MR||OKAFOR^ADAEZE"]
    message = a_message(system, None, segments, verdict="not_accepted", reason="patient.unknown")
    for asked in ("", "x", "9" * 5000):
        listed = administrator_client.get("/systems/traffic/", {"system": asked})
        page = text_of(listed.content.decode())
        assert "Nobody here has this number." in page
    assert "OKAFOR" not in page
    opened = administrator_client.get(f"/systems/messages/{message.pk}/")
    assert "OKAFOR^ADAEZE" in opened.content.decode()
    seen = Event.objects.filter(by=administrator, kind=EventKind.VIEW)
    assert any("message that was not accepted" in str(event.details) for event in seen)


def test_an_accepted_message_is_opened_by_no_administrator(
    administrator_client: Client, course: Course
) -> None:
    message = a_message(laboratory(), course, ["OBX|1"], filed=1)
    assert administrator_client.get(f"/systems/messages/{message.pk}/").status_code == 404


def test_the_codes_that_nobody_verified_are_listed(administrator_client: Client) -> None:
    page = text_of(administrator_client.get("/systems/unverified/").content.decode())
    assert "150364 MDC (ISO/IEEE 11073)" in page
