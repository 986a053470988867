"""Addresses of CDS Hooks: discovery, the services, and feedback on their cards."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from patients.exchange.access.callers import SystemRequest, for_programs, record_call
from patients.exchange.access.hooks import HookCaller, hook_caller
from patients.exchange.access.refusals import CallRefusedError
from patients.exchange.cds_hooks.answer import answer_hook
from patients.exchange.cds_hooks.cards import as_json
from patients.exchange.cds_hooks.feedback import keep_feedback, read_feedback
from patients.exchange.cds_hooks.hook_request import RefusedRequestError, read_hook_request
from patients.exchange.cds_hooks.services import Service, discovery, service_of
from patients.exchange.cds_hooks.shown import keep_cards
from patients.exchange.formats.exact_json import NotJsonError, read_json

_SECONDS_KNOWN: Final = "600"
View = Callable[..., HttpResponseBase]
Asked = Callable[[SystemRequest, HookCaller, Service], HttpResponse]


def _with_origins(*methods: str) -> Callable[[View], View]:
    """Decorate a view that pages of listed origins may call; OPTIONS needs no sign-in."""
    allowed = ", ".join([*methods, "OPTIONS"])

    def decorate(view: View) -> View:
        @for_programs
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "OPTIONS":
                response: HttpResponseBase = HttpResponse(status=HTTPStatus.NO_CONTENT)
            elif request.method in methods:
                response = view(request, *args, **kwargs)
            else:
                response = _refused(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {methods[0]}.")
                response.headers["Allow"] = allowed
            response.headers["Vary"] = "Origin"
            origin = request.headers.get("Origin", "")
            if origin in settings.CDS_HOOKS_ORIGINS:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Allow-Methods"] = allowed
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
                response.headers["Access-Control-Max-Age"] = _SECONDS_KNOWN
            return response

        return answered

    return decorate


@_with_origins("GET", "HEAD")
def services(_request: HttpRequest) -> HttpResponse:
    """List the services: what can be asked, and nothing of a patient."""
    return JsonResponse(discovery())


def _for_records(view: Asked) -> View:
    """Decorate a view that only a registered record may call; each call is recorded."""

    @wraps(view)
    def guarded(request: SystemRequest, service_id: str) -> HttpResponse:
        request.user = AnonymousUser()  # type: ignore[assignment]
        request.concerned_courses = []
        request.is_recorded = True  # type: ignore[attr-defined]  # for the middleware
        called = service_of(service_id)
        caller: HookCaller | None = None
        is_recorded = True
        try:
            caller = hook_caller(request, request.build_absolute_uri(request.path))
            request.user = caller.system.user
            if called is None:
                response = _refused(HTTPStatus.NOT_FOUND, "No such service.")
            else:
                response = view(request, caller, called)
        except CallRefusedError as refusal:
            response = _refused(refusal.status, refusal.words, refusal.headers)
            is_recorded = refusal.is_recorded
        except RefusedRequestError as refusal:
            response = _refused(refusal.status, refusal.sentence)
        if is_recorded:
            record_call(request, None if caller is None else caller.system, response.status_code)
        return response

    return guarded


@_with_origins("POST")
@_for_records
def service(request: SystemRequest, caller: HookCaller, called: Service) -> HttpResponse:
    """Answer a hook by its cards."""
    asked = read_hook_request(called, _body(request))
    answer = answer_hook(caller.system, asked)
    course = answer.course
    if course is None:
        return JsonResponse({"cards": []})
    request.concerned_courses.append(course.pk)
    keep_cards(caller.system, asked, answer)
    cards = [as_json(card, course, request.build_absolute_uri) for card in answer.cards]
    return JsonResponse({"cards": cards})


@_with_origins("POST")
@_for_records
def feedback(request: SystemRequest, caller: HookCaller, called: Service) -> HttpResponse:
    """Keep what users did with cards."""
    items = read_feedback(_body(request))
    request.concerned_courses += keep_feedback(caller.system, called.id, items)
    return JsonResponse({})


def _body(request: HttpRequest) -> Any:
    try:
        return read_json(request.read())
    except NotJsonError as error:
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"Not JSON: {error}.") from None


def _refused(
    status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None
) -> HttpResponse:
    words = {"error": status.phrase, "error_description": sentence}
    return JsonResponse(words, status=status, headers=headers)
