"""The proxy of the Caddyfile on this machine, and clients that send their bodies slowly."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings

CADDYFILE = settings.BASE_DIR / "Caddyfile"
CADDY = shutil.which("caddy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@contextmanager
def proxy(folder: Path, port: int, application: str, configuration: str) -> Iterator[str]:
    """Serves ``application``, a host and port, by Caddy as configured; yields its address."""
    assert CADDY is not None
    assert configuration.count("web:8000") == 1
    file = folder / "Caddyfile"
    file.write_text(configuration.replace("web:8000", application))
    running = subprocess.Popen(
        [CADDY, "run", "--config", file, "--adapter", "caddyfile"],
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "CRS_SITE_ADDRESS": f"http://127.0.0.1:{port}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("Caddy did not come up")


@contextmanager
def slow_bodies(address: str, count: int) -> Iterator[None]:
    """Sends ``count`` forms, of each one byte a second, for the length of the block."""
    host = address.removeprefix("http://")
    head = (
        f"POST /accounts/sign-in/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 900\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nCookie: csrftoken={'a' * 32}\r\n\r\n"
    ).encode()
    ended = threading.Event()
    with ExitStack() as open_ones:
        name, port = host.split(":")
        sockets = [socket.create_connection((name, int(port)), timeout=5) for _ in range(count)]
        for each in sockets:
            open_ones.enter_context(each)
            each.sendall(head)
        sender = threading.Thread(target=_send, args=(sockets, ended))
        sender.start()
        try:
            yield
        finally:
            ended.set()
            sender.join()


def _send(sockets: list[socket.socket], ended: threading.Event) -> None:
    open_ones = list(sockets)
    while True:
        for each in list(open_ones):
            try:
                each.sendall(b"a")
            except OSError:  # refused meanwhile
                open_ones.remove(each)
        if ended.wait(1):
            return
