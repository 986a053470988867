"""Sign-in at the hospital's provider: who comes in, and every answer that is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from crs_app.accounts.hospital import provider as provider_module
from crs_app.accounts.models import HospitalIdentity, Role, SignInThrottle, User
from crs_app.accounts.system_users import grading_rules_author
from crs_app.record.models import Event, EventKind
from tests.accounts.conftest import EMAIL
from tests.hospital_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider

THERE, BACK = "/accounts/hospital/", "/accounts/hospital/return/"
LONG_S = EMAIL.replace("s", "\u017f")  # in capitals it is the same as EMAIL

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse(make_user: Callable[..., User]) -> User:
    """Nurse whose address is the one that the provider knows."""
    names = {"first_name": "Jo", "last_name": "Ruiz", "email": EMAIL}
    return make_user("nurse", Role.WARD_CLINICIAN, **names)


def sent_to(client: Client, **asked: str) -> str:
    answer = client.get(THERE, asked)
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def come_back(client: Client, hospital: FakeProvider, **asked: str) -> HttpResponse:
    """The answer of this site to a person who signs in at the provider."""
    return client.get(hospital.return_address(sent_to(client, **asked)))


def is_signed_in(client: Client) -> bool:
    return SESSION_KEY in client.session


def failures() -> list[dict[str, str]]:
    events = Event.objects.filter(kind=EventKind.SIGN_IN_FAILED).order_by("number")
    return [event.details for event in events]


def assert_refused(client: Client, answer: HttpResponse, why: str, status: int = 403) -> str:
    assert answer.status_code == status
    assert not is_signed_in(client)
    assert failures() == [{"method": "hospital", "why": why}]
    page = answer.content.decode()
    assert "You are not signed in" in page
    assert reverse("accounts:sign_in") in page
    return page


def test_without_settings_there_is_no_button_and_no_address(client: Client) -> None:
    assert "hospital" not in client.get("/accounts/sign-in/").content.decode().lower()
    for address in (THERE, BACK):
        assert client.get(address).status_code == 404


def test_a_user_of_a_verified_address_comes_in_and_is_recorded(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    page = client.get("/accounts/sign-in/?next=/courses/admit/").content.decode()
    assert "Hospital sign-in" in page
    assert f"{THERE}?next=/courses/admit/" in page
    answer = come_back(client, hospital, next="/courses/admit/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/courses/admit/")
    assert client.get("/courses/admit/").status_code == 200
    event = Event.objects.get(kind=EventKind.SIGN_IN)
    assert (event.by, event.details) == (nurse, {"method": "hospital"})
    linked = HospitalIdentity.objects.get()
    assert (linked.user, linked.issuer, linked.subject) == (
        nurse, hospital.issuer, "248289761001",
    )  # fmt: skip


def test_the_second_time_the_same_identity_comes_in(hospital: FakeProvider, nurse: User) -> None:
    for _ in range(2):
        client = Client()
        come_back(client, hospital)
        assert is_signed_in(client)
    assert HospitalIdentity.objects.count() == 1


def test_who_may_open_the_two_addresses(
    client: Client, nurse_client: Client, hospital: FakeProvider
) -> None:
    """Everybody leaves for the provider; nothing is sent to either, and nothing returns by it."""
    for one in (client, nurse_client):
        assert one.get(THERE).headers["Location"].startswith(f"{hospital.issuer}/authorize?")
        assert one.get(BACK).status_code == 403
        for address in (THERE, BACK):
            for send in (one.post, one.put, one.patch, one.delete, one.head):
                assert send(address).status_code == 405


def test_a_session_is_locked_and_ends_as_after_a_password(
    client: Client, hospital: FakeProvider, nurse: User, time_machine: Any
) -> None:
    begun = time.time()
    come_back(client, hospital)
    assert client.get("/").status_code == 200
    time_machine.move_to(begun + 11 * 60)
    assert client.get("/").status_code == 302
    come_back(client, hospital)
    assert client.get("/").status_code == 200
    is_open = []
    for minutes in range(20, 13 * 60, 9):
        time_machine.move_to(begun + minutes * 60)
        is_open.append(client.post("/accounts/active/").status_code == 204)
    assert sum(is_open) * 9 == pytest.approx(12 * 60, abs=10)
    assert not is_open[-1]


def test_what_the_browser_brings_to_the_provider(client: Client, hospital: FakeProvider) -> None:
    """A code alone, with PKCE, a nonce, and the wish that the person be asked."""
    asked = dict(parse_qsl(urlsplit(sent_to(client)).query))
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["nonce"]) > 20
    assert len(asked["state"]) > 20
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert asked["redirect_uri"] == "http://testserver/accounts/hospital/return/"
    assert CLIENT_SECRET not in str(asked)


def test_the_cookie_of_a_begun_sign_in_is_the_browser_s_alone(
    client: Client, hospital: FakeProvider, settings: Any
) -> None:
    sent_to(client, next="/é" * 249)
    (cookie,) = client.cookies.values()
    assert cookie.key.startswith("crs-hospital-sign-in-")
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 600)
    assert len(cookie.value) < 4000
    settings.SESSION_COOKIE_SECURE = True
    sent_to(client)
    assert [one["secure"] for name, one in client.cookies.items() if "__Host-" in name] == [True]
    assert "sessionid" not in client.cookies


def test_the_address_cannot_add_to_what_is_asked(client: Client, hospital: FakeProvider) -> None:
    more = {"scope": "groups", "auth_params": "prompt=none", "process": "connect"}
    asked = dict(parse_qsl(urlsplit(sent_to(client, **more)).query))
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert asked["prompt"] == "login"


@pytest.mark.parametrize("page", ["//elsewhere.example/", "/accounts/hospital/", "/" + "x" * 2000])
def test_a_page_elsewhere_is_not_a_page_to_lead_to(
    client: Client, hospital: FakeProvider, nurse: User, page: str
) -> None:
    assert come_back(client, hospital, next=page).headers["Location"] == "/"


def test_letters_of_an_address_may_be_large_or_small(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    hospital.person["email"] = EMAIL.upper()
    come_back(client, hospital)
    assert is_signed_in(client)


def test_role_and_names_are_those_of_this_site(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    hospital.person |= {"role": "administrator", "groups": ["admins"], "given_name": "Max"}
    come_back(client, hospital)
    assert is_signed_in(client)
    nurse.refresh_from_db()
    assert (nurse.role, nurse.first_name) == (Role.WARD_CLINICIAN, "Jo")


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_unverified_claim_is_refused(
    client: Client, hospital: FakeProvider, nurse: User, verified: object
) -> None:
    hospital.person["email_verified"] = verified
    page = assert_refused(client, come_back(client, hospital), "unverified")
    assert "does not say that your name or address there is verified" in page


def test_a_claim_that_is_unverified_later_is_refused(hospital: FakeProvider, nurse: User) -> None:
    come_back(Client(), hospital)
    hospital.person["email_verified"] = False
    client = Client()
    assert_refused(client, come_back(client, hospital), "unverified")


@pytest.mark.parametrize("email", ["a.nother@hospital.example", "", None, 7, LONG_S])
def test_a_person_who_is_unknown_here_is_refused_and_not_created(
    client: Client, hospital: FakeProvider, nurse: User, email: object
) -> None:
    hospital.person["email"] = email
    page = assert_refused(client, come_back(client, hospital), "unknown")
    assert "no user of this site has your name or address there" in page
    assert list(User.objects.exclude(pk=nurse.pk).filter(email__gt="")) == []
    assert not HospitalIdentity.objects.exists()


def test_a_user_without_an_address_is_nobody_s(
    client: Client, hospital: FakeProvider, make_user: Callable[..., User]
) -> None:
    make_user("nurse", Role.WARD_CLINICIAN)
    hospital.person["email"] = " "
    assert_refused(client, come_back(client, hospital), "unknown")


def test_a_deactivated_user_is_refused(client: Client, hospital: FakeProvider, nurse: User) -> None:
    nurse.is_active = False
    nurse.save(update_fields=["is_active"])
    page = assert_refused(client, come_back(client, hospital), "deactivated")
    assert "deactivated" in page


def test_a_claim_of_two_users_is_refused(
    client: Client, hospital: FakeProvider, nurse: User, make_user: Callable[..., User]
) -> None:
    make_user("second", Role.AUDITOR, email=EMAIL.title())
    page = assert_refused(client, come_back(client, hospital), "two users")
    assert "Two users of this site" in page


def test_an_address_that_the_hospital_gave_to_somebody_else_opens_nothing(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    come_back(Client(), hospital)
    hospital.person["sub"] = "another person"
    assert_refused(client, come_back(client, hospital), "other identity")


def test_one_identity_is_not_two_users(
    client: Client, hospital: FakeProvider, nurse: User, make_user: Callable[..., User]
) -> None:
    come_back(Client(), hospital)
    make_user("second", Role.AUDITOR, email="second@hospital.example")
    hospital.person["email"] = "second@hospital.example"
    assert_refused(client, come_back(client, hospital), "other identity")


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda claims: claims.pop(name)


def _with(**changed: Any) -> Callable[[dict[str, Any]], object]:
    return lambda claims: claims.update(changed)


WRONG_TOKENS = {
    "wrong issuer": (_with(iss="https://elsewhere.example"), "issuer"),
    "wrong audience": (_with(aud="another application"), "audience"),
    "issued to another party": (_with(azp="another application"), "audience"),
    "for several, nobody knows whom": (_with(aud=[CLIENT_ID, "another"]), "audience"),
    "wrong nonce": (_with(nonce="of another sign-in"), "nonce"),
    "half a letter for a nonce": (_with(nonce="\ud800"), "nonce"),
    "no nonce": (_without("nonce"), "token"),
    "expired": (_with(exp=int(time.time()) - 3600), "expired"),
    "never ends": (_without("exp"), "token"),
    "of tomorrow": (_with(iat=int(time.time()) + 86_400), "token"),
    "nobody": (_with(sub=""), "token"),
    "somebody whom no database holds": (_with(sub="a\0b"), "token"),
    "half a letter": (_with(sub="\ud800"), "token"),
    "a number for a subject": (_with(sub=248289761001), "token"),
    "not asked again": (_with(auth_time=int(time.time()) - 3600), "not asked again"),
    "asked at no time": (_with(auth_time=float("nan")), "not asked again"),
    "not known whether asked": (_without("auth_time"), "not asked again"),
}


@pytest.mark.parametrize(("change", "why"), WRONG_TOKENS.values(), ids=WRONG_TOKENS)
def test_a_wrong_token_is_refused(
    client: Client,
    hospital: FakeProvider,
    nurse: User,
    change: Callable[[dict[str, Any]], object],
    why: str,
) -> None:
    hospital.change = change
    assert_refused(client, come_back(client, hospital), why)


@pytest.mark.parametrize(
    ("key", "algorithm"), [("stranger", "RS256"), ("hospital", "HS256"), ("hospital", "none")]
)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    client: Client, hospital: FakeProvider, nurse: User, key: str, algorithm: str
) -> None:
    hospital.sign_with, hospital.algorithm = key, algorithm
    page = assert_refused(client, come_back(client, hospital), "signature")
    assert "is not valid here (signature)" in page


def test_a_return_works_once(client: Client, hospital: FakeProvider, nurse: User) -> None:
    """Not in the same browser, and not with what the browser kept."""
    address = hospital.return_address(sent_to(client))
    kept = {name: cookie.value for name, cookie in client.cookies.items()}
    client.get(address)
    assert is_signed_in(client)
    assert client.get(address).status_code == 403
    thief = Client()
    for name, value in kept.items():
        thief.cookies[name] = value
    asked = len(hospital.asked)
    assert thief.get(address).status_code == 403
    assert not is_signed_in(thief)
    assert [one["why"] for one in failures()] == ["state", "state"]
    assert len(hospital.asked) == asked


def test_sign_ins_in_two_tabs_return_each_in_either_order(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    first, second = sent_to(client, next="/help/"), sent_to(client)
    for address in (second, first):
        answer = client.get(hospital.return_address(address))
        assert (answer.status_code, is_signed_in(client)) == (302, True)
    assert answer["Location"] == "/help/"


def test_the_cookies_of_many_begun_sign_ins_fit_in_a_header(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    """The oldest go; a web server refuses a browser whose cookies are longer than its limit."""
    for _ in range(4):
        last = sent_to(client, next="/é" * 249)
    for _ in range(9):
        last = sent_to(client)
    begun = [one.value for name, one in client.cookies.items() if "sign-in" in name and one.value]
    assert len(begun) <= 8
    assert sum(map(len, begun)) <= 4000
    assert client.get(hospital.return_address(last)).status_code == 302


def test_the_state_of_another_browser_is_refused(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    """An attacker's return must not sign a victim in as the attacker."""
    address = hospital.return_address(sent_to(Client()))
    sent_to(client)
    assert_refused(client, client.get(address), "state")


