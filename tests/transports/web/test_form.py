"""Forms: what `curl -F` and a page's `FormData` send, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.server import Server
from bridge.transports.web import body
from tests.support.peers import PATIENCE_S, BrowserPeer, entries
from tests.support.program import done
from tests.support.streams import request

# aiohttp warns of a disposition that it cannot read; the form is refused all the same
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")

JSON = {"Accept": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=cut"}


def field(disposition: str, content: bytes, *headers: str) -> bytes:
    head = "\r\n".join(("--cut", f"Content-Disposition: form-data; {disposition}", *headers, "", ""))
    return head.encode() + content + b"\r\n"


FILE = field('name="file"; filename="a.txt"', b"abc")
WORDS = field('name="text"', "你好".encode())
END = b"--cut--\r\n"


async def send(session: aiohttp.ClientSession, server: Server, form: Any, **headers: str) -> aiohttp.ClientResponse:
    named = {**JSON, **FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
    response = await session.post(server.url, data=form, headers=named)
    await response.read()
    return response


def stored(data: Path) -> list[Path]:
    return [path for folder in ("parts", "files") for path in (data / folder).rglob("*") if path.is_file()]


async def test_a_file_of_a_form_is_a_file_of_the_room(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    content = bytes(range(256)) * 2000 + b"\r\n--cu\r\n--cut"[:-1]
    form = aiohttp.FormData()
    form.add_field("whatever", content, filename="报告.pdf", content_type="image/png")
    async with session.post(f"{server.url}r/lobby", data=form, headers={"X-Name": "小明"}) as response:
        assert (response.status, response.content_type) == (201, "text/plain")
        url = (await response.text()).removesuffix("\n")
    entry = await browser.entry()
    assert entry["from"].items() >= {"name": "小明", "via": "http"}.items()
    assert entry["file"].items() >= {"size": len(content), "media_type": "application/pdf"}.items()
    assert entry["file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert url == server.url.rstrip("/") + entry["file"]["url"]
    async with session.get(f"{server.url}files/{entry['file']['id']}/x") as response:
        assert await response.read() == content


async def test_curl_sends_files_and_words_in_one_go(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    names = ["a b.txt", "报告.bin", "empty"]
    for name, content in zip(names, (b"x", b"\r\n" * 100_000, b""), strict=True):
        (tmp_path / name).write_bytes(content)
    words = ["-F", "text=look at these"]
    files = [item for name in names for item in ("-F", f"file=@{tmp_path / name}")]
    ran = await asyncio.to_thread(done, "curl", "-s", *words, *files, "-F", "ignored=x", f"{server.url}r/lab")
    log = await entries(session, server.url, "lab")
    assert [entry.get("text") or entry["file"]["name"] for entry in log] == ["look at these", *names]
    assert [entry["file"]["size"] for entry in log[1:]] == [1, 200_000, 0]
    assert ran.stdout.decode() == "".join(server.url.rstrip("/") + entry["file"]["url"] + "\n" for entry in log[1:])


async def test_the_answer_by_json_is_every_entry_in_order(server: Server, session: aiohttp.ClientSession) -> None:
    response = await send(session, server, WORDS + FILE + FILE + END)
    assert (response.status, response.content_type) == (201, "application/json")
    assert await response.json() == (log := await entries(session, server.url))
    assert [entry["type"] for entry in log] == ["text", "file", "file"]


async def test_a_form_sent_again_under_its_key_is_known(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    first = await send(session, server, FILE + WORDS + FILE + END, X_Key="k", X_Client="secret")
    again = await send(session, server, FILE + WORDS + FILE + END, X_Key="k", X_Client="secret")
    assert (first.status, again.status) == (201, 200)
    assert await first.json() == await again.json() == (log := await entries(session, server.url))
    assert [entry["key"] for entry in log] == ["k", "k-2", "k-3"]
    longer = await send(session, server, FILE + WORDS + FILE + WORDS + END, X_Key="k", X_Client="secret")
    assert longer.status == 201
    assert [entry["key"] for entry in await entries(session, server.url)] == ["k", "k-2", "k-3", "k-4"]


async def test_a_long_key_is_no_matter_where_none_is_made_of_it(server: Server, session: aiohttp.ClientSession) -> None:
    response = await send(session, server, FILE + field('name="other"', b"x") + END, X_Key="k" * 64)
    assert response.status == 201


async def test_a_form_in_chunks_of_any_cut_is_the_same_form(server: Server, session: aiohttp.ClientSession) -> None:
    whole = WORDS + FILE + END

    async def cut(place: int) -> AsyncIterator[bytes]:
        yield whole[:place]
        await asyncio.sleep(0)
        yield whole[place:]

    for place in range(1, len(whole)):
        response = await send(session, server, cut(place))
        assert response.status == 201, (place, await response.text())
        text, file = await response.json()
        assert (text["text"], file["file"]["sha256"]) == ("你好", hashlib.sha256(b"abc").hexdigest())


async def test_a_form_that_ends_early_anywhere_leaves_nothing(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    whole = FILE + WORDS + END.rstrip()
    for length in range(len(whole)):
        response = await send(session, server, whole[:length])
        assert response.status == 400, (length, await response.text())
        assert (await response.json())["code"] == ("bad_request"), length
    assert await entries(session, server.url) == []
    assert stored(tmp_path / "data") == []


BROKEN = {
    "no boundary": (b"x", {"Content_Type": "multipart/form-data"}, 400, "bad_request"),
    "a boundary that never comes": (b"x" * 300_000, {}, 400, "bad_request"),
    "a long boundary": (b"x", {"Content_Type": f"multipart/form-data; boundary={'x' * 71}"}, 400, "bad_request"),
    "no part": (END, {}, 400, "empty"),
    "nothing of use": (field('name="other"', b"x") + END, {}, 400, "empty"),
    "empty inputs of a page": (
        field('name="text"', b"")
        + field('name="file"; filename=""', b"", "Content-Type: application/octet-stream")
        + END,
        {},
        400,
        "empty",
    ),
    "a part with no name": (FILE + b"--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n" + END, {}, 400, "bad_request"),
    "a part with no header": (FILE + b"--cut\r\n\r\nx\r\n" + END, {}, 400, "bad_request"),
    "a header that is none": (FILE + b"--cut\r\nnonsense\r\n\r\nx\r\n" + END, {}, 400, "bad_request"),
    "a header without end": (FILE + b"--cut\r\n" + b"x" * 300_000, {}, 400, "bad_request"),
    "a form in the form": (
        FILE + field('name="file"; filename="b"', b"x", "Content-Type: multipart/mixed; boundary=in") + END,
        {},
        400,
        "bad_request",
    ),
    "an encoded part": (
        FILE + field('name="file"; filename="b"', b"eA==", "Content-Transfer-Encoding: base64") + END,
        {},
        415,
        "unsupported",
    ),
    "a compressed part": (FILE + field('name="text"', b"x", "Content-Encoding: gzip") + END, {}, 415, "unsupported"),
    "a bad text": (FILE + field('name="text"', b"a\0b") + END, {}, 400, "bad_text"),
    "bytes that are no text": (FILE + field('name="text"', b"\xff\xff\xff") + END, {}, 400, "bad_text"),
    "a text too long": (FILE + field('name="text"', b"x" * 16_385) + END, {}, 413, "too_long"),
    "any field too long": (FILE + field('name="any"', b"x" * 16_385) + END, {}, 413, "too_long"),
    "a charset that is none": (field('name="_charset_"', b"x" * 40) + FILE + END, {}, 400, "bad_request"),
    "too many parts": (field('name="x"', b"") * 101 + FILE + END, {}, 413, "too_large"),
    "a key that grows too long": (FILE + FILE + END, {"X_Key": "k" * 63}, 400, "bad_request"),
    "a bad name": (FILE + END, {"X_Name": "[x]"}, 400, "bad_name"),
}


@pytest.mark.parametrize(("form", "headers", "status", "code"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_form_that_breaks_a_rule_is_refused_and_leaves_nothing(
    server: Server,
    session: aiohttp.ClientSession,
    tmp_path: Path,
    form: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    response = await send(session, server, form, **headers)
    assert (response.status, (await response.json())["code"]) == (status, code), await response.text()
    assert await entries(session, server.url) == []
    assert stored(tmp_path / "data") == []


async def test_a_file_of_a_form_may_be_as_large_as_any(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    server = await serve(max_file_bytes=3)
    assert (await send(session, server, FILE + END)).status == 201
    response = await send(session, server, FILE + field('name="file"; filename="b"', b"abcd") + END)
    assert (response.status, (await response.json())["code"]) == (413, "too_large")
    assert len(stored(tmp_path / "data")) == 1


async def test_a_form_waits_for_leave_and_does_not_wait_without_end(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(body, "SILENCE_S", 0.5)

    def conversation() -> tuple[bytes, bytes]:
        with socket.create_connection(server.address, PATIENCE_S) as connection:
            head = f"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: {FORM['Content-Type']}"
            connection.sendall(f"{head}\r\nContent-Length: 1000\r\n\r\n".encode())
            leave = connection.recv(65536)
            connection.sendall(FILE + WORDS[:60])
            return leave, connection.recv(65536)

    leave, answer = await asyncio.to_thread(conversation)
    assert leave == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert stored(tmp_path / "data") == []


async def test_a_sender_that_goes_in_the_middle_leaves_a_failed_transfer(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    browser = await BrowserPeer.join(session, server.url)

    head = request("POST / HTTP/1.1", f"Content-Type: {FORM['Content-Type']}", "Content-Length: 100000")
    with socket.create_connection(server.address, PATIENCE_S) as sender:
        sender.sendall(head + FILE)
        await browser.until(type="transfer", state="receiving", name="a.txt")
        sender.sendall(field('name="file"; filename="b.txt"', b"x" * 500))
        await browser.until(type="transfer", state="receiving", name="b.txt")
    failed = {one["name"]: one["reason"] for one in [await browser.until(state="failed") for _ in range(2)]}
    assert failed.keys() == {"a.txt", "b.txt"}
    assert failed["a.txt"] == "the sender broke off after 3 bytes"
    assert await entries(session, server.url) == []
    assert stored(tmp_path / "data") == []
