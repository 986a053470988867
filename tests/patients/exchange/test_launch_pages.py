"""The pages on which administrators register health records and link their people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import Role, User
from crs_app.record.models import Event, EventKind
from patients.exchange.smart.addresses import is_origin, is_private_address
from patients.exchange.smart.issuers import issuer_of, secret_of, users_named
from patients.models import LaunchIssuer
from tests.entry_forms import text_of
from tests.health_record import MRN_SYSTEM, FakeRecord
from tests.hospital_provider import CLIENT_ID
from tests.patients.exchange.launching import SUBJECT, launch
from tests.patients.exchange.test_messages_at_once import together

PASSWORD = "correct horse 1"


def entered(**changes: Any) -> dict[str, Any]:
    return {
        "name": "St. Anna", "client_id": CLIENT_ID, "shows": "key", "mrn_system": MRN_SYSTEM,
        "frame_origins": "", "your_password": PASSWORD,
    } | changes  # fmt: skip


def page_of(record: FakeRecord) -> str:
    return f"/launches/{LaunchIssuer.objects.filter(iss=record.iss).latest('pk').pk}/"


def test_a_record_is_registered_with_the_addresses_that_it_states(
    record: FakeRecord, administrator_client: Client
) -> None:
    taken = entered(iss=record.iss, frame_origins="https://ehr.example")
    refused = administrator_client.post("/launches/new/", taken)
    assert "has registered this health record already" in refused.content.decode()
    sent = taken | {"iss": f"{record.iss}/", "frame_origins": "https://ehr.example\n"}
    for _ in range(2):  # a second tap is the same
        answer = administrator_client.post("/launches/new/", sent)
        assert answer.status_code == 302, answer.content.decode()
    found = issuer_of(f"{record.iss}/")
    assert found is not None
    assert found.token_endpoint == f"{record.issuer}/token"
    assert (found.frame_origins, found.client_secret) == (["https://ehr.example"], "")
    page = administrator_client.get(answer["Location"]).content.decode()
    assert "https://ehr.example" in page
    assert found.private_key not in page
    event = Event.objects.filter(kind=EventKind.LAUNCH_CHANGED).latest("number")
    assert event.details["frames"] == "https://ehr.example"


def test_the_list_names_what_to_register_there(
    record: FakeRecord, administrator_client: Client
) -> None:
    page = administrator_client.get("/launches/").content.decode()
    for path in ("launch", "return", "keys.json"):
        assert f"http://testserver/smart/{path}" in page
    assert record.iss in page


def test_a_secret_stays_until_another_is_entered(
    record: FakeRecord, administrator_client: Client
) -> None:
    before = issuer_of(record.iss)
    assert before is not None
    change = f"{page_of(record)}change/"
    page = administrator_client.get(change).content.decode()
    assert secret_of(before) not in page
    answer = administrator_client.post(change, entered(shows="keep", name="St. Anna West"))
    assert answer.status_code == 302
    after = issuer_of(record.iss)
    assert after is not None
    assert (after.name, secret_of(after)) == ("St. Anna West", secret_of(before))
    again = f"{page_of(record)}change/"
    administrator_client.post(again, entered(shows="secret", client_secret="another"))
    last = issuer_of(record.iss)
    assert last is not None
    assert secret_of(last) == "another"


REFUSED: dict[str, dict[str, Any]] = {
    "no https": {"iss": "http://ehr.example/fhir"},
    "no address": {"iss": "ehr.example"},
    "a name and password in it": {"iss": "https://a:b@ehr.example/fhir"},
    "a path in an origin": {"frame_origins": "https://ehr.example/x"},
    "a star in an origin": {"frame_origins": "https://*.ehr.example"},
    "a second directive in an origin": {"frame_origins": "https://ehr.example;script-src"},
    "no secret": {"shows": "secret"},
    "wrong password": {"your_password": "x"},
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_safe_is_not_registered(
    case: str, record: FakeRecord, administrator_client: Client
) -> None:
    before = LaunchIssuer.objects.count()
    sent = entered(iss=record.iss) | REFUSED[case]
    assert administrator_client.post("/launches/new/", sent).status_code == 422
    assert LaunchIssuer.objects.count() == before


@pytest.mark.parametrize("changed", [
    {"code_challenge_methods_supported": ["plain"]}, {"token_endpoint": None},
    {"jwks_uri": "http://ehr.example/keys"}, {"authorization_endpoint": "javascript:alert(1)"},
    {"issuer": 7},
])  # fmt: skip
def test_a_record_that_does_not_offer_what_is_needed_is_not_registered(
    changed: dict[str, Any], record: FakeRecord, administrator_client: Client
) -> None:
    record.configuration = changed
    answer = administrator_client.post("/launches/new/", entered(iss=record.iss))
    assert answer.status_code == 422
    assert "smart-configuration" in answer.content.decode()


def test_a_link_is_made_and_forgotten_and_nothing_of_it_is_lost(
    record: FakeRecord, administrator_client: Client, intensivist: User
) -> None:
    page = page_of(record)
    sent = {"identity": "Practitioner/7", "username": "icu", "your_password": PASSWORD}
    assert administrator_client.post(f"{page}link/", sent).status_code == 302
    assert users_named(record.iss, ["Practitioner/7"]) == [intensivist]
    forgotten = administrator_client.post(f"{page}forget/", {"identity": SUBJECT})
    assert forgotten.status_code == 302
    assert users_named(record.iss, [SUBJECT]) == []
    assert launch(Client(), record).status_code == 403
    assert administrator_client.post(f"{page}forget/", {"identity": SUBJECT}).status_code == 422


def test_nobody_is_linked_who_is_no_active_person(
    record: FakeRecord, administrator_client: Client, nurse: User
) -> None:
    User.objects.create(username="system:lab", role=Role.SYSTEM, is_active=False, password="!")
    User.objects.filter(pk=nurse.pk).update(is_active=False)
    for username in ("system:lab", "nurse", "no-such"):
        sent = {"identity": "x", "username": username, "your_password": PASSWORD}
        assert administrator_client.post(f"{page_of(record)}link/", sent).status_code == 422


def test_a_record_is_switched_off_and_on(record: FakeRecord, administrator_client: Client) -> None:
    administrator_client.post(f"{page_of(record)}off/", {"your_password": PASSWORD})
    assert launch_status(record) == 403
    changed = administrator_client.post(f"{page_of(record)}change/", entered(shows="keep"))
    assert changed.status_code == 302, changed.content.decode()
    assert launch_status(record) == 403, "a change does not switch it on"
    administrator_client.post(f"{page_of(record)}on/")
    assert launch_status(record) == 302


def test_a_page_that_was_opened_before_a_change_does_not_undo_it(
    record: FakeRecord, administrator_client: Client
) -> None:
    opened = page_of(record)
    framed = entered(shows="keep", frame_origins="https://ehr.example")
    for _ in range(2):  # a second tap is the same
        assert administrator_client.post(f"{opened}change/", framed).status_code == 302
    stale = administrator_client.post(f"{opened}change/", entered(shows="keep"))
    assert stale.status_code == 422
    page = text_of(stale.content.decode())
    assert "has changed it since this page was opened: frames https://ehr.example." in page
    found = issuer_of(record.iss)
    assert found is not None
    assert found.frame_origins == ["https://ehr.example"]
    assert administrator_client.get(f"{opened}change/")["Location"] == f"{page_of(record)}change/"


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_the_second_sees_the_first(
    record: FakeRecord, administrator: User
) -> None:
    opened = f"{page_of(record)}change/"

    def change(name: str) -> Callable[[], Any]:
        client = Client()
        client.force_login(administrator)
        return lambda: client.post(opened, entered(shows="keep", name=name))

    answers = together(change("St. Anna 2"), change("St. Anna 3"))
    assert sorted(one.status_code for one in answers) == [302, 422]
    (refused,) = (one for one in answers if one.status_code == 422)
    found = issuer_of(record.iss)
    assert found is not None
    page = text_of(refused.content.decode())
    assert f"has changed it since this page was opened: name {found.name}. Open it again." in page


def launch_status(record: FakeRecord) -> int:
    status: int = Client().get("/smart/launch", {"iss": record.iss, "launch": "x"}).status_code
    return status


def test_which_addresses_are_safe() -> None:
    assert is_private_address("https://ehr.example:8443/fhir?x=1")
    assert is_private_address("http://localhost:1/")
    for address in (
        "https://ehr.example/#x", "ftp://ehr.example", "https://", "https://é.example",
        "https://a b.example", "https://ehr.example:port/", None, "x" * 301,
    ):  # fmt: skip
        assert not is_private_address(address), address
    assert is_origin("https://ehr.example:8443")
    assert not is_origin("https://ehr.example/")
