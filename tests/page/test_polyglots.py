"""Files that are two things at once, opened in Chromium by their own address: nothing of what they hold runs."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from playwright.async_api import Browser, ConsoleMessage, Dialog, Error, Page, Request

from tests.support import observe
from tests.support.process import Running

PAGES = 3  # at once
RAN = "a script of a file ran"
TAGS = (
    f"<html><body onload=\"console.log('{RAN}')\"><script>console.log('{RAN}');alert(1)</script>"
    f"<img src=/nothing.png onerror=\"console.log('{RAN}')\"><svg onload=\"console.log('{RAN}')\"></svg>"
    f"<iframe srcdoc=\"<script>console.log('{RAN}')</script>\"></iframe>"
    "<script src=/ran.js></script></body></html>"
)
HTML = TAGS.encode()
SVG = (
    f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"console.log('{RAN}')\">"
    f"<script>console.log('{RAN}')</script></svg>"
)
XSLT = (
    "<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='#s'?><x><xsl:stylesheet id='s' version='1.0' "
    "xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
    f"<xsl:template match='/'>{TAGS}</xsl:template></xsl:stylesheet></x>"
)
PDF = (
    f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(console.println('{RAN}');"
    "app.alert(1))>>>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj trailer<</Root 1 0 R>>\n"
)
HEADS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "jpg": b"\xff\xd8\xff\xfe\x10\0",
    "gif": b"GIF89a/*\0\0\0\0*/=1;",
    "webp": b"RIFF\xff\0\0\0WEBPVP8 ",
    "avif": b"\0\0\0\x1cftypavif",
    "mp4": b"\0\0\0\x18ftypmp42",
    "webm": b"\x1aE\xdf\xa3",
    "ogg": b"OggS\0\x02",
    "mp3": b"ID3\x03\0\0\0\0\0\x7f",
    "wav": b"RIFF\xff\0\0\0WAVEfmt ",
    "flac": b"fLaC\0\0\0\x22",
    "pdf": PDF.encode(),
}
"""What a name promises that is shown, and how such a file begins."""
OTHERS = {
    "page.html": HTML,
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml">' + HTML.removeprefix(b"<html>"),
    "picture.svg": SVG.encode(),
    "picture.svgz": gzip.compress(SVG.encode()),
    "style.xml": XSLT.encode(),
    "mail.mht": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + HTML,
    "code.js": f"console.log('{RAN}')".encode(),
    "data.json": HTML,
    "noname": HTML,
    "a.png.html": HTML,
    "a.html.png": HTML,
    "text.txt": HTML,
    "svg.txt": SVG.encode(),
    "utf7.txt": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "utf16.txt": b"\xff\xfe" + TAGS.encode("utf-16-le"),
    "bom.txt": b"\xef\xbb\xbf" + HTML,
    "data.txt": b"data:text/html;base64," + base64.b64encode(HTML),
}


def polyglots() -> Iterator[tuple[str, bytes]]:
    for suffix, head in HEADS.items():
        yield f"bare.{suffix}", HTML
        yield f"both.{suffix}", head + HTML
    yield from OTHERS.items()


class Watch:
    """What a page did that only a script does."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("console", self._hear)
        page.on("dialog", self._dismiss)
        page.on("request", self._request)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.text == RAN:  # Chromium itself says a lot about what it refused
            self.seen.append(RAN)

    async def _dismiss(self, dialog: Dialog) -> None:
        self.seen.append(dialog.message)
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        if request.url.endswith("/ran.js"):
            self.seen.append("a script was asked for")


async def test_no_file_runs_on_our_origin(browser: Browser, house: Running) -> None:
    def put() -> dict[str, str]:
        said = {}
        for name, content in polyglots():
            answer = observe.fetch(house.address, "PUT", f"/{quote(name)}", content, Accept="application/json")
            said[name] = json.loads(answer[2])["file"]["url"]
        return said

    urls = await asyncio.to_thread(put)
    assert len(urls) >= 40
    context = await browser.new_context()

    async def look(number: int) -> None:
        page = await context.new_page()
        watch = Watch(page)
        await page.set_content(TAGS)
        assert RAN in watch.seen, "it would be noticed"
        for name, url in list(urls.items())[number::PAGES]:
            watch.seen.clear()
            with suppress(Error):  # nothing to show: it is saved
                await page.goto(f"http://room.lan:{house.port}{url}")
                opened.append(name)
            assert watch.seen == [], name

    opened: list[str] = []
    await asyncio.gather(*(look(number) for number in range(PAGES)))
    assert "both.png" in opened and "page.html" not in opened
    await context.close()
