"""Chat over UDP, as conversations with a running server."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from bridge import mailbox
from bridge.config import Config
from bridge.model import Address, Draft, Stored
from bridge.policy import Kept, Policy, Tokens, Zones
from bridge.policy.knocks import Knocks
from bridge.porch import Porch
from bridge.rooms import Rooms
from bridge.server import Server
from bridge.store.sqlite import SqliteLog
from bridge.tally import Tally
from bridge.transports import datagram
from bridge.wire.datagram import DATAGRAM_IN_MAX_BYTES, DATAGRAM_OUT_MAX_BYTES, DatagramForm
from tests.support import nouns
from tests.support.observe import linux_only
from tests.support.peers import PATIENCE_S, BrowserPeer, DatagramPeer, entries, texts


def seat(server: Server) -> DatagramPeer:
    """A datagram peer that has been welcomed."""
    peer = DatagramPeer(server.address)
    peer.say("")
    assert peer.read() == f"* welcome to lobby, you are udp-{peer.port}; /help lists commands\n"
    return peer


async def test_first_contact_is_welcomed_at_once_and_the_room_comes_back(server: Server) -> None:
    def conversation() -> None:
        with seat(server) as alice, DatagramPeer(server.address) as bob:
            bob.say("hello")
            assert bob.read() == f"* welcome to lobby, you are udp-{bob.port}; /help lists commands\n"
            assert alice.read() == f"[udp-{bob.port}] hello\n"
            alice.say("there you are")
            assert bob.read() == f"[udp-{alice.port}] there you are\n"

    await asyncio.to_thread(conversation)


SAID = {
    "plain": (b"hello", "hello"),
    "a newline": (b"hello\n", "hello"),
    "CRLF": (b"hello\r\n", "hello"),
    "a C string": (b"hello\0", "hello"),
    "a C buffer": (b"hello" + b"\0" * 1019, "hello"),
    "a C string with its newline": (b"hello\n\0\0", "hello"),
    "only one newline is dropped": (b"hello\n\n", "hello\n"),
    "a newline inside": (b"one\r\ntwo\nthree", "one\ntwo\nthree"),
    "UTF-8": ("你好".encode(), "你好"),
    "a byte order mark": (b"\xef\xbb\xbfhello", "hello"),
    "GB18030, as Chinese Windows sends it": ("你好，世界".encode("gb18030"), "你好，世界"),
    "GB18030's four bytes": ("㐀".encode("gb18030"), "㐀"),
    "the longest": (b"x" * DATAGRAM_IN_MAX_BYTES, "x" * DATAGRAM_IN_MAX_BYTES),
    "a doubled slash": (b"//etc/hosts", "/etc/hosts"),
    "the start of a request": (b"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\n"),
    "what looks like a name": (b"[bob] hi", "[bob] hi"),
    "ASCII art": (b"  *  ", "  *  "),
}


@pytest.mark.parametrize(("sent", "text"), SAID.values(), ids=SAID.keys())
async def test_a_datagram_is_a_message(server: Server, session: aiohttp.ClientSession, sent: bytes, text: str) -> None:
    reader = await BrowserPeer.join(session, server.url)
    with DatagramPeer(server.address) as alice:
        alice.say(sent)
        entry = await reader.entry()
        assert entry["text"] == text
        assert entry["type"] == "text" and entry["room"] == "lobby"
        seen = {"name": f"udp-{alice.port}", "via": "udp", "addr": f"127.0.0.1:{alice.port}"}
        assert entry["from"].items() >= seen.items()


async def test_datagrams_are_messages_whatever_their_timing(server: Server, session: aiohttp.ClientSession) -> None:
    """All are there before the server looks at the first; the same words again are another entry."""
    with DatagramPeer(server.address) as alice:
        for number in range(200):
            alice.say(f"number {number // 2}")
        reader = await BrowserPeer.join(session, server.url, after=0)
        said = [await reader.entry() for _ in range(200)]
    assert [entry["text"] for entry in said] == [f"number {number // 2}" for number in range(200)]
    assert len({entry["key"] for entry in said}) == 200


STILL_HERE = [b"", b"\n", b"\r\n", b"\0", b"\n\0\0\0", b"  ", b"\xef\xbb\xbf", "来自bob的消息:".encode()]


@pytest.mark.parametrize("sent", STILL_HERE, ids=repr)
async def test_an_empty_datagram_is_still_here(server: Server, session: aiohttp.ClientSession, sent: bytes) -> None:
    def conversation() -> None:
        with DatagramPeer(server.address) as alice:
            alice.say(sent)
            assert alice.read().startswith("* welcome to lobby, you are ")
            alice.say(sent)  # and again, once it is seated
            alice.say("/upper words")
            assert alice.read() == "WORDS\n"

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == []


NAMED = {
    "ASCII colon": ("来自小明的消息:你好", "小明", "你好"),
    "full-width colon": ("来自小明的消息：你好", "小明", "你好"),
    "spaces are kept in the text": ("来自bob的消息: hi", "bob", " hi"),
    "the text may say it again": ("来自bob的消息:来自eve的消息:hi", "bob", "来自eve的消息:hi"),
    "the text may have lines": ("来自bob的消息:one\ntwo", "bob", "one\ntwo"),
    "a name is trimmed": ("来自 bob 的消息:hi", "bob", "hi"),
    "a name of 32 characters": (f"来自{'长' * 32}的消息:hi", "长" * 32, "hi"),
    "in GB18030": ("来自小明的消息:你好".encode("gb18030"), "小明", "你好"),
    "with a newline": ("来自小明的消息:你好\n", "小明", "你好"),
}


@pytest.mark.parametrize(("sent", "name", "text"), NAMED.values(), ids=NAMED.keys())
async def test_a_message_that_brings_a_name_renames_its_sender(
    server: Server, session: aiohttp.ClientSession, sent: str | bytes, name: str, text: str
) -> None:
    def conversation() -> None:
        with seat(server) as alice, DatagramPeer(server.address) as bob:
            bob.say(sent)
            welcome = bob.read()
            assert welcome == f"* welcome to lobby, you are {name} (udp-{bob.port}); /help lists commands\n"
            assert alice.read() == f"[{name}] " + text.replace("\n", "\n    ") + "\n"
            bob.say("again")
            assert alice.read() == f"[{name}] again\n"

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == [text, "again"]


async def test_a_name_that_is_brought_again_is_not_remarked_upon(server: Server) -> None:
    def conversation() -> None:
        with seat(server) as alice:
            alice.say("来自小明的消息:one")
            assert alice.read() == "* you are now 小明\n"
            alice.say("来自小明的消息:two")
            alice.say("来自小红的消息:three")
            assert alice.read() == "* you are now 小红\n"

    await asyncio.to_thread(conversation)


async def test_a_taken_name_gets_a_suffix_and_keeps_it(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> None:
        with DatagramPeer(server.address) as one, DatagramPeer(server.address) as two:
            one.say("来自Bob的消息:I am Bob")
            assert "you are Bob (udp-" in one.read()
            two.say("来自bob的消息:so am I")
            assert "you are bob-2 (udp-" in two.read()
            assert one.read() == "[bob-2] so am I\n"
            two.say("来自bob的消息:still")
            assert one.read() == "[bob-2] still\n"

    await asyncio.to_thread(conversation)
    assert [entry["from"]["name"] for entry in await entries(session, server.url)] == ["Bob", "bob-2", "bob-2"]


BAD_NAMES = ["[bob]", "bob\u202e", "长" * 33, "a\nb", " \t"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
async def test_a_bad_name_is_told_and_the_words_are_said_all_the_same(server: Server, name: str) -> None:
    def conversation() -> None:
        with seat(server) as alice, DatagramPeer(server.address) as bob:
            for expected in (f"* welcome to lobby, you are udp-{bob.port}; /help lists commands\n", None):
                bob.say(f"来自{name}的消息:hi")
                if expected:
                    assert bob.read() == expected
                notice = bob.read()
                assert notice.startswith("* name ") and "\n" not in notice[:-1]
                assert alice.read() == f"[udp-{bob.port}] hi\n"

    await asyncio.to_thread(conversation)


async def test_nobody_gets_own_words_back(server: Server) -> None:
    def conversation() -> None:
        with seat(server) as alice, seat(server) as bob:
            alice.say("one")
            alice.say("two")
            assert [bob.read(), bob.read()] == [f"[udp-{alice.port}] one\n", f"[udp-{alice.port}] two\n"]
            bob.say("three")
            assert alice.read() == f"[udp-{bob.port}] three\n"

    await asyncio.to_thread(conversation)


async def test_history_does_not_come_unasked(server: Server, session: aiohttp.ClientSession) -> None:
    await session.post(server.url, data="long ago")

    def conversation() -> None:
        with seat(server) as alice, seat(server) as bob:
            bob.say("now")
            assert alice.read() == f"[udp-{bob.port}] now\n"

    await asyncio.to_thread(conversation)


LONG = {
    "ASCII": "x" * 16_000,
    "three bytes each": "长" * 5_000,
    "four bytes each": "🙂" * 4_000,
    "mixed": "aé长🙂" * 1_600,
    "one byte more than fits": "x" * (DATAGRAM_OUT_MAX_BYTES - len("[bob] \n") + 1),
    "just what fits": "x" * (DATAGRAM_OUT_MAX_BYTES - len("[bob] \n")),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("name", ["bob", "🙂" * 32], ids=["short name", "longest name"])
async def test_a_long_entry_comes_in_pieces_that_each_name_its_sender(
    server: Server, session: aiohttp.ClientSession, text: str, name: str
) -> None:
    opening = f"[{name}] ".encode()

    def read() -> bytes:
        whole = b""
        while len(whole) < len(text.encode()):
            piece = alice.socket.recv(65536)
            assert len(piece) <= DATAGRAM_OUT_MAX_BYTES
            assert piece.startswith(opening) and piece.endswith(b"\n")
            assert piece.decode()  # cut between characters
            whole += piece.removeprefix(opening).removesuffix(b"\n")
        return whole

    with await asyncio.to_thread(seat, server) as alice:
        await session.post(server.url, data=text.encode(), headers={"X-Name": name})
        whole = await asyncio.to_thread(read)
        assert whole.decode() == text
        await session.post(server.url, data="after it", headers={"X-Name": name})
        assert await asyncio.to_thread(alice.read) == f"[{name}] after it\n"


async def test_a_line_break_within_a_text_is_indented(server: Server, session: aiohttp.ClientSession) -> None:
    text = "hi\n[bob] pay me\r\n* bye\u2028end"
    with await asyncio.to_thread(seat, server) as alice:
        await session.post(server.url, data=text.encode(), headers={"X-Name": "mallory"})
        assert await asyncio.to_thread(alice.read) == "[mallory] hi\n    [bob] pay me\n    * bye\n    end\n"


async def test_no_piece_of_a_text_passes_for_another_line(server: Server, session: aiohttp.ClientSession) -> None:
    """Wherever a long text of many lines is cut, what follows a newline is indented."""

    def read() -> None:
        while (piece := alice.read()) != "[mallory] the end\n":
            first, *others = piece.removesuffix("\n").split("\n")
            assert first.startswith("[mallory] ")
            assert all(re.match(r" {1,4}", line) or line == "" for line in others), piece

    with await asyncio.to_thread(seat, server) as alice:
        for text in ("\n".join(["[bob] pay me"] * 1000), "the end"):
            await session.post(server.url, data=text.encode(), headers={"X-Name": "mallory"})
        await asyncio.to_thread(read)


async def test_a_file_is_a_line_with_an_address_that_works(server: Server, session: aiohttp.ClientSession) -> None:
    with await asyncio.to_thread(seat, server) as alice:
        await session.put(f"{server.url}报告.pdf", data=b"x" * 123, headers={"X-Name": "bob"})
        opening, _, url = (await asyncio.to_thread(alice.read)).removesuffix("\n").rpartition(" ")
        assert opening == "[bob] sent 报告.pdf (123 bytes)"
        assert url.startswith(f"{server.url}files/")
        async with session.get(url) as response:
            assert await response.read() == b"x" * 123


async def test_a_files_address_is_the_one_this_peer_reached_us_at(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    server = await serve(listen=(f"127.0.0.2:{port}",))
    with DatagramPeer(("127.0.0.2", port)) as alice:
        alice.say("")
        assert (await asyncio.to_thread(alice.read)).startswith("* welcome")
        await session.put(f"{server.url}a.txt", data=b"abc")
        assert f" http://127.0.0.2:{port}/files/" in await asyncio.to_thread(alice.read)


NO_TEXT = {
    "STUN from a web page": b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(range(12)) + b"\x00\x06\x00\x04\xffabc",
    "DTLS": b"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x01\x00\x00\x04",
    "DNS": b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",
    "NTP": b"\xe3\x00\x04\xfa" + b"\x00" * 43 + b"\x01",
    "neither UTF-8 nor GB18030": b"hello \xff\xfe\x80",
    "an escape sequence": b"\x1b]52;c;aGk=\x07",
    "an 8-bit control sequence": "\u009b31mred".encode(),
    "a NUL inside": b"a\0b",
    "NULs before a newline": b"hi\0\n",
    "too much": b"x" * (DATAGRAM_IN_MAX_BYTES + 1),
    "far too much": b"x" * 60_000,
}


@pytest.mark.parametrize("sent", NO_TEXT.values(), ids=NO_TEXT.keys())
async def test_what_is_no_text_is_refused_and_never_posted(
    server: Server, session: aiohttp.ClientSession, sent: bytes
) -> None:
    def conversation() -> None:
        with seat(server) as alice, DatagramPeer(server.address) as stranger:
            stranger.say(sent)  # somebody who has not said a word yet
            alice.say(sent)
            notice = alice.read()
            assert notice.startswith("* ") and len(notice.encode()) <= DATAGRAM_OUT_MAX_BYTES
            alice.say("/upper here")
            assert alice.read() == "HERE\n"

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == []


async def test_a_peer_joins_and_leaves_as_anybody_does(server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    with DatagramPeer(server.address) as alice:
        alice.say("来自小明的消息:")
        (peer,) = (await browser.until(type="presence", count=2))["joined"]
        assert peer.items() >= {"name": "小明", "via": "udp", "addr": f"127.0.0.1:{alice.port}"}.items()
        alice.say("来自小红的消息:")
        (renamed,) = (await browser.until(type="presence", count=2))["renamed"]
        assert renamed == {**peer, "name": "小红"}
        alice.say("/quit")
        assert (await browser.until(type="presence", count=1))["left"] == [peer["id"]]


async def test_who_said_quit_is_told_bye_and_may_come_back(server: Server, session: aiohttp.ClientSession) -> None:
    def conversation() -> None:
        with seat(server) as alice, seat(server) as bob:
            alice.say("/quit")
            assert alice.read() == "* bye\n"
            bob.say("she is gone")
            alice.say("I am back")
            assert alice.read().startswith("* welcome to lobby")
            assert bob.read() == f"[udp-{alice.port}] I am back\n"

    await asyncio.to_thread(conversation)


async def test_a_peer_whose_port_is_closed_leaves_and_the_living_miss_nothing(
    server: Server, session: aiohttp.ClientSession
) -> None:
    """Every second of a crowd dies; what finds a closed port could eat the next one's message."""
    crowd = [await asyncio.to_thread(seat, server) for _ in range(200)]
    living, dead = crowd[::2], crowd[1::2]
    browser = await BrowserPeer.join(session, server.url)
    assert browser.hello["count"] == 201
    for peer in dead:
        peer.close()
    for number in range(10):
        await browser.say(f"k{number}", f"number {number}")
        await browser.entry()  # one by one: of two datagrams to a closed port, the second takes the error itself
    late = await BrowserPeer.join(session, server.url)
    assert late.hello["count"] == 102
    name = browser.hello["you"]["name"]
    for peer in living:
        with peer:
            assert [await asyncio.to_thread(peer.read) for _ in range(10)] == [
                f"[{name}] number {number}\n" for number in range(10)
            ]


