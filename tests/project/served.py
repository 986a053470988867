"""A copy of the checkout that `manage.py run` serves on its own PostgreSQL, to be broken."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import NamedTuple

from chaos import site as chaos_site
from chaos.checkout import copy_source
from chaos.processes import backends_of, postmaster_of, workers_of
from crs_app.local_postgres import LocalServer

METRICS_TOKEN = "a token that nobody guesses"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Site:
    """The served copy: its folder, its address, its process and the file of its log."""

    folder: Path
    port: int
    serving: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> LocalServer:
        return LocalServer(self.folder / "var" / "postgres")

    def get(self, path: str, timeout: float = 20) -> Answer:
        return _ask(urllib.request.build_opener(), self.address + path, timeout=timeout)

    def metrics(self) -> dict[str, float]:
        """Each figure of /metrics, by its name with its labels."""
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        address = f"{self.address}/metrics"
        answer = _ask(urllib.request.build_opener(), address, headers=headers, timeout=20)
        assert answer.status == 200, answer
        lines = [line.rpartition(" ") for line in answer.text.splitlines() if line[0] != "#"]
        return {name: float(value) for name, _, value in lines}

    def workers(self) -> list[int]:
        return workers_of(self.serving.pid)

    def postmaster(self) -> int:
        return postmaster_of(self.database)

    def backends(self) -> list[int]:
        """The processes that serve connections of the site."""
        return backends_of(self.database)

    def sign_in(self, role: str = "nurse") -> Browser:
        """A browser in which the demonstration user of that name is signed in."""
        lines = (self.folder / "var" / "demo-sign-ins.txt").read_text().splitlines()
        (password,) = [words[1] for line in lines if (words := line.split()) and words[0] == role]
        browser = Browser(self.address)
        browser.get("/accounts/sign-in/")
        answer = browser.post("/accounts/sign-in/", username=role, password=password)
        assert answer.status == 200, answer
        return browser


class Browser:
    """Cookies and a token of their own, as one browser has."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies)
        )

    def get(self, path: str, timeout: float = 20) -> Answer:
        return _ask(self._opener, self._address + path, timeout=timeout)

    def post(self, path: str, *, htmx: bool = False, **fields: str) -> Answer:
        token = next(one.value for one in self._cookies if one.name == "csrftoken")
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token or ""}).encode()
        headers = {"HX-Request": "true"} if htmx else {}
        return _ask(self._opener, self._address + path, body, headers, timeout=60)

    def save(self, course_id: str, heart_rate: int = 80) -> Answer:
        """Send a heart rate of a course as its page does."""
        fields = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
        path = f"/courses/{course_id}/entries/vitals/"
        return self.post(path, htmx=True, heart_rate=str(heart_rate), **fields)


@contextmanager
def served(folder: Path, port: int) -> Iterator[Site]:
    """Serve a copy in ``folder`` on its own PostgreSQL, and end both."""
    copy = copy_source(folder / "copy")
    log = folder / "served.log"
    with log.open("wb") as file:
        serving = subprocess.Popen(run_command(copy, port), stdout=file, stderr=file, cwd=copy,
                                   env=environment())  # fmt: skip
    site = Site(copy, port, serving, log)
    try:
        wait_until(lambda: _answers(site), 300)  # a start on a busy machine takes minutes
        yield site
    finally:
        site.serving.send_signal(signal.SIGTERM)
        site.serving.wait(40)


def run_command(copy: Path, port: int) -> list[str]:
    return [sys.executable, str(copy / "manage.py"), "run", "--port", str(port)]


def environment() -> dict[str, str]:
    return chaos_site.environment({"CRS_METRICS_TOKEN": METRICS_TOKEN})


def wait_until(done: Callable[[], bool], seconds: float) -> float:
    """Wait until ``done``; return after how many seconds it was."""
    begun = time.monotonic()
    while not done():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - begun


def _answers(site: Site) -> bool:
    assert site.serving.poll() is None, site.log.read_text()
    with suppress(OSError):
        return site.get("/health/").status == 200
    return False


def _ask(
    opener: urllib.request.OpenerDirector,
    address: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float,
) -> Answer:
    asked = urllib.request.Request(address, body, dict(headers or {}))  # noqa: S310
    try:
        with opener.open(asked, timeout=timeout) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, dict(refused.headers), refused.read().decode())