@pytest.mark.parametrize("query", ["", "?code=a", "?state=a&code=b", "?error=x&state="])
def test_a_return_that_nobody_began_asks_nobody(
    client: Client, hospital: FakeProvider, query: str
) -> None:
    assert_refused(client, client.get(BACK + query), "state")
    assert hospital.asked == []


def test_returns_of_strangers_fill_no_cache(client: Client, hospital: FakeProvider) -> None:
    """It would forget which codes of a second factor were used."""
    for answer in ({"error": "access_denied"}, {"code": "none"}):
        state = parse_qs(urlsplit(sent_to(client)).query)["state"][0]
        assert client.get(BACK, {**answer, "state": state}).status_code == 403
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shared_cache")
        assert cursor.fetchone() == (0,)


def test_a_sign_in_that_began_long_ago_is_refused(
    client: Client, hospital: FakeProvider, nurse: User, time_machine: Any
) -> None:
    address = hospital.return_address(sent_to(client))
    time_machine.move_to(time.time() + 11 * 60)
    assert_refused(client, client.get(address), "state")


def test_a_return_in_the_name_of_another_issuer_is_refused(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    address = hospital.return_address(sent_to(client))
    assert_refused(client, client.get(f"{address}&iss=https://elsewhere.example"), "issuer")


def test_a_code_of_somebody_else_s_sign_in_is_refused(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    """PKCE: the provider gives a code to the browser alone that began the sign-in."""
    code = dict(parse_qsl(urlsplit(hospital.return_address(sent_to(Client()))).query))["code"]
    own = dict(parse_qsl(urlsplit(hospital.return_address(sent_to(client))).query))["state"]
    assert_refused(client, client.get(BACK, {"code": code, "state": own}), "code")


def test_who_stops_at_the_provider_is_not_counted(client: Client, hospital: FakeProvider) -> None:
    state = dict(parse_qsl(urlsplit(sent_to(client)).query))["state"]
    answer = client.get(BACK, {"error": "access_denied", "state": state})
    assert_refused(client, answer, "cancelled")
    assert not SignInThrottle.objects.exists()


def test_where_the_provider_is_down_the_page_says_so_and_the_password_works(
    client: Client, hospital: FakeProvider, nurse: User, settings: Any
) -> None:
    settings.HOSPITAL_SIGN_IN = replace(settings.HOSPITAL_SIGN_IN, issuer="http://127.0.0.1:9")
    page = assert_refused(client, client.get(THERE), "no answer", 503)
    assert "does not answer" in page
    assert not SignInThrottle.objects.exists()
    sent = {"username": "nurse", "password": "correct horse 1"}
    assert client.post("/accounts/sign-in/", sent).status_code == 302
    assert is_signed_in(client)


def test_where_the_provider_breaks_down_meanwhile_the_page_says_so(
    client: Client, hospital: FakeProvider, nurse: User
) -> None:
    address = hospital.return_address(sent_to(client))
    hospital.is_broken = True
    assert_refused(client, client.get(address), "no answer", 503)


@pytest.mark.parametrize(
    ("page", "why", "status"),
    [
        ({"issuer": "https://elsewhere.example"}, "issuer", 403),
        ({"jwks_uri": "http://169.254.169.254/keys"}, "no answer", 503),
        ({"token_endpoint": "http://127.0.0.1:9/token"}, "no answer", 503),
        ({"authorization_endpoint": "https://elsewhere.example/"}, "no answer", 503),
        ({"token_endpoint": None}, "no answer", 503),
    ],
    ids=str,
)
def test_nobody_but_the_configured_issuer_is_asked(
    client: Client, hospital: FakeProvider, page: dict[str, Any], why: str, status: int
) -> None:
    hospital.discovery = page
    assert_refused(client, client.get(THERE), why, status)
    assert set(hospital.asked) == {"/.well-known/openid-configuration"}


def test_a_redirect_of_the_provider_is_not_followed(client: Client, hospital: FakeProvider) -> None:
    hospital.redirect_to = f"{hospital.issuer}/keys"
    assert_refused(client, client.get(THERE), "no answer", 503)
    assert hospital.asked == ["/.well-known/openid-configuration"]


def test_an_answer_without_an_end_is_cut(
    client: Client, hospital: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "_LARGEST_ANSWER", 100)
    assert_refused(client, client.get(THERE), "no answer", 503)


def test_an_answer_that_drips_is_cut(
    client: Client, hospital: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "_ANSWER_AT_MOST_S", 0.3)
    hospital.drips = True
    assert_refused(client, client.get(THERE), "no answer", 503)
    assert 0 < hospital.letters_sent < 100, "of 300"


def test_few_threads_wait_for_the_provider(
    client: Client, hospital: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(provider_module.ASKED_AT_ONCE):
        provider_module._asking.acquire()
    try:
        assert_refused(client, client.get(THERE), "busy", 503)
    finally:
        for _ in range(provider_module.ASKED_AT_ONCE):
            provider_module._asking.release()


def test_refused_tries_count_for_the_address_and_a_true_answer_is_not_held(
    hospital: FakeProvider, nurse: User
) -> None:
    """Who guesses at this door waits at the other; whom the hospital vouches for comes in."""
    for last in range(50):
        Client().get(BACK + "?code=a&state=b", REMOTE_ADDR=f"2001:db8::{last:x}")
    (row,) = SignInThrottle.objects.all()
    assert row.held_until is not None
    sent = {"username": "nurse", "password": "correct horse 1"}
    assert "Too many failed sign-ins" in (
        Client().post("/accounts/sign-in/", sent, REMOTE_ADDR="2001:db8::a").content.decode()
    )
    client = Client(REMOTE_ADDR="2001:db8::a")
    come_back(client, hospital)
    assert is_signed_in(client)


def test_a_claim_of_the_directory_names_a_user_by_the_user_name(
    client: Client, hospital: FakeProvider, nurse: User, settings: Any
) -> None:
    settings.HOSPITAL_SIGN_IN = replace(
        settings.HOSPITAL_SIGN_IN, claim="preferred_username", verified_by="", matches="username"
    )
    hospital.person = {"preferred_username": "Nurse", "email": "x@y.example"}
    come_back(client, hospital)
    assert is_signed_in(client)


def test_a_user_of_a_program_does_not_come_in(
    client: Client, hospital: FakeProvider, settings: Any
) -> None:
    settings.HOSPITAL_SIGN_IN = replace(
        settings.HOSPITAL_SIGN_IN, claim="preferred_username", verified_by="", matches="username"
    )
    hospital.person = {"preferred_username": grading_rules_author().username}
    assert_refused(client, come_back(client, hospital), "unknown")


def test_the_code_of_a_refused_return_is_not_recorded(
    nurse_client: Client, hospital: FakeProvider
) -> None:
    assert nurse_client.get(BACK + "?code=secret-code&state=b").status_code == 403
    assert "secret-code" not in str(list(Event.objects.values_list("details", flat=True)))


def test_who_is_signed_in_shows_again_who_it_is_and_goes_on(
    hospital: FakeProvider, nurse: User, nurse_client: Client
) -> None:
    key = nurse_client.session.session_key
    come_back(nurse_client, hospital)
    assert nurse_client.session.session_key == key
    assert "password_at" in nurse_client.session


def test_nobody_signs_in_over_somebody_else(
    hospital: FakeProvider, nurse: User, auditor: User, auditor_client: Client
) -> None:
    answer = come_back(auditor_client, hospital)
    assert answer.status_code == 403
    assert "M. Ito is signed in here" in answer.content.decode()
    assert auditor_client.session[SESSION_KEY] == str(auditor.pk)
    assert failures() == [{"method": "hospital", "why": "other user"}]


def test_a_second_factor_of_ours_is_asked_for_where_the_settings_say_so(
    hospital: FakeProvider, nurse: User, settings: Any
) -> None:
    Authenticator.objects.create(user=nurse, type=Authenticator.Type.TOTP, data={"secret": "s"})
    client = Client()
    come_back(client, hospital)
    assert is_signed_in(client)
    settings.HOSPITAL_SIGN_IN = replace(settings.HOSPITAL_SIGN_IN, own_second_factor=True)
    client = Client()
    answer = come_back(client, hospital)
    assert answer.headers["Location"] == "/accounts/sign-in/second-step/"
    assert not is_signed_in(client)


def test_a_role_that_needs_a_second_factor_has_it_by_the_hospital(
    hospital: FakeProvider, nurse: User, settings: Any
) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({"ward_clinician"})
    client = Client()
    come_back(client, hospital)
    assert client.get("/").status_code == 200
    settings.HOSPITAL_SIGN_IN = replace(settings.HOSPITAL_SIGN_IN, own_second_factor=True)
    client = Client()
    come_back(client, hospital)
    assert client.get("/").headers["Location"] == "/accounts/me/second-factor/"
