"""The sign-in page."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_POST

from crs_app.accounts.forms import SignInForm
from crs_app.accounts.middleware import lock_session
from crs_app.accounts.sessions import delete_expired_sessions

BUSY: Final = 503
_NO_PAGE_AFTER_SIGN_IN: Final = frozenset({"accounts:sign_in", "accounts:sign_out"})


class SignIn(LoginView):
    """Django's page; it never leads back to itself, and says when too many sign in at once."""

    authentication_form = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Return the page asked for; "" where it is none of this site, or a page of sign-in."""
        asked = str(super().get_redirect_url())
        try:
            found = resolve(urlsplit(asked).path)
        except (Resolver404, ValueError):
            return asked
        return "" if found.view_name in _NO_PAGE_AFTER_SIGN_IN else asked

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        delete_expired_sessions()
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, SignInForm.BUSY):
            response.status_code = BUSY
            response.headers["Retry-After"] = str(SignInForm.RETRY_AFTER_S)
        return response


@require_POST
def active(request: HttpRequest) -> HttpResponse:
    """Note that keys or touches came, as every POST does; with ``lock``, that nobody is there."""
    if "lock" in request.POST:
        lock_session(request)
    return HttpResponse(status=204)
