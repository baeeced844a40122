"""What a proxy says of who asks and how counts wherever a request is answered, and is shown to all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp

from bridge.server import Server
from tests.support.peers import BrowserPeer

BEHIND = {
    "X-Forwarded-For": "10.1.2.3",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "room.example",
}


async def test_a_proxy_s_word_is_taken_for_address_origin_and_name(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(proxy=("127.0.0.1",), trust=("10.0.0.0/8",), allow_host=("room.example",))
    page = {**BEHIND, "Origin": "https://room.example"}
    async with session.post(f"{server.url}r/lobby", data="hi", headers=page) as response:
        assert response.status == 201
        assert (await response.json())["from"]["addr"].startswith("10.1.2.3:")
    async with session.put(f"{server.url}a.txt", data=b"a", headers=BEHIND) as response:
        assert response.headers["Location"].startswith("https://room.example/files/")
    ws = BrowserPeer(await session.ws_connect(f"{server.url}r/lobby/ws", headers=page))
    hello = await ws.until(type="hello")
    assert hello["you"]["addr"].startswith("10.1.2.3:")
    await ws.close()


async def test_a_proxy_s_word_is_no_better_than_our_own_checks(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(proxy=("127.0.0.1",), trust=("10.0.0.0/8",), allow_host=("room.example",))
    for more, status in (
        ({"X-Forwarded-Host": "evil.example"}, 421),
        ({"Origin": "http://room.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"X-Forwarded-For": "11.1.2.3"}, 401),
        ({"Forwarded": "for=10.9.9.9"}, 401),
    ):
        async with session.post(f"{server.url}r/lobby", data="hi", headers=BEHIND | more) as response:
            assert response.status == status, more


async def test_what_came_through_something_unknown_is_refused_with_what_to_do(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """On loopback, where no token is asked for: a tunnel would open the room to the world."""
    for name in ("Forwarded", "X-Forwarded-For", "Via", "CF-Connecting-IP", "X-Real-IP"):
        async with session.get(f"{server.url}rooms", headers={name: "127.0.0.1"}) as response:
            assert response.status == 401, name
            said = await response.text()
            assert "--token" in said and "--proxy" in said
        async with session.get(server.url, headers={name: "x", "Accept": "text/html"}) as response:
            assert response.status == 401 and "--proxy" in await response.text()
    async with session.get(f"{server.url}healthz", headers={"Via": "1.1 probe"}) as response:
        assert response.status == 200
