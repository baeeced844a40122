"""How the server is, for whoever watches it."""

from __future__ import annotations

import re

import aiohttp

from bridge.server import Server
from tests.support.peers import BrowserPeer


async def test_a_living_server_says_ok(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}healthz") as response:
        assert (response.status, await response.text()) == (200, "ok\n")


async def test_seats_and_refusals_are_counted_in_prometheus_text(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    await session.post(server.url, data="")
    async with session.get(f"{server.url}metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await response.text()
    await browser.close()
    assert "roombridge_seats 1\n" in text
    assert 'roombridge_refused_total{code="empty",via="http"} 1\n' in text
    for line in text.splitlines():
        assert re.fullmatch(r'# TYPE \w+ (gauge|counter)|\w+(\{\w+="\w+",\w+="\w+"\})? \d+', line), line
