"""A hospital's identity provider for the tests: a server on 127.0.0.1 with keys of its own.

It follows OpenID Connect as far as a sign-in goes: discovery page, a page that asks who one is,
codes that work once, PKCE, the client's secret, signed tokens. A test changes what it says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "crs-bedside", "of the tests"
Claims = dict[str, Any]


@cache
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """The key of this name; made once, because that takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key(name: str) -> dict[str, Any]:
    jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(
        key_pair(name).public_key(), as_dict=True
    )
    return jwk | {"kid": name, "use": "sig", "alg": "RS256"}


@dataclass
class FakeProvider:
    """What the server says, and what it was asked."""

    issuer: str
    person: Claims = field(default_factory=dict)
    change: Callable[[Claims], object] = lambda claims: None
    """Changes the claims of a token just before it is signed."""
    sign_with: str = "hospital"
    algorithm: str = "RS256"
    discovery: Claims = field(default_factory=dict)
    is_broken: bool = False
    redirect_to: str = ""
    drips: bool = False
    """Whether each letter of an answer takes 50 ms."""
    letters_sent: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def discovery_page(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
        } | self.discovery

    def return_address(self, sent_to: str) -> str:
        """The address to which a person goes back who signs in at ``sent_to``."""
        asked = dict(parse_qsl(urlsplit(sent_to).query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str], authorization: str) -> Claims | None:
        """The answer to a code; None where the code, its verifier or the secret is wrong."""
        asked = self.codes.pop(sent.get("code", ""), None)
        if asked is None or authorization != self.basic(CLIENT_SECRET):
            return None
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_asked_for = sent["redirect_uri"] == asked["redirect_uri"]
        if asked["code_challenge_method"] != "S256" or not is_asked_for:
            return None
        if asked["code_challenge"] != challenge:
            return None
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def basic(self, secret: str) -> str:
        encoded = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        return f"Basic {encoded}"

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "248289761001", "iat": now,
            "exp": now + 300, "nonce": asked["nonce"], **self.person,
        }  # fmt: skip
        if asked.get("max_age") == "0":
            claims.setdefault("auth_time", now)
        self.change(claims)
        key: Any = key_pair(self.sign_with)
        if self.algorithm == "HS256":
            key = "a secret of thirty-two characters or more"
        if self.algorithm == "none":
            key = None
        return jwt.encode(claims, key, self.algorithm, headers={"kid": "hospital"})


class Handler(BaseHTTPRequestHandler):
    provider: FakeProvider

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        if self.provider.is_broken:
            self._send(503, "text/plain", "")
        elif self.provider.redirect_to:
            self.send_response(302)
            self.send_header("Location", self.provider.redirect_to)
            self.end_headers()
        elif path == "/.well-known/openid-configuration":
            self.send_json(200, self.provider.discovery_page())
        elif path == "/keys":
            self.send_json(200, {"keys": [public_key("hospital")]})
        elif path == "/authorize":
            back = escape(self.provider.return_address(self.path))
            self._send(200, "text/html", f"<title>St. Anna</title><a href='{back}'>I am Jo</a>")
        else:
            self._send(404, "text/plain", "")

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        token = self.provider.token(dict(parse_qsl(body)), self.headers.get("Authorization", ""))
        if token is None:
            self.send_json(400, {"error": "invalid_grant"})
        else:
            self.send_json(200, token)

    def send_json(self, status: int, content: Claims) -> None:
        self._send(status, "application/json", json.dumps(content))

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not self.provider.drips:
            self.wfile.write(body)
            return
        with suppress(OSError):  # who asked has gone
            for number in body:
                self.wfile.write(bytes([number]))
                self.wfile.flush()
                self.provider.letters_sent += 1
                time.sleep(0.05)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def running_provider(
    make: Any = FakeProvider, answers: type[Handler] | None = None
) -> Iterator[Any]:
    """The server for the length of the block; ``make`` is its kind of provider."""
    handler = type("OwnHandler", (answers or Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider = make(f"http://127.0.0.1:{server.server_port}")
    handler.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
