"""The help pages. They name no patient and can be read without signing in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crs_app.help.contents import PAGES, page_of_role


@login_not_required
@require_safe
def own_help(request: HttpRequest) -> HttpResponse:
    """Show the help of the reader's role; the nurse's without a sign-in."""
    return _show(request, page_of_role(getattr(request.user, "role", "")).key)


@login_not_required
@require_safe
def help_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show the help of the role that ``key`` names."""
    if key not in PAGES:
        raise Http404("No such help page")
    return _show(request, key)


def _show(request: HttpRequest, key: str) -> HttpResponse:
    return render(request, "help/page.html", {"page": PAGES[key], "pages": PAGES.values()})
