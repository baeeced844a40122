"""What a stranger shows to be let in: one server that asks everybody for the token, also on this machine."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from bridge.server import Server

PERSON = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en"}


@pytest.fixture
async def guarded(serve: Callable[..., Awaitable[Server]]) -> Server:
    return await serve(token=True)


@pytest.fixture
async def nobody() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps no cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def token(server: Server, name: str = "token") -> str:
    return (server.config.data / name).read_text().strip()


def cookie(response: aiohttp.ClientResponse) -> str:
    """`name=value` of the cookie that was set."""
    return response.headers["Set-Cookie"].partition(";")[0]


def basic(secret: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{secret}".encode()).decode()


async def ws_status(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    try:
        async with session.ws_connect(url, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as refusal:
        return refusal.status


async def test_the_token_is_taken_wherever_a_program_can_put_it(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    for secret in (token(guarded), token(guarded, "host-token")):
        ways: list[tuple[str, dict[str, str]]] = [
            ("", {"Authorization": f"Bearer {secret}"}),
            ("", {"Authorization": f"bearer  {secret}"}),
            ("", {"Authorization": basic(secret)}),
            (f"?token={secret}", {}),
            ("?token=wrong", {"Authorization": f"Bearer {secret}"}),
        ]
        for query, headers in ways:
            async with nobody.get(f"{guarded.url}rooms{query}", headers=headers) as response:
                assert response.status == 200, (query, headers)
            assert await ws_status(nobody, f"{guarded.url}r/lobby/ws{query}", headers) == 101
            async with nobody.put(f"{guarded.url}a.txt{query}", data=b"a", headers=headers) as response:
                assert response.status == 201 and secret not in await response.text()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic Og=="},
        {"Authorization": basic("é\udc80".encode("utf-8", "surrogateescape").decode("latin-1"))},
        {"Cookie": "roombridge-{port}=wrong"},
        {"Cookie": "roombridge={token}"},
        {"Cookie": "roombridge-{port}={token}"},
    ],
    ids=str,
)
async def test_without_it_nothing_is_told_and_nothing_taken(
    guarded: Server, nobody: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    port = guarded.address[1]
    headers = {name: value.format(port=port, token=token(guarded)) for name, value in headers.items()}
    for method, path in (
        ("GET", ""),
        ("GET", "r/lobby"),
        ("GET", "rooms"),
        ("GET", "metrics"),
        ("GET", "openapi.json"),
        ("GET", "nowhere/at/all"),
        ("POST", ""),
        ("PUT", "healthz"),
        ("PUT", "j"),
        ("PUT", "static/a"),
        ("POST", "r/lobby/uploads"),
        ("OPTIONS", "r/lobby/uploads"),
        ("DELETE", "r/lobby/entries/1"),
        ("REPORT", ""),
    ):
        async with nobody.request(method, guarded.url + path, headers=headers) as response:
            assert response.status == 401, (method, path)
            assert response.headers["WWW-Authenticate"].startswith("Basic ")
            assert (await response.text()).startswith("forbidden: a token is asked for here") or method == "HEAD"
    assert await ws_status(nobody, f"{guarded.url}r/lobby/ws", headers) == 401
    async with nobody.get(f"{guarded.url}r/lobby/entries?token={token(guarded)}") as response:
        assert (await response.json())["entries"] == []


async def test_what_a_stranger_needs_to_come_in_is_open(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    for path in ("healthz", "static/pass.js", "static/styles/join.css", "favicon.ico"):
        async with nobody.get(guarded.url + path) as response:
            assert response.status == 200, path


async def test_a_link_gives_a_cookie_and_the_room(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    async with nobody.get(f"{guarded.url}j/{token(guarded)}", headers=PERSON, allow_redirects=False) as response:
        assert response.status == 303 and response.headers["Location"] == "/"
        assert response.headers["Cache-Control"] == "no-store"
        said = response.headers["Set-Cookie"]
        assert said.startswith(f"roombridge-{guarded.address[1]}=") and token(guarded) not in said
        assert "HttpOnly" in said and "SameSite=Lax" in said and "Secure" not in said and "Path=/" in said
        shown = {"Cookie": cookie(response)}
    async with nobody.get(f"{guarded.url}rooms", headers=shown) as response:
        assert response.status == 200
    assert await ws_status(nobody, f"{guarded.url}r/lobby/ws", shown) == 101


async def test_a_wrong_link_gives_neither(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    async with nobody.get(f"{guarded.url}j/wrong", headers=PERSON, allow_redirects=False) as response:
        assert response.status == 401 and "Set-Cookie" not in response.headers
        page = await response.text()
        assert "That was not the token" in page and "wrong" not in page.lower().replace("was not the token", "")


async def test_the_host_s_link_is_not_undone_by_the_other(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    async with nobody.get(f"{guarded.url}j/{token(guarded, 'host-token')}", allow_redirects=False) as response:
        host = {"Cookie": cookie(response)}
    async with nobody.get(f"{guarded.url}j/{token(guarded)}", headers=host, allow_redirects=False) as response:
        assert response.status == 303 and "Set-Cookie" not in response.headers
    async with nobody.get(f"{guarded.url}j/{token(guarded)}", allow_redirects=False) as response:
        member = {"Cookie": cookie(response)}
    link = f"{guarded.url}j/{token(guarded, 'host-token')}"
    async with nobody.get(link, headers=member, allow_redirects=False) as response:
        assert cookie(response) == host["Cookie"]


async def test_a_person_gets_a_page_and_a_program_a_challenge(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    async with nobody.get(f"{guarded.url}r/lab?lang=zh-CN&a=%22", headers=PERSON) as response:
        assert response.status == 401 and response.content_type == "text/html"
        assert "WWW-Authenticate" not in response.headers
        assert "form-action 'self'" in response.headers["Content-Security-Policy"]
        page = await response.text()
        assert '<html lang="zh-CN">' in page and 'value="/r/lab?lang=zh-CN&amp;a=%22"' in page
    for headers, challenged in (
        ({}, True),
        ({"Accept": "application/json"}, True),
        ({"Accept-Language": "en"}, False),
        ({"Sec-Fetch-Mode": "cors"}, False),
    ):
        async with nobody.get(f"{guarded.url}rooms", headers=headers) as response:
            assert ("WWW-Authenticate" in response.headers) is challenged, headers


async def test_the_form_leads_to_where_its_reader_wanted_to_go(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    for to, found in (
        ("/r/lab?a=1", "/r/lab?a=1"),
        ("/r/%E6%95%99%E5%AE%A4", "/r/%E6%95%99%E5%AE%A4"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
    ):
        form = {"token": f" {token(guarded)}\n", "to": to}
        async with nobody.post(f"{guarded.url}j", data=form, headers=PERSON, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, found), to
            assert "Set-Cookie" in response.headers
    async with nobody.post(f"{guarded.url}j", data={"token": "x", "to": "/r/lab"}, headers=PERSON) as response:
        assert response.status == 401
        page = await response.text()
        assert "That was not the token" in page and 'value="/r/lab"' in page
    async with nobody.post(f"{guarded.url}j", data={"token": "x" * 5000}) as response:
        assert response.status == 413


async def test_a_foreign_page_cannot_post_the_form(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    for foreign in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        async with nobody.post(f"{guarded.url}j", data={"token": token(guarded)}, headers=foreign) as response:
            assert response.status == 403 and "Set-Cookie" not in response.headers


async def test_a_token_in_the_address_bar_does_not_stay_there(guarded: Server, nobody: aiohttp.ClientSession) -> None:
    for path, found in (("r/lab?a=1&token={}&b=2", "/r/lab?a=1&b=2"), ("/evil.example/?token={}", "/")):
        url = guarded.url + path.format(token(guarded))
        async with nobody.get(url, headers=PERSON, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, found)
            assert "Set-Cookie" in response.headers
    async with nobody.get(f"{guarded.url}r/lab?token={token(guarded)}") as response:
        assert response.status == 200, "a program asked for it so, and shall have it so"


async def test_where_nobody_is_asked_a_link_leads_in_too(server: Server, nobody: aiohttp.ClientSession) -> None:
    async with nobody.get(f"{server.url}j/an-old-token-of-some-day", allow_redirects=False) as response:
        assert response.status == 303 and "Set-Cookie" not in response.headers
    async with nobody.get(f"{server.url}j/{token(server, 'host-token')}", allow_redirects=False) as response:
        assert "Set-Cookie" in response.headers, "the host is known by his own, also on this machine"


BEHIND = {"X-Forwarded-For": "203.0.113.5"}


async def test_nine_wrong_ones_and_only_the_cookie_counts(
    serve: Callable[..., Awaitable[Server]], nobody: aiohttp.ClientSession
) -> None:
    server = await serve(token=True, proxy=("127.0.0.1",))
    link = f"{server.url}j/{token(server)}"
    async with nobody.get(link, headers=BEHIND, allow_redirects=False) as response:
        inside = {"Cookie": cookie(response)}
    for number in range(9):
        headers = {"Authorization": f"Bearer {number}"} if number % 2 else {}
        async with nobody.get(f"{server.url}rooms?token=n{number // 2}", headers=BEHIND | headers) as response:
            assert response.status == 401
    async with nobody.get(link, headers=BEHIND, allow_redirects=False) as response:
        assert response.status == 429
        assert 86_000 < int(response.headers["Retry-After"]) <= 86_400
        assert "too many wrong tokens" in await response.text()
    for language, words in (("en", "None is looked at for another 24 h."), ("zh-CN,zh", "请 24 小时后再来。")):
        person = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": language}
        async with nobody.get(link, headers=BEHIND | person, allow_redirects=False) as response:
            assert (response.status, response.content_type) == (429, "text/html")
            assert 86_000 < int(response.headers["Retry-After"]) <= 86_400
            assert words in await response.text() and "Content-Security-Policy" in response.headers
    async with nobody.get(f"{server.url}rooms", headers=BEHIND | {"Authorization": f"Bearer {token(server)}"}) as one:
        assert one.status == 429, "the right one too, or guessing would go on"
    for more, status in ((inside, 200), (inside | {"Authorization": "Bearer x"}, 200), ({}, 401)):
        async with nobody.get(f"{server.url}rooms", headers=BEHIND | more) as response:
            assert response.status == status, "who is in stays in"
    async with nobody.get(f"{server.url}healthz?token=x", headers=BEHIND) as response:
        assert response.status == 200
    async with nobody.get(link, headers={"X-Forwarded-For": "203.0.113.6"}, allow_redirects=False) as response:
        assert response.status == 303, "another address has guessed nothing"
    member = {"Authorization": f"Bearer {token(server)}", "X-Forwarded-For": "203.0.113.6"}
    async with nobody.get(f"{server.url}metrics", headers=member) as response:
        # Each that was looked at, also the one that was shown again beside another.
        assert re.search(r"^roombridge_wrong_tokens_total 13\.0$", await response.text(), re.MULTILINE)
