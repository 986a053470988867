"""Only a proxy that the site names is believed when it says that a request came by HTTPS."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = ["127.0.0.0/8", "::1/128", "10.9.0.0/16"]


@pytest.mark.parametrize(
    ("sender", "is_believed"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.9.3.4", True),
        ("", True),
        ("10.10.0.1", False),
        ("192.0.2.7", False),
        ("2001:db8::1", False),
        ("unknown", False),
    ],
)
def test_who_is_believed(client: Client, db: None, sender: str, is_believed: bool) -> None:
    said: dict[str, Any] = {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": sender}
    answer = client.get("/accounts/sign-in/", **said)
    assert answer.status_code == (200 if is_believed else 301)


def test_a_proxy_that_says_http_is_sent_to_https(client: Client, db: None) -> None:
    said: dict[str, Any] = {"HTTP_X_FORWARDED_PROTO": "http", "REMOTE_ADDR": "127.0.0.1"}
    answer = client.get("/accounts/sign-in/", **said)
    assert answer.status_code == 301
    assert answer.headers["Location"].startswith("https://")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
