"""Response headers: no code from other hosts, no text that becomes markup, no page in a cache.

Each text says that it is UTF-8: a browser that guesses could read markup where there is none.

The policies of Trusted Types are those of static/crs/trusted_types.js.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Bootstrap draws its icons from data: addresses. Nothing else is inline, and nothing comes from
# another host.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default crs-inert crs-worker",
    )
)

_OF_EVERY_PAGE = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PROTECTING_HEADERS = _OF_EVERY_PAGE | {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Headers of a page that is sent without Django's middleware, which adds the last four."""


def _ends_session(response: HttpResponse) -> bool:
    """Return whether the response takes the session's cookie away, however the session ended."""
    cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
    return cookie is not None and cookie["max-age"] == 0


def protect_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that adds the headers.

    Pages are not stored: on a shared tablet, Back must not show the last user's patients.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in _OF_EVERY_PAGE.items():
            response.headers.setdefault(name, value)
        media = response.headers.get("Content-Type", "")
        if media.startswith("text/") and "charset=" not in media:
            response.headers["Content-Type"] = f"{media}; charset=utf-8"
        if _ends_session(response):
            # Not "storage": what a user typed and did not save must stay.
            response.headers["Clear-Site-Data"] = '"cache"'
        return response

    return middleware
