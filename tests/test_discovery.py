"""Being found: `where?` is answered small and nearby alone, mDNS tells what opens no door, and ends when we do."""

from __future__ import annotations

import asyncio
import logging
import socket
import uuid
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from bridge import discovery
from bridge.discovery import ANSWERS_MAX, SERVICES, Announcement, Whereabouts, called_at, host_name
from bridge.reach import Reach
from bridge.server import Server
from tests.support.peers import PATIENCE_S, DatagramPeer, eventually, texts

HERE = ("192.168.1.5", 8080)
ANSWER = b"* roombridge http://192.168.1.5:8080/ room lobby\n"


def test_where_is_answered_to_who_is_near_and_nothing_else_is() -> None:
    where = Whereabouts("http", "lobby")
    for peer in ("127.0.0.1", "192.168.1.37", "10.1.2.3", "169.254.0.9", "fe80::1%eth0", "fd00::5", "::1"):
        assert where.answer(b"where?", peer, HERE, 0.0) == ANSWER, peer
    for peer in ("8.8.8.8", "100.64.0.1", "2001:db8::1", "2606:4700::1111", ""):
        assert where.answer(b"where?", peer, HERE, 1.0) is None, peer
    for asked in (b"where?\n", b"where?\r\n"):
        assert where.answer(asked, "10.0.0.1", HERE, 2.0) == ANSWER
    for asked in (b"", b"where", b"Where?", b" where?", b"where? ", b"where?\n\n", b"where is it?", ANSWER):
        assert where.answer(asked, "10.0.0.1", HERE, 3.0) is None, asked


def test_an_answer_is_at_most_three_times_the_question() -> None:
    """At the level of IP, where an attacker counts: a longer room goes unnamed."""
    for room in ("lobby", "a" * 64, "房" * 64):
        for here in (HERE, ("255.255.255.255", 65535), ("fd00:1111:2222:3333:4444:5555:6666:7777", 65535)):
            for scheme in ("http", "https"):
                headers, peer = (48, "fd00::1") if ":" in here[0] else (28, "10.0.0.1")
                answer = Whereabouts(scheme, room).answer(b"where?", peer, here, 0.0)
                assert answer and answer.startswith(b"* roombridge http") and answer.endswith(b"\n")
                assert len(answer) + headers <= 3 * (len(b"where?") + headers)


def test_so_many_answers_are_given_in_a_second_and_no_more() -> None:
    where = Whereabouts("http", "lobby")
    answered = [where.answer(b"where?", "10.0.0.1", HERE, 5.0) for _ in range(ANSWERS_MAX + 9)]
    assert answered == [ANSWER] * ANSWERS_MAX + [None] * 9
    assert where.answer(b"where?", "10.0.0.1", HERE, 6.0) == ANSWER


async def test_on_a_network_who_asks_where_is_told_and_has_no_seat(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery.Announcement, "start", lambda self: None)  # this network shall not hear of it
    server = await serve(host="0.0.0.0", open=True, unlisted=False)

    def conversation() -> list[str]:
        with DatagramPeer(("127.0.0.1", server.address[1])) as peer:
            heard = []
            for said in ("where?", "where?\n", "where? I asked", "where?"):
                peer.say(said)
                if said != "where?" or not heard[2:]:
                    heard.append(peer.read())
            return heard

    heard = await asyncio.to_thread(conversation)
    url = f"http://127.0.0.1:{server.address[1]}/"
    assert heard[:2] == [f"* roombridge {url} room lobby\n"] * 2
    assert heard[2].startswith("* welcome to lobby")
    async with asyncio.timeout(PATIENCE_S):
        while await texts(session, url) != ["where? I asked", "where?"]:  # who has a seat says what it says
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("settings", [{}, {"host": "0.0.0.0", "open": True, "unlisted": True}], ids=str)
async def test_elsewhere_where_is_a_word_like_any_other(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, settings: dict[str, object]
) -> None:
    server = await serve(**{"unlisted": False, **settings})
    address = ("127.0.0.1", server.address[1])

    def conversation() -> str:
        with DatagramPeer(address) as peer:
            peer.say("where?")
            return peer.read()

    assert (await asyncio.to_thread(conversation)).startswith("* welcome to lobby")
    async with asyncio.timeout(PATIENCE_S):
        while await texts(session, f"http://127.0.0.1:{address[1]}/") != ["where?"]:
            await asyncio.sleep(0.01)


async def test_mdns_tells_where_we_are_and_takes_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """By real datagrams, on loopback alone."""
    here = f"test-{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(socket, "gethostname", lambda: f"{here}.example")
    announcement = Announcement(8081, ["127.0.0.1"], {"tls": "on", "token": "yes"})
    seen: dict[str, ServiceStateChange] = {}

    def tell(zeroconf: object, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if here in name:
            seen[name] = state_change

    asking = AsyncZeroconf(["127.0.0.1"], ip_version=IPVersion.V4Only)
    browser = AsyncServiceBrowser(asking.zeroconf, list(SERVICES), handlers=[tell])
    try:
        announcement.start()
        names = {f"roombridge on {here}.{service}" for service in SERVICES}
        await eventually(lambda: seen == dict.fromkeys(names, ServiceStateChange.Added))
        for name in names:
            info = AsyncServiceInfo(name.removeprefix(f"roombridge on {here}."), name)
            assert await info.async_request(asking.zeroconf, 5000)
            assert (info.port, info.server, info.parsed_addresses()) == (8081, f"{host_name()}.", ["127.0.0.1"])
            assert info.decoded_properties == {"tls": "on", "token": "yes"}
        await announcement.close()
        await eventually(lambda: seen == dict.fromkeys(names, ServiceStateChange.Removed))
    finally:
        await announcement.close()
        await browser.async_cancel()
        await asking.async_close()


async def test_a_network_that_will_not_have_it_is_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "bell\a")  # which is no name for mDNS
    announcement = Announcement(8081, ["127.0.0.1"], {})
    with caplog.at_level(logging.WARNING, "roombridge.discovery"):
        announcement.start()
        await eventually(lambda: "mDNS tells nobody that we are here" in caplog.text)
    await announcement.close()


def test_those_are_told_at_which_others_reach_us(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Reach("10.0.0.5", "eth0", ""), Reach("2001:db8::5", "eth0", "")]
    monkeypatch.setattr(discovery, "reachable", lambda: found)
    assert called_at(["127.0.0.1", "localhost"]) == []
    assert called_at(["0.0.0.0"]) == ["10.0.0.5"]
    assert called_at(["0.0.0.0", "::"]) == ["10.0.0.5", "2001:db8::5"]
    assert called_at(["10.0.0.7", "127.0.0.1"]) == ["10.0.0.7"]
