"""Keys of devices (WebAuthn): challenges, and what a browser answers to them.

A *passkey* signs its user in alone: it is kept on the device with the user's name, and the device
has verified who holds it, by a finger, a face or a PIN. A *security key* is a second step after
the password, and never opens the door of passkeys.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from crs_app.accounts.factors.methods import OPENS_ALONE
from crs_app.accounts.models import User

LONGEST_ANSWER: Final = 20_000
NOT_ACCEPTED: Final = "This key was not accepted. Try again, or choose another way."
_ASKED: Final = "key_asked_for"
_BASE64URL: Final = re.compile(r"\A[A-Za-z0-9_-]+={0,2}\Z")


def ask_new_key(user: User, *, opens_alone: bool) -> dict[str, Any]:
    """Return what the browser asks a device for a new key with; the session keeps the challenge."""
    context.request.session[_ASKED] = opens_alone
    options: dict[str, Any] = auth.begin_registration(user, opens_alone)
    return options


def new_key_of(answer: str, user: User) -> tuple[dict[str, Any], bool]:
    """Return the credential of an answer to ``ask_new_key``, and whether it opens alone.

    :raises ValidationError: where the device did not do what was asked, or is a key of the user.
    """
    credential = _known_parts(_as_object(answer))
    opens_alone = bool(context.request.session.pop(_ASKED, False))
    try:
        auth.parse_registration_response(credential)
        made = auth.complete_registration(credential)
        key_id = made.credential_data.credential_id
        is_known = auth.get_authenticator_by_credential_id(user, key_id) is not None
    except DatabaseError:
        raise
    except Exception as wrong:  # the decoders fail in any way at bytes of a stranger
        raise ValidationError(NOT_ACCEPTED) from wrong
    if is_known:
        raise ValidationError("This key was added before. Remove it first.")
    if opens_alone and not (made.is_user_verified() and _is_kept_on_device(credential)):
        raise ValidationError(
            "This device cannot hold a passkey: it did not verify who holds it. "
            "Add it as a security key, or use another device."
        )
    return credential, opens_alone


def add_key(user: User, name: str, credential: dict[str, Any], *, opens_alone: bool) -> None:
    """Store a key."""
    factor = auth.WebAuthn.add(user, name, credential).instance
    factor.data[OPENS_ALONE] = opens_alone
    factor.save(update_fields=["data"])


def ask_for_key(user: User | None) -> dict[str, Any]:
    """Return what the browser asks a device for a signature with.

    ``user`` None: for a passkey of anybody, which must verify who holds it.
    """
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


def key_of_answer(answer: str, user: User | None) -> Authenticator:
    """Return the key that signed; of ``user``, or None for a passkey of anybody.

    :raises ValidationError: where no such key has signed the challenge of this session.
    """
    credential = _as_object(answer)
    try:
        signed = auth.parse_authentication_response(credential).response.authenticator_data
        owner = auth.extract_user_from_response(credential) if user is None else user
        factor = auth.complete_authentication(owner, credential)
        is_verified = signed.is_user_verified()
    except DatabaseError:
        raise
    except Exception as wrong:  # as above
        raise ValidationError(NOT_ACCEPTED) from wrong
    if user is None and not (is_verified and factor.data.get(OPENS_ALONE)):
        raise ValidationError(
            "This key is a second step: sign in with your password first, then use it."
        )
    if not owner.is_active:
        raise ValidationError(NOT_ACCEPTED)
    return factor


def _as_object(answer: str) -> dict[str, Any]:
    try:
        credential = json.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        credential = None
    if not isinstance(credential, dict):
        raise ValidationError(NOT_ACCEPTED)
    return credential


def _known_parts(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored of a new key, and no more than that."""
    response, results = sent.get("response"), sent.get("clientExtensionResults")
    response = response if isinstance(response, dict) else {}
    properties = results.get("credProps") if isinstance(results, dict) else None
    is_kept = properties.get("rk") if isinstance(properties, dict) else None
    texts = [sent.get("id"), sent.get("rawId")]
    texts += [response.get("clientDataJSON"), response.get("attestationObject")]
    if not all(isinstance(text, str) and _BASE64URL.match(text) for text in texts):
        raise ValidationError(NOT_ACCEPTED)
    key_id, raw_id, client_data, attestation = texts
    return {
        "id": key_id,
        "rawId": raw_id,
        "type": "public-key",
        "response": {"clientDataJSON": client_data, "attestationObject": attestation},
        "clientExtensionResults": {"credProps": {"rk": is_kept is not False}},
    }


def _is_kept_on_device(credential: dict[str, Any]) -> bool:
    """Return False where the browser says that the key is not kept; it need not say anything."""
    return bool(credential["clientExtensionResults"]["credProps"]["rk"])
