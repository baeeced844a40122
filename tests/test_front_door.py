"""The front door: every stream means the same wherever it is cut, and nobody unknown is spoken to."""

from __future__ import annotations

import json
import select
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest

from tests.support import observe
from tests.support.peers import PATIENCE_S, LinePeer
from tests.support.process import Running
from tests.support.streams import CLOSED, STREAMS, Stream, everything, packed, request

pytestmark = observe.linux_only

Connect = Callable[..., list[socket.socket]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the many small facts of this file."""
    running = Running(tmp_path_factory.mktemp("house") / "data")
    yield running
    running.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """`connect(running, 3)`: connections that are closed at the end."""
    with ExitStack() as stack:

        def make(running: Running, count: int) -> list[socket.socket]:
            made = []
            for _ in range(count):
                made.append(stack.enter_context(socket.create_connection(running.address, PATIENCE_S)))
            return made

        yield make


def send(connection: socket.socket, data: bytes) -> None:
    """Send to somebody who may have closed already."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:  # closed by the other side
        pass


def logged(running: Running) -> dict[str, list[Any]]:
    """By whom what was said: the text, or the name and digest of a file."""
    said = defaultdict(list)
    for entry in observe.log(running.address):
        file = entry.get("file")
        said[entry["from"]["id"]].append((file["name"], file["sha256"]) if file else entry["text"])
    return said


def spoken_to(connections: list[socket.socket], within: float) -> list[socket.socket]:
    """Those of the connections that were answered or closed within a time."""
    return select.select(connections, [], [], within)[0]


@pytest.mark.parametrize("stream", [pytest.param(stream, id=name) for name, stream in STREAMS.items()])
def test_a_stream_means_the_same_wherever_it_is_cut(running: Running, connect: Connect, stream: Stream) -> None:
    places = range(len(stream.sent) + 1)  # at 0 nothing comes first, at the end nothing comes after
    connections = connect(running, len(places))
    for place, connection in zip(places, connections, strict=True):
        send(connection, stream.sent[:place])
    observe.all_read(running.port, connections[1:])
    for place, connection in zip(places, connections, strict=True):
        send(connection, stream.sent[place:])
        if stream.end:
            end(connection)

    outcomes = {place: stream.seen(connection) for place, connection in zip(places, connections, strict=True)}

    assert {place: seen for place, seen in outcomes.items() if seen != stream.expected} == {}
    expected = [list(stream.logged)] * len(places) if stream.logged else []
    observe.until(lambda: list(logged(running).values()) == expected, f"the log is {stream.logged} over and over")


def test_streams_that_dribble_in_byte_by_byte_mean_what_they_mean_whole(running: Running, connect: Connect) -> None:
    streams = [stream for name, stream in STREAMS.items() if name != "TLS hello"]
    connections = connect(running, len(streams))
    longest = max(len(stream.sent) for stream in streams)
    cuts = [*range(64), *range(64, longest + 32, 16)]  # byte by byte while it matters
    for start, stop in pairwise(cuts):
        dribbling = []
        for stream, connection in zip(streams, connections, strict=True):
            if piece := stream.sent[start:stop]:
                connection.sendall(piece)
                dribbling.append(connection)
                if stream.end and stop >= len(stream.sent):
                    end(connection)
                    dribbling.pop()
        observe.all_read(running.port, dribbling)

    for stream, connection in zip(streams, connections, strict=True):
        assert stream.seen(connection) == stream.expected
    expected = sorted(str(list(stream.logged)) for stream in streams if stream.logged)
    observe.until(lambda: sorted(map(str, logged(running).values())) == expected)


def test_silence_is_neither_answered_nor_closed_and_then_every_language_is_understood(
    running: Running, connect: Connect
) -> None:
    """A browser opens connections ahead of need, and may take its time."""
    started = time.monotonic()
    waiting = [(pause, connect(running, len(STREAMS))) for pause in (0, 1, 5)]
    for pause, connections in waiting:
        silent = [connection for later, ones in waiting for connection in ones if later >= pause]
        assert spoken_to(silent, max(0.0, started + pause - time.monotonic())) == []
        for stream, connection in zip(STREAMS.values(), connections, strict=True):
            connection.sendall(stream.sent)
            if stream.end:
                end(connection)
        for stream, connection in zip(STREAMS.values(), connections, strict=True):
            assert stream.seen(connection) == stream.expected
    assert "SECRET" not in json.dumps(observe.log(running.address))


def test_nothing_is_written_before_the_language_is_known(running: Running, connect: Connect) -> None:
    undecided = {
        stream.sent[:place]
        for name, stream in STREAMS.items()
        for place in range(1, len(stream.sent))
        if b"\n" not in stream.sent[:place]
        and place <= (1 if name == "TLS hello" else 4 if b"file" in stream.sent else 40)
    }
    undecided |= {b"yes", b"\xff\xfd\x03", b"a\0", b"GET /" + b"a" * 8000, b"OPTIONS", b"POST / HTTP/1"}
    undecided = {opening for opening in undecided if b" HTTP/1." not in opening and not opening.startswith(b"hell")}
    connections = connect(running, len(undecided))
    for opening, connection in zip(undecided, connections, strict=True):
        connection.sendall(opening)
    observe.all_read(running.port, connections)

    assert spoken_to(connections, 1.5) == []  # longer than a typed `y` would wait


@pytest.mark.parametrize("typed", [b"y\n", b"ok\n", b"\n", b"\r\n", b"\n\n", b"y\r\n", b"a\n\n"])
def test_one_to_three_bytes_that_end_a_line_become_text_after_a_second(
    house: Running, connect: Connect, typed: bytes
) -> None:
    already = len(observe.log(house.address))
    (connection,) = connect(house, 1)
    started = time.monotonic()
    connection.sendall(typed)

    assert spoken_to([connection], PATIENCE_S) == [connection]

    assert time.monotonic() - started > 0.95  # never sooner; later on a busy machine
    end(connection)
    assert everything(connection).startswith(b"* welcome to lobby, you are tcp-")
    assert observe.texts(house.address)[already:] == typed.decode().split()


def test_a_line_that_goes_on_before_the_second_is_over_is_read_as_one_stream(
    running: Running, connect: Connect
) -> None:
    text, file = connect(running, 2)
    raw = packed("<", b"x", file_name="n" * (266 + 4 - len(packed("<", b"", file_name=""))))
    assert raw[:4] == b"\x0a\x01\0\0", "a header of 266 bytes opens like an empty line"
    text.sendall(b"y\n")
    file.sendall(raw[:1])
    observe.all_read(running.port, [text, file])
    text.sendall(b"es\n")
    file.sendall(raw[1:])

    assert spoken_to([text], 0.5) == [text], "four bytes decide at once"
    end(file)
    assert everything(file) == b""
    said = observe.until(lambda: len(said := observe.log(running.address)) == 3 and said)
    assert sorted(entry.get("text", "file") for entry in said) == ["es", "file", "y"]


@pytest.mark.parametrize(
    "opening",
    [
        b"\0\0\0\0",
        b"\x01\0\0\0",
        b"ab\0cd",
        b"\0\1\2\3",
        b"\x1e\0\0\0x",
        b"\0\0\0\x1e[",
        b"\xff\xff\xff\xff\0"[1:],
        b"\0\1\0\0[",
    ],
    ids=repr,
)
def test_an_opening_that_holds_a_nul_and_is_no_file_is_closed_without_a_word(
    house: Running, connect: Connect, opening: bytes
) -> None:
    already = len(observe.log(house.address))
    (connection,) = connect(house, 1)
    connection.sendall(opening)

    assert (everything(connection) or CLOSED) == CLOSED
    assert len(observe.log(house.address)) == already


@pytest.mark.parametrize("opening", [b"\0", b"a\0", b"\0\0\0", b"\x1e\0\0\0"], ids=repr)
def test_a_stream_that_ends_after_a_nul_is_closed_without_a_word(
    house: Running, connect: Connect, opening: bytes
) -> None:
    already = len(observe.log(house.address))
    (connection,) = connect(house, 1)
    connection.sendall(opening)
    end(connection)

    assert everything(connection) == b""
    assert len(observe.log(house.address)) == already


@pytest.mark.parametrize("text", ["y", "ok\n", "no newline", "two\nlines", "GET / of all things", "a\nb\nc\n"])
def test_a_client_that_has_closed_its_own_side_is_stored_and_let_go(
    house: Running, connect: Connect, text: str
) -> None:
    already = len(observe.log(house.address))
    (connection,) = connect(house, 1)
    connection.sendall(text.encode())
    end(connection)

    assert everything(connection).startswith(b"* welcome to lobby")
    assert observe.texts(house.address)[already:] == text.splitlines()


def test_an_http_client_that_has_closed_its_own_side_is_answered(house: Running, connect: Connect) -> None:
    """`printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -N HOST PORT`"""
    whole, apart = connect(house, 2)
    asked = request("GET /healthz HTTP/1.0")
    whole.sendall(asked)
    end(whole)
    apart.sendall(asked)
    observe.all_read(house.port, [apart])
    end(apart)

    for connection in (whole, apart):
        assert everything(connection).startswith(b"HTTP/1.0 200 OK\r\n")


_SECRETS = "Host: localhost\r\nCookie: token=SECRET\r\nAuthorization: Bearer SECRET\r\nX-Any: SECRET\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("", "GET / HTTP/1.1"),
        ("", "GET / HTTP/1.0"),
        ("", "GET /a b c HTTP/1.1"),
        ("", "GET  /  HTTP/1.1"),
        ("", "GET / HTTP/1.9"),
        ("", "GET / HTTP/2.0"),
        ("", "GET http://evil.example/ HTTP/1.1"),
        ("", "CONNECT evil.example:443 HTTP/1.1"),
        ("", "OPTIONS * HTTP/1.1"),
        ("", "PRI * HTTP/2.0"),
        ("", "M-SEARCH * HTTP/1.1"),
        ("", "BREW /pot HTTP/1.1"),
        ("", "get / HTTP/1.1"),
        ("", "Get /index.html HTTP/1.1"),
        ("", "X_Y!# / HTTP/1.1"),
        ("", f"GET /{'a' * 9000} HTTP/1.1"),
        ("", f"GET /{'a' * 70_000} HTTP/1.1"),
        ("", f"get /{'a' * 70_000} HTTP/1.1"),
        ("", f"GET /{'a' * 70_000}?token=SECRET"),
        ("\r\n", "GET / HTTP/1.1"),
        ("\r\n\r\n\r\n", "GET / HTTP/1.1"),
        ("\n", "POST / HTTP/1.1"),
        (" ", "GET / HTTP/1.1"),
        ("\t", "GET / HTTP/1.1"),
        ("hello\n", "GET / HTTP/1.1"),
        ("hello\nGET the milk\n", "get / HTTP/1.1"),
        ("hello\n", f"POST /{'a' * 40_000} HTTP/1.1"),
        ("y\n", "GET / HTTP/1.1"),
        ("/nick hacker\n", "GET / HTTP/1.1"),
    ],
    ids=lambda part: repr(part[:40]),
)
def test_no_byte_of_a_request_is_said(house: Running, connect: Connect, before: str, line: str) -> None:
    already = len(observe.log(house.address))
    raw = f"{before}{line}\r\n{_SECRETS}GET /again HTTP/1.1\r\n{_SECRETS}".encode()
    whole, ended, cut, late = connections = connect(house, 4)
    for connection, place in ((whole, 0), (ended, 0), (cut, len(raw) // 2), (late, len(before) + len(line))):
        send(connection, raw[:place])
        observe.all_read(house.port, [connection])
        send(connection, raw[place:])
    observe.all_read(house.port, [whole, cut, late])
    for connection in connections:
        end(connection)
    for connection in connections:
        everything(connection)

    said = {entry["text"] for entry in observe.log(house.address)[already:]}
    assert said <= {text for text in before.splitlines() if text.strip() and not text.startswith("/")}


def test_a_pipelined_request_is_answered_and_not_said(running: Running, connect: Connect) -> None:
    (connection,) = connect(running, 1)
    asked = request("GET /healthz HTTP/1.1", "Cookie: SECRET")
    connection.sendall(asked * 2 + request("GET /healthz HTTP/1.1", "Connection: close"))

    assert everything(connection).count(b"HTTP/1.1 200 OK") == 3
    assert observe.log(running.address) == []


def test_what_mentions_http_and_is_no_request_is_said(running: Running) -> None:
    texts = [
        "we say:",
        "I love HTTP/1.1",
        "use HTTP/1.1 200 OK",
        "GET well soon",
        "Host: the one who invites",
        "POST HTTP",
    ]
    with LinePeer(running.address) as line:
        for text in texts:
            line.say(text)
        observe.until(lambda: observe.texts(running.address) == texts)


def test_requests_after_a_raw_file_are_closed_without_a_word(running: Running, connect: Connect) -> None:
    (connection,) = connect(running, 1)
    send(connection, packed("<", b"x", file_name="x") + request("GET / HTTP/1.1", "Cookie: SECRET"))

    assert everything(connection) == b""
    (entry,) = observe.log(running.address)
    assert entry["file"]["name"] == "x"


def test_the_log_of_a_busy_door_is_json_to_the_last_byte(running: Running) -> None:
    """All languages at once: nothing of one is taken for another's."""
    expected = sorted(str(list(stream.logged)) for stream in STREAMS.values() if stream.logged for _ in range(20))
    with ExitStack() as stack:
        connections = []
        for stream in list(STREAMS.values()) * 20:
            connection = stack.enter_context(socket.create_connection(running.address, PATIENCE_S))
            connection.sendall(stream.sent)
            if stream.end:
                end(connection)
            connections.append((stream, connection))
        for stream, connection in connections:
            assert stream.seen(connection) == stream.expected
        observe.until(lambda: sorted(str(said) for said in logged(running).values()) == expected)
    assert "SECRET" not in json.dumps(observe.log(running.address))
