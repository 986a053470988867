"""The settings of the hospital's sign-in: what they need, and what is refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from crs_app.hospital_sign_in import HospitalSignIn, hospital_sign_in
from tests.project.test_run import in_a_fresh_checkout

ISSUER = "https://sign-in.hospital.example/realm"
NEEDED = {"CRS_OIDC_ISSUER": ISSUER, "CRS_OIDC_CLIENT_ID": "crs"}


def configured(**more: str) -> HospitalSignIn:
    found = hospital_sign_in({**NEEDED, **more}, "secret")
    assert found is not None
    return found


def test_nothing_is_set_by_default() -> None:
    empty = dict.fromkeys(("CRS_OIDC_ISSUER", "CRS_OIDC_CLIENT_ID", "CRS_OIDC_CLAIM"), "")
    assert hospital_sign_in({}, None) is None
    assert hospital_sign_in(empty, "") is None


def test_a_verified_e_mail_address_names_the_user_by_default() -> None:
    found = configured()
    assert (found.claim, found.verified_by, found.matches) == ("email", "email_verified", "email")
    assert found.always_asks
    assert not found.own_second_factor
    assert configured(CRS_OIDC_SECOND_FACTOR="1").own_second_factor
    assert "secret" not in repr(found)


def test_another_claim_names_a_user_name_and_who_verifies_it() -> None:
    found = configured(CRS_OIDC_CLAIM="preferred_username", CRS_OIDC_VERIFIED_BY="directory")
    assert (found.verified_by, found.matches) == ("", "username")
    found = configured(
        CRS_OIDC_CLAIM="upn", CRS_OIDC_VERIFIED_BY="upn_ok", CRS_OIDC_MATCHES="email"
    )
    assert (found.verified_by, found.matches) == ("upn_ok", "email")


@pytest.mark.parametrize(
    "wrong",
    [
        {"CRS_OIDC_ISSUER": "http://sign-in.hospital.example"},
        {"CRS_OIDC_ISSUER": "sign-in.hospital.example"},
        {"CRS_OIDC_ISSUER": "https://"},
        {"CRS_OIDC_ISSUER": "https://me:secret@sign-in.hospital.example"},
        {"CRS_OIDC_ISSUER": f"{ISSUER}?realm=a"},
        {"CRS_OIDC_ISSUER": ""},
        {"CRS_OIDC_CLIENT_ID": ""},
        {"CRS_OIDC_CLAIM": "preferred_username"},
        {"CRS_OIDC_MATCHES": "role"},
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_stop_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="CRS_OIDC_"):
        configured(**wrong)


def test_a_secret_is_needed_and_may_stand_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="CRS_OIDC_CLIENT_SECRET"):
        hospital_sign_in(NEEDED, None)
    file = tmp_path / "secret"
    file.write_text("of a file\n")
    code = "print(settings.HOSPITAL_SIGN_IN.client_secret)"
    there = {**NEEDED, "CRS_OIDC_CLIENT_SECRET_FILE": str(file)}
    assert in_a_fresh_checkout(tmp_path, code, **there) == "of a file\n"
