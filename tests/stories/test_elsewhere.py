"""Socket peers on other hosts: who is in, who knocks, who gets nothing, and what a stranger's datagram is worth."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.support import observe
from tests.support.hosts import Host, Net
from tests.support.observe import rss_bytes, until
from tests.support.packets import Cable, Forger
from tests.support.peers import DatagramPeer, LinePeer, UploadPeer
from tests.support.process import Running

KNOCKED = "* you knocked: wait, or send /pass SECRET"
NOTHING_S = 0.3
"""How long nothing must come for it to be nothing."""

Start = Callable[..., Running]


@pytest.fixture
def start(net: Net, run: Callable[..., Running]) -> Start:
    """A server in the house, or on another host, that all hosts can reach."""
    return lambda *options, at=net.house, **more: run("--host", "0.0.0.0", *options, command=at.command(), **more)


def secret(server: Running) -> str:
    return (server.data / "token").read_text().strip()


def room(net: Net, server: Running) -> list[str]:
    """What the room holds: texts, and names of files."""
    entries = net.house.inside(observe.log, server.address)
    return sorted(entry.get("text") or entry["file"]["name"] for entry in entries)


def counted(net: Net, server: Running, *names: str) -> int:
    """The sum of these of the server's numbers."""
    page = net.house.inside(observe.fetch, server.address, "GET", "/metrics")[2].decode()
    return sum(int(float(number)) for name in names for number in re.findall(rf"^{name} (\S+)$", page, re.MULTILINE))


# The table: each way says one word, after the secret or without it, and tells what came back.


def by_line(host: Host, address: tuple[str, int], word: str, token: str | None) -> str:
    try:
        with host.inside(LinePeer, address) as peer:
            peer.say(f"/pass {token}" if token else word)
            answer = peer.read()
            if token and answer:
                peer.say(word)
                peer.say("/upper all")
                peer.read_until("ALL")
            return answer
    except ConnectionError:
        return ""


def by_file(host: Host, address: tuple[str, int], word: str, token: str | None) -> str:
    try:
        with host.inside(UploadPeer, address) as peer:
            peer.socket.settimeout(NOTHING_S if not token else peer.socket.gettimeout())
            peer.push(word, b"hello", **({"token": token, "reply": True} if token else {}))
            return peer.socket.recv(1024).decode()
    except TimeoutError:
        return "(nothing)"
    except ConnectionError:
        return ""


def by_datagram(host: Host, address: tuple[str, int], word: str, token: str | None) -> str:
    with host.inside(DatagramPeer, address, "0.0.0.0") as peer:
        peer.say(f"/pass {token}" if token else word)
        peer.socket.settimeout(NOTHING_S)
        try:
            answer = peer.read()
        except TimeoutError:
            return "(nothing)"
        if token:
            peer.say(answer.partition("send: ")[2] or "")
            peer.say(word)
        return answer.strip()


WAYS = {"line": by_line, "file": by_file, "datagram": by_datagram}
STRANGER = re.escape(KNOCKED)
# What strangers get, by --native, way and whether they show the secret: what comes back, and whether the word got in.
CELLS: dict[tuple[str, str, bool], tuple[str, bool]] = {
    ("knock", "line", False): (STRANGER, False),
    ("knock", "line", True): (r"\* welcome to lobby, you are tcp-\d+; .*", True),
    ("knock", "file", False): (r"\(nothing\)", False),
    ("knock", "file", True): (r'\{"seq".*', True),
    ("knock", "datagram", False): (STRANGER, False),
    ("knock", "datagram", True): (r"\* send: /ok [A-Z2-7]{8}", True),
    ("open", "line", False): (r"\* welcome .*", True),
    ("open", "line", True): (r"\* welcome .*", True),
    ("open", "file", False): (r"\(nothing\)", True),
    ("open", "file", True): (r'\{"seq".*', True),
    ("open", "datagram", False): (r"\* welcome .*", True),
    ("open", "datagram", True): (r"\* welcome .*", True),
    **{("off", way, token): (r"\(nothing\)" if way == "datagram" else "", False) for way in WAYS for token in (0, 1)},
}


@pytest.mark.parametrize("native", ["knock", "open", "off"])
def test_the_table_of_zones_is_true_cell_by_cell(net: Net, start: Start, native: str) -> None:
    """This machine and trusted networks are in, whatever is set; the others get what their cell says."""
    trusted, stranger = net.host(), net.host()
    server = start("--native", native, "--trust", trusted.ip)
    got_in = []
    for (zone, host), way, shows in product(
        {"loopback": net.house, "trusted": trusted, "elsewhere": stranger}.items(), WAYS, (False, True)
    ):
        near = zone != "elsewhere"
        wanted, enters = CELLS[("open" if near else native), way, shows]
        word = f"{zone} by {way} {'with' if shows else 'without'}"
        address = host.house if host.house else "127.0.0.1", server.port
        answer = WAYS[way](host, address, word, secret(server) if shows else None)
        assert re.fullmatch(wanted, answer.strip()), f"{native}, {word}: {answer!r}"
        got_in += [word] if enters else []
    assert f"roombridge --trust {stranger.ip}" in server.stderr or native == "open"
    assert f"--trust {trusted.ip}" not in server.stderr
    until(lambda: len(room(net, server)) >= len(got_in), "all who are in are heard")
    assert room(net, server) == sorted(got_in)


# What strangers' datagrams are worth.


