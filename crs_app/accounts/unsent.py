"""The key with which a browser encrypts what a user typed and has not sent."""

from __future__ import annotations

from base64 import b64encode

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from crs_app.accounts.models import User


def key_of_unsent_text(request: HttpRequest) -> str:
    """Return the key of the user of ``request``, 256 bits in base64; "" for nobody.

    It is computed, and stored nowhere: it is the same after a sign-out, a switch of user and a
    restored copy of the database. The user name is part of it, for a restored database can give
    the id of a user who is gone to another one. A locked session gets none.
    """
    user = getattr(request, "user", None)  # a request that was refused early has none
    if not isinstance(user, User) or getattr(request, "shows_locked", False):
        return ""
    of = f"{user.pk}:{user.username}"
    return b64encode(salted_hmac("crs.unsent", of, algorithm="sha256").digest()).decode()
