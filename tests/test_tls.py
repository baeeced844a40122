"""Inside TLS, on the same port: the same languages, wherever a flight is cut, and nothing that goes past the seal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import select
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge import tls
from bridge.certificate import OWN_FILE, fingerprint, own
from bridge.policy import Zone, Zones
from bridge.server import Server
from tests.support import observe
from tests.support.peers import PATIENCE_S, BrowserPeer, LinePeer, entries
from tests.support.process import Running
from tests.support.program import Program, done, tool
from tests.support.sealed import SealedPeer
from tests.support.streams import STREAMS, client_hello, content, everything, packed, request

pytestmark = observe.linux_only

INSIDE = {name: stream for name, stream in STREAMS.items() if name != "TLS hello"}
HEALTH = request("GET /healthz HTTP/1.1", "Connection: close")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the many small facts of this file."""
    running = Running(tmp_path_factory.mktemp("sealed") / "data", "--tls")
    yield running
    assert " ERROR " not in running.stderr, running.stderr
    running.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def said_by(entry: dict[str, Any]) -> object:
    """The text of an entry, or the name and digest of its file."""
    file = entry.get("file")
    return (file["name"], file["sha256"]) if file else entry["text"]


def test_every_language_means_inside_what_it_means_outside(house: Running, stack: ExitStack) -> None:
    """Also after a silence, and with each half in a record of its own, both in one segment."""
    already = len(observe.log(house.address))
    peers = {name: stack.enter_context(SealedPeer(house.address)).shake() for name in INSIDE}
    observe.all_read(house.port, [peer.socket for peer in peers.values()])
    assert select.select([peer.socket for peer in peers.values()], [], [], 0.5)[0] == [], "nobody is spoken to unasked"
    for name, stream in INSIDE.items():
        half = len(stream.sent) // 2
        peers[name].socket.sendall(peers[name].sealed(stream.sent[:half], stream.sent[half:]))
        if stream.end:
            peers[name].end()
    for name, stream in INSIDE.items():
        assert stream.seen(peers[name]) == stream.expected, name
    expected = sorted(str(said) for stream in INSIDE.values() for said in stream.logged)

    def logged() -> list[str]:
        said = observe.log(house.address)[already:]
        files = [
            (entry["file"]["name"], entry["file"]["sha256"]) if entry.get("file") else entry["text"] for entry in said
        ]
        return sorted(map(str, files))

    observe.until(lambda: logged() == expected)


def test_a_first_flight_may_be_cut_anywhere(house: Running, stack: ExitStack) -> None:
    hello = len(client_hello())
    places = [*range(1, 16), *range(16, hello, 24), hello - 1]
    peers = [(place, stack.enter_context(SealedPeer(house.address))) for place in places]
    for place, peer in peers:
        peer.socket.sendall(peer.hello[:place])
    observe.all_read(house.port, [peer.socket for _place, peer in peers])
    for place, peer in peers:
        peer.shake(peer.hello[place:])
        peer.sendall(HEALTH)
    for place, peer in peers:
        assert everything(peer).endswith(b"\r\n\r\nok\n"), place


def test_a_flight_that_comes_byte_by_byte_is_one(house: Running, stack: ExitStack) -> None:
    peer = stack.enter_context(SealedPeer(house.address))
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.shake(*(peer.hello[place : place + 1] for place in range(len(peer.hello))))
    for byte in peer.sealed(HEALTH):
        peer.socket.sendall(bytes((byte,)))
    assert everything(peer).endswith(b"\r\n\r\nok\n")


def test_a_half_closed_client_is_answered_inside_too(house: Running, stack: ExitStack) -> None:
    peer = stack.enter_context(SealedPeer(house.address)).shake()
    peer.sendall(request("GET /healthz HTTP/1.1") * 2)
    peer.end()
    assert everything(peer).count(b"HTTP/1.1 200 OK") == 2


def test_who_agreed_on_http_speaks_http_and_nothing_else(house: Running, stack: ExitStack) -> None:
    already = len(observe.log(house.address))
    for name in ("GET", "text lines", "little-endian file"):
        peer = stack.enter_context(SealedPeer(house.address, ["h2", "http/1.1"])).shake()
        assert peer.seal.selected_alpn_protocol() == "http/1.1"
        peer.sendall(INSIDE[name].sent)
        assert everything(peer).startswith(b"HTTP/1.1 200 OK") if name == "GET" else everything(peer) == b""
    assert len(observe.log(house.address)) == already


