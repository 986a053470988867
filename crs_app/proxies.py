"""Believe a proxy's word on how and from where a request came, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_SAYS_HTTPS = "HTTP_X_FORWARDED_PROTO"


def trust_named_proxies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that drops X-Forwarded-Proto from all but the proxies of the settings.

    A Unix socket gives no address: whoever can open it is on this machine.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sender = request.META.get("REMOTE_ADDR", "")
        if sender and not _is_proxy(sender, tuple(settings.TRUSTED_PROXIES)):
            request.META.pop(_SAYS_HTTPS, None)
        return get_response(request)

    return middleware


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser; "" for a Unix socket without a proxy.

    Behind a proxy it is the last address of X-Forwarded-For that is none of the proxies: what
    stands before it was written by the browser itself.
    """
    sender: str = request.META.get("REMOTE_ADDR", "")
    proxies = tuple(settings.TRUSTED_PROXIES)
    if not settings.BEHIND_PROXY or (sender and not _is_proxy(sender, proxies)):
        return _address(sender)
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = _address(hop.strip())
        if address and not _is_proxy(address, proxies):
            return address
    return _address(sender)


def _address(text: str) -> str:
    """Return an IP address in its usual form, "" for any other text; IPv4 in IPv6 is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address).partition("%")[0]


@lru_cache(maxsize=1024)
def _is_proxy(sender: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(sender)
    except ValueError:
        return False
    return any(address in network for network in _networks(networks))


@cache
def _networks(names: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(name) for name in names]
