"""A file that no memory should hold, cut ten times on its way: whole at the end, and the server none the fatter.

64 MiB and a byte here; `make big` (or `ROOMBRIDGE_BIG_BYTES`) takes 2 GiB and a byte, which 32 bits cannot count.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest

from tests.support import observe
from tests.support.observe import linux_only
from tests.support.peers import UploadPeer
from tests.support.process import Running
from tests.support.program import tool
from tests.support.streams import reset

SIZE = int(os.environ.get("ROOMBRIDGE_BIG_BYTES", 64 * 1024**2 + 1))
CUTS = 10
WASTE_MAX_BYTES = 4 * 1024**2
FATTER_MAX_BYTES = 32 * 1024**2
PIECE_BYTES = 1024**2
OWN_BUFFER_BYTES = 256 * 1024
"""What a sender's own kernel holds when it is cut off is lost, and not our waste."""
PATIENCE_S = 600.0
TUS = {"Tus_Resumable": "1.0.0"}

pytestmark = [linux_only, pytest.mark.timeout(3600)]


class Film(NamedTuple):
    path: Path
    sha256: str


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Film]:
    path = tmp_path_factory.mktemp("film") / "film.bin"
    block, digest, left = random.Random(7).randbytes(PIECE_BYTES), hashlib.sha256(), SIZE
    with path.open("wb") as out:
        while left:
            piece = (left.to_bytes(8, "big") + block[8:])[:left]
            out.write(piece)
            digest.update(piece)
            left -= len(piece)
    yield Film(path, digest.hexdigest())
    path.unlink()


class Watched:
    """How fat a server was at most since it was watched, over what it was."""

    def __init__(self, running: Running) -> None:
        self._pid = running.process.pid
        observe.fetch(running.address, "PUT", "/warm.bin", b"x" * 3_000_000)  # what every server needs once
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")
        self._before = observe.rss_bytes(self._pid)

    def grown(self) -> int:
        status = Path(f"/proc/{self._pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
        print(f"grew by {(peak - self._before) / 1024**2:.1f} MiB at most")
        return peak - self._before


def arrived(running: Running, film: Film) -> None:
    """The film is the newest entry, and can be fetched whole, held nowhere."""
    observe.until(lambda: any(entry["file"]["size"] == SIZE for entry in observe.log(running.address)), "", PATIENCE_S)
    entry = observe.log(running.address)[-1]
    assert entry["file"]["sha256"] == film.sha256
    connection = HTTPConnection(*running.address, timeout=60)
    connection.request("GET", entry["file"]["url"])
    response, digest = connection.getresponse(), hashlib.sha256()
    while piece := response.read(PIECE_BYTES):
        digest.update(piece)
    connection.close()
    assert digest.hexdigest() == film.sha256
    observe.until(lambda: not [*(running.data / "parts").iterdir(), *(running.data / "uploads").iterdir()])


def cuts() -> list[int]:
    """Where a sender that begins again breaks off: ten places, and the end."""
    return [*sorted(random.Random(11).sample(range(1, SIZE), CUTS)), SIZE]


def pour(source: BinaryIO, start: int, end: int, sink: socket.socket) -> None:
    source.seek(start)
    while start < end:
        piece = source.read(min(PIECE_BYTES, end - start))
        sink.sendall(piece)
        start += len(piece)


def test_a_raw_file_arrives_through_ten_cuts(running: Running, film: Film) -> None:
    watched, sent, wasted = Watched(running), 0, []
    with film.path.open("rb") as source:
        for cut in cuts():
            with UploadPeer(running.address) as sender:
                sender.socket.settimeout(PATIENCE_S)
                sender.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, OWN_BUFFER_BYTES)
                sender.header(file_name="film.bin", file_size=SIZE, sha256=film.sha256, resume=True, reply=True)
                offset = sender.reply()["offset"]
                wasted.append(sent - offset)
                with suppress(ConnectionError):
                    pour(source, offset, cut, sender.socket)
                sent = cut
                if cut == SIZE:
                    assert sender.reply()["sha256"] == film.sha256
                reset(sender.socket)
    assert min(wasted) >= 0 and max(wasted) <= WASTE_MAX_BYTES, wasted
    arrived(running, film)
    assert watched.grown() <= FATTER_MAX_BYTES


