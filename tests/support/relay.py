"""A wire between a client and a server that can be held and cut: how networks break, on purpose."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from tests.support.peers import PATIENCE_S
from tests.support.streams import reset

PIECE_BYTES = 16 * 1024


class Relay:
    """Passes bytes between whoever connects to `address` and `target`; upwards only as many as were let through."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self.passed = 0
        """Bytes that went up so far."""
        self._allowed: int | None = None
        self._moved = threading.Condition()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_after(self, size: int) -> None:
        """Let so many more bytes go up, then none."""
        with self._moved:
            self._allowed = self.passed + size

    def let_go(self) -> None:
        """Hold nothing any more."""
        with self._moved:
            self._allowed = None
            self._moved.notify_all()

    def until_held(self) -> None:
        """Wait until as many bytes went up as may."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.passed == self._allowed, PATIENCE_S), f"{self.passed} went up"

    def cut(self) -> None:
        """Reset every connection, both ways; those that come later are not touched."""
        with self._moved:
            pairs, self._pairs = self._pairs, []
            self._moved.notify_all()
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
                reset(end)

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed:
            try:
                below, _ = self._listener.accept()
            except OSError:
                return
            try:
                above = socket.create_connection(self.target, PATIENCE_S)
            except OSError:  # the server is away for the moment
                reset(below)
                continue
            above.settimeout(None)
            pair = (below, above)
            self._pairs.append(pair)
            threading.Thread(target=self._up, args=pair, daemon=True).start()
            threading.Thread(target=self._down, args=pair, daemon=True).start()

    def _up(self, below: socket.socket, above: socket.socket) -> None:
        with suppress(OSError):
            while data := below.recv(PIECE_BYTES):
                while data:
                    piece = self._may_pass(data, (below, above))
                    above.sendall(data[:piece])
                    data = data[piece:]
                    with self._moved:
                        self.passed += piece
                        self._moved.notify_all()
            above.shutdown(socket.SHUT_WR)

    def _down(self, below: socket.socket, above: socket.socket) -> None:
        with suppress(OSError):
            while data := above.recv(PIECE_BYTES):
                below.sendall(data)
            below.shutdown(socket.SHUT_WR)

    def _may_pass(self, data: bytes, pair: tuple[socket.socket, socket.socket]) -> int:
        """How much of it may go up; waits until that is something. A cut ends the waiting."""
        with self._moved:
            self._moved.wait_for(
                lambda: pair not in self._pairs or self._allowed is None or self._allowed > self.passed
            )
            if pair not in self._pairs:
                raise ConnectionAbortedError
            return len(data) if self._allowed is None else min(len(data), self._allowed - self.passed)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
