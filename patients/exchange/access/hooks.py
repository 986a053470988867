"""Which system calls a service of CDS Hooks 2.0, by the signed token in its header.

The token says which key signed it by ``kid`` and ``jku``; both must stand in the list of registered
keys. Nothing is fetched from an address that a token names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from crs_app.proxies import client_address
from patients.exchange.access.assertions import (
    AssertionRefusedError,
    Expected,
    Fault,
    claimed,
    header_of,
    verify,
)
from patients.exchange.access.keys import open_keys
from patients.exchange.access.limits import (
    REFUSED_OF_AN_ADDRESS,
    REQUESTS_OF_A_SYSTEM,
    at_address,
    refuse_over,
)
from patients.exchange.access.refusals import not_signed_in
from patients.exchange.access.tokens import take_once
from patients.models import ExternalSystem, KeyPurpose

_BEARER: Final = "bearer"


@dataclass(frozen=True, slots=True)
class HookCaller:
    """The record that calls: its system here, and its own name, which is the claim ``iss``."""

    system: ExternalSystem
    issuer: str


def hook_caller(request: HttpRequest, service_url: str) -> HookCaller:
    """Return who calls the service at ``service_url``, the absolute address that it called.

    Decorate the view with ``callers.for_programs``, and record the call by ``callers.record_call``.

    Raises CallRefusedError: 401 without an accepted token, 429 where it calls too often. Its
        ``response()`` is an OperationOutcome; a service may answer its ``status`` and ``headers``.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != _BEARER:
            raise AssertionRefusedError(Fault.FORM)
        caller = caller_of_token(text.strip(), service_url)
    except AssertionRefusedError:
        refuse_over(at_address("refused", client_address(request)), REFUSED_OF_AN_ADDRESS)
        raise not_signed_in("A token signed by a registered key is needed.") from None
    refuse_over(f"system {caller.system.pk}", REQUESTS_OF_A_SYSTEM)
    return caller


def caller_of_token(text: str, service_url: str) -> HookCaller:
    """Return whose token this is, and take it once.

    Raises AssertionRefusedError for any token that is not valid here and now.
    """
    now, header, issuer = timezone.now(), header_of(text), claimed(text, "iss")
    named = (header.kid, header.jku)
    keys = open_keys(KeyPurpose.HOOKS, issuer)
    key = next((key for key in keys if (key.kid, key.jku) == named), None)
    if key is None:
        raise AssertionRefusedError(Fault.KEY)
    assertion = verify(
        text,
        key.jwk,
        Expected(key.issuer, service_url, now, has_subject=False, needs_issued_at=True),
    )
    take_once(f"{KeyPurpose.HOOKS} {key.issuer}", assertion)
    return HookCaller(key.system, key.issuer)