def test_what_is_no_tls_of_ours_is_closed_with_an_alert(house: Running, stack: ExitStack) -> None:
    other = stack.enter_context(SealedPeer(house.address, ["imap"]))
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        other.shake()
    for opening in (b"\x16\x03\x01\0\0", b"\x16\x03\x01\0\5hello", b"\x16\x03\x01\xff\xff" + bytes(20_000)):
        with socket.create_connection(house.address, PATIENCE_S) as connection:
            connection.sendall(opening)
            assert everything(connection) in (b"", b"\x15\x03\x03\0\2\2\x32"), opening[:9]
    peer = stack.enter_context(SealedPeer(house.address)).shake()
    peer.socket.sendall(b"\x17\x03\x03\0\x20" + bytes(32))
    with pytest.raises(ssl.SSLError, match="ALERT"):
        peer.recv(1)
    twice = stack.enter_context(SealedPeer(house.address)).shake()
    twice.sendall(twice.hello)
    assert everything(twice) == b"", "TLS inside TLS is none of our languages"


def test_openssl_agrees(house: Running) -> None:
    def says(*options: str) -> str:
        where = ("s_client", "-connect", f"127.0.0.1:{house.port}")
        ended = done(tool("openssl"), *where, *options)
        return (ended.stdout + ended.stderr).decode()

    assert "Protocol  : TLSv1.3" in (text := says("-tls1_3")) or "New, TLSv1.3" in text
    assert "New, TLSv1.2" in says("-tls1_2")
    assert "alert protocol version" in says("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "alert no application protocol" in says("-alpn", "h2")
    assert "ALPN protocol: http/1.1" in says("-alpn", "h2,http/1.1")
    assert "No ALPN negotiated" in says()


def test_ncat_and_curl_are_in_the_room_by_tls_beside_those_without(house: Running, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{house.port}/"
    assert "TLS" in house.stderr and url in house.stderr
    assert fingerprint(house.data / OWN_FILE) in house.stderr
    with LinePeer(house.address) as plain, Program(tool("ncat"), "--ssl", "127.0.0.1", house.port) as sealed:
        plain.say("/nick plain")
        plain.read_until("you are now plain")
        sealed.type("/nick sealed")
        sealed.until("you are now sealed")
        sealed.type("by TLS")
        plain.read_until("[sealed] by TLS")
        plain.say("by none")
        sealed.until("[plain] by none")
        ended = done(tool("curl"), "-sk", "-d", "by curl", url)
        assert json.loads(ended.stdout)["text"] == "by curl"
        sealed.until("by curl")
        big = content(3_000_000)
        (tmp_path / "big").write_bytes(big)
        put = done(tool("curl"), "-sk", "-T", tmp_path / "big", url).stdout.decode()
        assert re.fullmatch(rf"https://127\.0\.0\.1:{house.port}/files/\w+/big\n", put)
        sealed.until(f" {put}")  # by TLS to who came by TLS
        assert plain.read_until("/big")[-1].endswith(put.strip().replace("https:", "http:"))
        for link in (put.strip(), put.strip().replace("https:", "http:")):
            assert done(tool("curl"), "-sk", link).stdout == big
        piped = done(tool("ncat"), "--ssl", "127.0.0.1", house.port, stdin=request("GET /healthz HTTP/1.0"))
        assert piped.stdout.endswith(b"\r\n\r\nok\n")


def test_a_sender_that_reads_nothing_and_takes_no_leave_loses_no_byte(house: Running) -> None:
    """With Python's own sockets, as scripts send: had we sent a ticket, its close would be a reset."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    big = content(8_000_000)
    with socket.create_connection(house.address, PATIENCE_S) as plain, context.wrap_socket(plain) as sealed:
        sealed.sendall(packed("<", big, file_name="first.bin") + packed(">", big[::-1], file_name="second.bin"))
    wanted = {"first.bin": big, "second.bin": big[::-1]}

    def arrived() -> bool:
        files = {
            entry["file"]["name"]: entry["file"]["sha256"] for entry in observe.log(house.address) if "file" in entry
        }
        return all(files.get(name) == hashlib.sha256(data).hexdigest() for name, data in wanted.items())

    observe.until(arrived)


async def test_browsers_meet_by_tls_and_without(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(tls="on")
    url = server.url.replace("http:", "https:")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as sealing:
        sealed = await BrowserPeer.join(sealing, url)
        plain = await BrowserPeer.join(session, server.url)
        for peer, text in ((sealed, "by TLS " + "x" * 16_000), (plain, "by none")):
            await peer.say(text[:9], text)
            for one in (sealed, plain):
                assert (await one.entry())["text"] == text
        for origin, status in ((url[:-1], 201), (server.url[:-1], 403)):
            async with sealing.post(url, data="hi", headers={"Origin": origin}) as answer:
                assert answer.status == status
        await sealed.close()
    await plain.close()


async def test_another_certificate_is_shown_without_a_restart(
    serve: Callable[..., Awaitable[Server]], tmp_path: Path
) -> None:
    server = await serve(tls="on")
    path = tmp_path / "data" / OWN_FILE

    def shown() -> str:
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(server.address, timeout=PATIENCE_S))
        return hashlib.sha256(der).digest().hex(":").upper()

    first = fingerprint(path)
    assert await asyncio.to_thread(shown) == first
    (other := tmp_path / "other").mkdir()
    own(other, []).replace(path)
    assert await asyncio.to_thread(shown) == fingerprint(path) != first
    assert server.certificate and server.certificate.fingerprint == fingerprint(path)


async def test_a_handshake_that_stands_still_is_closed(
    serve: Callable[..., Awaitable[Server]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_S", 0.3)
    server = await serve(tls="on")

    def conversation() -> list[bytes]:
        with SealedPeer(server.address) as half, SealedPeer(server.address) as silent:
            half.socket.sendall(half.hello[:40])
            silent.socket.sendall(silent.hello)
            return [everything(half.socket), everything(silent.socket)]

    async with asyncio.timeout(PATIENCE_S):
        half, silent = await asyncio.to_thread(conversation)
    assert half == b""
    assert silent.startswith(b"\x16\x03\x03")


async def test_where_tls_is_required_nobody_from_elsewhere_comes_in_without(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(tls="require", open=True)
    async with session.get(f"{server.url}healthz") as answer:
        assert answer.status == 200, "this machine needs none"
    monkeypatch.setattr(Zones, "of", lambda self, ip: Zone.ELSEWHERE)
    async with session.post(server.url, data="hi", headers={"X-Name": "eve"}) as answer:
        assert (answer.status, await answer.text()) == (
            403,
            f"forbidden: this server asks for TLS: https://{server.url[7:]}\n",
        )

    def conversation() -> tuple[bytes, bytes, bytes, bytes]:
        with (
            socket.create_connection(server.address, PATIENCE_S) as line,
            socket.create_connection(server.address, PATIENCE_S) as file,
            socket.socket(type=socket.SOCK_DGRAM) as datagram,
            SealedPeer(server.address) as sealed,
        ):
            datagram.sendto(b"by datagram", server.address)
            line.sendall(b"by line\n")
            file.sendall(packed("<", b"by file", file_name="x"))
            answers = everything(line), everything(file)
            sealed.shake().sendall(b"by TLS\n")
            welcome = sealed.recv(100)
            datagram.settimeout(0.2)
            with pytest.raises(TimeoutError):
                datagram.recv(100)
            return *answers, welcome, sealed.sealed()

    line, file, welcome, _ = await asyncio.to_thread(conversation)
    assert (line, file) == (b"* this server asks for TLS: ncat --ssl HOST PORT\n", b"")
    assert welcome.startswith(b"* welcome to lobby")
    monkeypatch.undo()
    assert [entry["text"] for entry in await entries(session, server.url)] == ["by TLS"]


def test_a_server_drains_those_inside_tls_too(run: Callable[..., Running], stack: ExitStack) -> None:
    running = run("--tls")
    line = stack.enter_context(SealedPeer(running.address)).shake()
    line.sendall(b"hello\n")
    assert line.recv(100).startswith(b"* welcome")
    idle = stack.enter_context(SealedPeer(running.address)).shake()
    half = stack.enter_context(SealedPeer(running.address))
    half.socket.sendall(half.hello)
    assert running.stop() == 0
    assert b"* bye: the server is shutting down\n" in everything(line)
    assert everything(idle) == b""
    assert "Traceback" not in running.stderr


def test_uvloop_seals_as_well(run: Callable[..., Running], stack: ExitStack) -> None:
    pytest.importorskip("uvloop")
    running = run("--tls", "--loop", "uvloop")
    file = content(2_000_000)
    peer = stack.enter_context(SealedPeer(running.address)).shake()
    peer.sendall(packed("<", file, file_name="a.bin", reply=True))
    peer.end()
    assert json.loads(everything(peer))["sha256"] == hashlib.sha256(file).hexdigest()
    asks = stack.enter_context(SealedPeer(running.address)).shake()
    asks.sendall(HEALTH)
    asks.end()
    assert everything(asks).endswith(b"\r\n\r\nok\n")
    assert running.stop() == 0
