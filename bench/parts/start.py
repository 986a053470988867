"""The first page: time of a start, memory of a worker, and the files a browser fetches."""

from __future__ import annotations

import gzip
import re
import time
from contextlib import suppress
from pathlib import PurePosixPath
from urllib.parse import urljoin

from bench.client import Answer, Client
from bench.measure import Metric, Progress
from bench.servers import (
    HOST,
    WORKERS,
    BenchError,
    address_of,
    children_of,
    database,
    free_port,
    memory_mb,
    running,
)
from bench.site import Site
from crs_app.local_postgres import WEB

COURSES = {"1000": [1_000] * 2}
_IN_PAGE = re.compile(rb'<(?:link|script)[^>]*?(?:href|src)="(/static/[^"]+)"')
_IN_SCRIPT = re.compile(rb'(?:from|import)\s*"([^"\s]+\.js)"')
_IN_STYLE = re.compile(rb'url\(["\']?([^"\')]+)["\']?\)')
_IMMUTABLE = "immutable"


def measure(site: Site) -> list[Metric]:
    """Return page weight and requests, memory of a worker, and the time of a second `make run`."""
    progress = Progress("start", 2)
    course_id = site.courses["1000"][0].course_id
    metrics = _weight(site.product, f"/courses/{course_id}/")
    workers = children_of(site.product_pid)
    if workers:
        memory = [memory_mb(pid) for pid in workers]
        metrics.append(Metric("memory of a worker", sum(memory) / WORKERS, "MB"))
    progress.step()
    metrics.append(Metric("make run, second time, to first page", _second_start(site), "s"))
    progress.step()
    return metrics


def _weight(browser: Client, path: str) -> list[Metric]:
    """Return the weight of the page and its files, with an empty cache and with a filled one."""
    page = browser.get(path, gzip=True)
    fetched = _fetched(browser, page, path)
    cold_kb = sum(_compressed(answer) for answer in fetched.values()) / 1000
    again = {
        address: answer
        for address, answer in fetched.items()
        if _IMMUTABLE not in answer.headers.get("cache-control", "")
    }
    warm_kb = sum(_compressed(answer) for answer in again.values()) / 1000
    wire_kb = len(page.body) / 1000
    as_sent = page.headers.get("content-encoding", "uncompressed")
    return [
        Metric("bedside page, cold", cold_kb, "kB gzip", target=200),
        Metric("bedside page, cold, requests", len(fetched), ""),
        Metric("bedside page, warm", warm_kb, "kB gzip", target=15),
        Metric("bedside page, warm, requests", len(again), "", target=1),
        Metric("bedside page, HTML as sent", wire_kb, "kB", note=as_sent),
    ]


def _fetched(browser: Client, page: Answer, path: str) -> dict[str, Answer]:
    """Return the page and every file that it names, by address."""
    fetched = {path: page}
    html = gzip.decompress(page.body) if _is_compressed(page) else page.body
    waiting = [found.decode() for found in _IN_PAGE.findall(html)]
    while waiting:
        address = waiting.pop()
        if address in fetched:
            continue
        answer = browser.get(address, gzip=True)
        if answer.status != 200:
            raise BenchError(f"{address} was answered {answer.status}")
        fetched[address] = answer
        waiting += _led_to(address, answer)
    return fetched


def _led_to(address: str, answer: Answer) -> list[str]:
    pattern = {".js": _IN_SCRIPT, ".css": _IN_STYLE}.get(PurePosixPath(address).suffix)
    if pattern is None:
        return []
    text = gzip.decompress(answer.body) if _is_compressed(answer) else answer.body
    named = [found.decode() for found in pattern.findall(text)]
    return [urljoin(address, name) for name in named if not name.startswith(("data:", "#"))]


def _is_compressed(answer: Answer) -> bool:
    return answer.headers.get("content-encoding") == "gzip"


def _compressed(answer: Answer) -> int:
    return len(answer.body if _is_compressed(answer) else gzip.compress(answer.body, 6))


def _second_start(site: Site) -> float:
    """Return the seconds from a second `make run` to the sign-in page.

    It uses the benchmark's database, not the user's; the start of PostgreSQL is measured
    separately and added.
    """
    database_s = _start_of_postgresql()
    port = free_port()
    begun = time.monotonic()
    command = ["make", "run", f"PORT={port}", f"HOST={HOST}"]
    environment = {
        "DATABASE_URL": address_of(site.server, WEB),
        "CRS_OWNER_DATABASE_URL": address_of(site.server),
        "DJANGO_SETTINGS_MODULE": "crs_app.settings",
    }
    with running(command, environment, port):
        while True:
            with suppress(OSError, IndexError, ValueError):
                if Client(port).get("/accounts/sign-in/").status == 200:
                    return database_s + time.monotonic() - begun
            time.sleep(0.02)


def _start_of_postgresql() -> float:
    """Return the seconds of one start of a second, empty server."""
    with database() as other:
        other.stop()
        begun = time.monotonic()
        other.start()
        return time.monotonic() - begun
