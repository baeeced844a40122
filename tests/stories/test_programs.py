"""Programs that people already have: each one's way of being in the room."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.support import observe
from tests.support.peers import LinePeer
from tests.support.process import Running
from tests.support.program import Program, done, tool
from tests.support.streams import content

# How each program takes a piped text over TCP and leaves; what it prints by then is the room's welcome.
PIPED = {
    "nc.openbsd -N": ("nc.openbsd", "-N"),
    "nc.traditional -q 0": ("nc.traditional", "-q", "0"),
    "nc.traditional -q 1": ("nc.traditional", "-q", "1"),
    "ncat": ("ncat",),
    "ncat --send-only": ("ncat", "--send-only"),
    "socat": ("socat", "-t", "5", "-"),
    "socat -u": ("socat", "-u", "-"),
}
BY_DATAGRAM = {
    "nc.openbsd -u": ("nc.openbsd", "-u", "-w1"),
    "nc.traditional -u": ("nc.traditional", "-u", "-w1"),
    "ncat -u": ("ncat", "-u", "-w1"),
    "socat UDP": ("socat", "-t", "1", "-"),
}
SEATED = {
    "nc.openbsd": ("nc.openbsd",),
    "nc.traditional": ("nc.traditional",),
    "ncat": ("ncat",),
    "socat": ("socat", "-"),
    "telnet": ("telnet",),
}


def command(arguments: tuple[str, ...], running: Running, protocol: str = "TCP") -> tuple[str, ...]:
    """A program called to the server's address."""
    host, port = running.address
    where = (f"{protocol}:{host}:{port}",) if arguments[0] == "socat" else (host, str(port))
    return (tool(arguments[0]), *arguments[1:], *where)


@pytest.mark.parametrize("arguments", [pytest.param(value, id=key) for key, value in PIPED.items()])
def test_a_piped_text_is_stored_to_its_last_line_and_the_program_ends(
    running: Running, arguments: tuple[str, ...]
) -> None:
    called = command(arguments, running)
    many = "\n".join(f"line {number} 你好" for number in range(500))
    expected = []

    for text in ("hi\n", "no newline", f"{many}\n"):
        ended = done(*called, stdin=text.encode())
        assert ended.returncode == 0, ended
        assert not ended.stdout or ended.stdout.startswith(b"* welcome to lobby, you are tcp-")
        expected += text.splitlines()
        observe.until_said(running.address, expected)


HEADERLESS = {
    "nc.openbsd": ("nc.openbsd",),
    "nc.openbsd -N": ("nc.openbsd", "-N"),
    "nc.traditional": ("nc.traditional",),
    "ncat": ("ncat",),
    "socat": ("socat", "-t", "5", "-"),
}


@pytest.mark.parametrize("arguments", [pytest.param(value, id=key) for key, value in HEADERLESS.items()])
def test_a_file_piped_as_it_is_is_told_how_files_are_sent_and_the_program_ends(
    running: Running, arguments: tuple[str, ...]
) -> None:
    """`nc HOST PORT < song.mp3`; plain nc never tells that it is done."""
    song = b"ID3\x03\0" + content(500_000)

    ended = done(*command(arguments, running), stdin=song)

    assert ended.stdout.decode() == f"* this is no text: send a file with curl -T FILE {running.url}\n"
    assert observe.log(running.address) == []


def test_nc_openbsd_n_waits_for_its_welcome(running: Running) -> None:
    ended = done(*command(("nc.openbsd", "-N"), running), stdin=b"/upper hello\n/who\n")

    greeting, upper, who = ended.stdout.decode().splitlines()
    assert greeting.startswith("* welcome")
    assert upper == "HELLO"
    assert who.startswith("* 1 here: tcp-")


@pytest.mark.parametrize("arguments", [pytest.param(value, id=key) for key, value in BY_DATAGRAM.items()])
def test_a_piped_text_by_datagram_is_one_message_and_welcomed(running: Running, arguments: tuple[str, ...]) -> None:
    with LinePeer(running.address) as watcher:
        watcher.say("")
        assert watcher.read().startswith("* welcome")

        ended = done(*command(arguments, running, "UDP"), stdin="from a device 你好\n".encode())

        assert ended.returncode == 0, ended
        if arguments[0] != "ncat":  # which listens no more once its input has ended
            assert ended.stdout.startswith(b"* welcome to lobby, you are udp-"), ended
        assert watcher.read().endswith("] from a device 你好")
    assert observe.texts(running.address) == ["from a device 你好"]


@pytest.mark.parametrize("arguments", [pytest.param(value, id=key) for key, value in SEATED.items()])
def test_a_person_at_a_program_talks_with_the_room(running: Running, arguments: tuple[str, ...]) -> None:
    with Program(*command(arguments, running)) as person, LinePeer(running.address) as other:
        other.say("/nick other")
        assert other.read().startswith("* welcome")
        assert other.read() == "* you are now other"
        person.type("is anybody here?")
        person.until("* welcome to lobby, you are tcp-")
        assert other.read().endswith("] is anybody here?")
        other.say("I am")
        person.until("[other] I am\n")
        person.type("/nick ada")
        person.until("* you are now ada")
        person.type("then so am I")
        assert other.read() == "[ada] then so am I"
        person.type("y")
        assert other.read() == "[ada] y"

        assert "is anybody here?" not in person.output, "nobody hears their own words"


def test_two_people_at_nc_by_datagrams_hear_each_other(running: Running) -> None:
    called = command(("nc.openbsd", "-u"), running)
    with Program(*called) as one, Program(*called) as two:
        one.type("first")
        one.until("* welcome")
        two.type("second")
        two.until("* welcome")
        one.until("] second\n")
        one.type("third")
        two.until("] third\n")


