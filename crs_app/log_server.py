"""The machine to which the record is sent, from the address in CRS_LOG_SERVER."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

PORT: Final = 6514
"""Of syslog over TLS (RFC 5425)."""


@dataclass(frozen=True, slots=True)
class LogServer:
    """Host and port; ``authorities`` is the file of those that may certify it, "" the system's."""

    host: str
    port: int
    authorities: str = ""

    def trusted(self) -> ssl.SSLContext:
        """Return a context that reaches this host alone, over TLS 1.2 or newer."""
        context = ssl.create_default_context(cafile=self.authorities or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def log_server(address: str, authorities: str = "") -> LogServer | None:
    """Return the machine of ``tls://host:port``; None where the site names none.

    :raises ValueError: for anything else: the record names patients and goes nowhere in clear.
    """
    if not address:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port or PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "tls" or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("CRS_LOG_SERVER must be an address like tls://logs.hospital.example:6514.")
    return LogServer(parts.hostname, port, authorities)
