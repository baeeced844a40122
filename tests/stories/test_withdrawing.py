"""Two who talk and one who changes her mind, over every language, while the server is killed under them."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import aiohttp

from tests.support.observe import until
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer
from tests.support.process import Running
from tests.support.program import tool

SECRET = "the password is 1234"
ALICE = ("-H", "X-Client: alice's own", "-H", "X-Name: alice")


def curl(*arguments: str) -> dict[str, object]:
    """What alice is answered."""
    asked = [tool("curl"), "-sS", "--fail", *ALICE, "-H", "Accept: application/json", *arguments]
    return json.loads(subprocess.run(asked, check=True, capture_output=True, timeout=30).stdout)


def holds(folder: Path, words: str) -> bool:
    def content(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:  # gone meanwhile
            return b""

    return any(words.encode() in content(path) for path in folder.rglob("*") if path.is_file())


def test_what_alice_takes_back_is_gone_for_bob_wherever_he_is(running: Running, tmp_path: Path) -> None:
    room = f"{running.url}r/lobby"
    (tmp_path / "secret.txt").write_text(SECRET)

    async def bob_by_browser(**query: object) -> tuple[dict[str, object], list[dict[str, object]]]:
        """His hello, and what he is told up to the newest entry."""
        async with aiohttp.ClientSession() as session:
            peer = await BrowserPeer.join(session, running.url, name="bob", **query)
            told = [await peer.entry()]
            while told[-1]["seq"] != peer.hello["last_seq"]:
                told.append(await peer.entry())
            await peer.close()
            return peer.hello, told

    said = curl("-d", SECRET, room)
    sent = curl("-T", str(tmp_path / "secret.txt"), f"{room}/")
    with LinePeer(running.address) as line, DatagramPeer(running.address) as device:
        for peer in (line, device):
            peer.say("")
            assert peer.read().startswith("* welcome to lobby")
        kept = curl("-d", "see you at eight", room)
        hello, told = asyncio.run(bob_by_browser())
        assert told == [said, sent, kept]
        assert holds(running.data, SECRET)

        gone = [curl("-X", "DELETE", f"{room}/entries/{said['seq']}")]
        gone.append(curl("-X", "DELETE", f"{running.url.rstrip('/')}{sent['file']['url']}"))
        heard = [line.read() for _ in range(3)]
        assert heard == ["[alice] see you at eight"] + 2 * ["* [alice] withdrew a message"]
        assert [device.read() for _ in range(3)] == [f"{words}\n" for words in heard]
    running.kill()
    running.start()
    until(lambda: not holds(running.data, SECRET), "its bytes to go, which the kill may have come before")

    # he comes back where he was before anything was said, right before what is gone, and after all that he saw
    for place, expected in ((0, [kept, *gone]), (said["seq"] - 1, [kept, *gone]), (kept["seq"], gone)):
        hello_again, told = asyncio.run(bob_by_browser(after=place, epoch=hello["epoch"]))
        assert hello_again["epoch"] == hello["epoch"]
        assert told == expected
    again = [
        tool("curl"),
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        f"{running.url.rstrip('/')}{sent['file']['url']}",
    ]
    assert subprocess.run(again, check=True, capture_output=True, text=True).stdout == "404"

    with LinePeer(running.address) as line:
        line.say("oops\n/undo\n/history 3\n/quit")
        assert line.read_until("* bye")[1:] == [
            "* your last message is withdrawn",
            *2 * ["* [alice] withdrew a message"],
            f"* [tcp-{line.port}] withdrew a message",
            "* bye",
        ]