def test_curl_d_posts_a_message_and_shows_the_entry(running: Running) -> None:
    curl = tool("curl")
    posted = done(curl, "-sS", "-w", "%{http_code}", "-d", "hi from curl", running.url)

    entry, status = posted.stdout[:-3], posted.stdout[-3:]
    assert status == b"201"
    assert json.loads(entry)["text"] == "hi from curl"
    assert observe.log(running.address) == [json.loads(entry)]

    named = done(curl, "-sS", "-H", "X-Name: 小明", "--data-binary", "two\nlines\n", f"{running.url}r/lab")
    assert json.loads(named.stdout)["from"]["name"] == "小明"
    assert json.loads(named.stdout)["text"] == "two\nlines"
    assert observe.texts(running.address, "lab") == ["two\nlines"]

    empty = done(curl, "-sS", "-w", "%{http_code}", "-d", "", running.url)
    assert empty.stdout == b"empty: an empty text\n400"


def test_curl_t_uploads_a_file_and_shows_its_url(running: Running, tmp_path: Path) -> None:
    curl = tool("curl")
    sent = tmp_path / "报告 1.pdf"
    sent.write_bytes(content(3_000_000))

    put = done(curl, "-sS", "-w", "%{http_code}", "-T", sent, running.url)

    url, status = put.stdout.decode().split("\n")
    assert status == "201"
    (entry,) = observe.log(running.address)
    assert entry["file"]["name"] == "报告 1.pdf"
    assert url == running.url.rstrip("/") + entry["file"]["url"]
    fetched = done(curl, "-sS", url)
    assert fetched.stdout == sent.read_bytes()
    assert hashlib.sha256(fetched.stdout).hexdigest() == entry["file"]["sha256"]


def test_curl_t_without_a_name_streams_what_it_is_piped(running: Running) -> None:
    curl = tool("curl")
    piped = content(700_000, seed=3)

    url = done(curl, "-sS", "-T", "-", f"{running.url}r/lab/", stdin=piped).stdout.decode().strip()
    named = done(curl, "-sS", "-T", "-", f"{running.url}r/lab/backup.tar", stdin=piped)

    first, second = observe.log(running.address, "lab")
    assert first["file"]["name"] == "upload"
    assert second["file"]["name"] == "backup.tar"
    assert named.stdout.decode().strip().endswith("/backup.tar")
    assert done(curl, "-sS", url).stdout == piped


def test_curl_t_to_a_room_without_the_slash_is_told_so(running: Running, tmp_path: Path) -> None:
    curl = tool("curl")
    sent = tmp_path / "a.txt"
    sent.write_bytes(b"a")

    put = done(curl, "-sS", "-w", "%{http_code}", "-T", "-", f"{running.url}r/lab", stdin=b"a")

    assert put.stdout.endswith(b"404")
    assert b"slash" in put.stdout
    assert done(curl, "-sS", "-w", "%{http_code}", "-T", sent, f"{running.url}r/lab/").stdout.endswith(b"201")


def test_curl_asks_for_ranges_and_heads_of_a_file(running: Running) -> None:
    curl = tool("curl")
    stored = bytes(range(256)) * 40
    url = done(curl, "-sS", "-T", "-", f"{running.url}numbers.bin", stdin=stored).stdout.decode().strip()
    sha256 = hashlib.sha256(stored).hexdigest()

    def ranged(range: str) -> tuple[bytes, bytes]:
        out = done(curl, "-sS", "-w", "%{http_code}", "-r", range, url).stdout
        return out[:-3], out[-3:]

    assert ranged("0-0") == (stored[:1], b"206")
    assert ranged("100-199") == (stored[100:200], b"206")
    assert ranged("10000-") == (stored[10000:], b"206")
    assert ranged("-5") == (stored[-5:], b"206")
    assert ranged("10240-")[1] == b"416"

    head = done(curl, "-sS", "-I", url).stdout.decode().lower()
    assert head.startswith("http/1.1 200 ok")
    assert "content-length: 10240\r\n" in head
    assert f'etag: "{sha256}"\r\n' in head
    assert "accept-ranges: bytes\r\n" in head

    known = done(curl, "-sS", "-w", "%{http_code}", "-H", f'If-None-Match: "{sha256}"', url)
    assert known.stdout == b"304"


def test_curl_goes_on_with_a_download_that_broke_off(running: Running, tmp_path: Path) -> None:
    curl = tool("curl")
    stored = content(2_000_000)
    url = done(curl, "-sS", "-T", "-", f"{running.url}film.mp4", stdin=stored).stdout.decode().strip()
    half = tmp_path / "film.mp4"
    half.write_bytes(stored[:999_999])

    assert done(curl, "-sS", "-C", "-", "-o", half, url).returncode == 0
    assert half.read_bytes() == stored


def test_nc_reads_a_file_s_address_and_curl_fetches_it(running: Running) -> None:
    curl = tool("curl")
    with Program(*command(("nc.openbsd",), running)) as person:
        person.type("")
        person.until("* welcome")
        done(curl, "-sS", "-H", "X-Name: curl", "-T", "-", f"{running.url}a.txt", stdin=b"hello")
        line = person.until("/a.txt\n").splitlines()[-1]
    assert line.startswith("[curl] sent a.txt (5 bytes) http://127.0.0.1:")
    assert done(curl, "-sS", line.split()[-1]).stdout == b"hello"
