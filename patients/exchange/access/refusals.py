"""Refuse another system in its own words: an OperationOutcome, without data of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from django.http import JsonResponse

FHIR_JSON: Final = "application/fhir+json"


class CallRefusedError(Exception):
    """A system is refused: ``code`` is of the value set issue-type (FHIR R4)."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        words: str,
        headers: Mapping[str, str] | None = None,
        *,
        is_recorded: bool = True,
    ) -> None:
        super().__init__(words)
        self.status = status
        self.code = code
        self.words = words
        self.headers = dict(headers or {})
        self.is_recorded = is_recorded

    def response(self) -> JsonResponse:
        """Return the answer."""
        issue = {"severity": "error", "code": self.code, "diagnostics": self.words}
        return JsonResponse(
            {"resourceType": "OperationOutcome", "issue": [issue]},
            status=self.status,
            content_type=FHIR_JSON,
            headers=self.headers,
        )


def not_signed_in(words: str) -> CallRefusedError:
    """Return the refusal of a request without a valid token (RFC 6750, section 3)."""
    challenge = 'Bearer realm="crs", error="invalid_token"'
    return CallRefusedError(
        HTTPStatus.UNAUTHORIZED, "security", words, {"WWW-Authenticate": challenge}
    )


def not_allowed(scope: str) -> CallRefusedError:
    """Return the refusal of a system whose token does not have the scope."""
    challenge = f'Bearer realm="crs", error="insufficient_scope", scope="{scope}"'
    return CallRefusedError(
        HTTPStatus.FORBIDDEN,
        "security",
        f"The token does not allow {scope}.",
        {"WWW-Authenticate": challenge},
    )


def nothing_there() -> CallRefusedError:
    """Return the refusal of an address that does not exist."""
    return CallRefusedError(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here.")


def too_many(retry_after_s: int, *, is_first: bool) -> CallRefusedError:
    """Return the refusal of a sender over its limit; one in a minute is recorded."""
    return CallRefusedError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "throttled",
        f"Too many requests. Try again in {retry_after_s} s.",
        {"Retry-After": str(retry_after_s)},
        is_recorded=is_first,
    )