def forged(number: int) -> tuple[str, int]:
    """One of many addresses that nobody has."""
    return f"10.99.{number // 250}.{number % 250 + 1}", 5000 + number % 1000


def all_answers_come_here(net: Net, host: Host) -> None:
    """Whatever the address, the house sends it over this cable."""
    assert net.house.run("ip", "route", "add", "10.99.0.0/16", "via", host.ip).returncode == 0


def test_no_stranger_is_sent_more_than_three_times_what_came_in_its_name(net: Net, start: Start) -> None:
    """Counted on the cable, headers and all; what the room says meanwhile goes to none of them."""
    host = net.host()
    server = start()
    all_answers_come_here(net, host)
    token = secret(server)
    words = [
        "",
        "hi",
        "x",
        "/pass",
        "/pass x",
        f"/pass {token}",
        "/ok AAAAAAAA",
        "/ok",
        "* no",
        "/help",
        "说",
        "x" * 1400,
    ]
    with Cable(host) as cable, Forger(host) as forger, net.house.inside(LinePeer, server.address) as member:
        for _ in range(3):
            for number, word in enumerate(words):
                forger.send(word.encode(), forged(number), (host.house, server.port))
            member.say("the room")
            member.say("/upper heard")
            member.read_until("HEARD")
        until(lambda: counted(net, server, "roombridge_datagrams_in_total") >= 3 * len(words))
        cable.look()
    assert len(cable.to_house) == 3 * len(words)
    answered = {
        far: [one for one in cable.from_house if one.far == far] for far in {one.far for one in cable.from_house}
    }
    assert len(answered) == len(words) - 1, "all but the notice of another server"
    for far, answers in answered.items():
        came = [one for one in cable.to_house if one.far == far]
        assert len(answers) == (3 if came[0].data.endswith(token.encode()) else 1)
        for answer in answers:
            assert answer.size <= 3 * came[0].size, (came[0], answer)
            assert answer.data.startswith(b"* ") and b"the room" not in answer.data


def test_ten_thousand_forged_senders_cost_nothing_and_are_told_next_to_nothing(net: Net, start: Start) -> None:
    host = net.host()
    server = start()
    all_answers_come_here(net, host)
    with Cable(host) as cable, Forger(host) as forger, net.house.inside(LinePeer, server.address) as member:
        before = rss_bytes(server.process.pid)
        began = time.monotonic()
        for number in range(10_000):
            forger.send(b"hi", forged(number), (host.house, server.port))
            if number % 500 == 0:
                member.say(f"member {number}")
        names = "roombridge_datagrams_in_total", "roombridge_datagrams_dropped_by_kernel_total"
        until(lambda: counted(net, server, *names) >= 10_000, "all have been looked at", 60)
        member.say("/upper still here")
        member.read_until("STILL HERE")
        seconds = time.monotonic() - began
        cable.look()
        assert rss_bytes(server.process.pid) - before <= 8 * 1024 * 1024
    assert len(cable.to_house) == 10_000
    assert 0 < len(cable.from_house) <= 50 * (1 + seconds)
    assert sum(one.size for one in cable.from_house) <= 3 * sum(one.size for one in cable.to_house)
    assert room(net, server) == sorted(f"member {number}" for number in range(0, 10_000, 500))


@pytest.mark.parametrize("native", ["knock", "open"])
def test_two_servers_fed_each_others_address_soon_fall_silent(
    net: Net, start: Start, tmp_path: Path, native: str
) -> None:
    host = net.host()
    here = start("--native", native)
    there = start("--native", native, at=host, data=tmp_path / "there")
    with Cable(host) as cable, Forger(host) as forger:
        forger.send(b"hi", (host.ip, there.port), (host.house, here.port))
        until(lambda: counted(net, here, "roombridge_datagrams_in_total"), "here it was heard")
        with net.house.inside(lambda: Forger(net.house)) as other:
            other.send(b"hi", (host.house, here.port), (host.ip, there.port))
        until(lambda: cable.look() or len(cable.from_house) >= 2, "both were fed, and answered once at least")
        with net.house.inside(LinePeer, here.address) as member:
            member.say("is anybody there?")
            member.say("/upper all")
            member.read_until("ALL")
        time.sleep(NOTHING_S)  # what would go on for ever, goes on
        cable.look()
        assert len(cable.to_house) + len(cable.from_house) <= 20


def test_one_address_from_elsewhere_is_heard_so_often(net: Net, start: Start) -> None:
    """A line client is slowed down and loses nothing; datagrams that come too fast are dropped, and counted."""
    host = net.host()
    server = start("--native", "open")
    lines = [f"line {number}" for number in range(60)]
    with host.inside(LinePeer, (host.house, server.port)) as peer:
        peer.say("\n".join([*lines, "/upper all"]))
        heard = peer.read_until("ALL")
        assert [line for line in heard if "messages a second" in line] == [
            "* 20 messages a second is all that one address may send: yours are taken at that pace"
        ]
    with host.inside(DatagramPeer, (host.house, server.port), "0.0.0.0") as peer:
        for number in range(1000):
            peer.say(f"datagram {number}")
    taken = "roombridge_datagrams_in_total", "roombridge_datagrams_dropped_by_kernel_total"
    until(lambda: counted(net, server, *taken) >= 1000, "all have come")
    dropped = counted(net, server, "roombridge_datagrams_dropped_total", taken[1])
    until(lambda: len(room(net, server)) == 60 + 1000 - dropped, "and the others are heard")
    assert dropped >= 100 and set(lines) <= set(room(net, server))
