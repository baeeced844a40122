"""Whole streams as clients of each language send them, and what is to come of each: for cutting at every byte."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.peers import PATIENCE_S

Outcome = tuple[object, ...]
CLOSED = "closed"

WS_KEY = base64.b64encode(b"0123456789abcdef")
WS_ACCEPT = base64.b64encode(hashlib.sha1(WS_KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


class Stream(NamedTuple):
    """`sent` to the server; `outcome` of it, seen by the client, after `end` (the client closes its side) or not."""

    sent: bytes
    seen: Callable[[socket.socket], Outcome]
    expected: Outcome
    logged: tuple[Any, ...] = ()
    """Text, or name and digest of a file, of each entry that it makes."""
    end: bool = False


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join((line, "Host: localhost", *headers, "", "")).encode() + body


def masked(text: str, opcode: int = 1) -> bytes:
    """A client's WebSocket frame of at most 125 bytes (RFC 6455 section 5.2)."""
    payload, mask = text.encode(), b"\x11\x22\x33\x44"
    assert len(payload) < 126
    covered = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes((0x80 | opcode, 0x80 | len(payload))) + mask + covered


def packed(order: str, content: bytes, **fields: Any) -> bytes:
    """A raw file with its header."""
    described = json.dumps({"file_size": len(content), **fields}).encode()
    return struct.pack(f"{order}i", len(described)) + described + content


def content(size: int, seed: int = 7) -> bytes:
    """Bytes with a newline now and then, as a film has them: the tutorial's clients send line by line."""
    return random.Random(seed).randbytes(size)


def client_hello() -> bytes:
    """The first flight of a TLS client, as a browser would send it to https://."""
    context = ssl.create_default_context()
    out = ssl.MemoryBIO()
    talk = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    try:
        talk.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def everything(connection: socket.socket) -> bytes:
    """What comes until the server closes; a reset ends it too."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def nothing(connection: socket.socket) -> Outcome:
    """Closed without a word, by FIN or by reset."""
    received = everything(connection)
    return (received or CLOSED,)


def answer(connection: socket.socket) -> Outcome:
    """An HTTP status and what matters of the body, from a server that closes after it."""
    head, _, body = everything(connection).partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0]
    if b"application/json" in head:
        entry = json.loads(body)
        return status, entry["type"], entry["text"], entry["from"]["name"]
    return status, body


def upgraded(connection: socket.socket) -> Outcome:
    """A handshake that succeeds, and the room telling what was said; then the client goes."""
    connection.settimeout(PATIENCE_S)
    received = b""
    while b'"text":"hi"' not in received:  # others may say something too
        data = connection.recv(65536)
        assert data, received
        received += data
    accept = re.search(rb"Sec-WebSocket-Accept: (\S+)", received, re.IGNORECASE)
    return received.partition(b"\r\n")[0], accept and accept[1]


def welcomed(connection: socket.socket) -> Outcome:
    """The greeting of a line client, without its port; then the client goes. What others say comes after it."""
    lines = everything(connection).decode().split("\n")
    return (re.sub("tcp-[0-9]+", "tcp-PORT", lines[0]),)


WELCOME = ("* welcome to lobby, you are tcp-PORT; /help lists commands",)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


STREAMS: dict[str, Stream] = {
    "GET": Stream(
        request("GET /healthz HTTP/1.1", "Connection: close", "Cookie: SECRET"), answer, (b"HTTP/1.1 200 OK", b"ok\n")
    ),
    "POST": Stream(
        request("POST / HTTP/1.1", "Connection: close", "X-Name: curl", "Content-Length: 4", body=b"hiya"),
        answer,
        (b"HTTP/1.1 201 Created", "text", "hiya", "curl"),
        logged=("hiya",),
    ),
    "WebSocket": Stream(
        request(
            "GET /r/lobby/ws?after=-1 HTTP/1.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {WS_KEY.decode()}",
        )
        + masked('{"type":"say","key":"k","text":"hi"}'),
        upgraded,
        (b"HTTP/1.1 101 Switching Protocols", WS_ACCEPT),
        logged=("hi",),
    ),
    "little-endian file": Stream(
        packed("<", b"\x00\x01body\n", file_name="a.bin"),
        nothing,
        (CLOSED,),
        logged=(("a.bin", _digest(b"\x00\x01body\n")),),
        end=True,
    ),
    "big-endian file": Stream(
        packed(">", b"GET / HTTP/1.1\r\n\r\n", file_name="b.bin"),
        nothing,
        (CLOSED,),
        logged=(("b.bin", _digest(b"GET / HTTP/1.1\r\n\r\n")),),
        end=True,
    ),
    "text lines": Stream("hello\r\n你好 world\n".encode(), welcomed, WELCOME, logged=("hello", "你好 world"), end=True),
    "a text that ends without a newline": Stream(b"GO", welcomed, WELCOME, logged=("GO",), end=True),
    "GET the milk": Stream(b"GET the milk\nPUT it here", welcomed, WELCOME, ("GET the milk", "PUT it here"), end=True),
    "TLS hello": Stream(client_hello(), nothing, (CLOSED,), end=True),
}


class RawBrowser:
    """A WebSocket on a bare socket, for what no library would do: read nothing for a while, or vanish."""

    def __init__(
        self, address: tuple[str, int], query: str = "", receive_buffer: int | None = None, ahead: bytes = b""
    ) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address)
        handshake = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        key = f"Sec-WebSocket-Key: {WS_KEY.decode()}"
        self.socket.sendall(request(f"GET /r/lobby/ws?{query} HTTP/1.1", *handshake, key) + ahead)
        self._held = b""
        while b"\r\n\r\n" not in self._held:
            self._held += self._more()
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        assert b" 101 " in head.partition(b"\r\n")[0], head

    def _more(self) -> bytes:
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed")
        return data

    def say(self, key: str, text: str) -> None:
        self.socket.sendall(masked(json.dumps({"type": "say", "key": key, "text": text})))

    def read(self) -> list[dict[str, Any]]:
        """The objects of the next text frame; a ping is passed over, a close frame is `[{"close": code}]`."""
        while True:
            opcode, payload = self.frame()
            if opcode == 1:
                return [json.loads(line) for line in payload.split(b"\n")]
            if opcode == 8:
                return [{"close": int.from_bytes(payload[:2], "big")}]

    def frame(self) -> tuple[int, bytes]:
        """The next frame, whatever it is: its opcode and payload."""
        head = self._take(2)
        length = head[1]
        if length == 126:
            length = int.from_bytes(self._take(2), "big")
        elif length == 127:
            length = int.from_bytes(self._take(8), "big")
        return head[0] & 0x0F, self._take(length)

    def _take(self, count: int) -> bytes:
        if len(self._held) < count:
            pieces, size = [self._held], len(self._held)
            while size < count:
                pieces.append(self._more())
                size += len(pieces[-1])
            self._held = b"".join(pieces)
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> RawBrowser:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


def reset(connection: socket.socket) -> None:
    """Go without a farewell: the other side gets an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
