"""Addresses of CDS Hooks: discovery, the services, and feedback on their cards."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from patients.exchange.access.hook_callers import for_hook_clients
from patients.exchange.access.callers import SystemRequest
from patients.exchange.cds_hooks.answer import answer_hook
from patients.exchange.cds_hooks.cards import as_json
from patients.exchange.cds_hooks.feedback import keep_feedback, read_feedback
from patients.exchange.cds_hooks.hook_request import RefusedRequestError, read_hook_request
from patients.exchange.cds_hooks.services import discovery, service_of
from patients.exchange.cds_hooks.shown import keep_cards
from patients.exchange.formats.exact_json import read_exact_json
from patients.exchange.formats.received import RefusedDocumentError

_METHODS: Final = "POST, OPTIONS"
_HEADERS: Final = "Authorization, Content-Type"
_MINUTES_KNOWN: Final = "600"
View = Callable[..., HttpResponseBase]


def _with_origins(view: View) -> View:
    """Decorate a view that pages of listed origins may call; OPTIONS needs no sign-in."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        origin = request.headers.get("Origin", "")
        response = (
            HttpResponse(status=HTTPStatus.NO_CONTENT)
            if request.method == "OPTIONS"
            else view(request, *args, **kwargs)
        )
        response.headers["Vary"] = "Origin"
        if origin in settings.CDS_HOOKS_ORIGINS:
            response.headers |= {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": _HEADERS,
                "Access-Control-Max-Age": _MINUTES_KNOWN,
            }
        return response

    return answered


@_with_origins
@require_safe
def services(_request: HttpRequest) -> HttpResponse:
    """List the services: what can be asked, and nothing of a patient."""
    return JsonResponse(discovery())


@_with_origins
@for_hook_clients
def service(request: SystemRequest, service_id: str) -> HttpResponse:
    """Answer a hook by its cards."""
    found = service_of(service_id)
    if request.method != "POST" or found is None:
        return _refused(HTTPStatus.NOT_FOUND, "No such service.")
    try:
        asked = read_hook_request(found, _body(request))
        answer = answer_hook(request.caller.system, asked)
    except RefusedRequestError as refusal:
        return _refused(refusal.status, refusal.sentence)
    if answer.course is not None:
        request.concerned_courses.append(answer.course.pk)
        keep_cards(request.caller.system, asked, answer)
    cards = [
        as_json(card, answer.course, request.build_absolute_uri)
        for card in answer.cards
        if answer.course is not None
    ]
    return JsonResponse({"cards": cards})


@_with_origins
@for_hook_clients
def feedback(request: SystemRequest, service_id: str) -> HttpResponse:
    """Keep what users did with cards."""
    if request.method != "POST" or service_of(service_id) is None:
        return _refused(HTTPStatus.NOT_FOUND, "No such service.")
    try:
        keep_feedback(request.caller.system, service_id, read_feedback(_body(request)))
    except RefusedRequestError as refusal:
        return _refused(refusal.status, refusal.sentence)
    return JsonResponse({})


def _body(request: HttpRequest) -> Any:
    try:
        return read_exact_json(request.read())
    except RefusedDocumentError as refusal:
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"{refusal.words}.") from None


def _refused(status: HTTPStatus, sentence: str) -> HttpResponse:
    return JsonResponse({"error": status.phrase, "error_description": sentence}, status=status)
