"""What the FHIR endpoints share: media types, parameters, base address and refusals."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict

from patients.exchange.access.refusals import FHIR_JSON, CallRefusedError
from patients.exchange.fhir_answers import Json
from patients.exchange.formats.exact_json import write_json

_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_READABLE: Final = frozenset({FHIR_JSON, "application/json", "application/*", "*/*"})
_FORMATS: Final = frozenset({FHIR_JSON, "application/json", "json"})


def fhir_answer(body: Json | str, status: int = HTTPStatus.OK) -> HttpResponse:
    """Return a resource as an answer; numbers as they are written."""
    text = body if isinstance(body, str) else write_json(body)
    return HttpResponse(text, status=status, content_type=f"{FHIR_JSON}; charset=utf-8")


def bad_request(words: str) -> CallRefusedError:
    return CallRefusedError(HTTPStatus.BAD_REQUEST, "value", words)


def not_possible(allowed: Collection[str]) -> CallRefusedError:
    """Return the refusal of a method that an address does not have."""
    return CallRefusedError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "not-supported",
        "This address has no such method.",
        {"Allow": ", ".join(sorted(allowed))},
    )


def check_method(request: HttpRequest, *allowed: str) -> None:
    """Refuse another method than those; HEAD is GET without a body."""
    method = "GET" if request.method == "HEAD" else request.method
    if method not in allowed:
        raise not_possible(allowed)


def check_accepts(request: HttpRequest) -> None:
    """Refuse who takes no FHIR JSON, with 406."""
    wanted = request.GET.get("_format") or ""
    header = request.headers.get("Accept", "").strip() or "*/*"
    types = {one.partition(";")[0].strip().lower() for one in header.split(",") if _is_wanted(one)}
    is_readable = wanted in _FORMATS if wanted else bool(types & _READABLE)
    if not is_readable:
        words = f"Only {FHIR_JSON} is written here."
        raise CallRefusedError(HTTPStatus.NOT_ACCEPTABLE, "not-supported", words)


def _is_wanted(accepted: str) -> bool:
    weight = accepted.replace(" ", "").partition(";q=")[2]
    return bool(accepted.strip()) and weight not in ("0", "0.0", "0.00", "0.000")


def check_parameters(query: QueryDict, *known: str, repeated: Collection[str] = ()) -> None:
    """Refuse a parameter that is not read here, and one that stands twice: none is passed over."""
    unknown = set(query) - {*known, "_format"}
    if unknown:
        raise bad_request(f"Parameters read here: {', '.join(sorted(known))}.")
    twice = [name for name in query if len(query.getlist(name)) > 1 and name not in repeated]
    if twice:
        raise bad_request(f"{twice[0]} may stand once.")


def instant(text: str, name: str) -> datetime:
    """Return an instant with an offset; in an address a + may have become a blank."""
    sent = text.replace(" ", "+")
    try:
        at = datetime.fromisoformat(sent) if _INSTANT.fullmatch(sent) else None
    except ValueError:
        at = None
    if at is None:
        raise bad_request(f"{name}: expected an instant with its offset.")
    return at


def base_url(request: HttpRequest) -> str:
    """Return the address of the FHIR endpoints, without a slash at its end."""
    return request.build_absolute_uri("/fhir")


def body_of_answer(answer: Any) -> HttpResponse:
    """Return a stored answer: its status and body."""
    return fhir_answer(answer["body"], answer["status"])
