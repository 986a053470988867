"""The wall, and the page that makes a browser a wall screen or ends one."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crs_app.accounts.events import note
from crs_app.accounts.middleware import POLL_HEADER, send_to_sign_in
from crs_app.accounts.permissions import can_start_wall, check_can_end_wall, check_can_start_wall
from crs_app.proxies import client_address
from crs_app.record.models import EventKind
from crs_app.replica import may_read_replica
from patients.models import WALL_SCREEN_LASTS, WallScreen
from patients.queries.wall import screens_of
from patients.queries.wards import names_of_wards, read_wards
from patients.requests import UNPROCESSABLE, SignedInRequest, posted
from patients.ward.seen import as_of, is_still_seen, read_rows_state, seen_token
from patients.ward.wall import wall_of
from patients.ward.wall_forms import WallForm
from patients.ward.wall_screens import end_screen, screen_of, start_screen

_ENDED: Final = 401


def _cookie_name() -> str:
    prefix = "__Secure-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}crs-wall"


@login_not_required
def wall(request: HttpRequest) -> HttpResponseBase:
    """Show the wall of the wards for which this browser was made a wall screen.

    Nobody needs to be signed in: the key in its cookie opens this page and no other. To a browser
    without one it is a page like any other, which leads to the one that starts a screen.
    """
    screen = screen_of(request.COOKIES.get(_cookie_name(), ""), timezone.now())
    if screen is None and not request.user.is_authenticated:
        return send_to_sign_in(request, wall)
    return _wall_page(request, screen)


@require_safe
@may_read_replica
def _wall_page(request: HttpRequest, screen: WallScreen | None) -> HttpResponse:
    """Answer a poll 204 where what was ``seen`` still holds, 401 where the screen was ended."""
    if screen is None and POLL_HEADER in request.headers:
        return HttpResponse(status=_ENDED)
    if screen is None:
        return redirect("patients:walls")
    now, is_poll = timezone.now(), "HX-Request" in request.headers
    state = read_rows_state(now)
    is_old, seen = as_of(request) is not None, request.GET.get("seen", "")
    if is_poll and not is_old and is_still_seen(seen, state.stamp, state.now):
        return HttpResponse(status=204)
    shown = wall_of(screen.ward_ids, state.now)
    context = {
        "wall": shown,
        "wards": read_wards(screen.ward_ids),
        "wrong_clock": state.wrong_clock,
        "signature": seen_token(state.stamp, shown.holds_until, is_old=is_old),
    }
    template = "ward/wall_content.html" if is_poll else "ward/wall.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
def walls(request: SignedInRequest) -> HttpResponse:
    """List the running screens; a POST makes this browser one, and signs its user out there."""
    check_can_end_wall(request.user)
    now = timezone.now()
    form = WallForm(posted(request), reader=request.user)
    if not form.is_bound or not form.is_valid():
        if form.is_bound:
            check_can_start_wall(request.user)
        names = names_of_wards()
        screens = [
            (screen, ", ".join(names.get(pk, "?") for pk in screen.ward_ids))
            for screen in screens_of(request.user, now)
        ]
        context = {
            "form": form,
            "screens": screens,
            "can_start": can_start_wall(request.user),
            "lasts_days": WALL_SCREEN_LASTS.days,
        }
        status = UNPROCESSABLE if form.is_bound else 200
        return render(request, "ward/walls.html", context, status=status)
    key = start_screen(form.cleaned_data["wards"], request.user, now)
    note(EventKind.SIGNED_OUT, by=request.user, address=client_address(request))
    logout(request)
    response = redirect("patients:wall")
    response.set_cookie(
        _cookie_name(),
        key,
        max_age=WALL_SCREEN_LASTS,
        path=reverse("patients:wall"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


@require_POST
def wall_end(request: SignedInRequest, screen_id: int) -> HttpResponse:
    """End a running screen: its next poll says so in red."""
    check_can_end_wall(request.user)
    if not end_screen(screen_id, request.user, timezone.now()):
        raise Http404("No such running screen")
    messages.info(request, "The wall screen was ended.")
    return redirect("patients:walls")
