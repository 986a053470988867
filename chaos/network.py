"""A network between browser and server that can be cut, or lose every answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum
from typing import Final

_HOST: Final = "127.0.0.1"
_AT_ONCE: Final = 65_536


class Mode(Enum):
    """What the network does with what comes from the browser and from the server."""

    OPEN = "open"
    CUT = "cut"
    DEAF = "requests arrive, answers are lost"


class Network:
    """Passes bytes from a port of its own on to that of a server, in threads."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._mode = Mode.OPEN
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server((_HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def become(self, mode: Mode) -> None:
        """Change the mode; a cut ends every connection."""
        self._mode = mode
        if mode is Mode.CUT:
            with self._lock:
                ended = list(self._sockets)
            for one in ended:
                self._end(one)

    def close(self) -> None:
        self.become(Mode.CUT)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(browser,), daemon=True).start()

    def _connect(self, browser: socket.socket) -> None:
        if self._mode is Mode.CUT:
            self._end(browser)
            return
        try:
            server = socket.create_connection((_HOST, self._server_port))
        except OSError:
            self._end(browser)
            return
        with self._lock:
            self._sockets |= {browser, server}
        threading.Thread(target=self._pass, args=(browser, server), daemon=True).start()
        self._pass(server, browser, loses_answers=True)

    def _pass(
        self, source: socket.socket, target: socket.socket, *, loses_answers: bool = False
    ) -> None:
        with suppress(OSError):
            while some := source.recv(_AT_ONCE):
                if self._mode is Mode.CUT or (loses_answers and self._mode is Mode.DEAF):
                    break
                target.sendall(some)
        self._end(source)
        self._end(target)

    def _end(self, one: socket.socket) -> None:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
        with self._lock:
            self._sockets.discard(one)
