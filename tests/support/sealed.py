"""A TLS client that can do what `ssl.SSLSocket` cannot: cut its flights anywhere, and close only its own side."""

from __future__ import annotations

import socket
import ssl

from tests.support.peers import PATIENCE_S


class SealedPeer:
    """Looks like a socket to whoever reads from it. `hello` is its first flight, which is not sent by itself."""

    def __init__(self, address: tuple[str, int], alpn: list[str] | None = None) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        self.socket = socket.create_connection(address, PATIENCE_S)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.seal = context.wrap_bio(self._in, self._out, server_hostname="localhost")
        try:
            self.seal.do_handshake()
        except ssl.SSLWantReadError:
            pass
        self.hello = self._out.read()

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def shake(self, *pieces: bytes) -> SealedPeer:
        """Send the first flight, in these pieces if they are given, and see the handshake through."""
        for piece in pieces or (self.hello,):
            self.socket.sendall(piece)
        while True:
            try:
                self.seal.do_handshake()
            except ssl.SSLWantReadError:
                self._more()
            else:
                break
        self.socket.sendall(self._out.read())
        return self

    def sealed(self, *data: bytes) -> bytes:
        """Each in a record of its own."""
        for one in data:
            self.seal.write(one)
        return self._out.read()

    def sendall(self, data: bytes) -> None:
        self.socket.sendall(self.sealed(data))

    def end(self) -> None:
        """Say that nothing more will come, and go on reading."""
        try:
            self.seal.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.socket.sendall(self._out.read())

    def recv(self, size: int) -> bytes:
        while True:
            try:
                return self.seal.read(size)
            except ssl.SSLWantReadError:
                if not self._more():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        if data:
            self._in.write(data)
        elif not self.seal.version():
            raise ConnectionError("the server closed")
        return bool(data)

    def settimeout(self, seconds: float | None) -> None:
        self.socket.settimeout(seconds)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> SealedPeer:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
