"""Which system sent a request: the one door of every address that a program calls.

A view is decorated with ``for_systems``. It then has ``request.caller``, and each call is recorded,
allowed or refused. A person's session opens none of these addresses, and none of them makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from crs_app.accounts.middleware import without_session
from crs_app.accounts.models import User
from crs_app.proxies import client_address
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.exchange.access.limits import (
    REFUSED_OF_AN_ADDRESS,
    REQUESTS_OF_A_SYSTEM,
    at_address,
    refuse_over,
)
from patients.exchange.access.refusals import (
    CallRefusedError,
    not_allowed,
    not_signed_in,
    nothing_there,
)
from patients.exchange.access.scopes import covers
from patients.exchange.access.tokens import token_of
from patients.models import ExternalSystem

_BEARER: Final = "bearer "
_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A system that showed a valid token; ``user`` is the author of what it files."""

    system: ExternalSystem
    user: User
    scopes: tuple[str, ...]
    granted: tuple[str, ...]

    def may(self, scope: str) -> bool:
        """Return whether token and system both have ``scope`` (``system/Observation.c``) now."""
        return covers(self.scopes, [scope]) and covers(self.granted, [scope])

    def require(self, *scopes: str) -> None:
        """Refuse what the token does not allow.

        Raises CallRefusedError with status 403.
        """
        for scope in scopes:
            if not self.may(scope):
                raise not_allowed(scope)


class SystemRequest(HttpRequest):
    """A request of a system; a view notes in ``concerned_courses`` whose chart it read or wrote."""

    user: User
    caller: Caller
    concerned_courses: list[UUID]
    only_reads: bool  # a POST that searches sets it


View = Callable[..., HttpResponseBase]


def system_of(request: HttpRequest) -> Caller:
    """Return which system sent the request, by the token in its header; count the request.

    Raises CallRefusedError: 401 without a valid token, 429 where it sends too often.
    """
    now = timezone.now()
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = token_of(text.strip(), now) if f"{scheme.lower()} " == _BEARER else None
    if token is None:
        refuse_over(at_address("refused", client_address(request)), REFUSED_OF_AN_ADDRESS)
        raise not_signed_in("A valid access token is needed: POST /oauth/token.")
    system = token.key.system
    refuse_over(f"system {system.pk}", REQUESTS_OF_A_SYSTEM)
    granted: list[str] = token.granted or []  # type: ignore[attr-defined]  # an annotation
    return Caller(system, system.user, tuple(token.scopes), tuple(granted))


def for_programs(view: View) -> View:
    """Decorate a view that programs call: no session, no form, and so no CSRF token."""
    return without_session(csrf_exempt(login_not_required(view)))


def for_systems(*scopes: str) -> Callable[[View], View]:
    """Decorate a view that only a system with ``scopes`` may call.

    The view may ask for more by ``request.caller.require``. It may raise CallRefusedError, which
    becomes its answer.
    """

    def decorate(view: View) -> View:
        @for_programs
        @wraps(view)
        def guarded(request: SystemRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.user = AnonymousUser()  # type: ignore[assignment]
            request.concerned_courses = []
            refused: CallRefusedError | None = None
            caller: Caller | None = None
            try:
                caller = system_of(request)
                request.user, request.caller = caller.user, caller
                caller.require(*scopes)
                response = view(request, *args, **kwargs)
            except Http404:
                response = nothing_there().response()
            except CallRefusedError as refusal:
                refused, response = refusal, refusal.response()
            if refused is None or refused.is_recorded:
                record_call(
                    request, None if caller is None else caller.system, response.status_code
                )
            request.is_recorded = True  # type: ignore[attr-defined]  # for the middleware
            return response

        return guarded

    return decorate


def record_call(request: HttpRequest, system: ExternalSystem | None, status: int) -> None:
    """Record a call of ``system``: of each course that it concerned, or of none."""
    if system is None or status in (401, 403, 429):
        kind = EventKind.SYSTEM_REFUSED
    else:
        only_reads = request.method in _READS or getattr(request, "only_reads", False)
        kind = EventKind.SYSTEM_READ if only_reads else EventKind.SYSTEM_WRITE
    match = request.resolver_match
    details = {"method": str(request.method), "status": str(status)}
    details["address"] = match.view_name if match else ""
    if system is not None:
        details["system"] = system.name
    concerned: Iterable[UUID | None] = sorted(set(getattr(request, "concerned_courses", [])))
    for course_id in concerned or [None]:
        record_event(
            kind,
            by=None if system is None else system.user,
            course_id=course_id,
            details=details,
        )
