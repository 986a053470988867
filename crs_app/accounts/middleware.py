"""Middleware: every page needs a sign-in, which is locked when nobody acts, and ends after a day's
work.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware, get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from crs_app.accounts.last_acts import act_in_cookie, note_act, send_act
from crs_app.accounts.launch_names import LAUNCH, LAUNCH_ENDED, LAUNCHED_ENDS_AFTER_IDLE
from crs_app.accounts.launched import is_framed
from crs_app.accounts.tablet_uses import send_cookie

USE = "use"
"""What the session keeps: its key, when its user signed in, and when a person acted last."""
POLL_HEADER = "CRS-Poll"
"""Header of a request that a page makes by itself, and whose refusal it shows in words."""
USER_HEADER = "CRS-User"
"""Header of a request of htmx: the id of the user whom its page was made for."""
WRITE_AT_MOST_EVERY = timedelta(minutes=1)
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class SignInRequired(LoginRequiredMiddleware):
    """Send to the sign-in page who is not signed in, whose session is idle, or too old.

    A session is locked where nobody acted for a while: it shows what ``shown_when_locked`` says,
    and takes its user for a stranger otherwise. Acts are what a person sends, and keys and touches,
    which the page reports. What a page asks by itself is none.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        takes_token = getattr(view_func, "takes_token", False)
        if getattr(view_func, "without_session", False) or (
            takes_token and "Authorization" in request.headers
        ):
            request.user = AnonymousUser()
            return None
        # The user itself in place of Django's lazy object, which looks it up at each use.
        request.user = get_user(request)
        if request.user.is_authenticated:
            _note_use(request, view_func)
        if takes_token and not request.user.is_authenticated and not _is_of_browser(request):
            return None
        if _is_page_of_another(request):
            return self.handle_no_permission(request, view_func)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Begin a new session where the user of a locked one has signed in again."""
        if getattr(request, "was_locked", False) and request.user.is_authenticated:
            request.session.pop(USE, None)
            request.session.cycle_key()
        send_cookie(request, response)
        send_act(request, response)
        return response

    def handle_no_permission(  # type: ignore[override]  # Django's own always redirects
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        """Answer htmx without a redirect: it would swap the sign-in page into the bedside."""
        if not request.headers.get("HX-Request"):
            # Only launched pages stand in a frame; the page to sign in never does.
            if getattr(request, "launch_has_ended", False) or is_framed(request):
                return redirect(LAUNCH_ENDED)
            return super().handle_no_permission(request, view_func)
        if request.method == "GET" and POLL_HEADER in request.headers:
            # The page says so itself, and nothing changes under the user's hands.
            return HttpResponse(status=401)
        if request.method == "GET":
            return HttpResponseClientRefresh()
        return HttpResponse(
            "Not saved: you have been signed out. Sign in again and repeat it.",
            status=401,
            content_type="text/plain",
        )


def send_to_sign_in(request: HttpRequest, view: Callable[..., Any]) -> HttpResponseBase:
    """Answer who has no right to ``view``, a view that checks that itself, as any other page."""
    return SignInRequired(lambda _request: HttpResponse()).handle_no_permission(request, view)


def shown_when_locked(view: View) -> View:
    """Decorate a view that a locked session still shows; opening it is no act of a person."""
    view.shown_when_locked = True  # type: ignore[attr-defined]
    return view


def without_session(view: View) -> View:
    """Decorate a view that programs call: a session is neither read nor made there."""
    view.without_session = True  # type: ignore[attr-defined]
    return view


def takes_token(view: View) -> View:
    """Decorate a view that people open by their session, and programs by a token.

    Where a token is shown, no session is read. The view itself refuses who is not signed in.
    """
    view.takes_token = True  # type: ignore[attr-defined]
    return view


def _is_page_of_another(request: HttpRequest) -> bool:
    """Return whether a page asks whose user is no longer that of the session.

    On a shared tablet a tab can stay open while the user is switched in another one: it must not
    be filled with what the next user may see, under the name of the one before.
    """
    made_for = request.headers.get(USER_HEADER)
    return (
        made_for is not None and request.user.is_authenticated and made_for != str(request.user.pk)
    )


def _is_of_browser(request: HttpRequest) -> bool:
    """Return whether a browser asks for a page; a program that is not signed in gets no page."""
    return "text/html" in request.headers.get("Accept", "")


def lock_session(request: HttpRequest) -> None:
    """Lock the session now: its user must sign in again to read or write."""
    request.session[USE] = {**request.session[USE], "acted": 0}


def begin_use(request: HttpRequest, signed_in_at: datetime) -> None:
    """Let the session of a user who switched here end 12 hours after the full sign-in."""
    now = timezone.now().timestamp()
    of, signed_in = request.session.session_key, signed_in_at.timestamp()
    request.session[USE] = {"of": of, "signed_in": signed_in, "acted": now}
    request.was_locked = False  # type: ignore[attr-defined]


def _note_use(request: HttpRequest, view: Any) -> None:
    """End a session that is too old; take the user of an idle one for a stranger."""
    now, key = timezone.now().timestamp(), request.session.session_key
    use = request.session.get(USE)
    if use is None or use["of"] != key:  # a sign-in gives the session a new key
        request.session[USE] = {"of": key, "signed_in": now, "acted": now}
        return
    # A session that was locked on purpose stays locked.
    acted = use["acted"] and max(use["acted"], act_in_cookie(request, now))
    idle = now - acted
    if now - use["signed_in"] >= settings.SIGNED_OUT_AFTER.total_seconds():
        request.launch_has_ended = LAUNCH in request.session  # type: ignore[attr-defined]
        logout(request)
    elif LAUNCH in request.session:
        _note_launched_use(request, view, use, idle)
    elif idle >= settings.SIGNED_OUT_AFTER_IDLE.total_seconds():
        # A message can name a value of a patient: the next person at the tablet must not read it.
        request.session.pop(SessionStorage.session_key, None)
        request.shows_locked = True  # type: ignore[attr-defined]
        if not getattr(view, "shown_when_locked", False):
            request.user = AnonymousUser()
            request.was_locked = True  # type: ignore[attr-defined]
    elif _is_act(request, view):
        _keep_act(request, use, now)


def _keep_act(request: HttpRequest, use: dict[str, Any], now: float) -> None:
    """Keep the time of an act: in the session once a minute, between two of its writes in a cookie.

    A save has one statement less so.
    """
    if now - use["acted"] >= WRITE_AT_MOST_EVERY.total_seconds():
        request.session[USE] = {**use, "acted": now}
    else:
        note_act(request, now)


def _note_launched_use(request: HttpRequest, view: Any, use: dict[str, Any], idle: float) -> None:
    """End a launched session that is idle: its user may have no password to open a lock with."""
    if idle >= LAUNCHED_ENDS_AFTER_IDLE.total_seconds():
        logout(request)
        request.launch_has_ended = True  # type: ignore[attr-defined]
    elif _is_act(request, view):
        _keep_act(request, use, timezone.now().timestamp())


def _is_act(request: HttpRequest, view: Any) -> bool:
    """Return whether a person did this; what a page reads by itself says so, or wants no page."""
    if getattr(view, "shown_when_locked", False):
        return False
    if request.method not in ("GET", "HEAD"):
        return POLL_HEADER not in request.headers  # the outbox sends by itself
    reads_by_itself = "HX-Request" in request.headers or POLL_HEADER in request.headers
    wants_data = request.headers.get("Accept", "").startswith("application/json")
    return request.method == "GET" and not reads_by_itself and not wants_data
