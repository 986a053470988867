"""Believe a proxy's word that a request came by HTTPS, and from whom; nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_SAYS_HTTPS = "HTTP_X_FORWARDED_PROTO"
_SAYS_FROM_WHOM = "HTTP_X_FORWARDED_FOR"


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


def is_trusted_sender(environ: Mapping[str, Any]) -> bool:
    """Return whether the request comes from a proxy of the settings, where one is set up."""
    sender = str(environ.get("REMOTE_ADDR", ""))
    named = tuple(settings.TRUSTED_PROXIES)
    return bool(settings.BEHIND_PROXY) and (not sender or _is_proxy(sender, named))


def client_address(request: HttpRequest) -> str:
    """Return the address that the request came from, "" where none is known.

    Each proxy adds who sent it the request to the right of X-Forwarded-For. What stands left of
    the last address that is no proxy of the settings was written by whoever that is. Where no proxy
    is set up the header is not read: on a machine without one anybody could write it.
    """
    if not settings.BEHIND_PROXY:
        return str(request.META.get("REMOTE_ADDR", ""))
    proxies = tuple(settings.TRUSTED_PROXIES)
    sender = str(request.META.get("REMOTE_ADDR", ""))
    hops = str(request.META.get(_SAYS_FROM_WHOM, "")).split(",")
    while hops and (not sender or _is_proxy(sender, proxies)):
        before = _address_in(hops.pop())
        if before is None:
            break
        sender = before
    return sender


def _address_in(hop: str) -> str | None:
    """Return the address of one hop, without a port; None where it is none."""
    hop = hop.strip()
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    hop = hop.partition("%")[0]  # the zone of an IPv6 address, which may be any text
    try:
        return str(ip_address(hop))
    except ValueError:
        return None


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
