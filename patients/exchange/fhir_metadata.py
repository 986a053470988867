"""What the FHIR endpoints can do: a CapabilityStatement (FHIR R4), open to everybody."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpResponse

from patients.exchange.access.callers import SystemRequest, for_programs
from patients.exchange.access.refusals import FHIR_JSON, CallRefusedError
from patients.exchange.fhir_answers import Json
from patients.exchange.fhir_http import (
    base_url,
    check_accepts,
    check_method,
    fhir_answer,
)

_CHANGED_ON: Final = "2026-11-29"
"""When what these endpoints can do was changed last."""


@for_programs
def metadata(request: SystemRequest) -> HttpResponse:
    """Say what these endpoints can do: a CapabilityStatement, which needs no token."""
    try:
        check_method(request, "GET")
        check_accepts(request)
    except CallRefusedError as refused:
        return refused.response()
    return fhir_answer(_capabilities(request))


def _capabilities(request: SystemRequest) -> Json:
    def resource(kind: str, *interactions: str, **parameters: str) -> Json:
        found: Json = {"type": kind, "interaction": [{"code": one} for one in interactions]}
        listed = [{"name": name, "type": type_} for name, type_ in parameters.items()]
        return found | ({"searchParam": listed} if listed else {})

    token_url = request.build_absolute_uri("/oauth/token")
    uris = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _CHANGED_ON,
        "kind": "instance",
        "software": {"name": "CRS bedside"},
        "implementation": {"description": settings.SITE_NAME, "url": base_url(request)},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "extension": [
                        {
                            "url": uris,
                            "extension": [{"url": "token", "valueUri": token_url}],
                        }
                    ],
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/"
                                    "restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                },
                "resource": [
                    resource("Patient", "search-type", identifier="token"),
                    resource(
                        "Observation", "create", "search-type",
                        patient="reference", code="token", date="date", _lastUpdated="date",
                    ),
                    resource(
                        "MedicationAdministration", "create", "search-type", patient="reference"
                    ),
                ],
                "interaction": [{"code": "batch"}, {"code": "transaction"}],
            }
        ],
    }  # fmt: skip
