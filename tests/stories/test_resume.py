"""Files that stop and go on: over raw sockets and with the tus client from PyPI, through breaks, kills and rivals."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import tusclient.exceptions
from tusclient.client import TusClient

from tests.support import observe
from tests.support.peers import UploadPeer
from tests.support.process import Running
from tests.support.relay import Relay
from tests.support.streams import content, reset

FILM = content(3_000_001)
SHA256 = hashlib.sha256(FILM).hexdigest()


class RawSender(UploadPeer):
    """A sender that goes on where the server says."""

    def begin(self, data: bytes = FILM, name: str = "film.mp4", **more: object) -> int:
        """What the server has of it."""
        digest = hashlib.sha256(data).hexdigest()
        fields = {"file_name": name, "file_size": len(data), "sha256": digest, "reply": True, "resume": True}
        self.header(**{**fields, **more})
        return self.reply()["offset"]


def left(data: Path) -> list[str]:
    """What lies there of files that are not whole."""
    return [path.name for folder in ("parts", "uploads") for path in (data / folder).iterdir()]


def received(running: Running, least: int) -> None:
    """Wait until the room was told that so much is here."""

    def far_enough() -> bool:
        parts = (running.data / "uploads").glob("*")
        return any(path.suffix != ".json" and path.stat().st_size >= least for path in parts)

    observe.until(far_enough, f"{least} bytes are here")


# Raw sockets


@pytest.mark.parametrize("how", ["closes", "resets"])
def test_a_raw_file_goes_on_where_it_broke_off(running: Running, how: str) -> None:
    reached = 0
    for step in (1, 100_000, 1_000_000, 1):
        with RawSender(running.address) as sender:
            assert sender.begin() == reached
            sender.socket.sendall(FILM[reached : reached + step])
            reached += step
            received(running, reached)
            if how == "resets":
                reset(sender.socket)
    with RawSender(running.address) as sender:
        assert sender.begin() == reached
        sender.socket.sendall(FILM[reached:])
        receipt = sender.reply()
        # And the connection goes on as any other.
        sender.push("next.txt", b"hello", reply=True)
        assert sender.reply()["sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert receipt["sha256"] == SHA256
    entry, _ = observe.log(running.address)
    assert (entry["file"]["name"], entry["from"]["via"]) == ("film.mp4", "tcp")
    assert observe.digest(running.address, entry) == SHA256
    assert left(running.data) == []


def test_a_raw_file_goes_on_with_the_next_server(running: Running) -> None:
    with RawSender(running.address) as sender:
        assert sender.begin() == 0
        sender.socket.sendall(FILM[:2_000_000])
        received(running, 2_000_000)
        running.kill()
    running.start()
    with RawSender(running.address) as sender:
        assert sender.begin() == 2_000_000
        sender.socket.sendall(FILM[2_000_000:])
        assert sender.reply()["sha256"] == SHA256
    assert len(observe.log(running.address)) == 1


def test_a_file_that_was_whole_when_the_server_was_killed_is_in_the_room_of_the_next(running: Running) -> None:
    """Killed between the last byte and the announcement: nobody has to send anything again."""
    with RawSender(running.address) as sender:
        sender.begin()
        sender.socket.sendall(FILM[:-1])
        received(running, len(FILM) - 1)
        running.kill()
    (part,) = [path for path in (running.data / "uploads").iterdir() if not path.suffix]
    with part.open("ab") as out:
        out.write(FILM[-1:])
    running.start()
    observe.until(lambda: len(observe.log(running.address)) == 1)
    (entry,) = observe.log(running.address)
    assert observe.digest(running.address, entry) == SHA256


def test_of_two_processes_with_one_file_the_later_goes_on_and_the_other_is_told(running: Running) -> None:
    with RawSender(running.address) as first, RawSender(running.address) as second:
        assert first.begin() == 0
        first.socket.sendall(FILM[:1000])
        received(running, 1000)
        assert second.begin() == 1000
        second.socket.sendall(FILM[1000:])
        assert second.reply()["sha256"] == SHA256
        first.socket.sendall(FILM[1000:])
        assert first.reply()["error"] == {"code": "busy", "message": "another sender goes on with this file"}
        assert first.socket.recv(1) == b""
    (entry,) = observe.log(running.address)
    assert observe.digest(running.address, entry) == SHA256


def test_many_processes_with_one_file_at_once_corrupt_nothing(running: Running) -> None:
    ended: list[str] = []

    def send() -> None:
        try:
            with RawSender(running.address) as sender:
                start = sender.begin()
                sender.socket.sendall(FILM[start:])
                answer = sender.reply()
                ended.append(answer.get("sha256") or answer["error"]["code"])
        except (OSError, AssertionError, KeyError):
            ended.append("broken off")

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert SHA256 in ended and len(ended) == 6
    entries = observe.log(running.address)
    assert len(entries) == ended.count(SHA256)
    assert {observe.digest(running.address, entry) for entry in entries} == {SHA256}


def test_a_resume_that_lies_about_its_digest_is_told_and_forgotten(running: Running) -> None:
    with RawSender(running.address) as sender:
        assert sender.begin(sha256="0" * 64) == 0
        sender.socket.sendall(FILM)
        assert sender.reply()["error"]["code"] == "bad_request"
    assert left(running.data) == [] and observe.log(running.address) == []
    with RawSender(running.address) as sender:  # nobody waits for the bytes of one that cannot be
        sender.header(file_name="a", file_size=5, resume=True, reply=True, sha256="abc")
        assert sender.reply()["error"]["code"] == "bad_request"
        assert sender.socket.recv(1) == b""


def test_a_resume_that_wants_no_reply_is_a_file_like_any_other(running: Running) -> None:
    with RawSender(running.address) as sender:
        sender.push("a.txt", b"hello", resume=True, sha256=hashlib.sha256(b"hello").hexdigest())
    observe.until(lambda: len(observe.log(running.address)) == 1)


# tuspy


class Tus(TusClient):
    """The client from PyPI. `tus.send(data)` is an upload of it."""

    def __init__(self, address: tuple[str, int], **headers: str) -> None:
        super().__init__(f"http://{address[0]}:{address[1]}/r/lobby/uploads", headers=headers)

    def send(self, data: bytes, name: str = "film.mp4", **more: object):
        metadata = {"filename": name, "sha256": hashlib.sha256(data).hexdigest()}
        return self.uploader(file_stream=io.BytesIO(data), metadata=metadata, metadata_encoding="utf-8", **more)


def test_tuspy_sends_a_file_whole_and_in_chunks(running: Running) -> None:
    tus = Tus(running.address)
    tus.send(FILM, "影片.mp4").upload()
    tus.send(FILM, chunk_size=700_000).upload()
    tus.send(FILM, chunk_size=700_000, upload_checksum=True).upload()
    tus.send(b"", "empty.txt").upload()
    entries = observe.log(running.address)
    assert [entry["file"]["name"] for entry in entries] == ["影片.mp4", "film.mp4", "film.mp4", "empty.txt"]
    assert [observe.digest(running.address, entry) for entry in entries[:3]] == [SHA256] * 3
    assert left(running.data) == []


def test_tuspy_pauses_and_goes_on_as_another_process(running: Running) -> None:
    tus = Tus(running.address, **{"X-Client": "alice"})
    first = tus.send(FILM, chunk_size=500_000)
    first.upload(stop_at=1_500_000)
    second = Tus(running.address, **{"X-Client": "alice"}).send(FILM, url=first.url)
    assert second.get_offset() == 1_500_000
    second.offset = second.get_offset()
    second.upload()
    (entry,) = observe.log(running.address)
    assert observe.digest(running.address, entry) == SHA256
    with pytest.raises(tusclient.exceptions.TusCommunicationError):
        Tus(running.address, **{"X-Client": "eve"}).send(FILM, url=first.url + "0").get_offset()


def test_tuspy_goes_on_by_itself_when_its_network_is_reset(running: Running) -> None:
    with Relay(running.address) as relay:
        upload = Tus(relay.address).send(FILM, retries=20, retry_delay=0.05)
        relay.hold_after(1_000_000)
        sending = threading.Thread(target=upload.upload)
        sending.start()
        for _ in range(3):
            relay.until_held()
            relay.hold_after(500_000)
            relay.cut()
        relay.let_go()
        sending.join(60)
    (entry,) = observe.log(running.address)
    assert observe.digest(running.address, entry) == SHA256
    assert left(running.data) == []


def test_tuspy_goes_on_when_the_server_was_killed(running: Running) -> None:
    with Relay(running.address) as relay:
        upload = Tus(relay.address).send(FILM, retries=100, retry_delay=0.1)
        relay.hold_after(2_000_000)
        sending = threading.Thread(target=upload.upload)
        sending.start()
        relay.until_held()
        received(running, 1)
        offset = sum(path.stat().st_size for path in (running.data / "uploads").iterdir() if not path.suffix)
        running.kill()
        relay.cut()
        running.start()
        headers = {"Tus_Resumable": "1.0.0"}
        _, told, _ = observe.fetch(running.address, "HEAD", urlsplit(upload.url).path, **headers)
        assert int(told["upload-offset"]) >= offset  # never behind what was there
        relay.let_go()
        sending.join(60)
    (entry,) = observe.log(running.address)
    assert observe.digest(running.address, entry) == SHA256


def test_an_operator_says_how_long_uploads_are_kept(run: Callable[..., Running]) -> None:
    running = run("--unfinished-hours", "1")
    tus = Tus(running.address)
    upload = tus.send(FILM, chunk_size=1000)
    upload.upload(stop_at=1000)
    running.kill()
    (part,) = [path for path in (running.data / "uploads").iterdir() if not path.suffix]
    long_ago = part.stat().st_mtime - 3601
    os.utime(part, (long_ago, long_ago))
    running.start()
    observe.until(lambda: left(running.data) == [], "it is let go of")
    with pytest.raises(tusclient.exceptions.TusCommunicationError):
        upload.get_offset()
