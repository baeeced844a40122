"""Small pictures over HTTP, and how large the real ones are said to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from bridge.server import Server
from tests.support.peers import eventually
from tests.support.pictures import bomb, opened, photograph, picture

AUTHOR = {"X-Client": "secret", "Accept": "application/json"}


async def put(server: Server, session: aiohttp.ClientSession, name: str, content: bytes) -> dict[str, Any]:
    async with session.put(f"{server.url}{name}", data=content, headers=AUTHOR) as response:
        assert response.status == 201, await response.text()
        return (await response.json())["file"]


async def test_a_picture_is_measured_when_it_comes_and_made_small_when_it_is_looked_at(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    file = await put(server, session, "a.png", photograph())
    assert (file["media_type"], file["width"], file["height"]) == ("image/jpeg", 1000, 1600), "as it is, and is shown"
    thumbs = tmp_path / "data" / "thumbs"
    assert not list(thumbs.iterdir())
    url = f"{server.url}thumbs/{file['id']}"
    async with session.get(url) as response:
        assert (response.status, response.content_type) == (200, "image/webp")
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("sandbox")
        made, tag = await response.read(), response.headers["ETag"]
    assert opened(made).size == (500, 800)
    async with session.get(url, headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with session.head(url) as response:
        assert (response.status, response.content_length) == (200, len(made))
    async with session.delete(f"{server.url.rstrip('/')}{file['url']}", headers=AUTHOR) as response:
        assert response.status == 200
    async with session.get(url) as response:
        assert response.status == 404
    await eventually(lambda: not [path for path in thumbs.rglob("*") if path.is_file()])


async def test_of_what_is_no_picture_or_too_large_there_is_none(server: Server, session: aiohttp.ClientSession) -> None:
    for name, content, measured in (
        ("a.txt", b"hello", None),
        ("a.svg", b"<svg width='9' height='9'/>", None),
        ("a.png", b"hello", None),
        ("b.png", bomb(), (30_000, 30_000)),
        ("c.png", picture(size=(900, 600))[:100], (900, 600)),
    ):
        file = await put(server, session, name, content)
        assert (file.get("width"), file.get("height")) == (measured or (None, None)), name
        assert ("width" in file) == bool(measured)
        async with session.get(f"{server.url}thumbs/{file['id']}") as response:
            assert (response.status, (await response.text()).split(":")[0]) == (404, "not_found"), name
    async with session.get(f"{server.url}thumbs/{'0' * 32}") as response:
        assert response.status == 404
