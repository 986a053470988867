"""What a FHIR sender is answered: a response for each entry, and an OperationOutcome for a refusal.

Nothing of a patient's values stands in an answer: places, reason words and plain sentences alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import Held, RefusedDocumentError
from patients.exchange.incoming import (
    CONTRADICTION,
    FAILED,
    NO_COURSE,
    REUSED,
    UNKNOWN_PATIENT,
    Outcome,
)

Json = dict[str, Any]

REASONS: Final = "urn:crs:reason"
"""Code system of the reason words of the exchange, in ``issue.details``."""
INVALID: Final = "invalid"
_CODES: Final[Mapping[str, str]] = {
    "code": "code-invalid",
    "unit": "code-invalid",
    "unit.missing": "required",
    "value": "value",
    "value.missing": "required",
    "comparator": "value",
    "time": "value",
    "time.missing": "required",
    "status": "value",
    "status.missing": "required",
    "duplicate": "duplicate",
    "duplicate.conflict": "conflict",
    "conflict": "conflict",
    "entry": "conflict",
    "oxygen": "conflict",
    "oxygen.no_device": "required",
    "infusion": "conflict",
    "infusion.no_end": "required",
    "infusion.concentration_missing": "required",
    "infusion.push_dose": "value",
    "rate": "value",
    "rate.missing": "required",
    "range": "value",
    "required": "required",
    INVALID: "structure",
    "unvalidated": "informational",
    "resource": "informational",
    CONTRADICTION: "conflict",
    UNKNOWN_PATIENT: "not-found",
    NO_COURSE: "not-found",
    REUSED: "duplicate",
    FAILED: "exception",
}
"""Codes of the value set issue-type (FHIR R4), by reason word or by what is before its dot."""


def issue_code(reason: str, default: str = "structure") -> str:
    """Return the code of issue-type for a reason word, ``default`` for one without a code."""
    return _CODES.get(reason) or _CODES.get(reason.partition(".")[0], default)


def issue(severity: str, reason: str, place: str, words: str) -> Json:
    """Return one issue; ``place`` is where in the document, as FHIRPath."""
    return {
        "severity": severity,
        "code": issue_code(reason, "informational" if severity == "information" else "structure"),
        "details": {"coding": [{"system": REASONS, "code": reason}]},
        "diagnostics": words,
        **({"expression": [place]} if place else {}),
    }


def operation_outcome(*issues: Json) -> Json:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


_REFUSED_WITH: Final[Mapping[str, HTTPStatus]] = {
    REUSED: HTTPStatus.CONFLICT,
    FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def answer_to_refused(refused: RefusedDocumentError) -> Json:
    """Return status and body of a document that was refused whole."""
    status = _REFUSED_WITH.get(refused.reason, HTTPStatus.BAD_REQUEST)
    found = issue("error", refused.reason, refused.place, refused.words)
    return {"status": int(status), "body": operation_outcome(found)}


def answer_to_bundle(outcome: Outcome, places: Sequence[str], response_type: str) -> Json:
    """Return status and body for a Bundle, with a response for each of its entries.

    ``places`` are those of its entries, in order.
    """
    entries = []
    for place in places:
        status, issues = _became(outcome, place)
        response: Json = {"status": f"{status.value} {status.phrase}"}
        if issues:
            response["outcome"] = operation_outcome(*issues)
        entries.append({"response": response})
    body = {"resourceType": "Bundle", "type": response_type, "entry": entries}
    if not entries:
        del body["entry"]
    return {"status": int(HTTPStatus.OK), "body": body}


def answer_to_resource(outcome: Outcome, place: str) -> Json:
    """Return status and body for a resource that was sent alone."""
    status, issues = _became(outcome, place)
    if not issues:
        words = "Charted." if status is HTTPStatus.CREATED else "Nothing is new."
        issues = [{"severity": "information", "code": "informational", "diagnostics": words}]
    return {"status": int(status), "body": operation_outcome(*issues)}


def _became(outcome: Outcome, place: str) -> tuple[HTTPStatus, list[Json]]:
    """Return status and issues of what stands at ``place`` or below it.

    201 is charted, 200 nothing new, 202 held for people, 422 invalid.
    """
    converted = outcome.converted or Converted()
    held = list(_below(place, converted.held))
    remarks = list(_below(place, converted.remarks))
    issues = [_held_issue(one) for one in held]
    issues += [issue("information", one.reason, one.place, _WORDS_OF_REMARK) for one in remarks]
    filed = [one for one in converted.filed if _is_below(place, one.place)]
    if any(one.reason == INVALID for one in held):
        return HTTPStatus.UNPROCESSABLE_ENTITY, issues
    if any(one.entry in outcome.entries for one in filed):
        return HTTPStatus.CREATED, issues
    if held:
        return HTTPStatus.ACCEPTED, issues
    return HTTPStatus.OK, issues


_WORDS_OF_REMARK: Final = "Noted; nothing of it is charted, or it is charted with this remark."


def _held_issue(item: Held) -> Json:
    is_invalid = item.reason == INVALID
    words = (
        "This breaks the rules of FHIR R4 and is not charted; it is kept and shown to people."
        if is_invalid
        else "Not charted; it is kept and shown to people, who decide."
    )
    return issue("error" if is_invalid else "warning", item.reason, item.place, words)


def _below(place: str, found: Iterable[Any]) -> Iterable[Any]:
    return (one for one in found if _is_below(place, one.place))


def _is_below(place: str, other: str) -> bool:
    return other == place or other.startswith((f"{place}.", f"{place}["))