async def test_a_peer_that_is_silent_for_too_long_leaves(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagram, "SILENCE_LOOPBACK_S", 0.5)
    monkeypatch.setattr(datagram, "SWEEP_S", 0.05)
    server = await serve()
    browser = await BrowserPeer.join(session, server.url)
    with await asyncio.to_thread(seat, server) as alice:
        await browser.until(type="presence", count=2)
        await browser.until(type="presence", count=1)
        alice.say("here again")
        assert (await asyncio.to_thread(alice.read)).startswith("* welcome")


async def test_a_notice_from_a_stranger_is_never_answered(server: Server, session: aiohttp.ClientSession) -> None:
    """It may come from another server like this one, with a forged sender: two of them would never stop."""

    def conversation() -> None:
        with seat(server) as alice, DatagramPeer(server.address) as other:
            other.say("* welcome to lobby, you are udp-8080; /help lists commands\n")
            other.say("hello")
            assert other.read() == f"* welcome to lobby, you are udp-{other.port}; /help lists commands\n"
            assert alice.read() == f"[udp-{other.port}] hello\n"

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["hello"]


async def test_two_servers_that_are_set_upon_each_other_stop(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """A relay between them passes on whatever one says, as if the other had said it."""
    one, two = await serve(data=tmp_path / "one"), await serve(data=tmp_path / "two")

    def conversation() -> int:
        with DatagramPeer(one.address) as left, DatagramPeer(two.address) as right:
            left.say("let us see")
            passed = 0
            for peer in (left, right):
                peer.socket.settimeout(0.5)
            while passed < 100:
                try:
                    for here, there in ((left, right), (right, left)):
                        there.say(here.socket.recv(65536))
                        passed += 1
                except TimeoutError:
                    break
            return passed

    assert await asyncio.to_thread(conversation) <= 20


async def test_mirrors_that_hear_each_other_stop(server: Server, session: aiohttp.ClientSession) -> None:
    """What one sends back is news to the other, and what that sends back is news to the one."""

    def conversation() -> int:
        with DatagramPeer(server.address) as one, DatagramPeer(server.address) as two, seat(server) as alice:
            mirrored = 0
            for mirror in (one, two):
                mirror.say("hello")
                mirror.socket.settimeout(0.3)
            alice.say("is there an echo?")
            quiet = 0
            while quiet < 2 and mirrored < 100:
                for mirror in (one, two):
                    try:
                        mirror.say(mirror.socket.recv(65536))
                        mirrored += 1
                        quiet = 0
                    except TimeoutError:
                        quiet += 1
            return mirrored

    assert await asyncio.to_thread(conversation) <= 20


async def test_a_mirror_is_not_answered_for_ever(server: Server, session: aiohttp.ClientSession) -> None:
    """An echo service that was made to speak to us sends back whatever it gets."""

    def conversation() -> int:
        with DatagramPeer(server.address) as mirror, seat(server) as alice:
            mirror.say("hello")
            mirrored = 0
            alice.say("is there an echo?")
            mirror.socket.settimeout(0.5)
            while mirrored < 100:
                try:
                    mirror.say(mirror.socket.recv(65536))
                except TimeoutError:
                    break
                mirrored += 1
                alice.say(f"echo {mirrored}")
            return mirrored

    await asyncio.to_thread(conversation)
    said = [text for text in await texts(session, server.url) if text and text.startswith(("[", "* "))]
    assert len(said) <= 9


async def metric(session: aiohttp.ClientSession, server: Server, name: str) -> int:
    async with session.get(f"{server.url}metrics") as response:
        found = [line for line in (await response.text()).splitlines() if line.startswith(f"{name} ")]
    return int(float(found[0].split()[1])) if found else 0


async def test_who_finds_no_seat_is_told_so(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagram, "SEATS_MAX", 1)

    def conversation() -> None:
        with seat(server) as alice, DatagramPeer(server.address) as bob:
            bob.say("let me in")
            assert bob.read() == "* no seat is free: 1 datagram peers are here\n"
            alice.say("/quit")
            assert alice.read() == "* bye\n"
            bob.say("let me in")
            assert bob.read().startswith("* welcome")

    await asyncio.to_thread(conversation)


async def test_a_service_that_answers_whatever_comes_is_never_answered(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Echo, DNS, NTP and the like sit on known ports, and a forged sender would set us upon them."""
    assert {7, 19, 53, 123, 1900, 5353, 11211} <= datagram.ANSWERING_PORTS
    with DatagramPeer(server.address) as service, DatagramPeer(server.address) as alice:
        monkeypatch.setattr(datagram, "ANSWERING_PORTS", frozenset({service.port}))
        service.say("hello")
        alice.say("hello")
        assert (await asyncio.to_thread(alice.read)).startswith("* welcome")
        service.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.socket.recv(1024)
    assert await metric(session, server, "roombridge_datagrams_ignored_total") == 1


async def test_more_than_the_disk_keeps_up_with_waits_in_the_kernel_and_is_not_lost(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[SqliteLog, Draft, asyncio.Future[Stored]]] = []
    append = SqliteLog.append

    def hold(log: SqliteLog, draft: Draft) -> asyncio.Future[Stored]:
        held.append((log, draft, asyncio.get_running_loop().create_future()))
        return held[-1][2]

    monkeypatch.setattr(datagram, "INBOX_MAX", 5)
    with await asyncio.to_thread(seat, server) as alice:
        with monkeypatch.context() as patch:
            patch.setattr(SqliteLog, "append", hold)
            for number in range(20):
                alice.say(str(number))
            alice.say("/time")  # never heard as long as the disk does not answer
            while len(held) < 5:
                await asyncio.sleep(0)
            taken = await metric(session, server, "roombridge_datagrams_in_total")
        for log, draft, future in held:
            future.set_result(await append(log, draft))
        assert (await asyncio.to_thread(alice.read)).startswith("* 20")
        alice.say("/history")
        name = f"[udp-{alice.port}]"
        said = [await asyncio.to_thread(alice.read) for _ in range(20)]
        assert said == [f"{name} {number}\n" for number in range(20)]
        assert taken < await metric(session, server, "roombridge_datagrams_in_total")


async def test_what_follows_a_command_that_takes_time_is_heard_after_it(
    server: Server, session: aiohttp.ClientSession
) -> None:
    with DatagramPeer(server.address) as alice:
        for words in ("one", "/history", "two", "/history 1", "/upper three"):
            alice.say(words)

        def read() -> list[str]:
            return [alice.read() for _ in range(4)]

        welcome, *rest = await asyncio.to_thread(read)
        assert welcome.startswith("* welcome")
        assert rest == [f"[udp-{alice.port}] one\n", f"[udp-{alice.port}] two\n", "THREE\n"]


async def test_a_name_counts_for_the_words_it_comes_with_however_long_they_wait(server: Server) -> None:
    """Two devices behind one address, and a command between that takes its time."""

    def conversation() -> None:
        with seat(server) as alice, seat(server) as hub:
            for words in ("/history", "来自一号的消息:one", "来自二号的消息:two", "来自一号的消息:three"):
                hub.say(words)
            assert [alice.read() for _ in range(3)] == ["[一号] one\n", "[二号] two\n", "[一号] three\n"]

    await asyncio.to_thread(conversation)


@linux_only
async def test_a_socket_for_any_address_answers_from_the_one_that_was_called(
    tmp_path: Path,
) -> None:
    """A client that has connected its socket hears no other, and a file's address has to be one it can reach."""
    log = SqliteLog(tmp_path / "log.sqlite3")
    rooms = Rooms(log)
    lobby = await rooms.get("lobby")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("0.0.0.0", 0))
    kept = Kept(tmp_path / "admitted")
    porch = Porch(Policy(Zones(), Tokens(None, "")), kept, Knocks(rooms.tell_hosts, kept), rooms.tally)
    transport = datagram.DatagramTransport(rooms, lobby, sock, Tally(), porch)

    def conversation(host: str) -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(PATIENCE_S)
            peer.connect((host, port))
            peer.send(b"/who")
            assert peer.recv(1024).startswith(b"* welcome")
            assert peer.recv(1024).startswith(b"* 1 here")
            asyncio.run_coroutine_threadsafe(said(), loop).result(PATIENCE_S)
            line = peer.recv(1024).decode()
            peer.send(b"/quit")
            assert peer.recv(1024) == b"* bye\n"
            return line

    async def said() -> None:
        await lobby.append(nouns.draft(text=None, file=nouns.file(id=f"f{next(numbers)}")))

    loop, port, numbers = asyncio.get_running_loop(), sock.getsockname()[1], count()
    try:
        for host in ("127.0.0.1", "127.0.0.9"):
            line = await asyncio.to_thread(conversation, host)
            assert f" http://{host}:{port}/files/" in line
    finally:
        transport.close()
        await log.close()


@linux_only
async def test_what_the_kernel_drops_is_shown(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "RECEIVE_BUFFER_BYTES", 4096)
    server = await serve()
    with DatagramPeer(server.address) as flood:
        for _ in range(1000):  # the server shares this thread, so it reads none of them meanwhile
            flood.say("x" * 100)
        taken = await metric(session, server, "roombridge_datagrams_in_total")
        while taken + await metric(session, server, "roombridge_datagrams_dropped_by_kernel_total") < 1000:
            taken = await metric(session, server, "roombridge_datagrams_in_total")
    assert 0 < taken < 1000


async def test_a_peer_is_told_when_the_server_goes(tmp_path: Path) -> None:
    async with Server(Config(port=0, data=tmp_path / "data")) as server:
        alice = await asyncio.to_thread(seat, server)
    with alice:
        assert alice.read() == "* bye: the server is shutting down\n"


class Kernel:
    """What a seat's datagrams go to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def send(self, data: bytes, peer: Address, sender: object) -> None:
        self.taken.append(data)


async def test_a_peer_from_elsewhere_is_told_200_kb_a_second_and_falls_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, loop, frame = Kernel(), asyncio.get_running_loop(), (b"x" * 1000,) * 50
    seat = datagram.DatagramSeat(kernel, ("203.0.113.5", 5000), [], DatagramForm("http://here"), elsewhere=True)
    monkeypatch.setattr(loop, "time", lambda: now)
    now = 100.0
    assert not seat.full()
    seat.deliver(frame)
    assert len(kernel.taken) == 50 and seat.full()
    now = 100.26
    assert not seat.full(), "a quarter of a second for 50 kB"
    for _ in range(10):
        seat.deliver(frame)  # what it asked for itself, such as its history, does not look
    assert sum(map(len, kernel.taken)) == 50_000 + 400_000, "two seconds' worth, and no more"
    now = 102.3
    seat.deliver((b"again",))
    assert kernel.taken[-1] == b"again"


async def test_whom_the_room_does_not_let_in_is_told_so_and_takes_no_place(
    serve: Callable[..., Awaitable[Server]], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagram, "ELSEWHERE_MAX", 1)
    monkeypatch.setattr(Porch, "elsewhere", lambda self, ip: True)
    server = await serve()
    token = (server.config.data / "host-token").read_text().strip()

    async def pin(pin: str) -> None:
        host = {"Authorization": f"Bearer {token}"}
        async with session.post(f"{server.url}r/lobby/rules", headers=host, json={"pin": pin}) as answer:
            assert answer.status == 201

    def conversation(told: str) -> None:
        with DatagramPeer(server.address) as peer:
            peer.say("hello")
            assert peer.read().startswith(told)

    await pin("4711")
    await asyncio.to_thread(conversation, "* room lobby asks for a PIN")
    await pin("")
    await asyncio.to_thread(conversation, "* welcome")


async def test_only_so_many_seats_are_taken_from_elsewhere(
    serve: Callable[..., Awaitable[Server]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagram, "ELSEWHERE_MAX", 2)
    monkeypatch.setattr(Porch, "elsewhere", lambda self, ip: True)
    server = await serve()

    def conversation() -> None:
        peers = [DatagramPeer(server.address) for _ in range(3)]
        for peer in peers:
            peer.say("")
        assert [peer.read()[:9] for peer in peers[:2]] == ["* welcome"] * 2
        assert peers[2].read() == "* no seat is free: 2 datagram peers are here\n"
        peers[0].say("/quit")
        assert peers[0].read() == "* bye\n"
        peers[2].say("")
        assert peers[2].read().startswith("* welcome")
        for peer in peers:
            peer.close()

    await asyncio.to_thread(conversation)
