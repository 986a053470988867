"""The token endpoint's rules: client_credentials by private_key_jwt, of SMART Backend Services.

Authlib keeps the protocol (RFC 6749, RFC 7523). Which algorithms, keys, times and scopes are
accepted, and that an assertion counts once, is decided here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidScopeError, OAuth2Payload
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.exchange.access.assertions import (
    AssertionRefusedError,
    Expected,
    Fault,
    claimed,
    header_of,
    verify,
)
from patients.exchange.access.keys import open_keys, scopes_of
from patients.exchange.access.limits import TOKENS_OF_A_SYSTEM, TooManyError, count
from patients.exchange.access.scopes import UnknownScopeError, asked, covers
from patients.exchange.access.tokens import TOKEN_LIVES, issue_token, take_once
from patients.models import KeyPurpose, SystemKey

_METHOD: Final = "private_key_jwt"
_NOT_ACCEPTED: Final = "The client assertion is not accepted"


class SystemClient(ClientMixin):  # type: ignore[misc]  # no type hints
    """A system that claims to be a client; ``key`` is set once its assertion was accepted."""

    def __init__(self, name: str, keys: list[SystemKey]) -> None:
        self.name = name
        self.keys = keys
        self.key: SystemKey | None = None

    def get_client_id(self) -> str:
        return self.name

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == _METHOD and self.key is not None

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class TooManyTokensError(OAuth2Error):  # type: ignore[misc]  # no type hints
    """Too many tokens in a minute."""

    error = "temporarily_unavailable"
    status_code = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after_s} s.")
        self._retry_after_s = retry_after_s

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), ("Retry-After", str(self._retry_after_s))]


class _Payload(OAuth2Payload):  # type: ignore[misc]  # no type hints
    """The fields of the body; those of the address count for nothing."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    @property
    def data(self) -> Mapping[str, str]:
        return self._fields

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._fields.items()})


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # no type hints
    """A request for a token; ``why`` is set where it is refused, for the record."""

    def __init__(self, request: HttpRequest, address: str) -> None:
        # Authlib insists on https://. Whether this site does is its own setting (CRS_HTTPS).
        super().__init__("POST", f"https://{request.get_host()}{request.path}", headers={})
        self.address = address
        self.fields = request.POST.dict()
        self.payload = _Payload(self.fields)
        self.why = ""
        self.name = ""

    @property
    def form(self) -> Mapping[str, str]:
        return self.fields


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]  # no type hints
    TOKEN_ENDPOINT_AUTH_METHODS: Final = [_METHOD]

    def validate_requested_scope(self) -> None:
        """Refuse what the system may not do; nothing is narrowed in silence."""
        client: SystemClient = self.request.client
        try:
            wanted = asked(self.request.payload.scope)
        except UnknownScopeError:
            self.request.why = "scope"
            raise InvalidScopeError("A scope is missing or unknown here.") from None
        if client.key is None or not covers(scopes_of(client.key.system), wanted):
            self.request.why = "scope"
            raise InvalidScopeError("The system is not granted this scope.")


class _ClientAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # no type hints
    CLIENT_AUTH_METHOD = _METHOD

    def __call__(self, query_client: Any, request: TokenRequest) -> SystemClient | None:
        text = request.fields.get("client_assertion", "")
        if request.fields.get("client_assertion_type") != self.CLIENT_ASSERTION_TYPE or not text:
            request.why = "no assertion"
            return None
        try:
            return self._client(query_client, request, text)
        except AssertionRefusedError as refused:
            request.why = refused.why.value
            raise _invalid(refused) from None

    def _client(self, query_client: Any, request: TokenRequest, text: str) -> SystemClient:
        now, header = timezone.now(), header_of(text)
        request.name = claimed(text, "sub")
        if request.fields.get("client_id", request.name) != request.name:
            raise AssertionRefusedError(Fault.ISSUER)
        client: SystemClient = query_client(request.name)
        key = next((key for key in client.keys if key.kid == header.kid), None)
        if key is None or header.jku not in ("", key.jku):
            raise AssertionRefusedError(Fault.KEY)
        assertion = verify(
            text,
            key.jwk,
            Expected(client.name, request.address, now, has_subject=True, needs_issued_at=False),
        )
        take_once(f"{KeyPurpose.TOKEN} {client.name}", assertion)
        client.key, request.client = key, client
        return client


class TokenServer(AuthorizationServer):  # type: ignore[misc]  # no type hints
    """Authlib's server, with our keys and tokens behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_grant(_Grant)
        self.register_client_auth_method(_METHOD, _ClientAssertion())

    def query_client(self, client_id: str) -> SystemClient:
        """Return the client of that name; one that is unknown has no keys."""
        return SystemClient(client_id, open_keys(KeyPurpose.TOKEN, client_id))

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def generate_token(self, grant_type: str, client: SystemClient, **asked_for: Any) -> Any:
        """Issue the token, and record it."""
        key, scopes = client.key, asked(asked_for["scope"])
        if key is None:
            raise InvalidClientError(_NOT_ACCEPTED)
        now = timezone.now()
        try:
            count(f"tokens of {key.system_id}", TOKENS_OF_A_SYSTEM, now)
        except TooManyError as over:
            raise TooManyTokensError(over.retry_after_s) from None
        text = issue_token(key, scopes, now)
        record_event(
            EventKind.TOKEN_ISSUED,
            by=key.system.user,
            details={"system": key.system.name, "key": key.kid, "may": " ".join(scopes)},
        )
        return {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIVES.total_seconds()),
            "scope": " ".join(scopes),
        }

    def save_token(self, token: Any, request: TokenRequest) -> None:
        """Do nothing: ``generate_token`` stores the token."""

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> HttpResponse:
        """Record the refusal, by the name that was claimed where it is that of a system."""
        client: SystemClient | None = request.client
        details = {"why": request.why or error.error}
        known = client.keys if client else open_keys(KeyPurpose.TOKEN, request.name)
        if known:
            details["claims to be"] = request.name
        record_event(EventKind.TOKEN_REFUSED, by=None, details=details)
        response: HttpResponse = super().handle_error_response(request, error)
        return response

    def handle_response(
        self, status: int, body: object, headers: Iterable[tuple[str, str]]
    ) -> HttpResponse:
        response = HttpResponse(json.dumps(body), status=status)
        for name, value in headers:
            response.headers[name] = value
        return response

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Send no signal: issues and refusals are events of the record."""


def _invalid(refused: AssertionRefusedError) -> InvalidClientError:
    """Return the refusal; the reason is in it only where a registered key signed the assertion."""
    words = f"{_NOT_ACCEPTED}: {refused.why}." if refused.is_signed else f"{_NOT_ACCEPTED}."
    return InvalidClientError(words, status_code=HTTPStatus.UNAUTHORIZED)


def repeated_field() -> OAuth2Error:
    """Return the refusal of a request that has a field twice (RFC 6749, section 3.2)."""
    return InvalidRequestError("A parameter stands twice in the request.")
