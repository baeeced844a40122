"""The page and its parts, as a browser asks for them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from bridge import gate
from bridge.server import Server, web_folder
from bridge.transports.web.guard import PAGE_POLICY
from bridge.transports.web.page import LANGUAGES
from tests.support.peers import BrowserPeer, ask, entries

STATIC = web_folder() / "static"
JSON = {"Accept": "application/json"}


class Page(HTMLParser):
    """What a page holds: every element with its attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What was said last, as the script takes it over."""
        return [json.loads(one["data-json"] or "") for one in self.all("li") if "data-json" in one]


async def page(session: aiohttp.ClientSession, url: str, **headers: str) -> Page:
    async with session.get(url, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        return Page(await response.text())


@pytest.mark.parametrize("room", ["lobby", "客厅", "A-b_9"])
async def test_the_root_leads_to_the_default_room(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, room: str
) -> None:
    server = await serve(room=room)
    async with session.get(server.url, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, f"/r/{quote(room)}")
    async with session.get(f"{server.url}?name=bob&lang=zh-CN", allow_redirects=False) as response:
        assert response.headers["Location"] == f"/r/{quote(room)}?name=bob&lang=zh-CN"
    assert (await page(session, server.url)).all("body")[0]["data-room"] == room


LANGUAGE = {
    "nothing": ({}, "", "en"),
    "English": ({"Accept-Language": "en-GB,en;q=0.9"}, "", "en"),
    "Chinese": ({"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, "", "zh-CN"),
    "any Chinese": ({"Accept-Language": "zh-Hant-TW"}, "", "zh-CN"),
    "in capitals": ({"Accept-Language": "ZH"}, "", "zh-CN"),
    "the first we have": ({"Accept-Language": "fr, de;q=0.9, zh;q=0.8, en;q=0.7"}, "", "zh-CN"),
    "none we have": ({"Accept-Language": "fr, de"}, "", "en"),
    "anything": ({"Accept-Language": "*"}, "", "en"),
    "nonsense": ({"Accept-Language": ";;,=;q="}, "", "en"),
    "a choice made once": ({"Accept-Language": "en", "Cookie": "lang=zh-CN"}, "", "zh-CN"),
    "a wish in the address": ({"Accept-Language": "zh", "Cookie": "lang=zh-CN"}, "?lang=en", "en"),
    "a wish we do not have": ({"Accept-Language": "zh"}, "?lang=tlh", "zh-CN"),
    "a choice we do not have": ({"Accept-Language": "zh", "Cookie": "lang=../../x"}, "", "zh-CN"),
}


async def test_the_page_speaks_the_language_that_was_asked_for(server: Server, session: aiohttp.ClientSession) -> None:
    for what, (headers, query, language) in LANGUAGE.items():
        got = await page(session, f"{server.url}r/lobby{query}", **headers)
        assert got.all("html")[0]["lang"] == language, what
        words = json.loads((STATIC / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
        (description,) = [one["content"] for one in got.all("meta") if one.get("name") == "description"]
        assert description == words["page.description"], what


async def test_the_page_runs_only_what_is_ours(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}r/lobby") as response:
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-cache"
        got = Page(await response.text())
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert policy == PAGE_POLICY
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert "unsafe" not in policy and "*" not in policy
    for script in got.all("script"):
        assert (script["src"] or "").startswith("/static/")
    for _, attributes in got.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


async def test_every_part_that_the_page_names_is_there(server: Server, session: aiohttp.ClientSession) -> None:
    got = await page(session, f"{server.url}r/lobby")
    parts = [one["src"] for one in got.all("script")]
    parts += [one["href"] for one in got.all("link")] + [one["src"] for one in got.all("img")]
    assert len(parts) > 3
    for part in parts:
        async with session.get(server.url.rstrip("/") + (part or "")) as response:
            assert response.status == 200, part


HOSTILE = [
    "<script>alert(1)</script>",
    "</li></ol><img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "&lt;b&gt;&amp;",
    "</script><!--",
    "\u2028 \u202e 👩‍👧 你好",
    "line\nline\ttab",
]


async def test_what_was_said_last_is_painted_first_and_runs_nothing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    plain = await page(session, f"{server.url}r/lobby")
    for text in HOSTILE:
        await session.post(server.url, data=text.encode(), headers={"X-Name": quote("<b>'\"&")})
    await session.put(f"{server.url}r/lobby/{quote('<i>.txt', safe='')}", data=b"x")
    got = await page(session, f"{server.url}r/lobby")
    said = await entries(session, server.url)
    assert got.entries == said
    assert [one["text"] for one in got.entries[:-1]] == HOSTILE
    for text in HOSTILE:
        assert text in got.text
    for tag in ("script", "svg", "b", "i"):
        assert len(got.all(tag)) == len(plain.all(tag))
    assert got.all("body")[0]["data-last-seq"] == str(said[-1]["seq"])
    links = [one["href"] for one in got.all("a")]
    assert said[-1]["file"]["url"] in links


async def test_the_page_holds_the_newest_fifty(server: Server, session: aiohttp.ClientSession) -> None:
    peer = await BrowserPeer.join(session, server.url, after=-1)
    await peer.send(*({"type": "say", "key": str(number), "text": str(number)} for number in range(70)))
    for _ in range(70):
        await peer.entry()
    got = await page(session, f"{server.url}r/lobby")
    assert [one["text"] for one in got.entries] == [str(number) for number in range(20, 70)]


async def test_the_page_knows_its_room_and_limits(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    server = await serve(max_file_bytes=12345)
    peer = await BrowserPeer.join(session, server.url, "厨房")
    body = (await page(session, f"{server.url}r/厨房")).all("body")[0]
    assert body["data-room"] == "厨房" and body["data-epoch"] == peer.hello["epoch"]
    assert (body["data-count"], body["data-last-seq"]) == ("1", "0")
    assert (body["data-text-max-bytes"], body["data-max-file-bytes"]) == (str(gate.TEXT_MAX_BYTES), "12345")


async def test_a_program_gets_the_rooms_description(server: Server, session: aiohttp.ClientSession) -> None:
    alice = await BrowserPeer.join(session, server.url, "厨房", name="alice", client="same")
    tab = await BrowserPeer.join(session, server.url, "厨房", client="same")
    await alice.say("k", "hi")
    entry = await alice.entry()
    async with session.get(f"{server.url}r/厨房", headers=JSON) as response:
        assert response.content_type == "application/json"
        about = await response.json()
    assert about.items() >= {"name": "厨房", "epoch": tab.hello["epoch"], "last_seq": entry["seq"]}.items()
    assert (about["seats"], about["count"]) == (2, 1)
    assert [peer["name"] for peer in about["peers"]] == [tab.hello["you"]["name"]]


async def test_a_browser_gets_the_page_whatever_else_it_accepts(server: Server, session: aiohttp.ClientSession) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    assert (await page(session, f"{server.url}r/lobby", Accept=accept)).all("body")
    assert (await page(session, f"{server.url}r/lobby", Accept="*/*")).all("body")


MIME = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


async def test_every_part_has_its_type_by_our_own_table(server: Server, session: aiohttp.ClientSession) -> None:
    parts = [path for path in STATIC.rglob("*") if path.is_file()]
    assert {path.suffix for path in parts} <= MIME.keys()
    for path in parts:
        async with session.get(f"{server.url}static/{path.relative_to(STATIC).as_posix()}") as response:
            assert response.status == 200, path
            assert response.headers["Content-Type"] == MIME[path.suffix], path
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-cache"
            assert await response.read() == path.read_bytes()


async def test_a_part_that_one_has_is_not_sent_again(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}static/main.js") as response:
        etag = response.headers["ETag"]
    async with session.get(f"{server.url}static/main.js", headers={"If-None-Match": etag}) as response:
        assert response.status == 304


TRAVERSAL = [
    "/static/../pyproject.toml",
    "/static/../bridge/server.py",
    "/static/../templates/room.html",
    "/static/..%2Ftemplates%2Froom.html",
    "/static/%2E%2E/templates/room.html",
    "/static/%2e%2e%2ftemplates%2froom.html",
    "/static/..%5Ctemplates%5Croom.html",
    "/static/%252e%252e%252ftemplates%252froom.html",
    "/static/....//templates/room.html",
    "/static/styles/../../templates/room.html",
    "/static//etc/passwd",
    "/static/%2Fetc%2Fpasswd",
    "/static/%2Fetc%2Fhosts.txt",
    "/static//usr/share/common-licenses/GPL-3.txt",
    "/static/file:///etc/passwd",
    "/static/",
    "/static/styles",
    "/static/styles/",
    "/static/nothing.js",
    "/static/main.js%00.css",
    "/static/%00",
    "/static/%00.js",
    "/static/a%0D%0Ab.js",
    "/static/%FF.js",
    "/static/%ED%A0%80.js",
    f"/static/{'x' * 300}.js",
    f"/static/{'x/' * 3000}a.js",
    "/static/main.js.gz",
    "/static/.git/config",
]


async def test_nothing_outside_the_page_is_ever_sent(server: Server) -> None:
    for path in TRAVERSAL:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        answer = await asyncio.to_thread(ask, server.address, request)
        assert answer.status in (400, 404, 405, 414), (path, answer.status)
        assert b"html" not in answer.body and b"root:" not in answer.body, path


async def test_a_link_out_of_the_folder_is_not_followed(
    serve: Callable[..., Awaitable[Server]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "web"
    shutil.copytree(STATIC.parent / "static", copy / "static")
    shutil.copytree(STATIC.parent / "templates", copy / "templates")
    (tmp_path / "secret.txt").write_text("secret")
    (copy / "static" / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr("bridge.server.web_folder", lambda: copy)
    server = await serve()
    for path, status in (("/static/link.txt", 404), ("/static/main.js", 200)):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        assert (await asyncio.to_thread(ask, server.address, request)).status == status


async def test_the_icon_is_found_where_browsers_look(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}favicon.ico") as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("room", ["a%20b", "a.b", "%3Cscript%3E", "x" * 65, "%F0%9F%8D%B3", "..%2F..%2Fetc"])
async def test_a_room_that_cannot_be_has_no_page(server: Server, session: aiohttp.ClientSession, room: str) -> None:
    async with session.get(URL(f"{server.url}r/{room}", encoded=True)) as response:
        assert response.status in (400, 404)
        assert response.content_type == "text/plain"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_languages_words_are_all_there(language: str) -> None:
    """A word that is missing would break the page only for those who read that language."""
    used = set(re.findall(r"t\['([^']+)'\]", (web_folder() / "templates" / "room.html").read_text(encoding="utf-8")))
    words = json.loads((STATIC / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
    assert used and used <= words.keys()