def test_a_tus_upload_arrives_through_ten_cuts(running: Running, film: Film) -> None:
    watched, sent, wasted = Watched(running), 0, []
    metadata = f"filename ZmlsbS5iaW4=,sha256 {base64.b64encode(film.sha256.encode()).decode()}"
    status, headers, _ = observe.fetch(
        running.address, "POST", "/r/lobby/uploads", **TUS, Upload_Length=str(SIZE), Upload_Metadata=metadata
    )
    assert status == 201
    path = headers["location"]
    with film.path.open("rb") as source:
        for cut in cuts():
            _, headers, _ = observe.fetch(running.address, "HEAD", path, **TUS)
            offset = int(headers["upload-offset"])
            wasted.append(sent - offset)
            with socket.create_connection(running.address, PATIENCE_S) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, OWN_BUFFER_BYTES)
                lines = (
                    f"PATCH {path} HTTP/1.1",
                    "Host: localhost",
                    "Tus-Resumable: 1.0.0",
                    "Content-Type: application/offset+octet-stream",
                    f"Upload-Offset: {offset}",
                    f"Content-Length: {SIZE - offset}",
                )
                sender.sendall("\r\n".join([*lines, "", ""]).encode())
                pour(source, offset, cut, sender)
                sent = cut
                if cut == SIZE:
                    assert sender.recv(100).startswith(b"HTTP/1.1 204")
                reset(sender)
    assert min(wasted) >= 0 and max(wasted) <= WASTE_MAX_BYTES, wasted
    arrived(running, film)
    assert watched.grown() <= FATTER_MAX_BYTES


@pytest.mark.parametrize("way", ["of a size", "of no size", "as a form"])
def test_curl_sends_it_in_one_go(running: Running, film: Film, way: str) -> None:
    watched = Watched(running)
    url = f"{running.url}film.bin"
    command = {
        "of a size": [tool("curl"), "-sf", "-T", str(film.path), url],
        "of no size": ["sh", "-c", f"{tool('curl')} -sf -T - {url} < {film.path}"],
        "as a form": [tool("curl"), "-sf", "-F", f"file=@{film.path}", running.url],
    }[way]
    sent = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=True)
    assert sent.stdout.startswith(b"http://")
    arrived(running, film)
    assert watched.grown() <= FATTER_MAX_BYTES


def test_it_is_fetched_while_it_comes_and_as_an_archive(running: Running, film: Film) -> None:
    watched = Watched(running)
    with UploadPeer(running.address) as sender, film.path.open("rb") as source:
        sender.socket.settimeout(PATIENCE_S)
        sender.header(file_name="film.bin", file_size=SIZE, reply=True)
        pour(source, 0, SIZE // 2, sender.socket)
        parts = running.data / "parts"
        observe.until(lambda: [path for path in parts.iterdir() if path.stat().st_size])
        (part,) = parts.iterdir()
        fetching = subprocess.Popen(
            f"{tool('curl')} -s {running.url}files/{part.name}/film.bin | sha256sum", shell=True, stdout=subprocess.PIPE
        )
        pour(source, SIZE // 2, SIZE, sender.socket)
        assert sender.reply()["sha256"] == film.sha256
    assert fetching.communicate(timeout=PATIENCE_S)[0].split()[0].decode() == film.sha256
    archive = subprocess.run(
        f"{tool('curl')} -s {running.url}r/lobby/files.zip -o all.zip && python3 -m zipfile -t all.zip && rm all.zip",
        shell=True,
        cwd=running.data.parent,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert b"Done testing" in archive.stdout, archive.stderr
    assert watched.grown() <= FATTER_MAX_BYTES
