"""The token endpoint, and the page that says what it offers (SMART App Launch 2.2)."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone

from crs_app.proxies import client_address
from patients.exchange.access.assertions import ALGORITHMS
from patients.exchange.access.callers import for_programs
from patients.exchange.access.limits import TOKENS_OF_AN_ADDRESS, TooManyError, at_address, count
from patients.exchange.access.scopes import SUPPORTED
from patients.exchange.access.token_server import (
    TokenRequest,
    TokenServer,
    TooManyTokensError,
    repeated_field,
)

_RETRY_AFTER_S: Final = 10
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@for_programs
def token(request: HttpRequest) -> HttpResponseBase:
    """Give a system a token for a signed assertion; refuse in the words of RFC 6749."""
    try:
        return _token(request)
    except (OperationalError, InterfaceError):
        words, status = "The database does not answer.", HTTPStatus.SERVICE_UNAVAILABLE
        response = _error("temporarily_unavailable", words, status)
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
        return response


def _token(request: HttpRequest) -> HttpResponseBase:
    if request.method != "POST":
        response = _error("invalid_request", "Send a POST.", HTTPStatus.METHOD_NOT_ALLOWED)
        response.headers["Allow"] = "POST"
        return response
    server = _server()
    try:
        count(at_address("tokens", client_address(request)), TOKENS_OF_AN_ADDRESS, timezone.now())
        asked = TokenRequest(request, request.build_absolute_uri(reverse("patients:oauth_token")))
        is_repeated = any(len(values) > 1 for _, values in request.POST.lists())
    except TooManyError as over:
        return server.handle_response(*TooManyTokensError(over.retry_after_s)(None))
    except (SuspiciousOperation, UnicodeError):  # too many fields
        return _error("invalid_request", "The body cannot be read.", HTTPStatus.BAD_REQUEST)
    if is_repeated:
        return server.handle_error_response(asked, repeated_field())
    answer: HttpResponse = server.create_token_response(asked)
    return answer


@for_programs
def smart_configuration(request: HttpRequest) -> HttpResponseBase:
    """Return where tokens are issued, and for what."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
    return JsonResponse(
        {
            "token_endpoint": request.build_absolute_uri(reverse("patients:oauth_token")),
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": list(SUPPORTED),
            "response_types_supported": [],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
    )


@cache
def _server() -> TokenServer:
    return TokenServer()


def _error(error: str, words: str, status: HTTPStatus) -> JsonResponse:
    return JsonResponse(
        {"error": error, "error_description": words}, status=status, headers=_NO_STORE
    )
