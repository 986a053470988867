"""The addresses of a launch: from the health record, back from its sign-in, and its end."""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from crs_app.accounts.hospital.refusals import RefusedError, Why
from crs_app.accounts.launched import Launch, is_framed
from crs_app.accounts.models import User
from crs_app.accounts.signing_in import sign_in_launched
from crs_app.proxies import client_address
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from crs_app.round_trips import NotBegunError
from patients.exchange.access.callers import for_programs
from patients.exchange.access.limits import REFUSED_OF_AN_ADDRESS, TooManyError, at_address, count
from patients.exchange.smart.begun import LAUNCHES, Begun
from patients.exchange.smart.issuers import issuer_of, issuers, public_keys
from patients.exchange.smart.matching import open_course, record_number, user_of
from patients.exchange.smart.record_client import launched
from patients.exchange.smart.refusals import (
    PASSING,
    LaunchRefusedError,
    Reason,
    sentences_for,
)
from patients.models import LaunchIssuer

SCOPES: Final = "launch openid fhirUser patient/Patient.r"
_RETRY_AFTER_S: Final = 10
_LONGEST_LAUNCH: Final = 2000
_AT_ONCE: Final = 2
"""Launches for which one process asks a health record at the same time, of its four threads."""
_asking: Final = threading.BoundedSemaphore(_AT_ONCE)


@login_not_required
@require_GET
def launch(request: HttpRequest) -> HttpResponse:
    """Send the browser to the sign-in of the health record that launches."""
    try:
        issuer = _issuer(request.GET.get("iss", ""))
        token = request.GET.get("launch", "")
        if not 0 < len(token) <= _LONGEST_LAUNCH:
            raise LaunchRefusedError(Reason.STATE)
    except LaunchRefusedError as refused:
        return _refused(request, refused)
    begun = Begun(
        token_urlsafe(24), token_urlsafe(24), token_urlsafe(48), issuer.iss, is_framed(request)
    )
    _frame(request, issuer, begun)
    mark = "&" if "?" in issuer.authorization_endpoint else "?"
    response = redirect(
        f"{issuer.authorization_endpoint}{mark}{urlencode(_asked(request, issuer, begun, token))}"
    )
    LAUNCHES.keep(request, response, asdict(begun))
    return response


