"""Django's sessions, with a true answer where one cannot be stored after its request was handled.

A session is written last, when an entry may have been recorded already. Django answers each
failure there with 400, as if the request had done nothing.
"""

from __future__ import annotations

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from crs_app.outages import find_in_chain, may_be_repeated


class StoredSessions(SessionMiddleware):
    """Answer as the view did where the session was ended meanwhile; tell an outage as one.

    Whose session was ended must sign in before the next request. What the session would have
    kept, like the time of the last act, is not stored.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Store the session of ``request``. Raises DatabaseError where the database is away."""
        try:
            return super().process_response(request, response)
        except SessionInterrupted as interrupted:
            error = find_in_chain(interrupted, DatabaseError)
        if error is not None and may_be_repeated(error):
            raise error
        patch_vary_headers(response, ("Cookie",))
        return response
