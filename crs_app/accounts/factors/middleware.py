"""Middleware: a user who needs a second factor reaches nothing before one is set up.

Which roles need one is the setting CRS_SECOND_FACTOR_ROLES. That the user has shown one stands in
the session: no request reads it from the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import HttpResponseClientRedirect

from crs_app.accounts.factors.shown import SHOWN
from crs_app.accounts.middleware import POLL_HEADER
from crs_app.accounts.models import User

SET_UP: Final = "accounts:second_factor"
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class SecondFactorRequired(MiddlewareMixin):
    """Lead to the page that sets up a second factor, from every page but those that set it up."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if (
            not is_missing(request)
            or not getattr(view_func, "login_required", True)
            or getattr(view_func, "open_without_second_factor", False)
        ):
            return None
        if "HX-Request" not in request.headers:
            return redirect(SET_UP)
        if request.method == "GET" and POLL_HEADER not in request.headers:
            return HttpResponseClientRedirect(reverse(SET_UP))
        return HttpResponse(
            "Not saved: your role needs a second step at sign-in. Open “Your account” first.",
            status=401,
            content_type="text/plain; charset=utf-8",
        )


def is_missing(request: HttpRequest) -> bool:
    """Return whether this session's user needs a second factor and has shown none."""
    user = request.user
    return (
        isinstance(user, User)
        and user.role in settings.SECOND_FACTOR_ROLES
        and not request.session.get(SHOWN)
    )


def open_without_second_factor(view: View) -> View:
    """Decorate a view that a user needs to set up a second factor, or to leave."""
    view.open_without_second_factor = True  # type: ignore[attr-defined]
    return view
