"""The sign-in page, and signing out."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from crs_app.accounts.events import note
from crs_app.accounts.factors.middleware import open_without_second_factor
from crs_app.accounts.forms import SignInForm
from crs_app.accounts.launch_names import LAUNCH_ENDED
from crs_app.accounts.middleware import lock_session
from crs_app.accounts.models import User
from crs_app.accounts.signing_in import after_first_step, sign_in
from crs_app.accounts.tablets import end_pin, tablet_of
from crs_app.accounts.verify import BUSY as BUSY_CODE
from crs_app.accounts.verify import RETRY_AFTER_S
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

BUSY: Final = 503
LONGEST_ADDRESS: Final = 500
"""Letters of the address of the next page that a cookie may hold."""
_BEGINS_A_PAGE: Final = ("/", "http://", "https://")
_NO_PAGE_AFTER_SIGN_IN: Final = frozenset(
    {
        "accounts:sign_in", "accounts:sign_out", "accounts:second_step",
        "accounts:passkey_sign_in", "accounts:switch", "accounts:hospital",
        "accounts:hospital_return",
    }
)  # fmt: skip


@method_decorator(open_without_second_factor, name="dispatch")
class SignOut(LogoutView):
    """Django's sign-out, which is recorded, and ends the user's PIN on this tablet."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            pin = {"pin": "ended"} if end_pin(request.user, tablet_of(request)) else {}
            note(EventKind.SIGNED_OUT, by=request.user, address=client_address(request), **pin)
        return super().post(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        """Lead who was launched by a health record back there, in words: no password is asked."""
        if getattr(self.request, "launch", None) is not None:
            return reverse(LAUNCH_ENDED)
        return super().get_default_redirect_url()


class SignIn(LoginView):
    """Django's page; it never leads back to itself, and says when too many sign in at once."""

    authentication_form = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Return the page asked for; "" where it is none of this site, or a page of sign-in."""
        asked = str(super().get_redirect_url())
        if not asked.startswith(_BEGINS_A_PAGE):
            return ""  # Django would take it for the name of a view
        try:
            found = resolve(urlsplit(asked).path)
        except (Resolver404, ValueError):
            return asked
        return "" if found.view_name in _NO_PAGE_AFTER_SIGN_IN else asked

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Return what the page shows; ``wrong`` is what failed beside the form."""
        known = bool(tablet_of(self.request))
        return super().get_context_data(is_known_tablet=known, **{"wrong": "", **context})

    def get_success_url(self) -> str:
        """Return the page asked for, by way of that of the PIN where one shall be set."""
        after = str(super().get_success_url())
        if self.request.method != "POST" or "set_pin" not in self.request.POST:
            return after
        return f"{reverse('accounts:pin')}?{urlencode({'next': after})}"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user, next_page = form.get_user(), self.get_success_url()
        if not isinstance(form, SignInForm) or not form.has_right_code:
            return after_first_step(self.request, user, next_page)
        sign_in(self.request, user, method="password and code", has_second_factor=True)
        return redirect(next_page)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, BUSY_CODE):
            response.status_code = BUSY
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response


def page_asked_for(request: HttpRequest) -> str:
    """Return the page to lead to after a sign-in, "" where it is none of this site."""
    view = SignIn()
    view.setup(request)
    asked = view.get_redirect_url()
    return asked if len(asked) <= LONGEST_ADDRESS else ""


@open_without_second_factor
@require_POST
def active(request: HttpRequest) -> HttpResponse:
    """Note that keys or touches came, as every POST does; with ``lock``, that nobody is there."""
    if "lock" in request.POST:
        lock_session(request)
    return HttpResponse(status=204)
