"""Searches: no address shows the searched text, because it can name a patient.

Browsers keep addresses, and so do logs of proxies. A form sends its search in the body, htmx in
a header. The address that leads back to what was found has it sealed: encrypted by a key of this
site, the same text always the same, so that an address can be compared.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.utils.crypto import salted_hmac
from django.utils.deprecation import MiddlewareMixin

SEARCHED_FOR: Final = "q"
HEADER: Final = "CRS-Search"
PAGES: Final = frozenset(
    {
        "patients:board",
        "patients:find",
        "patients:inbox",
        "patients:join",
        "patients:move_entry",
        "patients:ward_scales",
        "record:events",
    }
)
"""Addresses at which a patient is searched for by name, record number or bed."""
_MARK: Final = "~"
_LENGTH_OF: Final = 16
"""The length of a sealed text is a multiple of this, and does not tell how long a name is."""
_OF_FORMS: Final = frozenset({SEARCHED_FOR, "csrfmiddlewaretoken"})


def seal(text: str) -> str:
    """Return ``text`` as it may stand in an address; "" for none."""
    if not text:
        return ""
    plain = text.encode("utf-8", "replace")
    padded = plain.ljust(-(-len(plain) // _LENGTH_OF) * _LENGTH_OF)
    sealed = AESSIV(_key(settings.SECRET_KEY)).encrypt(padded, None)
    return _MARK + urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(text: str) -> str:
    """Return what was sealed; "" for what another key sealed, and other texts as they are."""
    if not text.startswith(_MARK):
        return text
    sealed = text.removeprefix(_MARK)
    try:
        raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        plain = AESSIV(_key(settings.SECRET_KEY)).decrypt(raw, None)
    except (InvalidTag, ValueError):
        return ""
    return plain.decode().rstrip()


class SealedSearches(MiddlewareMixin):
    """Give views the search as ``q``, however it came; lead a form to the address that has it."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is None or match.view_name not in PAGES:
            return None
        if request.method == "POST":
            if SEARCHED_FOR not in request.POST:
                return None
            typed = request.POST[SEARCHED_FOR]
            return HttpResponseRedirect(_address(request.path, typed, request.POST.items()))
        if HEADER in request.headers:
            typed = unquote(request.headers[HEADER])
            request.found_at = _address(  # type: ignore[attr-defined]
                request.path, typed, request.GET.items()
            )
            _search_for(request, typed)
        elif request.GET.get(SEARCHED_FOR, "").startswith(_MARK):
            _search_for(request, unseal(request.GET[SEARCHED_FOR]))
        return None

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Tell htmx the address of what was found."""
        if address := getattr(request, "found_at", ""):
            response.headers["HX-Replace-Url"] = address
        return response


def _search_for(request: HttpRequest, text: str) -> None:
    query = request.GET.copy()
    query[SEARCHED_FOR] = text
    request.GET = QueryDict(query.urlencode())


def _address(path: str, typed: str, others: Iterable[tuple[str, Any]]) -> str:
    query = {SEARCHED_FOR: seal(" ".join(typed.split()))}
    query |= {name: value for name, value in others if name not in _OF_FORMS}
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{asked}" if asked else path


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return salted_hmac("crs.search", "key", secret=secret, algorithm="sha512").digest()
