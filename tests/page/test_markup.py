"""Markup from outside is text, however it comes in and wherever it is shown: nothing runs, nothing is fetched."""

from __future__ import annotations

import json
import socket
import struct
from contextlib import closing
from urllib.parse import quote

import aiohttp
import pytest

pytest.importorskip("playwright")
from playwright.async_api import Page, expect

from bridge.gate import clean_file_name
from tests.page.acts import datagrams, lines, post, put
from tests.support.process import Running

CORPUS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "\"><iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](http://room.lan/none.png)",
    "<math><mtext></math><mglyph><style><!--</style><img title='--><img src=x onerror=alert(1)>'>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>*{display:none}</style><base href=//evil.example>",
]
FOREIGN = (
    "img:not(.logo), script, iframe, svg:not(.icon):not(.badge-shape), style, base, math, "
    "a[href^='javascript'], a[href^='data']"
)


async def nothing_came_alive(page: Page) -> None:
    inside = page.locator(".room").locator(FOREIGN)
    assert await inside.count() == 0, await inside.first.evaluate("element => element.outerHTML")


async def said_by_websocket(house: Running, *texts: str) -> None:
    url = f"{house.url}r/lobby/ws?name={quote('<b>ws</b>')}&after=-1"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for number, text in enumerate(texts):
            await socket.send_str(json.dumps({"type": "say", "key": f"k{number}", "text": text}))
        for _ in range(100):
            if f'"k{len(texts) - 1}"' in (await socket.receive_str(timeout=10)):
                return
    raise AssertionError("never stored")


@pytest.mark.parametrize("way", ["udp", "tcp", "http", "websocket"])
async def test_what_is_said_is_shown_as_it_was_typed(visit, house: Running, way: str) -> None:
    page = await visit("alice")
    udp = datagrams(house)
    with closing(udp):
        match way:
            case "udp":
                for text in ("/nick <b>udp</b>", *CORPUS):
                    udp.sendto(text.encode(), house.address)
            case "tcp":
                await lines(house, "/nick <img src=x onerror=alert(1)>", *CORPUS)
            case "http":
                for text in CORPUS:
                    await post(house, text, sender="<svg/onload=alert(1)>")
            case "websocket":
                await said_by_websocket(house, *CORPUS)
        texts = page.locator(".bubble .text")
        for _ in range(2):  # as it comes, and as the server draws it
            await expect(texts).to_have_count(len(CORPUS))
            for text in CORPUS:
                if not text.startswith(("![", "&")):
                    await expect(texts.get_by_text(text, exact=True)).to_be_visible()
            await nothing_came_alive(page)
            await page.reload()
            await expect(page.locator(".room-switches")).to_be_visible()
        await page.keyboard.press("Alt+4")
        await page.get_by_label("Search this room").fill("alert")
        await expect(page.locator(".found-link")).to_have_count(sum("alert" in text for text in CORPUS))
        await nothing_came_alive(page)


async def test_names_of_files_are_names_and_no_more(visit, house: Running) -> None:
    page = await visit("alice")
    names = ["<img src=x onerror=alert(1)>.txt", "'\"><script>alert(1)<.bin", "[x](javascript:alert(1)).zip"]
    for one in names:
        await put(house, one, b"<script>alert(1)</script>", sender="<b>ci</b>")
    name = "&lt;svg onload=alert(1)&gt;'.csv"
    raw = json.dumps({"file_name": name, "file_size": 100, "sender": "<i>raw</i>"}).encode()
    with closing(socket.create_connection(house.address)) as sender:
        sender.sendall(struct.pack("<i", len(raw)) + raw + b"x" * 10)
        await expect(page.locator(".transfer .card-name")).to_have_text(name)
        sender.sendall(b"x" * 90)
        await expect(page.locator(".message .card-name")).to_have_count(4)
    shown = {clean_file_name(one) for one in (*names, name)}  # what no file system takes is replaced
    assert set(await page.locator(".message .card-name").all_inner_texts()) == shown
    await page.keyboard.press("Alt+2")
    await expect(page.locator(".file-link")).to_have_count(4)
    await page.get_by_role("button", name="Open _img").click()
    await expect(page.locator(".text-preview")).to_have_text("<script>alert(1)</script>")
    await nothing_came_alive(page)


async def test_a_name_in_every_list_is_text(visit, house: Running) -> None:
    page = await visit("<img src=x onerror=alert(1)>")
    with closing(datagrams(house, "/nick <script>alert(1)</script>", "hi")):
        await expect(page.locator(".rail .person-name bdi").first).to_have_text("<img src=x onerror=alert(1)>")
        await expect(page.locator(".message-name")).to_have_text("<script>alert(1)</script>")
        bob = await visit("<u>bob</u>")
        await bob.get_by_label("Write a message").press_sequentially("x")
        await expect(page.locator(".typing")).to_contain_text("<u>bob</u> is writing")
        await bob.context.close()
        await expect(page.locator(".person.gone bdi")).to_have_text("<u>bob</u>")
        await nothing_came_alive(page)
