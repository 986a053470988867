"""FHIR endpoints: documents in, and a course out. What is searched is in ``fhir_search``."""

from __future__ import annotations

import uuid
from datetime import datetime
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from crs_app.accounts.middleware import takes_token
from crs_app.accounts.models import User
from crs_app.accounts.rights import Act
from crs_app.proxies import client_address
from patients.exchange.access.callers import SystemRequest, for_systems
from patients.exchange.access.refusals import CallRefusedError, nothing_there
from patients.exchange.fhir_export import fhir_bundle
from patients.exchange.fhir_http import (
    bad_request,
    body_of_answer,
    check_accepts,
    check_method,
    check_parameters,
    fhir_answer,
    instant,
)
from patients.exchange.fhir_message import FhirMessage, fhir_message
from patients.exchange.fhir_search import search_administrations, search_observations
from patients.exchange.file import receive
from patients.models import Course
from patients.queries.courses import now_for, read_course
from patients.queries.export import read_latest_known
from patients.requests import SignedInRequest, course_or_404

MOST_RESOURCES = 2000
"""In one document: while it is charted, nobody else charts on the course."""
EXPORT_SCOPES = (
    "system/Patient.r",
    "system/Observation.r",
    "system/MedicationAdministration.r",
)


@for_systems()
def documents(request: SystemRequest) -> HttpResponse:
    """Receive a Bundle (a POST)."""
    check_method(request, "POST")
    check_accepts(request)
    message = fhir_message(request.read(), request.caller.system.mrn_system)
    if message.fault is None and not message.is_bundle:
        raise bad_request("A Bundle is expected here; a resource has an address of its own.")
    return _received(request, message)


@for_systems()
def observations(request: SystemRequest) -> HttpResponse:
    """Search Observations, or receive one (a POST)."""
    check_method(request, "GET", "POST")
    check_accepts(request)
    if request.method != "POST":
        return search_observations(request)
    return _received_alone(request, "Observation")


@for_systems()
def administrations(request: SystemRequest) -> HttpResponse:
    """Search MedicationAdministrations, or receive one (a POST)."""
    check_method(request, "GET", "POST")
    check_accepts(request)
    if request.method != "POST":
        return search_administrations(request)
    return _received_alone(request, "MedicationAdministration")


@for_systems()
def nothing(request: SystemRequest, rest: str) -> HttpResponse:
    """Refuse an address below /fhir at which nothing is."""
    raise nothing_there()


def _received_alone(request: SystemRequest, resource_type: str) -> HttpResponse:
    message = fhir_message(request.read(), request.caller.system.mrn_system)
    if message.fault is None and message.resource_type != resource_type:
        raise bad_request(f"A resource of type {resource_type} is expected here.")
    return _received(request, message)


def _received(request: SystemRequest, message: FhirMessage) -> HttpResponse:
    request.caller.require(*sorted(message.scopes()))
    if message.bundle is not None and len(message.bundle.items) > MOST_RESOURCES:
        words = f"A document has at most {MOST_RESOURCES} resources: send several."
        raise CallRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-long", words)
    try:
        receipt = receive(
            request.caller.system, message, address=client_address(request), is_recorded=True
        )
    except (OperationalError, InterfaceError):
        words = "The database does not answer. Nothing is stored: send it again."
        raise CallRefusedError(
            HTTPStatus.SERVICE_UNAVAILABLE, "transient", words, {"Retry-After": "10"}
        ) from None
    if receipt.message.course_id is not None:
        request.concerned_courses.append(receipt.message.course_id)
    return body_of_answer(receipt.answer)


@takes_token
def export(request: HttpRequest, course_id: uuid.UUID) -> HttpResponseBase:
    """Send a course as a Bundle: to a system by its token, to a person who may export it."""
    if isinstance(request.user, User):
        return _export_to_person(request, course_id)
    return _export_to_system(request, course_id)


@for_systems(*EXPORT_SCOPES)
def _export_to_system(request: SystemRequest, course_id: uuid.UUID) -> HttpResponse:
    check_method(request, "GET")
    try:
        course = read_course(course_id)
    except Course.DoesNotExist:
        raise nothing_there() from None
    request.concerned_courses.append(course.pk)
    return _exported(request, course, request.caller.system.mrn_system)


def _export_to_person(request: HttpRequest, course_id: uuid.UUID) -> HttpResponse:
    try:
        check_method(request, "GET")
        signed_in: SignedInRequest = request  # type: ignore[assignment]
        course = course_or_404(signed_in, course_id, Act.EXPORT_PATIENT)
        response = _exported(request, course, "")
    except CallRefusedError as refused:
        return refused.response()
    name = f"course-{course.pk}.fhir.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _exported(request: HttpRequest, course: Course, mrn_system: str) -> HttpResponse:
    check_accepts(request)
    check_parameters(request.GET, "known_at", "current")
    now = max(read_latest_known(), now_for(course))
    known_at = _known_at(request, now)
    if known_at < course.admitted_at:
        raise bad_request("known_at: the course was not on the chart yet.")
    current = request.GET.get("current", "false")
    if current not in ("true", "false"):
        raise bad_request("current: expected true or false.")
    text = fhir_bundle(course, known_at, current=current == "true", mrn_system=mrn_system)
    return fhir_answer(text)


def _known_at(request: HttpRequest, now: datetime) -> datetime:
    if not (text := request.GET.get("known_at", "")):
        return now
    known_at = instant(text, "known_at")
    if known_at > max(now, timezone.now()):
        raise bad_request("known_at: lies in the future.")
    return known_at
