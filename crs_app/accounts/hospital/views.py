"""The two addresses of the hospital's sign-in: to the provider, and back from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from crs_app.accounts import throttle
from crs_app.accounts.events import note, note_failed
from crs_app.accounts.hospital.people import user_of
from crs_app.accounts.hospital.provider import Begun, claims_of_answer, send_there
from crs_app.accounts.hospital.refusals import (
    NOT_COUNTED,
    OF_THE_PROVIDER,
    RefusedError,
    Why,
    sentences_of,
)
from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import note_password
from crs_app.accounts.signing_in import after_first_step, sign_in
from crs_app.accounts.views import page_asked_for
from crs_app.hospital_sign_in import HospitalSignIn
from crs_app.proxies import client_address
from crs_app.record.models import EventKind
from crs_app.round_trips import NotBegunError, RoundTrips

METHOD: Final = "hospital"
"""How a sign-in was done, in the record."""
REFUSED: Final = 403
UNAVAILABLE: Final = 503
_RETRY_AFTER_S: Final = 10
_SIGN_INS: Final = RoundTrips("crs-hospital-sign-in")


@login_not_required
@require_GET
def there(request: HttpRequest) -> HttpResponse:
    """Send the browser to the hospital's sign-in; a cookie keeps what its return must have."""
    _configured_or_404()
    try:
        response, begun = send_there(request, page_asked_for(request))
    except RefusedError as refused:
        return _refused(request, refused)
    _SIGN_INS.keep(request, response, begun.kept())
    return response


@login_not_required
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Sign in the user whom the provider names, or say why not; each return works once."""
    configured = _configured_or_404()
    try:
        begun = _begun(request)
        claims = _claims(request, configured, begun)
        _use_up(begun)
        user = user_of(claims, configured, client_address(request))
        response = _let_in(request, user, configured, begun.next or settings.LOGIN_REDIRECT_URL)
    except RefusedError as refused:
        response = _refused(request, refused)
    _SIGN_INS.forget(request, response)
    return response


def _configured_or_404() -> HospitalSignIn:
    configured: HospitalSignIn | None = settings.HOSPITAL_SIGN_IN
    if configured is None:
        raise Http404
    return configured


def _begun(request: HttpRequest) -> Begun:
    """Return the sign-in that comes back, of those that this browser began."""
    try:
        return Begun(**_SIGN_INS.read(request))
    except NotBegunError:
        raise RefusedError(Why.STATE) from None


def _use_up(begun: Begun) -> None:
    try:
        _SIGN_INS.use_up(begun.state)
    except NotBegunError:
        raise RefusedError(Why.STATE) from None


def _claims(request: HttpRequest, configured: HospitalSignIn, begun: Begun) -> Mapping[str, Any]:
    if request.GET.get("error") == "access_denied":
        raise RefusedError(Why.CANCELLED)
    # RFC 9207: the provider may say who it is; then it must be ours.
    if request.GET.get("iss", configured.issuer) != configured.issuer:
        raise RefusedError(Why.ISSUER)
    if not request.GET.get("code"):
        raise RefusedError(Why.NO_ANSWER)
    return claims_of_answer(request, begun)


def _let_in(
    request: HttpRequest, user: User, configured: HospitalSignIn, next_page: str
) -> HttpResponse:
    """Begin a session; the user of an open one has shown again who he or she is.

    An open session is kept, so that a form which is open on the page can still be sent. The
    hospital asks for a second factor; the settings can demand ours as well.
    """
    if request.user.is_authenticated and request.user != user:
        raise RefusedError(Why.OTHER_USER)
    if request.user.is_authenticated:
        note_password(request)
        note(EventKind.SIGN_IN, by=user, address=client_address(request), method=METHOD)
    elif configured.own_second_factor:
        return after_first_step(request, user, next_page, method=METHOD)
    else:
        sign_in(request, user, method=METHOD, has_second_factor=True)
    return redirect(next_page)


def _refused(request: HttpRequest, refused: RefusedError) -> HttpResponse:
    """Record and count the refused try, and say in plain words what to do."""
    address, why, now = client_address(request), refused.why, timezone.now()
    if why not in NOT_COUNTED:
        throttle.count_of_address(address, now)
        throttle.delete_forgotten(now)
    note_failed(refused.user, address, now, method=METHOD, why=why.value)
    is_passing = why in OF_THE_PROVIDER
    response = render(
        request,
        "accounts/hospital_refused.html",
        {"sentences": sentences_of(why)},
        status=UNAVAILABLE if is_passing else REFUSED,
    )
    if is_passing:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response
