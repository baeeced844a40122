"""Files over HTTP, as conversations with a running server."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import socket
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import aiohttp
import pytest
from yarl import URL

from bridge.server import Server
from bridge.transports.web.served import FILE_POLICY
from tests.support.observe import inodes
from tests.support.peers import PATIENCE_S, BrowserPeer, ask, entries, eventually

JSON = {"Accept": "application/json"}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stored(data: Path) -> list[Path]:
    """Every file that holds bytes of a user, whole or in part."""
    return [path for folder in ("parts", "files") for path in (data / folder).rglob("*") if path.is_file()]


async def put(
    session: aiohttp.ClientSession, server: Server, path: str, content: bytes | AsyncIterator[bytes], **headers: str
) -> Any:
    """PUT, and the entry; `path` is sent as it is."""
    named = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    url = URL(server.url.rstrip("/") + path, encoded=True)
    body = io.BytesIO(content) if isinstance(content, bytes) else content
    async with session.put(url, data=body, headers=named) as response:
        assert response.status in (200, 201), await response.text()
        return await response.json()


# In


async def test_a_put_is_answered_with_one_line_that_is_the_files_url(
    server: Server, session: aiohttp.ClientSession
) -> None:
    async with session.put(f"{server.url}r/lobby/报告.pdf", data=b"x" * 123) as response:
        assert response.status == 201
        assert response.content_type == "text/plain"
        line = await response.text()
    (entry,) = await entries(session, server.url)
    url = server.url.rstrip("/") + entry["file"]["url"]
    assert line == f"{url}\n" and response.headers["Location"] == url
    assert url.endswith(f"/files/{entry['file']['id']}/%E6%8A%A5%E5%91%8A.pdf")
    async with session.get(URL(url, encoded=True)) as response:
        assert await response.read() == b"x" * 123


async def test_a_put_is_answered_with_the_entry_for_those_who_accept_json(
    server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    async with session.put(f"{server.url}r/lobby/a.txt", data=b"abc", headers={**JSON, "X-Name": "小明"}) as response:
        assert (response.status, response.content_type) == (201, "application/json")
        entry = await response.json()
        assert response.headers["Location"] == server.url.rstrip("/") + entry["file"]["url"]
    assert await browser.entry() == entry
    assert entry.keys() == {"type", "seq", "at", "room", "key", "from", "file"}
    assert entry["from"].items() >= {"name": "小明", "via": "http"}.items()
    assert entry["file"] == {
        "id": entry["file"]["id"],
        "name": "a.txt",
        "size": 3,
        "sha256": digest(b"abc"),
        "media_type": "text/plain",
        "url": f"/files/{entry['file']['id']}/a.txt",
    }


async def test_the_url_is_by_the_name_that_was_asked(server: Server, session: aiohttp.ClientSession) -> None:
    host = f"localhost:{server.address[1]}"
    async with session.put(f"{server.url}a.txt", data=b"abc", headers={"Host": host}) as response:
        assert (await response.text()).startswith(f"http://{host}/files/")


PATHS: dict[str, tuple[str, dict[str, str], str, str]] = {
    "a name in a room": ("/r/kitchen/a.txt", {}, "kitchen", "a.txt"),
    "a name in the default room": ("/a.txt", {}, "lobby", "a.txt"),
    "no name": ("/r/kitchen/", {}, "kitchen", "upload"),
    "no name in the default room": ("/", {}, "lobby", "upload"),
    "a name in a header": ("/r/kitchen/", {"X_Filename": "b.txt"}, "kitchen", "b.txt"),
    "a name in a header, percent-encoded": ("/", {"X_Filename": quote("报告.pdf")}, "lobby", "报告.pdf"),
    "a name in a header, UTF-8": ("/", {"X_Filename": "报告.pdf"}, "lobby", "报告.pdf"),
    "the path before the header": ("/a.txt", {"X_Filename": "b.txt"}, "lobby", "a.txt"),
    "percent-encoded Chinese": (f"/r/{quote('厨房')}/{quote('报告.pdf')}", {}, "厨房", "报告.pdf"),
    "a percent-encoded percent": ("/100%25.txt", {}, "lobby", "100%.txt"),
    "a percent-encoded question mark": ("/what%3F.txt", {}, "lobby", "what_.txt"),
    "a query is no name": ("/a.txt?b=c", {}, "lobby", "a.txt"),
    "a space": ("/a%20b.txt", {}, "lobby", "a b.txt"),
    "a plus": ("/a+b.txt", {}, "lobby", "a+b.txt"),
    "slashes": ("/r/kitchen/deep/in/it.txt", {}, "kitchen", "it.txt"),
    "percent-encoded slashes": ("/r/kitchen/..%2F..%2Fetc%2Fpasswd", {}, "kitchen", "passwd"),
    "a percent-encoded slash in the default room": ("/..%2Fpasswd", {}, "lobby", "passwd"),
    "backslashes": ("/..%5C..%5Cwin.ini", {}, "lobby", "win.ini"),
    "dots": ("/r/kitchen/%2E%2E", {}, "kitchen", "file"),
    "a slash at its end": ("/r/kitchen/folder/", {}, "kitchen", "file"),
    "line breaks": ("/a%0D%0Ab.txt", {}, "lobby", "ab.txt"),
    "no UTF-8": ("/caf%E9.txt", {}, "lobby", "caf%E9.txt"),
    "the name of a page": ("/r/kitchen/entries", {}, "kitchen", "entries"),
    "a device": ("/NUL.txt", {}, "lobby", "NUL_.txt"),
    "too long": (f"/{'x' * 300}.txt", {}, "lobby", f"{'x' * 196}.txt"),
}


async def test_a_file_is_named_by_its_path_or_a_header(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    for what, (path, headers, room, name) in PATHS.items():
        entry = await put(session, server, path, b"x", **headers)
        assert (entry["room"], entry["file"]["name"]) == (room, name), what
        async with session.get(URL(server.url.rstrip("/") + entry["file"]["url"], encoded=True)) as response:
            assert await response.read() == b"x", what
    names = {path.name for path in stored(tmp_path / "data")}
    assert len(names) == len(PATHS) and all(len(name) == 32 for name in names)


async def test_a_header_that_is_no_utf8_names_nothing(server: Server, session: aiohttp.ClientSession) -> None:
    head = (
        b"PUT / HTTP/1.1\r\nHost: localhost\r\nX-Filename: caf\xe9\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    )
    answer = await asyncio.to_thread(ask, server.address, head)
    assert answer.status == 400
    assert await entries(session, server.url) == []


async def test_a_put_to_a_room_without_slash_names_what_is_missing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """`curl -T FILE URL` leaves the name out unless the URL ends in a slash."""
    async with session.put(f"{server.url}r/lobby", data=b"x") as response:
        assert response.status == 404
        assert "slash" in await response.text()
    assert await entries(session, server.url) == []


@pytest.mark.parametrize("content", [b"", b"x", b"\0\xff" * 500_000], ids=len)
async def test_a_body_of_any_size_is_a_file_with_or_without_its_length(
    server: Server, session: aiohttp.ClientSession, content: bytes
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 70_000):
            yield content[start : start + 70_000]

    for body in (content, chunks()):
        async with session.put(f"{server.url}a.bin", data=body, headers=JSON) as response:
            assert response.status == 201
            file = (await response.json())["file"]
        assert (file["size"], file["sha256"]) == (len(content), digest(content))
        async with session.get(server.url.rstrip("/") + file["url"]) as response:
            assert await response.read() == content
            assert response.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("content_type", ["text/html", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_body_calls_itself_does_not_matter(
    server: Server, session: aiohttp.ClientSession, content_type: str
) -> None:
    entry = await put(session, server, "/a.png", b"a=b", Content_Type=content_type)
    assert entry["file"]["media_type"] == "image/png" and entry["file"]["size"] == 3


async def test_a_repeated_key_keeps_the_first_file(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    headers = {"X-Client": "secret", "X-Key": "k1"}
    async with session.put(f"{server.url}a.txt", data=b"first", headers=headers) as response:
        assert response.status == 201
        line = await response.text()
    async with session.put(f"{server.url}b.txt", data=b"second", headers=headers) as response:
        assert (response.status, await response.text()) == (200, line)
        assert response.headers["Location"] == line.strip()
    (entry,) = await entries(session, server.url)
    assert entry["key"] == "k1"
    ended: dict[str, tuple[str, str | None]] = {}
    while len(ended) < 2:
        one = await browser.until(type="transfer")
        if one["state"] != "receiving":
            ended[one["name"]] = one["state"], one["reason"]
    assert ended == {"a.txt": ("done", None), "b.txt": ("done", "it was here already, under the same key")}
    await eventually(lambda: [path.name for path in stored(tmp_path / "data")] == [entry["file"]["id"]])
    async with session.get(line.strip()) as response:
        assert await response.read() == b"first"


async def test_a_transfer_is_shown_while_it_comes(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    go_on = asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        yield b"abc"
        await go_on.wait()
        yield b"def"

    sending = asyncio.create_task(put(session, server, "/a.txt", halves(), X_Name="小明"))
    half = await browser.until(type="transfer", received=3)
    assert (half["name"], half["size"], half["state"]) == ("a.txt", None, "receiving")
    assert half["from"]["name"] == "小明" and half["from"]["via"] == "http"
    go_on.set()
    entry = await sending
    done = await browser.until(type="transfer", state="done")
    assert (done["id"], done["received"]) == (entry["file"]["id"], 6)


@pytest.mark.parametrize("head", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_sender_that_breaks_off_leaves_only_a_failed_transfer(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, head: str
) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with socket.create_connection(server.address, PATIENCE_S) as sender:
        body = "a\r\n0123456789\r\n" if "chunked" in head else "0123456789"
        sender.sendall(f"PUT /a.txt HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n{body}".encode())
        await browser.until(type="transfer", received=10)
    failed = await browser.until(type="transfer", state="failed")
    of = " of 100" if "Length" in head else ""
    assert failed["reason"] == f"the sender broke off after 10{of} bytes"
    await eventually(lambda: not stored(tmp_path / "data"))
    assert await entries(session, server.url) == []


async def test_a_digest_that_is_said_is_checked_before_anybody_is_shown_the_file(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    assert (await put(session, server, "/a", b"abc", X_Sha256=digest(b"abc").upper()))["file"]["size"] == 3
    for wrong in (digest(b"abd"), "abc", ""):
        async with session.put(f"{server.url}b", data=b"abc", headers={"X-Sha256": wrong}) as response:
            assert response.status == 400
            assert "sha256" in await response.text()
    assert [entry["file"]["name"] for entry in await entries(session, server.url)] == ["a"]
    await eventually(lambda: len(stored(tmp_path / "data")) == 1)


async def test_a_file_that_is_too_large_is_refused_before_it_comes(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    server = await serve(max_file_bytes=1000)
    head = b"PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\nConnection: close\r\n\r\n"
    answer = await asyncio.to_thread(ask, server.address, head)
    assert answer.status == 413
    assert answer.body == b"too_large: 1001 bytes, at most 1000 (--max-file-bytes)\n"
    assert (await put(session, server, "/a", b"x" * 1000))["file"]["size"] == 1000
    assert len(stored(tmp_path / "data")) == 1


async def test_a_file_that_grows_too_large_is_refused_on_its_way(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    server = await serve(max_file_bytes=1000)
    browser = await BrowserPeer.join(session, server.url)
    body = b"".join(b"64\r\n%s\r\n" % (b"x" * 100) for _ in range(11)) + b"0\r\n\r\n"
    head = b"PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = await asyncio.to_thread(ask, server.address, head + body)
    assert answer.status == 413
    failed = await browser.until(type="transfer", state="failed")
    assert "at most 1000" in failed["reason"]
    await eventually(lambda: not stored(tmp_path / "data"))
    assert await entries(session, server.url) == []


async def test_many_files_at_once_are_files_of_their_own(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    contents = [b"%02d" % number * 50_000 for number in range(30)]
    made = await asyncio.gather(*(put(session, server, "/same.txt", content) for content in contents))
    assert [entry["file"]["sha256"] for entry in made] == [digest(content) for content in contents]
    assert len({entry["file"]["id"] for entry in made}) == len(stored(tmp_path / "data")) == 30


# Out

CONTENT = bytes(range(256)) * 4
RANGES: dict[str, tuple[str | None, int, bytes, str | None]] = {
    "none": (None, 200, CONTENT, None),
    "the first byte": ("bytes=0-0", 206, CONTENT[:1], "bytes 0-0/1024"),
    "the middle": ("bytes=10-19", 206, CONTENT[10:20], "bytes 10-19/1024"),
    "from a place on": ("bytes=1000-", 206, CONTENT[1000:], "bytes 1000-1023/1024"),
    "the last byte": ("bytes=1023-1023", 206, CONTENT[1023:], "bytes 1023-1023/1024"),
    "the last few": ("bytes=-3", 206, CONTENT[-3:], "bytes 1021-1023/1024"),
    "more than there is": ("bytes=1000-9999", 206, CONTENT[1000:], "bytes 1000-1023/1024"),
    "the last more than there are": ("bytes=-9999", 206, CONTENT, "bytes 0-1023/1024"),
    "all of it": ("bytes=0-", 206, CONTENT, "bytes 0-1023/1024"),
    "behind its end": ("bytes=1024-", 416, b"", "bytes */1024"),
    "far behind its end": ("bytes=99999-100000", 416, b"", "bytes */1024"),
}


@pytest.fixture
async def blob(server: Server, session: aiohttp.ClientSession) -> str:
    """The URL of a file of 1,024 bytes."""
    entry = await put(session, server, "/a.bin", CONTENT)
    return server.url.rstrip("/") + entry["file"]["url"]


async def test_a_file_is_given_whole_or_in_ranges(session: aiohttp.ClientSession, blob: str) -> None:
    for what, (wanted, status, content, told) in RANGES.items():
        async with session.get(blob, headers={"Range": wanted} if wanted else {}) as response:
            assert response.status == status, what
            assert response.headers.get("Content-Range") == told, what
            if status != 416:
                assert await response.read() == content, what
                assert response.headers["Accept-Ranges"] == "bytes"
                assert response.headers["Content-Length"] == str(len(content))
                assert response.headers["ETag"] == f'"{digest(CONTENT)}"'


async def test_a_head_is_a_get_without_the_bytes(session: aiohttp.ClientSession, blob: str) -> None:
    async with session.get(blob) as response:
        wanted = {name: value for name, value in response.headers.items() if name != "Date"}
        await response.read()
    async with session.head(blob) as response:
        assert response.status == 200
        assert {name: value for name, value in response.headers.items() if name != "Date"} == wanted
        assert await response.read() == b""
    async with session.head(blob.replace("/files/", "/files/0")) as response:
        assert response.status == 404


async def test_a_file_without_bytes_is_given_too(server: Server, session: aiohttp.ClientSession) -> None:
    entry = await put(session, server, "/empty.txt", b"")
    url = server.url.rstrip("/") + entry["file"]["url"]
    async with session.get(url) as response:
        assert (response.status, await response.read()) == (200, b"")
    async with session.get(url, headers={"Range": "bytes=0-"}) as response:
        assert response.status == 416


SAME = f'"{digest(CONTENT)}"'
OTHER = f'"{digest(b"other")}"'
LONG_AGO = "Wed, 01 Jan 2020 00:00:00 GMT"
SOME_DAY = "Wed, 01 Jan 2120 00:00:00 GMT"
CONDITIONS: dict[str, tuple[dict[str, str], int]] = {
    "I have it": ({"If-None-Match": SAME}, 304),
    "I have it, weakly": ({"If-None-Match": f"W/{SAME}"}, 304),
    "I have it or another": ({"If-None-Match": f"{OTHER}, {SAME}"}, 304),
    "I have some": ({"If-None-Match": "*"}, 304),
    "I have another": ({"If-None-Match": OTHER}, 200),
    "I have it, and want a part": ({"If-None-Match": SAME, "Range": "bytes=0-1"}, 304),
    "I have another, and want a part": ({"If-None-Match": OTHER, "Range": "bytes=0-1"}, 206),
    "only this": ({"If-Match": SAME}, 200),
    "only some": ({"If-Match": "*"}, 200),
    "only another": ({"If-Match": OTHER}, 412),
    "a part of this": ({"If-Range": SAME, "Range": "bytes=0-1"}, 206),
    "a part of another": ({"If-Range": OTHER, "Range": "bytes=0-1"}, 200),
    "a part of this, weakly": ({"If-Range": f"W/{SAME}", "Range": "bytes=0-1"}, 200),
    "a part of what was then": ({"If-Range": SOME_DAY, "Range": "bytes=0-1"}, 200),
    "a part behind the end of another": ({"If-Range": OTHER, "Range": "bytes=9999-"}, 200),
    "if changed since": ({"If-Modified-Since": SOME_DAY}, 200),
    "if not changed since": ({"If-Unmodified-Since": LONG_AGO}, 200),
}


async def test_conditions_are_about_the_digest(session: aiohttp.ClientSession, blob: str) -> None:
    """Content never changes under an id, so dates say nothing."""
    for what, (headers, status) in CONDITIONS.items():
        async with session.get(blob, headers=headers) as response:
            assert response.status == status, what
            body = await response.read()
            assert body == {200: CONTENT, 206: CONTENT[:2], 304: b"", 412: b""}[status], what
            if status != 412:
                assert response.headers["ETag"] == SAME, what
                assert response.headers["Cache-Control"] == "private, no-cache"


async def test_the_id_decides_and_the_name_is_for_people(
    server: Server, session: aiohttp.ClientSession, blob: str
) -> None:
    head, _, _ = blob.rpartition("/")
    for name in ("", "another.html", "a/b/c", "%2E%2E%2Fx"):
        async with session.get(URL(f"{head}/{name}", encoded=True)) as response:
            assert (response.status, await response.read()) == (200, CONTENT), name
            assert "html" not in response.headers["Content-Type"]


@pytest.mark.parametrize(
    "path", ["files/", "files/x", "files/../log.sqlite3/x", "files/%2E%2E%2Flog.sqlite3/x", "files/0/x", "files//x"]
)
async def test_what_is_no_id_is_not_found(server: Server, path: str) -> None:
    request = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = await asyncio.to_thread(ask, server.address, request)
    assert answer.status in (404, 405)


SHOWN = {
    "a.png": "image/png",
    "a.JPG": "image/jpeg",
    "a.gif": "image/gif",
    "a.webp": "image/webp",
    "a.mp4": "video/mp4",
    "a.mp3": "audio/mpeg",
    "a.pdf": "application/pdf",
    "a.txt": "text/plain; charset=utf-8",
    "a.py": "text/plain; charset=utf-8",
}
SAVED = [
    "a.html",
    "a.HTM",
    "a.xhtml",
    "a.svg",
    "a.svgz",
    "a.xml",
    "a.js",
    "a.mjs",
    "a.css",
    "a.swf",
    "a.mht",
    "a.wasm",
    "a.json",
    "a.zip",
    "a.exe",
    "a.png.html",
    "a.html.",
    "html",
    "a",
    ".png.svg",
]


async def test_only_what_cannot_run_is_shown_and_all_else_is_saved(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """Markup is not even shown as the picture that its name promises; as plain text it may be read."""
    script, texts = b"<html><script>alert(1)</script>", ("a.txt", "a.py")
    shown_as = [(name, script if name in texts else b"\0\1\2", type) for name, type in SHOWN.items()]
    saved = [(name, script, None) for name in (*SAVED, *SHOWN) if name not in texts]
    for name, content, shown in (*shown_as, *saved):
        entry = await put(session, server, f"/{quote(name)}", content, Content_Type="text/html")
        async with session.get(server.url.rstrip("/") + entry["file"]["url"]) as response:
            headers = response.headers
            assert await response.read() == content
        disposition = headers["Content-Disposition"].partition(";")[0]
        wanted = ("inline", shown) if shown else ("attachment", "application/octet-stream")
        assert (disposition, headers["Content-Type"]) == wanted, name
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == FILE_POLICY and FILE_POLICY.startswith("sandbox;")
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


NAMES = ['a"b.txt', "a;b.txt", "a%0d%0aX: y.txt", "100%.txt", "报告.pdf", "a b.txt", "a'b(c)*.txt", "é.txt", "👩‍👧.png"]


async def test_a_name_travels_percent_encoded_and_in_no_other_way(
    server: Server, session: aiohttp.ClientSession
) -> None:
    for name in NAMES:
        entry = await put(session, server, f"/{quote(name)}", b"x")
        async with session.get(URL(server.url.rstrip("/") + entry["file"]["url"], encoded=True)) as response:
            _, fixed, encoded = response.headers["Content-Disposition"].split("; ")
            assert fixed == 'filename="download"'
            value = encoded.removeprefix("filename*=UTF-8''")
            assert unquote(value) == entry["file"]["name"]
            assert value.isascii() and not set(value) & set("\"';,* \r\n")
            assert "X" not in response.headers


async def test_a_gz_beside_a_file_is_not_its_other_form(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """A server that looks for `x.txt.gz` when `x.txt` is wanted hands out what somebody else sent."""
    entry = await put(session, server, "/x.txt", b"good")
    for suffix in ("gz", "br"):
        await put(session, server, f"/x.txt.{suffix}", b"EVIL")
    async with session.get(
        server.url.rstrip("/") + entry["file"]["url"], headers={"Accept-Encoding": "gzip, br"}
    ) as response:
        assert await response.read() == b"good"
        assert "Content-Encoding" not in response.headers
    assert not [path for path in stored(tmp_path / "data") if path.suffix]


async def test_a_file_whose_bytes_are_gone_is_not_found(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, blob: str
) -> None:
    for path in stored(tmp_path / "data"):
        path.unlink()
    async with session.get(blob) as response:
        assert response.status == 404


async def test_when_the_same_bytes_came_before_is_nobody_s_business(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """They are on the disk once, with one time."""
    first = await put(session, server, "/first.txt", CONTENT)
    (path,) = stored(tmp_path / "data")
    os.utime(path, (1e9, 1e9))
    second = await put(session, server, "/r/lab/second.txt", CONTENT)
    await eventually(lambda: len(inodes(stored(tmp_path / "data"))) == 1)
    for entry in (first, second):
        async with session.get(server.url.rstrip("/") + entry["file"]["url"]) as response:
            assert parsedate_to_datetime(response.headers["Last-Modified"]).timestamp() == entry["at"] // 1000
    async with session.get(f"{server.url}r/lab/files.zip") as response:
        with zipfile.ZipFile(io.BytesIO(await response.read())) as made:
            (inside,) = made.infolist()
            assert inside.date_time[0] == datetime.fromtimestamp(second["at"] / 1000).year
            assert made.read(inside) == CONTENT


async def test_a_reader_that_goes_away_hurts_nobody(server: Server, session: aiohttp.ClientSession) -> None:
    content = os.urandom(30_000_000)
    entry = await put(session, server, "/big.bin", content)

    def go_away() -> None:
        with socket.create_connection(server.address, PATIENCE_S) as reader:
            reader.sendall(f"GET {entry['file']['url']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert reader.recv(1000).startswith(b"HTTP/1.1 200")
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    await asyncio.to_thread(go_away)
    async with session.get(server.url.rstrip("/") + entry["file"]["url"]) as response:
        assert digest(await response.read()) == entry["file"]["sha256"]


async def test_ranges_of_a_big_file_are_its_bytes(server: Server, session: aiohttp.ClientSession) -> None:
    """Two readers at once, each over a connection that is used again."""
    content = os.urandom(3_000_000)
    entry = await put(session, server, "/big.bin", content)

    async def read() -> bytes:
        whole = b""
        while len(whole) < len(content):
            wanted = {"Range": f"bytes={len(whole)}-{len(whole) + 700_000}"}
            async with session.get(server.url.rstrip("/") + entry["file"]["url"], headers=wanted) as response:
                assert response.status == 206
                whole += await response.read()
        return whole

    assert await asyncio.gather(read(), read()) == [content, content]
