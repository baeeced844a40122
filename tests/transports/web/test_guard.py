"""Who may ask: a table of Host, Origin, Sec-Fetch-Site and method, and the shield on every answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from bridge.server import Server
from bridge.transports.web.guard import PAGE_POLICY
from bridge.transports.web.served import FILE_POLICY
from tests.support.peers import ask, entries

NAME = socket.gethostname()
# Whether a name is ours, on a server for everybody: loopback, the address that was reached, this machine's name, what
# --allow-host names.
HOSTS = {
    "127.0.0.1:{port}": True,
    "localhost:{port}": True,
    "LocalHost:{port}": True,
    "[::1]:{port}": True,
    "127.0.0.2": True,
    "room.lan:{port}": True,
    f"{NAME}:{{port}}": True,
    f"{NAME.partition('.')[0].upper()}.local": True,
    "[::]:{port}": False,
    "0.0.0.0:{port}": False,
    "evil.example:{port}": False,
    "localhost.evil.example:{port}": False,
    "127.0.0.1.evil.example": False,
    "room.lan.evil.example": False,
    "192.168.1.5:{port}": False,
    "": False,
}
ORIGINS = [
    None,
    "http://{host}",
    "HTTP://{host}",
    "https://{host}",
    "null",
    "",
    "http://evil.example",
    "http://{host}.evil.example",
    "http://{host}1",
    "http://user@{host}",
]
SITES = [None, "same-origin", "none", "same-site", "cross-site"]
METHODS = {"GET": 200, "HEAD": 200, "POST": 201, "PUT": 201, "PATCH": 405, "DELETE": 405, "OPTIONS": 405, "WS": 101}
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def expected(method: str, ours: bool, host: str, origin: str | None, site: str | None) -> int:
    """The rules, in words: a foreign name first, then a foreign page, then a change that another site asks for."""
    if not ours:
        return 421
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return 403
    if method in CHANGING and site in ("same-site", "cross-site"):
        return 403
    return METHODS[method]


async def status(session: aiohttp.ClientSession, url: str, method: str, headers: dict[str, str]) -> int:
    if method == "WS":
        try:
            async with session.ws_connect(f"{url}r/lobby/ws", headers=headers):
                return 101
        except aiohttp.WSServerHandshakeError as refusal:
            return refusal.status
    paths = {"GET": "rooms", "HEAD": "rooms", "PUT": "r/lobby/a.txt"}
    body = b"x" if method in ("POST", "PUT") else None
    async with session.request(method, url + paths.get(method, "r/lobby"), headers=headers, data=body) as response:
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
        return response.status


@pytest.mark.parametrize("method", METHODS)
async def test_only_pages_of_our_own_reach_us_through_a_browser(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, method: str
) -> None:
    server = await serve(host="0.0.0.0", open=True, insecure_public=True, allow_host=("Room.lan",))
    url = f"http://127.0.0.1:{server.address[1]}/"
    wrong, cells, let_in = [], 0, 0
    for template, ours in HOSTS.items():
        host = template.format(port=server.address[1])
        for origin in [None if one is None else one.format(host=host) for one in ORIGINS]:
            for site in SITES:
                headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
                given = {name: value for name, value in headers.items() if value is not None}
                got, wanted = (
                    await status(session, url, method, given),
                    expected(method, ours, host, origin, site),
                )
                cells += 1
                let_in += wanted < 400
                if got != wanted:
                    wrong.append((got, wanted, given))
    assert not wrong
    assert cells >= 200
    said = await entries(session, url)
    assert len(said) == (min(let_in, 500) if method in ("POST", "PUT") else 0)


async def test_a_server_for_this_machine_alone_is_not_called_by_its_name(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """Whoever answers for the name on the network could have shown a page under it, and now point it at loopback."""
    for host in (NAME, f"{NAME}.local"):
        async with session.get(f"{server.url}rooms", headers={"Host": f"{host}:{server.address[1]}"}) as response:
            assert response.status == 421


FAR = {"X-Forwarded-For": "203.0.113.5"}
FARTHER = {"X-Forwarded-For": "203.0.113.6"}
"""Two from elsewhere, as a proxy of ours tells of them."""


async def test_one_address_may_send_so_many_messages_a_second(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(proxy=("127.0.0.1",), open=True, messages_per_s=1, messages_burst=3)

    async def post(headers: dict[str, str]) -> int:
        async with session.post(server.url, data="hi", headers=headers) as response:
            if response.status == 429:
                assert int(response.headers["Retry-After"]) >= 1
                assert (await response.text()).startswith(
                    "rate_limited: one address may send 1 messages a second (--me"
                )
            return response.status

    said = await asyncio.gather(*(post(FAR) for _ in range(40)))
    assert said.count(201) >= 3 and said.count(429) >= 1 and len(said) == said.count(201) + said.count(429)
    assert await post(FARTHER) == 201
    async with session.get(f"{server.url}rooms", headers=FAR) as response:
        assert response.status == 200, "reading is no message"


async def test_one_address_may_send_so_many_files_at_once(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(proxy=("127.0.0.1",), open=True, uploads_per_address=1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a"
        begun.set()
        await go_on.wait()
        yield b"b"

    async def put(name: str, headers: dict[str, str], data: object = b"x") -> tuple[int, str]:
        async with session.put(server.url + name, data=data, headers=headers) as response:
            return response.status, await response.text()

    first = asyncio.create_task(put("slow", FAR, slowly()))
    await begun.wait()
    while not server.policy.limits.uploads.taken("203.0.113.5"):
        await asyncio.sleep(0.01)
    status, said = await put("second", FAR)
    assert status == 429 and "1 files at once (--uploads-per-address)" in said
    assert (await put("another-s", FARTHER))[0] == 201
    go_on.set()
    assert (await first)[0] == 201
    assert (await put("second", FAR))[0] == 201


@pytest.mark.parametrize("head", ["", "Host: localhost\r\nHost: evil.example\r\n", "Host:\r\n"], ids=repr)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_request_for_no_host_or_two_is_refused(server: Server, head: str, version: str) -> None:
    request = f"POST /r/lobby HTTP/{version}\r\n{head}Content-Length: 2\r\nConnection: close\r\n\r\nhi".encode()
    answer = await asyncio.to_thread(ask, server.address, request)
    assert answer.status in (400, 421)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity"])
async def test_a_body_that_is_encoded_is_refused(server: Server, session: aiohttp.ClientSession, encoding: str) -> None:
    """A bomb of 48 kB would be 50 MB; and what is counted must be what was sent."""
    for method, path in (("POST", "r/lobby"), ("PUT", "r/lobby/a")):
        async with session.request(
            method, server.url + path, data=b"\x1f\x8b", headers={"Content-Encoding": encoding}
        ) as response:
            assert response.status == 415
            assert (await response.text()).startswith("unsupported: ")
    assert await entries(session, server.url) == []


SHIELD = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "roombridge",
}


async def test_every_answer_carries_the_shield(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.put(f"{server.url}a.html", data=b"<script>", headers={"Accept": "application/json"}) as response:
        file = (await response.json())["file"]["url"]
        assert response.headers.items() >= SHIELD.items()
    for path, wanted, policy in (
        ("/r/lobby", 200, PAGE_POLICY),
        ("/static/main.js", 200, PAGE_POLICY),
        ("/rooms", 200, PAGE_POLICY),
        ("/healthz", 200, PAGE_POLICY),
        ("/", 302, PAGE_POLICY),
        ("/nothing/here", 404, PAGE_POLICY),
        ("/r/a%20b", 400, PAGE_POLICY),
        (file, 200, FILE_POLICY),
        (f"{file}/../../nothing", 404, PAGE_POLICY),
    ):
        async with session.get(server.url.rstrip("/") + path, allow_redirects=False) as response:
            assert response.status == wanted, path
            assert {name: response.headers.get(name) for name in SHIELD} == SHIELD, path
            assert response.headers["Content-Security-Policy"] == policy, path
    async with session.get(server.url, headers={"Host": "evil.example"}) as response:
        assert response.status == 421 and response.headers["X-Content-Type-Options"] == "nosniff"
    async with session.ws_connect(f"{server.url}r/lobby/ws") as ws:
        assert ws._response.headers["Server"] == "roombridge"


async def test_what_only_secure_pages_may_have_is_not_promised_to_others(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    """Browsers ignore `Cross-Origin-Opener-Policy` at http://room.lan, and say so in every console."""
    server = await serve(allow_host=("room.lan",))
    for host, policy in (("room.lan", None), ("localhost", "same-origin"), ("[::1]:80", "same-origin")):
        async with session.get(f"{server.url}rooms", headers={"Host": host}) as response:
            assert response.headers.get("Cross-Origin-Opener-Policy") == policy
