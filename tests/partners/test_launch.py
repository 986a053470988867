"""A launch from a health record by oidc-provider, to which we show a key or a secret."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.exchange.smart.issuers import (
    Endpoints,
    IssuerSettings,
    name_identity,
    public_keys,
    save_issuer,
)
from patients.exchange.smart.record_client import read_configuration
from patients.models import Course

MRN_SYSTEM = "urn:hospital:mrn"
US = "http://testserver"


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def signed_in_there(address: str) -> str:
    """The address to which the health record sends the browser back."""
    with requests.Session() as browser:
        browser.trust_env = False
        while not address.startswith(US):
            answer = browser.get(address, allow_redirects=False, timeout=20)
            assert answer.status_code in (302, 303), answer.text
            address = requests.compat.urljoin(address, answer.headers["Location"])
    return address


@pytest.mark.parametrize("secret", ["", "a secret / with signs?"])
def test_oidc_provider_opens_the_patient(
    secret: str, start_script: Callable[..., str], course: Course, nurse: User,
    administrator: User, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    port = free_port()
    iss = f"http://127.0.0.1:{port}/fhir"
    asked = IssuerSettings(iss, "St. Anna", "crs", secret, MRN_SYSTEM)
    save_issuer(asked, Endpoints(iss, iss, iss, iss), administrator, timezone.now())
    client: dict[str, Any] = {"client_id": "crs", "redirect_uris": [f"{US}/smart/return"]}
    if secret:
        client |= {"client_secret": secret, "token_endpoint_auth_method": "client_secret_basic"}
    else:
        client |= {
            "jwks": {"keys": public_keys()},
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES384",
        }
    patient = {
        "resourceType": "Patient", "id": "pat-1", "birthDate": "1970-03-01",
        "identifier": [{"system": MRN_SYSTEM, "value": course.patient.mrn}],
    }  # fmt: skip
    sent = {"port": port, "client": client, "patient": patient}
    assert start_script("health_record.mjs", json.dumps(sent)) == iss
    kept = IssuerSettings(iss, "St. Anna", "crs", None, MRN_SYSTEM)
    save_issuer(kept, read_configuration(iss), administrator, timezone.now())
    name_identity(iss, f"{iss}/Practitioner/7", nurse, administrator, timezone.now())
    browser = Client()
    launched = browser.get("/smart/launch", {"iss": iss, "launch": "xyz"})
    answer = browser.get(signed_in_there(launched["Location"]))
    assert answer.status_code == 302, answer.content.decode()
    page = browser.get(answer["Location"]).content.decode()
    assert f"MRN {course.patient.mrn}" in page
