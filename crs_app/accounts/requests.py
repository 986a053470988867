"""Request of a signed-in user: the middleware lets no other through."""

from __future__ import annotations

from django.http import HttpRequest

from crs_app.accounts.models import User


class SignedInRequest(HttpRequest):
    """A request whose user has signed in."""

    user: User
