"""A health record for the tests: the hospital's provider, with FHIR addresses and launches.

It follows SMART App Launch 2.2 as far as a launch goes: smart-configuration, authorization with
``aud`` and ``launch``, a token with the patient that is open, and one Patient to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.hospital_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Claims,
    FakeProvider,
    Handler,
    running_provider,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MRN_SYSTEM = "urn:hospital:mrn"
PATIENT_ID = "pat-1"
ACCESS_TOKEN = "of the launch"


@dataclass
class FakeRecord(FakeProvider):
    """What the health record says; a test changes it."""

    configuration: Claims = field(default_factory=dict)
    patient: Claims = field(default_factory=dict)
    answer: Claims = field(default_factory=dict)
    """Changes the answer of the token endpoint."""
    public_key: Claims = field(default_factory=dict)
    """Of the application, where it signs by a key."""
    used_launches: list[str] = field(default_factory=list)

    @property
    def iss(self) -> str:
        return f"{self.issuer}/fhir"

    def smart_configuration(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "client-confidential-asymmetric", "sso-openid-connect"],
        } | self.configuration

    def return_address(self, sent_to: str) -> str:
        asked = dict(parse_qsl(urlsplit(sent_to).query))
        assert asked["aud"] == self.iss
        assert asked["scope"] == "launch openid fhirUser patient/Patient.r"
        self.used_launches.append(asked["launch"])
        return super().return_address(sent_to)

    def token(self, sent: dict[str, str], authorization: str) -> Claims | None:
        if sent.get("client_assertion_type") == ASSERTION_TYPE:
            claims = jwt.decode(
                sent["client_assertion"], ECKey.import_key(self.public_key), ["ES384"]
            ).claims
            assert claims["iss"] == claims["sub"] == CLIENT_ID
            assert claims["aud"] == f"{self.issuer}/token"
            authorization = self.basic(CLIENT_SECRET)
        elif authorization == self.basic(quote(CLIENT_SECRET)):  # RFC 6749, section 2.3.1
            authorization = self.basic(CLIENT_SECRET)
        found = super().token(sent, authorization)
        if found is None:
            return None
        opened = {"access_token": ACCESS_TOKEN, "patient": PATIENT_ID, "scope": "launch"}
        answer = found | opened | self.answer
        return {name: value for name, value in answer.items() if value is not None}

    def read(self, path: str, authorization: str) -> Claims | None:
        """The Patient at ``path``; None where the token is not that of the launch."""
        if authorization != f"Bearer {ACCESS_TOKEN}" or path != f"/fhir/Patient/{PATIENT_ID}":
            return None
        return {"resourceType": "Patient", "id": PATIENT_ID} | self.patient


class _RecordHandler(Handler):
    provider: FakeRecord

    def do_GET(self) -> None:  # noqa: N802 - a name of the standard library
        path = urlsplit(self.path).path
        if not path.startswith("/fhir/"):
            super().do_GET()
            return
        self.provider.asked.append(path)
        if path == "/fhir/.well-known/smart-configuration":
            found: Any = self.provider.smart_configuration()
        else:
            found = self.provider.read(path, self.headers.get("Authorization", ""))
        self.send_json(200 if found else 401, found or {})


@contextmanager
def running_record() -> Iterator[FakeRecord]:
    """The health record for the length of the block."""
    with running_provider(FakeRecord, _RecordHandler) as record:
        yield record
