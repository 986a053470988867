"""A key of a device, as a browser passes on what it makes and signs."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

PASSKEY_SIGN_IN = "/accounts/sign-in/passkey/"
SECOND_STEP = "/accounts/sign-in/second-step/"
NEW_KEY = "/accounts/me/keys/new/"
_PRESENT, _VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


def browser(**headers: str) -> Client:
    """A client of the site by its name: a key belongs to a name, and to localhost without TLS."""
    return Client(HTTP_HOST="localhost", headers=headers)


@dataclass
class SoftwareKey:
    """One key; ``verifies_user`` is whether it asks for a finger or a PIN."""

    verifies_user: bool = True
    is_kept: bool | None = True
    origin: str = "http://localhost"
    key_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: str = ""

    def __post_init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any]) -> str:
        """Answer to the options of a new key."""
        asked = options["publicKey"]
        self.user_handle = asked["user"]["id"]
        public = ES256.from_cryptography_key(self._private.public_key())
        made = AttestedCredentialData.create(b"\0" * 16, self.key_id, public)
        proof = self._authenticator_data(asked["rp"]["id"], made)
        attestation = AttestationObject.create("none", proof, {})
        properties = {} if self.is_kept is None else {"credProps": {"rk": self.is_kept}}
        return self._answer(
            {
                "clientDataJSON": websafe_encode(self._client_data("create", asked)),
                "attestationObject": websafe_encode(attestation),
            },
            properties,
        )

    def sign(self, options: dict[str, Any]) -> str:
        """Answer to the options of a sign-in."""
        asked = options["publicKey"]
        proof = self._authenticator_data(asked["rpId"])
        client_data = self._client_data("get", asked)
        signed = bytes(proof) + hashlib.sha256(client_data).digest()
        signature = self._private.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client_data),
                "authenticatorData": websafe_encode(proof),
                "signature": websafe_encode(signature),
                "userHandle": self.user_handle,
            },
            {},
        )

    def _authenticator_data(
        self, host: str, made: AttestedCredentialData | bytes = b""
    ) -> AuthenticatorData:
        flags = _PRESENT | (_VERIFIED if self.verifies_user else 0) | (_HAS_KEY if made else 0)
        return AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), flags, 1, made)

    def _client_data(self, act: str, asked: dict[str, Any]) -> bytes:
        said = {"type": f"webauthn.{act}", "challenge": asked["challenge"], "origin": self.origin}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, Any], results: dict[str, Any]) -> str:
        name = websafe_encode(self.key_id)
        return json.dumps(
            {
                "id": name, "rawId": name, "type": "public-key", "response": response,
                "clientExtensionResults": results,
            }
        )  # fmt: skip


def add_key(client: Client, key: SoftwareKey, kind: str = "passkey", name: str = "mine") -> Any:
    """Add a key on the page for it, as the script of the page does."""
    options = client.post(NEW_KEY, {"ask": kind}).json()
    return client.post(NEW_KEY, {"name": name, "credential": key.make(options)})


def sign_in_by(client: Client, key: SoftwareKey, **more: str) -> HttpResponse:
    """Sign in by a passkey, as the script of the sign-in page does."""
    options = client.post(PASSKEY_SIGN_IN).json()
    sent = {"credential": key.sign(options), **more}
    return client.post(PASSKEY_SIGN_IN, sent)  # type: ignore[return-value]