def _asked(request: HttpRequest, issuer: LaunchIssuer, begun: Begun, token: str) -> dict[str, str]:
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    return {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": _back(request),
        "launch": token,
        "scope": SCOPES,
        "state": begun.state,
        "nonce": begun.nonce,
        "aud": issuer.iss,
        "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


@login_not_required
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Open the patient of the launch for its user, or say why not; each return works once.

    One that finds too many others at work is not used up: the page opens when it is loaded again.
    """
    try:
        begun = _begun(request)
        response = _opened(request, begun)
    except LaunchRefusedError as refused:
        response = _refused(request, refused)
        if refused.why is Reason.BUSY:
            return response
    except RefusedError as refused:  # raised for the identity token
        response = _refused_token(request, refused.why)
    LAUNCHES.forget(request, response)
    return response


def _opened(request: HttpRequest, begun: Begun) -> HttpResponse:
    issuer = _issuer(begun.iss)
    _frame(request, issuer, begun)
    if request.GET.get("error"):
        raise LaunchRefusedError(Reason.CANCELLED)
    # RFC 9207: the health record may say who it is; then it must be the one that was asked.
    if request.GET.get("iss", issuer.openid_issuer) != issuer.openid_issuer:
        raise LaunchRefusedError(Reason.STATE)
    with _one_of_few():
        found = launched(
            issuer,
            request.GET.get("code", ""),
            verifier=begun.verifier,
            nonce=begun.nonce,
            back=_back(request),
        )
        _use_up(begun)
    user = user_of(issuer, found)
    try:
        course = open_course(found.patient, record_number(found.patient, issuer.mrn_system))
    except LaunchRefusedError as refused:
        raise LaunchRefusedError(refused.why, user, refused.mrn) from None
    origins = tuple(issuer.frame_origins) if begun.is_framed else ()
    sign_in_launched(request, user, Launch(course.pk, issuer.name, origins))
    record_event(
        EventKind.LAUNCHED,
        by=user,
        course_id=course.pk,
        details={"record": issuer.name, "in a frame": "yes" if origins else "no"},
    )
    return redirect("patients:bedside", course.pk)


@login_not_required
@require_safe
def ended(request: HttpRequest) -> HttpResponse:
    """Say that a launched page has ended; end its session.

    Nothing of a patient stands here: the pages of every health record that may launch may frame it,
    for whose frame this was is not known any more.
    """
    if getattr(request, "launch", None) is not None:
        logout(request)
    elif is_framed(request):
        origins = {origin for one in issuers() if one.is_active for origin in one.frame_origins}
        request.frame_origins = tuple(sorted(origins))  # type: ignore[attr-defined]
    return render(request, "exchange/launch/ended.html")


@for_programs
@require_safe
def keys(request: HttpRequest) -> HttpResponseBase:
    """Answer the public keys by which this application shows who it is (RFC 7517)."""
    return JsonResponse({"keys": public_keys()})


def _issuer(iss: str) -> LaunchIssuer:
    found = issuer_of(iss) if iss.isprintable() else None
    if found is None:
        raise LaunchRefusedError(Reason.ISSUER)
    return found


def _begun(request: HttpRequest) -> Begun:
    """Return the launch that comes back; raises LaunchRefusedError."""
    try:
        return Begun(**LAUNCHES.read(request))
    except NotBegunError:
        raise LaunchRefusedError(Reason.STATE) from None


def _use_up(begun: Begun) -> None:
    try:
        LAUNCHES.use_up(begun.state)
    except NotBegunError:
        raise LaunchRefusedError(Reason.STATE) from None


@contextmanager
def _one_of_few() -> Iterator[None]:
    """Let few threads wait for a health record at once: those who chart must not wait for it."""
    if not _asking.acquire(blocking=False):
        raise LaunchRefusedError(Reason.BUSY)
    try:
        yield
    finally:
        _asking.release()


def _frame(request: HttpRequest, issuer: LaunchIssuer, begun: Begun) -> None:
    """Let the registered pages of the health record frame this answer, if it stands in a frame."""
    if begun.is_framed:
        request.frame_origins = tuple(issuer.frame_origins)  # type: ignore[attr-defined]


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("patients:smart_return"))


def _refused(request: HttpRequest, refused: LaunchRefusedError) -> HttpResponse:
    details = {"why": refused.why.value}
    if refused.mrn:
        details["mrn"] = refused.mrn
    _record_refusal(request, refused.user, details)
    return _page(request, sentences_for(refused), is_passing=refused.why in PASSING)


def _refused_token(request: HttpRequest, why: Why) -> HttpResponse:
    _record_refusal(request, None, {"why": f"token: {why.value}"})
    words = f"What the health record sent is not valid here ({why.value})."
    return _page(request, (words, "Open it again from the health record."), is_passing=False)


def _record_refusal(request: HttpRequest, user: User | None, details: dict[str, str]) -> None:
    """Record a refusal; of one address so many in a minute and no more.

    It holds no sign-in by password from there: nothing is guessed by a launch, and a health record
    that is set up wrongly must not keep a ward from its tablets.
    """
    try:
        count(at_address("launch", client_address(request)), REFUSED_OF_AN_ADDRESS, timezone.now())
    except TooManyError:
        return
    record_event(EventKind.LAUNCH_REFUSED, by=user, details=details)


def _page(request: HttpRequest, sentences: tuple[str, ...], *, is_passing: bool) -> HttpResponse:
    status = HTTPStatus.SERVICE_UNAVAILABLE if is_passing else HTTPStatus.FORBIDDEN
    shown: dict[str, Any] = {"sentences": sentences}
    response = render(request, "exchange/launch/refused.html", shown, status=status)
    if is_passing:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response
