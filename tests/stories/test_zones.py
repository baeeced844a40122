"""Who is in from where, cell by cell, asked by real other hosts: the table of zones in docs/security.md over HTTP."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.hosts import Host, Net
from tests.support.process import Running
from tests.support.program import tool

VISITS = Path(__file__).with_name("visits.py")
IN = {
    "page": 200,
    "script": 200,
    "ws": 101,
    "curl -d": 201,
    "curl -T": 201,
    "tus": 201,
    "form": 201,
    "metrics": 200,
    "healthz": 200,
}
OUT = dict.fromkeys(IN, 401) | {"healthz": 200}


def asked(host: Host, base: str, **more: str) -> dict[str, int]:
    ended = host.run(sys.executable, VISITS, base, *(f"{name}={value}" for name, value in more.items()))
    assert ended.returncode == 0, ended.stderr.decode()
    return json.loads(ended.stdout)


def test_the_table_of_zones_from_real_other_hosts(net: Net, run: Callable[..., Running]) -> None:
    other, trusted = net.host(), net.host()
    running = run("--lan", "--trust", f"{trusted.ip}/32", "--trust", f"{trusted.ip6}/128", command=net.house.command())
    port, token = running.port, (running.data / "token").read_text().strip()
    basic = base64.b64encode(f":{token}".encode()).decode()
    stranger, friend = f"http://{other.house}:{port}", f"http://{trusted.house}:{port}"
    stranger6, friend6 = f"http://[{other.house6}]:{port}", f"http://[{trusted.house6}]:{port}"

    # Loopback and trusted networks are in as they are; a stranger is not, by either family.
    assert asked(net.house, f"http://127.0.0.1:{port}") == IN
    assert asked(net.house, f"http://[::1]:{port}") == IN
    assert asked(trusted, friend) == IN
    assert asked(trusted, friend6) == IN
    assert asked(other, stranger) == OUT
    assert asked(other, stranger6) == OUT

    # With the token, however it is shown, he is. Navigations are led on to where the token is not in the address.
    assert asked(other, stranger, Authorization=f"Bearer {token}") == IN
    assert asked(other, stranger, Authorization=f"Basic {basic}") == IN
    assert asked(other, stranger6, query=f"?token={token}") == IN | {"page": 303}
    link = other.run(tool("curl"), "-s", "-i", f"{stranger}/j/{token}").stdout.decode()
    cookie = re.search(r"^Set-Cookie: (\S+?=\S+?);", link, re.MULTILINE)
    assert cookie, link
    assert asked(other, stranger, Cookie=cookie[1]) == IN
    assert asked(other, stranger, Authorization="Bearer wrong") == OUT

    # What says it was passed on is nobody's, from wherever it comes.
    assert asked(net.house, f"http://127.0.0.1:{port}", Via="1.1 tunnel") == OUT
    assert asked(trusted, friend, Forwarded="for=127.0.0.1") == OUT

    # A name that is not the address which was reached is not ours.
    assert set(asked(trusted, friend, Host=f"{other.house}:{port}").values()) == {421}
    assert set(asked(other, stranger, Host=f"0.0.0.0:{port}", Authorization=f"Bearer {token}").values()) == {421}

    texts = net.house.run(tool("curl"), "-s", f"http://127.0.0.1:{port}/r/lobby/entries?limit=500").stdout
    entries = json.loads(texts)["entries"]
    assert len(entries) == 4 * (4 + 4), "each that was in left its four, and nobody else a word"
    assert running.stop() == 0
    for path in (running.stderr_path, *running.data.rglob("*")):
        if path.is_file() and path.name not in ("token", "host-token"):
            assert token.encode() not in path.read_bytes(), path


def test_with_open_everybody_is_in(net: Net, run: Callable[..., Running]) -> None:
    other = net.host()
    running = run("--host", "0.0.0.0", "--open", command=net.house.command())
    assert asked(other, f"http://{other.house}:{running.port}") == IN
    assert asked(other, f"http://[{other.house6}]:{running.port}") == IN
    assert asked(net.house, f"http://127.0.0.1:{running.port}", Via="1.1 tunnel") == IN
    assert not (running.data / "token").exists()


def test_the_line_on_stdout_names_the_best_address(net: Net, run: Callable[..., Running]) -> None:
    other = net.host()
    running = run("--lan", command=net.house.command())
    assert running.url == f"http://{other.house}:{running.port}/"
    assert f"http://[{other.house6}]:{running.port}/    (eth1)" in running.stderr


def test_an_open_room_is_not_shown_to_the_internet_unasked(net: Net, tmp_path: Path) -> None:
    net.host(ip="11.22.33.2")
    serve = (sys.executable, "-m", "bridge", "--lan", "--open", "--port", "0", "--data", str(tmp_path / "data"))
    ended = net.house.run(*serve)
    assert ended.returncode == 2
    assert b"11.22.33.1 is a public address" in ended.stderr and b"--insecure-public" in ended.stderr


def test_an_open_room_is_shown_to_the_internet_when_asked(net: Net, run: Callable[..., Running]) -> None:
    other = net.host(ip="11.22.33.2")
    running = run("--lan", "--open", "--insecure-public", command=net.house.command())
    assert asked(other, f"http://11.22.33.1:{running.port}") == IN


KNOCKS = """
import socket, sys
ip, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
opened = [socket.create_connection((ip, port), 20) for _ in range(count)]
answered = 0
for one in opened:
    try:
        one.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: " + ip.encode() + b"\\r\\n\\r\\n")
        answered += bool(one.recv(1))
    except ConnectionError:
        pass
print(answered)
"""


def test_one_address_holds_so_many_connections_and_loopback_any(net: Net, run: Callable[..., Running]) -> None:
    other, another = net.host(), net.host()
    running = run("--lan", "--connections-per-address", "3", "--connects-per-s", "0", command=net.house.command())
    for host, ip, most in ((other, other.house, 3), (another, another.house, 3), (net.house, "127.0.0.1", 8)):
        assert host.run(sys.executable, "-c", KNOCKS, ip, running.port, 8).stdout == b"%d\n" % most
