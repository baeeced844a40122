"""How the server is, for whoever watches it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bridge.server import Server
from tests.docs.fences import ROOT
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer, UploadPeer

OPERATIONS = ROOT / "docs" / "operations.md"


async def scrape(session: aiohttp.ClientSession, server: Server) -> dict[str, float]:
    """Every sample by its name and labels."""
    async with session.get(f"{server.url}metrics") as response:
        assert response.status == 200 and response.headers["Content-Type"].startswith("text/plain; version=")
        text = await response.text()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{one.name} {' '.join(one.labels.values())}".strip(): one.value for one in samples}


async def test_a_living_server_says_ok(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}healthz") as response:
        assert (response.status, await response.text()) == (200, "ok\n")


async def test_who_sits_where_and_what_is_on_its_way(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    other = await BrowserPeer.join(session, server.url, "kitchen")
    half_way = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await half_way.wait()

    upload = asyncio.create_task(session.put(f"{server.url}a.bin", data=slowly()))
    await browser.until(type="transfer", received=1000)
    with DatagramPeer(server.address) as peer:
        peer.say("")
        await asyncio.to_thread(peer.read)
        samples = await scrape(session, server)
    half_way.set()
    assert (await upload).status == 201
    expected = {
        "roombridge_seats web": 2,
        "roombridge_seats udp": 1,
        "roombridge_seats tcp": 0,
        "roombridge_rooms_open": 2,
        "roombridge_uploads_running": 1,
        "roombridge_drafts_waiting": 0,
        "roombridge_seats_lagging": 0,
        "roombridge_datagrams_in_total": 1,
        "roombridge_bytes_in_total http": 1000,
    }
    assert samples.items() >= expected.items()
    assert samples["process_resident_memory_bytes"] > 0
    await browser.close()
    await other.close()


async def test_what_was_stored_and_how_long_it_took(server: Server, session: aiohttp.ClientSession) -> None:
    for number in range(3):
        await session.post(server.url, data=f"{number}")
    await session.put(f"{server.url}a.txt", data=b"abc")
    samples = await scrape(session, server)
    assert samples["roombridge_entries_total text"] == 3
    assert samples["roombridge_entries_total file"] == 1
    assert samples["roombridge_bytes_in_total http"] == 6
    assert samples["roombridge_commit_drafts_sum"] == 4
    assert 0 < samples["roombridge_commit_seconds_sum"] < 60
    assert samples["roombridge_answer_bytes_total"] > 0


async def test_a_seat_that_reads_nothing_is_seen_to_lag(server: Server, session: aiohttp.ClientSession) -> None:
    def sit() -> LinePeer:
        peer = LinePeer(server.address)
        peer.say("")
        assert peer.read().startswith("* welcome")
        return peer

    with await asyncio.to_thread(sit):  # which never reads again
        lag = 0.0
        while not lag:
            await asyncio.gather(*(session.post(server.url, data="x" * 16_000) for _ in range(50)))
            samples = await scrape(session, server)
            lag = samples["roombridge_lag_max"]
        assert samples["roombridge_seats_lagging"] == 1


async def test_a_refusal_is_counted_whichever_way_it_came(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    def natives() -> None:
        with LinePeer(server.address) as line, DatagramPeer(server.address) as datagrams:
            line.say("/nick [x]")
            line.say("/nonsense")
            line.say("x" * 20_000)
            line.read_until("was dropped")
            datagrams.socket.sendto(b"\xff\xff\xff", server.address)
            datagrams.say("/join a/b")
            assert datagrams.read().startswith("* welcome")
            assert "room name" in datagrams.read()
        with UploadPeer(server.address) as upload:
            upload.header(file_name="a", file_size=0, sender="[x]", reply=True)
            assert upload.reply()["error"]["code"] == "bad_name"

    await asyncio.to_thread(natives)
    browser = await BrowserPeer.join(session, server.url, name="[x]")
    await browser.until(type="error", code="bad_name")
    await browser.say("k1", "")
    await browser.until(type="error", code="empty")
    await browser.send({"type": "say", "text": "without key"})
    await browser.until(type="error", code="bad_request")
    await session.post(server.url, data="")
    await session.get(f"{server.url}rooms", headers={"Host": "evil.example"})
    await session.get(f"{server.url}files/none/x")
    samples = await scrape(session, server)
    await browser.close()
    refused = {name.partition(" ")[2]: count for name, count in samples.items() if "_refused_" in name}
    assert refused == {
        "bad_name tcp": 2,
        "bad_request tcp": 1,
        "too_long tcp": 1,
        "bad_text udp": 1,
        "bad_room udp": 1,
        "bad_name web": 1,
        "empty web": 1,
        "bad_request web": 1,
        "empty http": 1,
        "forbidden http": 1,
        "not_found http": 1,
    }


async def test_every_number_is_in_the_handbook_and_nothing_else_is(
    server: Server, session: aiohttp.ClientSession
) -> None:
    async with session.get(f"{server.url}metrics") as response:
        told = set(re.findall(r"^# TYPE (roombridge_\w+) ", await response.text(), re.MULTILINE))
    written = set(re.findall(r"^\| `(roombridge_\w+)", OPERATIONS.read_text(), re.MULTILINE))
    assert told == written


async def test_openmetrics_is_spoken_to_who_asks_for_it(server: Server, session: aiohttp.ClientSession) -> None:
    wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with session.get(f"{server.url}metrics", headers=wanted) as response:
        assert response.content_type == "application/openmetrics-text"
        assert (await response.text()).endswith("# EOF\n")
