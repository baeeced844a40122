"""A room's files as one ZIP, as every program unpacks it."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from bridge.server import Server
from bridge.transports.web import archive
from bridge.transports.web.archive import named_apart
from tests.support.nouns import file
from tests.support.program import done, tool


async def put(session: aiohttp.ClientSession, server: Server, name: str, content: bytes, room: str = "lobby") -> str:
    headers = {"Accept": "application/json"}
    async with session.put(
        f"{server.url}r/{room}/{quote(name)}", data=io.BytesIO(content), headers=headers
    ) as response:
        return (await response.json())["file"]["id"]


async def fetch(session: aiohttp.ClientSession, server: Server, query: str = "", room: str = "lobby") -> bytes:
    async with session.get(f"{server.url}r/{room}/files.zip{query}") as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "application/zip"
        body = await response.read()
        assert response.headers["Content-Length"] == str(len(body))
        return body


def unpacked(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as made:
        assert made.testzip() is None
        return {name: made.read(name) for name in made.namelist()}


async def test_a_rooms_files_are_one_archive(server: Server, session: aiohttp.ClientSession) -> None:
    sent = {"报告.pdf": b"x" * 1_000_000, "a b.txt": b"hello", "👩‍👧.png": os.urandom(700_000), "empty": b""}
    for name, content in sent.items():
        await put(session, server, name, content)
    await put(session, server, "other.txt", b"other", room="lab")
    async with session.post(server.url, data=b"a text is no file"):
        pass
    assert unpacked(await fetch(session, server)) == sent
    assert unpacked(await fetch(session, server, room="lab")) == {"other.txt": b"other"}
    async with session.head(f"{server.url}r/lobby/files.zip") as response:
        assert response.headers["Content-Disposition"].endswith("filename*=UTF-8''lobby.zip")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_some_of_them_are_chosen_by_id(server: Server, session: aiohttp.ClientSession) -> None:
    ids = [await put(session, server, f"{number}.txt", b"%d" % number) for number in range(3)]
    assert unpacked(await fetch(session, server, f"?id={ids[0]}&id={ids[2]}")) == {"0.txt": b"0", "2.txt": b"2"}
    other = await put(session, server, "other.txt", b"", room="lab")
    for query in ("?id=none", f"?id={ids[0]}&id={other}"):
        async with session.get(f"{server.url}r/lobby/files.zip{query}") as response:
            assert response.status == 404


async def test_a_room_without_files_has_no_archive(server: Server, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{server.url}r/lobby/files.zip") as response:
        assert response.status == 404 and "no files" in await response.text()
    async with session.get(f"{server.url}r/no room/files.zip") as response:
        assert response.status == 400


def test_names_that_are_the_same_are_told_apart() -> None:
    names = ["a.txt", "A.TXT", "a.txt", "a (2).txt", ".bashrc", ".bashrc", "a", "a", "报告.pdf", "报告.pdf", "x.tar.gz"]
    assert [name for name, _ in named_apart(file(name=name) for name in names)] == [
        "a.txt",
        "A (2).TXT",
        "a (3).txt",
        "a (2) (2).txt",
        ".bashrc",
        ".bashrc (2)",
        "a",
        "a (2)",
        "报告.pdf",
        "报告 (2).pdf",
        "x.tar.gz",
    ]


async def test_unzip_takes_it_too(server: Server, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    await put(session, server, "a.txt", b"first")
    await put(session, server, "a.txt", b"second")
    (tmp_path / "all.zip").write_bytes(await fetch(session, server))
    python = await asyncio.to_thread(done, tool("python3"), "-m", "zipfile", "-t", tmp_path / "all.zip")
    assert b"Done testing" in python.stdout
    assert unpacked((tmp_path / "all.zip").read_bytes()) == {"a.txt": b"first", "a (2).txt": b"second"}


async def test_what_is_gone_is_left_out_and_what_goes_meanwhile_breaks_it_off(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await put(session, server, "first.bin", os.urandom(20_000_000))
    second = await put(session, server, "second.bin", b"x")
    third = await put(session, server, "third.bin", b"y")
    (tmp_path / "data" / "files" / third[:2] / third).unlink()
    async with session.get(f"{server.url}r/lobby/files.zip") as response:
        await response.content.readexactly(1000)
        (tmp_path / "data" / "files" / second[:2] / second).unlink()
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    assert unpacked(await fetch(session, server)).keys() == {"first.bin"}
    assert first


async def test_it_is_made_in_pieces(server: Server, session: aiohttp.ClientSession, monkeypatch) -> None:
    """A reader that stops is waited for: no more than some pieces are read ahead of it."""
    await put(session, server, "big.bin", os.urandom(30_000_000))
    gathered = 0
    real = archive._gathered

    def counted(pieces):
        nonlocal gathered
        piece = real(pieces)
        gathered += len(piece)
        return piece

    monkeypatch.setattr(archive, "_gathered", counted)
    async with session.get(f"{server.url}r/lobby/files.zip") as response:
        await response.content.readexactly(1000)
        for _ in range(50):
            await asyncio.sleep(0.01)
        assert gathered < 20_000_000
        response.close()
