"""Doors for other systems: addresses where a program sends a document, and no person a form.

``request_limits`` lets their documents through, and answers a refusal in the words of the door.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

_MEGABYTE: Final = 1024 * 1024
_ISSUE_CODES: Final = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-long",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not-supported",
    HTTPStatus.INTERNAL_SERVER_ERROR: "exception",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "not-supported",
    HTTPStatus.SERVICE_UNAVAILABLE: "transient",
}
"""Codes of the value set issue-type (FHIR R4)."""
_OAUTH_ERRORS: Final = {
    HTTPStatus.INTERNAL_SERVER_ERROR: "server_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "temporarily_unavailable",
}


@dataclass(frozen=True, slots=True)
class Door:
    """An address and what is below it.

    ``media_types`` are those of its documents, ``at_most`` their size in bytes. ``media_type`` is
    that of its refusals and ``refusal`` their body, from a status and a sentence.
    """

    address: str
    media_types: frozenset[str]
    at_most: int
    media_type: str
    refusal: Callable[[HTTPStatus, str], str]

    def words(self, status: int) -> str:
        """Return the body of a refusal with ``status``."""
        found = HTTPStatus(status)
        return self.refusal(found, SENTENCES.get(found, f"{found.phrase}."))

    def leads_to(self, path: str) -> bool:
        return path == self.address or path.startswith(f"{self.address}/")


def _as_json(status: HTTPStatus, sentence: str) -> str:
    return json.dumps({"error": status.phrase, "error_description": sentence})


def _as_oauth_error(status: HTTPStatus, sentence: str) -> str:
    """Return the refusal in the words of OAuth 2 (RFC 6749, sections 4.1.2.1 and 5.2)."""
    error = _OAUTH_ERRORS.get(status, "invalid_request")
    return json.dumps({"error": error, "error_description": sentence})


def _as_outcome(status: HTTPStatus, sentence: str) -> str:
    code = _ISSUE_CODES.get(status, "structure")
    issue: dict[str, Any] = {"severity": "error", "code": code, "diagnostics": sentence}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def _as_text(_status: HTTPStatus, sentence: str) -> str:
    return f"{sentence}\n"


DOORS: Final = (
    Door("/fhir/Patient/_search", frozenset({"application/x-www-form-urlencoded"}), 16 * 1024,
         "application/fhir+json", _as_outcome),
    Door("/fhir", frozenset({"application/fhir+json", "application/json"}), 5 * _MEGABYTE,
         "application/fhir+json", _as_outcome),
    Door("/hl7", frozenset({"x-application/hl7-v2+er7", "application/hl7-v2+er7"}), _MEGABYTE,
         "text/plain; charset=utf-8", _as_text),
    Door("/oauth", frozenset({"application/x-www-form-urlencoded"}), 16 * 1024,
         "application/json", _as_oauth_error),
    Door("/cds-services", frozenset({"application/json"}), _MEGABYTE, "application/json", _as_json),
)  # fmt: skip
"""The doors; a new one is a line here and its view."""

SENTENCES: Final = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The document is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "This door does not take documents of this type.",
    HTTPStatus.FORBIDDEN: "This is not allowed.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address has no such method.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The request failed here. Nothing is known to be stored.",
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "The database does not answer. What you sent may not be stored: send it again."
    ),
}


def door_of(path: str) -> Door | None:
    """Return the door at ``path``, None where a page is."""
    return next((door for door in DOORS if door.leads_to(path)), None)
