"""The server goes: within its ten seconds, whatever a thousand clients do or leave undone."""

from __future__ import annotations

import json
import resource
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support import observe
from tests.support.peers import PATIENCE_S, DatagramPeer, LinePeer
from tests.support.process import Running
from tests.support.streams import RawBrowser, request

pytestmark = observe.linux_only

EACH = 80
DRAINED_S = 10.0
SMALL_BUFFER = 8192
SAID = 60


@pytest.fixture(autouse=True)
def many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def header(**fields: object) -> bytes:
    described = json.dumps(fields).encode()
    return struct.pack("<i", len(described)) + described


def undone(url: str) -> dict[str, bytes]:
    """What a client says and then leaves at that, by what it leaves undone; none of them reads a byte."""
    return {
        "a connection without a word": b"",
        "half an opening": b"GE",
        "a line": b"hello\n",
        "half a header": struct.pack("<i", 500) + b'{"file_name"',
        "half a file": header(file_name="half.bin", file_size=1000) + b"x" * 500,
        "half a refused file": header(file_name="huge.bin", file_size=2**50, reply=True) + b"x" * 500,
        "half a request": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-",
        "a connection kept alive": request("GET /healthz HTTP/1.1"),
        "half a file by PUT": request("PUT /half.bin HTTP/1.1", "Content-Length: 1000", body=b"x" * 500),
        "half a message": request("POST / HTTP/1.1", "Content-Length: 1000", body=b"x" * 500),
        "events": request("GET /r/lobby/events HTTP/1.1", "Accept: text/event-stream"),
        "a download": request(f"GET {url} HTTP/1.1"),
    }


def test_a_thousand_clients_who_leave_things_undone_do_not_hold_it_up(
    running: Running, record_property: Callable[[str, object], None]
) -> None:
    assert observe.fetch(running.address, "PUT", "/big.bin", b"x" * 8_000_000)[0] == 201
    (big,) = observe.log(running.address)
    with ExitStack() as stack:
        crowd = []
        for said in undone(big["file"]["url"]).values():
            for _ in range(EACH):
                one = stack.enter_context(socket.socket())
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
                one.settimeout(PATIENCE_S)
                one.connect(running.address)
                one.sendall(said)
                crowd.append(one)
        for _ in range(EACH):
            stack.enter_context(RawBrowser(running.address, "after=-1", receive_buffer=SMALL_BUFFER))
            stack.enter_context(DatagramPeer(running.address)).say("hello")
        line, browser = (
            stack.enter_context(LinePeer(running.address)),
            stack.enter_context(RawBrowser(running.address, "after=-1")),
        )
        line.say("I read")
        observe.until(lambda: len(observe.log(running.address)) == 1 + 2 * EACH + 1, "all have said their hello")
        for number in range(SAID):
            text = f"{number} {'x' * 15_000}".encode()
            assert observe.fetch(running.address, "POST", "/", text)[0] == 201

        started = time.monotonic()
        running.signal(signal.SIGTERM)
        while {"close": 1001} not in browser.read():
            pass
        assert line.read_until("* bye: the server is shutting down")
        assert line.read() == ""
        assert running.wait(2 * DRAINED_S) == 0
        drained = time.monotonic() - started
    record_property("drained_s", round(drained, 2))
    print(f"{len(crowd) + 2 * EACH + 2} clients: gone after {drained:.2f} s")
    assert drained <= DRAINED_S

    running.start()
    entries = observe.log(running.address)
    assert len(entries) == 1 + 2 * EACH + 1 + SAID
    assert observe.digest(running.address, entries[0]) == big["file"]["sha256"]
    assert observe.files_in(running.data)[0] == []
    assert len(observe.files_in(running.data)[1]) == 1
