"""A browser without a cache, that opens one connection for each request."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from bench.servers import HOST, BenchError

USERNAME: Final = "bench-nurse"
PASSWORD: Final = "measured bedside 1"  # noqa: S105 - of a database that lives some minutes
_TIMEOUT_S: Final = 120.0
_TOKEN: Final = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; ``took_ms`` is the time from opening the connection to its end."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    took_ms: float


class CutAnswerError(ConnectionError):
    """The server ended the connection before its answer was whole."""


@dataclass
class Client:
    """A browser signed in at the server on ``port``.

    A request raises OSError where no answer comes within ``timeout_s``, or none that is whole.
    """

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    timeout_s: float = _TIMEOUT_S

    def sign_in(self, username: str, password: str) -> None:
        """Sign in by the form; raise BenchError where that is refused."""
        self._take_token(self.get("/accounts/sign-in/"))
        data = {"username": username, "password": password}
        answer = self.post("/accounts/sign-in/", data, htmx=False)
        if answer.status != 302:
            raise BenchError(f"signing in was answered by {answer.status}")
        self.cookies |= answer.cookies
        self._take_token(self.get("/"))

    def at(self, port: int, **cookies: str) -> Client:
        """Return a browser of the same person at another server, with ``cookies`` added."""
        return Client(port, {**self.cookies, **cookies}, self.token, self.timeout_s)

    def get(self, path: str, *, htmx: bool = False, gzip: bool = False) -> Answer:
        headers = {"HX-Request": "true"} if htmx else {}
        if gzip:
            headers["Accept-Encoding"] = "gzip"
        return self._send("GET", path, headers, b"")

    def post(
        self,
        path: str,
        data: Mapping[str, str],
        *,
        htmx: bool = True,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a form; ``more`` are headers that the page adds."""
        body = urlencode({"csrfmiddlewaretoken": self.token, **data}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(more or {})}
        if htmx:
            headers |= {"HX-Request": "true", "X-CSRFToken": self.token}
        return self._send("POST", path, headers, body)

    def _take_token(self, page: Answer) -> None:
        found = _TOKEN.search(page.body)
        if found is None:
            raise BenchError(f"a page without a form's token, answered by {page.status}")
        self.token = found[1].decode()
        self.cookies |= page.cookies

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {HOST}:{self.port}",
            "Connection: close",
            f"Content-Length: {len(body)}",
            *([f"Cookie: {cookie}"] if cookie else []),
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        begun = time.perf_counter()
        raw = _exchanged(self.port, request, self.timeout_s)
        return _read(raw, (time.perf_counter() - begun) * 1000)


def _exchanged(port: int, request: bytes, timeout_s: float) -> bytes:
    received = []
    with socket.create_connection((HOST, port), timeout=timeout_s) as connection:
        connection.sendall(request)
        while part := connection.recv(65536):
            received.append(part)
    return b"".join(received)


def _read(raw: bytes, took_ms: float) -> Answer:
    head, ends, body = raw.partition(b"\r\n\r\n")
    if not ends:
        raise CutAnswerError("the answer has no whole head")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers, cookies = {}, {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            cookie, _, kept = value.partition(";")[0].partition("=")
            cookies[cookie] = kept
        headers[name.lower()] = value
    if len(body) < int(headers.get("content-length", "0")):
        raise CutAnswerError("the answer has no whole body")
    return Answer(int(first.split()[1]), headers, cookies, body, took_ms)
