"""Grade periods and answers to guidance as FHIR R4: Observations of a device, GuidanceResponses.

ICD-10-CM has codes for the grades of cytokine release syndrome, D89.831 to D89.835, without the
scale; the scale stands in the method.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from grading.course_result import CourseResult
from grading.engine.policy import Policy
from patients.exchange.formats.charted import AnsweredItem, StoredPeriod
from patients.exchange.formats.fhir_parts import (
    GRADE,
    Ids,
    Json,
    absent,
    category,
    coding,
    concept,
    number,
    reference,
    texts,
    time_text,
    without_empty,
)

CRITERION: Final = "urn:crs:criterion"
UNKNOWN: Final = "urn:crs:unknown"
GUIDANCE: Final = "urn:crs:guidance"
_ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
_ICD_GRADES: Final = range(1, 6)
_PAPER: Final = "Lee et al., Blood 2014;124:188"
_DIGITS_OF_DIGEST: Final = 12


def policy_digest(policy: Policy) -> str:
    """Return the digest by which a policy is stored and named."""
    return hashlib.sha256(json.dumps(policy.values(), sort_keys=True).encode()).hexdigest()


def periods_of(result: CourseResult, known_at: datetime) -> list[StoredPeriod]:
    """Return the periods of a graded course file that are not projected."""
    facts = result.document.facts
    return [
        StoredPeriod(
            start=period.start,
            end=period.end,
            grade=period.grade,
            at_most=period.at_most,
            criteria=[one.as_json() for one in period.criteria],
            unknown=[
                {**one.as_json(), "evidence": list(one.evidence)} for one in period.unknown
            ],
            ruleset=f"{period.system}/{period.version}",
            policy_digest=policy_digest(facts.under(period.policy).policy),
            known_from=known_at,
        )
        for period in result.periods
    ]  # fmt: skip


def grade_observation(
    period: StoredPeriod, patient: Json, device: Json, ids: Ids, resources: Mapping[str, str]
) -> Json:
    """Return the Observation of a period; ``resources`` are the ids of resources by entry id."""
    evidence = dict.fromkeys(
        resources[entry_id]
        for finding in (*period.criteria, *period.unknown)
        for entry_id in finding.get("evidence", ())
        if entry_id in resources
    )
    start = time_text(period.start)
    is_instant = period.end == period.start
    ends = {} if period.end is None else {"end": time_text(period.end)}
    when = (
        {"effectiveDateTime": start}
        if is_instant
        else {"effectivePeriod": {"start": start, **ends}}
    )
    return without_empty(
        {
            "resourceType": "Observation",
            "id": ids.of("grade", start, time_text(period.known_from)),
            "status": "final",
            "category": [category("survey")],
            "code": concept(
                coding(GRADE, "lee-2014", "CRS grade (Lee 2014)"),
                text="Cytokine release syndrome grade (Lee 2014)",
            ),
            "subject": patient,
            **when,
            "issued": time_text(period.known_from),
            "performer": [device],
            "method": concept(
                text=f"{_PAPER}; ruleset {period.ruleset}; "
                f"policy {period.policy_digest[:_DIGITS_OF_DIGEST]}"
            ),
            "valueInteger": number(period.grade),
            "derivedFrom": [reference(one) for one in evidence],
            "component": list(_components(period)),
        }
    )


def _components(period: StoredPeriod) -> Iterator[Json]:
    yield {"code": concept(coding(GRADE, "at-most")), "valueInteger": number(period.at_most)}
    for finding in period.criteria:
        yield {
            "code": concept(coding(CRITERION, finding["code"]), text=finding["explanation"]),
            "valueInteger": number(finding["grade"]),
        }
    for finding in period.unknown:
        yield {
            "code": concept(coding(UNKNOWN, finding["code"]), text=finding["why"]),
            "dataAbsentReason": absent("unknown"),
            "interpretation": [concept(text=f"could reach {finding['could_reach']}")],
        }
    if period.grade in _ICD_GRADES:
        name = f"Cytokine release syndrome, grade {period.grade}"
        yield {
            "code": concept(coding(GRADE, "diagnosis"), text="diagnosis code"),
            "valueCodeableConcept": concept(
                coding(_ICD_10_CM, f"D89.83{period.grade}", name)
            ),
        }  # fmt: skip


def guidance_responses(
    answers: Iterable[AnsweredItem], patient: Json, device: Json, ids: Ids
) -> list[Json]:
    """Return a GuidanceResponse for each answered item, with the answer as its note."""
    return [
        _guidance_response(one, place, patient, device, ids) for place, one in enumerate(answers)
    ]


def _guidance_response(
    answered: AnsweredItem, place: int, patient: Json, device: Json, ids: Ids
) -> Json:
    when = time_text(answered.at)
    author = {} if answered.author is None else {"authorString": answered.author.name}
    return {
        "resourceType": "GuidanceResponse",
        "id": ids.of("guidance", answered.code, when, str(place)),
        "moduleUri": f"{GUIDANCE}/{answered.code}",
        "status": "success",
        "subject": patient,
        "occurrenceDateTime": when,
        "performer": device,
        "reasonCode": [concept(coding(GUIDANCE, answered.code))],
        "note": [{**author, "time": when, **texts(f"Answered: {answered.answer}")[0]}],
    }
