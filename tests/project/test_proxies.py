"""Only a proxy that the site names is believed when it says that a request came by HTTPS."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory

from crs_app.proxies import client_address


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


@pytest.mark.parametrize(
    ("sender", "forwarded", "client"),
    [
        ("10.4.7.31", "", "10.4.7.31"),
        ("10.4.7.31", "192.0.2.1", "10.4.7.31"),  # no proxy: its word counts for nothing
        ("127.0.0.1", "10.4.7.31", "10.4.7.31"),
        ("127.0.0.1", "192.0.2.1, 10.4.7.31", "10.4.7.31"),  # the left one was sent by the client
        ("127.0.0.1", "192.0.2.1, 10.4.7.31, 127.0.0.2", "10.4.7.31"),  # two proxies
        ("127.0.0.1", "10.4.7.31:50123", "10.4.7.31"),
        ("::1", "[2001:db8::7]:50123", "2001:db8::7"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::1", "fe80::7%any text", "fe80::7"),
        ("::1", "[fe80::7%<script>]:50123", "fe80::7"),
        ("", "10.4.7.31", "10.4.7.31"),  # a Unix socket
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("127.0.0.1", "10.4.7.31\r\nX: y, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_the_address_of_a_client_is_what_the_last_trusted_proxy_saw(
    sender: str, forwarded: str, client: str, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    request = RequestFactory().get("/", REMOTE_ADDR=sender, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == client


def test_where_no_proxy_is_set_up_nobody_writes_another_address(settings: Any) -> None:
    settings.BEHIND_PROXY = False
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR="10.4.7.31")
    assert client_address(request) == "127.0.0.1"
