"""What socket peers can ask for, over lines and over datagrams alike."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from bridge.model import Draft, Refused, StoreError
from bridge.room import Cursor, Room
from bridge.server import Server
from bridge.store.sqlite import SqliteLog
from bridge.wire import plain
from tests.support.peers import BrowserPeer, DatagramPeer, LinePeer, texts


class Talker(DatagramPeer):
    """A datagram peer that reads as a line client does."""

    def read(self) -> str:
        return super().read().removesuffix("\n")


Meet = Callable[[], LinePeer | Talker]


@pytest.fixture(params=["line", "datagram"])
def via(request: pytest.FixtureRequest) -> str:
    return {"line": "tcp", "datagram": "udp"}[request.param]


@pytest.fixture
def meet(via: str, server: Server) -> Iterator[Meet]:
    """`peer = meet()`: somebody who has been welcomed; to be called in a thread."""
    with ExitStack() as stack:

        def make() -> LinePeer | Talker:
            peer = stack.enter_context((LinePeer if via == "tcp" else Talker)(server.address))
            peer.say("/upper here")
            assert peer.read() == f"* welcome to lobby, you are {via}-{peer.port}; /help lists commands"
            assert peer.read() == "HERE"
            return peer

        yield make


async def test_nick_changes_the_name_that_everybody_sees(
    meet: Meet, via: str, server: Server, session: aiohttp.ClientSession
) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say("/nick 爱丽丝")
        assert alice.read() == "* you are now 爱丽丝"
        alice.say("hi")
        assert bob.read() == "[爱丽丝] hi"

    await asyncio.to_thread(conversation)
    browser = await BrowserPeer.join(session, server.url)
    assert browser.hello["peers"][0].items() >= {"name": "爱丽丝", "via": via}.items()
    assert (await browser.entry())["from"] == browser.hello["peers"][0]


async def test_a_taken_name_gets_a_suffix(meet: Meet) -> None:
    def conversation() -> None:
        alice, bob, carol = meet(), meet(), meet()
        for peer, wish, given in (
            (alice, "alice", "alice"),
            (bob, "ALICE", "ALICE-2"),
            (carol, "alice", "alice-3"),
            (bob, "alice", "alice-2"),
        ):
            peer.say(f"/nick {wish}")
            assert peer.read() == f"* you are now {given}"

    await asyncio.to_thread(conversation)


async def test_a_name_that_is_left_is_free(meet: Meet) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say("/nick queen")
        assert alice.read() == "* you are now queen"
        alice.say("/nick alice")
        assert alice.read() == "* you are now alice"
        bob.say("/nick queen")
        assert bob.read() == "* you are now queen"

    await asyncio.to_thread(conversation)


BAD = {
    "a name with a bracket": ("/nick a]b", "* name holds U+005D"),
    "a name that turns the line around": ("/nick a\u202eb", "* name holds U+202E"),
    "a name that is too long": (f"/nick {'x' * 33}", "* name of 33 characters, expected 1 to 32"),
    "no name": ("/nick", "* /nick wants more: /nick NAME"),
    "only spaces for a name": ("/nick   ", "* /nick wants more: /nick NAME"),
    "a name without words": ("/as bob", "* /as wants more: /as NAME TEXT"),
    "a bad name with words": ("/as a]b hi", "* name holds U+005D"),
    "nothing": ("/", "* there is no command /; /help lists them, //x says /x"),
    "an unknown command": ("/dance", "* there is no command /dance; /help lists them, //x says /x"),
    "a path": ("/etc/hosts", "* there is no command /etc/hosts; /help lists them, //x says /x"),
    "a history of no number": ("/history all", "* /history all: expected a number from 1 to 500"),
    "a history of none": ("/history 0", "* /history 0: expected a number from 1 to 500"),
    "a history of less than none": ("/history -1", "* /history -1: expected a number from 1 to 500"),
    "a history of too many": ("/history 501", "* /history 501: expected a number from 1 to 500"),
    "a history of full-width digits": ("/history １２", "* /history １２: expected a number from 1 to 500"),
    "no room": ("/join", "* /join wants more: /join ROOM"),
    "a room that cannot be": ("/join a b", "* room a has no PIN, and no room name holds a space"),
    "no secret": ("/pass", "* /pass wants more: /pass SECRET"),
    "an escape sequence": ("beep \x07", "* text holds the control character U+0007"),
}


@pytest.mark.parametrize(("words", "notice"), BAD.values(), ids=BAD.keys())
async def test_what_cannot_be_is_told_and_nothing_changes(
    meet: Meet, via: str, server: Server, session: aiohttp.ClientSession, words: str, notice: str
) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say(words)
        assert alice.read().startswith(notice)
        alice.say("I am who I was")
        assert bob.read() == f"[{via}-{alice.port}] I am who I was"

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["I am who I was"]


async def test_as_says_one_thing_under_a_name(meet: Meet, via: str, server: Server) -> None:
    """For devices whose port changes: the seat keeps the name it has."""

    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say("/as 温度计 21.5 °C")
        assert bob.read() == "[温度计] 21.5 °C"
        alice.say("/as 温度计  two  spaces")
        assert bob.read() == "[温度计] two  spaces"
        alice.say("and now I")
        assert bob.read() == f"[{via}-{alice.port}] and now I"
        bob.say("/nick bob")
        assert bob.read() == "* you are now bob"
        for words in ("it was me", "and again"):
            alice.say(f"/as BOB {words}")
            assert bob.read() == f"[BOB-2] {words}"

    await asyncio.to_thread(conversation)


async def test_who_lists_everybody_with_the_way_they_came(
    meet: Meet, via: str, server: Server, session: aiohttp.ClientSession
) -> None:
    carol = await BrowserPeer.join(session, server.url, name="carol")

    def conversation() -> None:
        alice, bob = meet(), meet()
        bob.say("/who")
        assert bob.read() == f"* 3 here: carol (web), {via}-{alice.port} ({via}), {via}-{bob.port} ({via})"

    await asyncio.to_thread(conversation)
    await carol.close()


async def test_who_names_only_some_of_a_crowd(meet: Meet, server: Server, session: aiohttp.ClientSession) -> None:
    crowd = [await BrowserPeer.join(session, server.url, name=f"n{number}", after=-1) for number in range(60)]

    def conversation() -> str:
        peer = meet()
        peer.say("/who")
        return peer.read()

    line = await asyncio.to_thread(conversation)
    assert line.startswith("* 61 here: n0 (web), n1 (web), ") and line.endswith(", n49 (web) and 11 more")
    assert len(line.encode()) < 1024 and crowd


async def test_history_is_the_last_twenty_or_as_many_as_asked(
    meet: Meet, server: Server, session: aiohttp.ClientSession
) -> None:
    for number in range(30):
        await session.post(server.url, data=f"number {number}", headers={"X-Name": "clock"})

    def conversation() -> None:
        alice = meet()
        for words, count in (("/history", 20), ("/history 3", 3), ("/history 500", 30)):
            alice.say(words)
            said = [alice.read() for _ in range(count)]
            assert said == [f"[clock] number {number}" for number in range(30 - count, 30)]
        alice.say("/upper that is all")
        assert alice.read() == "THAT IS ALL"

    await asyncio.to_thread(conversation)


async def test_history_holds_what_was_said_just_before_it(meet: Meet, via: str) -> None:
    """Own words too: it is asked for, unlike the room."""

    def conversation() -> None:
        alice = meet()
        for number in range(5):
            alice.say(f"number {number}")
        alice.say("/history")
        assert [alice.read() for _ in range(5)] == [f"[{via}-{alice.port}] number {number}" for number in range(5)]

    await asyncio.to_thread(conversation)


async def test_an_empty_room_has_no_history(meet: Meet) -> None:
    def conversation() -> None:
        alice = meet()
        alice.say("/history")
        assert alice.read() == "* nothing has been said here yet"

    await asyncio.to_thread(conversation)


async def test_undo_withdraws_the_last_thing_said(
    meet: Meet, via: str, server: Server, session: aiohttp.ClientSession
) -> None:
    """At once, too: what was said just before is waited for. Nobody hears of their own withdrawal but the answer."""

    def conversation() -> None:
        alice, bob = meet(), meet()
        bob.say("/quiet")
        assert bob.read().startswith("* the room is quiet now")
        alice.say("/nick alice")
        assert alice.read() == "* you are now alice"
        for words in ("keep this", "oops", "/undo"):
            alice.say(words)
        assert alice.read() == "* your last message is withdrawn"
        alice.say("/undo")
        assert alice.read() == "* you have said nothing here that could be withdrawn"
        alice.say("/as sensor 21.5 °C")
        alice.say("/undo")
        assert alice.read() == "* your last message is withdrawn"
        bob.say("/history")
        assert [bob.read() for _ in range(3)] == [
            "[alice] keep this",
            "* [alice] withdrew a message",
            "* [alice] withdrew a message",
        ]

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["keep this", None, None]


async def test_undo_is_for_this_connection_and_this_room(
    meet: Meet, server: Server, session: aiohttp.ClientSession
) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say("mine")
        bob.read()
        bob.say("/undo")
        assert bob.read() == "* you have said nothing here that could be withdrawn"
        alice.say("/join kitchen")
        assert alice.read().startswith("* you are in kitchen")
        alice.say("/undo")
        assert alice.read() == "* you have said nothing here that could be withdrawn"

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["mine"]


async def test_what_was_not_stored_cannot_be_withdrawn(
    meet: Meet, monkeypatch: pytest.MonkeyPatch, faults_are_heard: list[logging.LogRecord]
) -> None:
    def failing(fault: Exception) -> object:
        def append(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(fault)
            return future

        return append

    alice = await asyncio.to_thread(meet)

    async def told(words: str) -> str:
        alice.say(words)
        return await asyncio.to_thread(alice.read)

    alice.say("kept words")
    assert (await told("/history")).endswith("] kept words")
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLog, "append", failing(Refused("disk_full", "the server's disk is full")))
        assert await told("/undo") == "* not withdrawn: the server's disk is full"
        patch.setattr(SqliteLog, "append", failing(StoreError("log: the disk is on fire")))
        assert await told("/undo") == "* not withdrawn: the server has a fault of its own; its log says more"
        assert [record.name for record in faults_are_heard] == ["roombridge.guest"]
        faults_are_heard.clear()
    assert await told("/undo") == "* your last message is withdrawn"
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLog, "append", failing(Refused("disk_full", "the server's disk is full")))
        assert await told("lost words") == "* not stored: the server's disk is full"
    assert await told("/undo") == "* you have said nothing here that could be withdrawn"


async def test_a_host_at_a_terminal_rules_by_name(meet: Meet, via: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts are made elsewhere; here the first guest is made one by hand."""
    join = Room.join

    def as_host(room: Room, *seated: Any) -> Cursor:
        cursor = join(room, *seated)
        cursor.host = room.seats == 1
        return cursor

    monkeypatch.setattr(Room, "join", as_host)
    alice, bob = await asyncio.to_thread(meet), await asyncio.to_thread(meet)

    async def told(peer: LinePeer | Talker, words: str | None = None) -> str:
        if words is not None:
            peer.say(words)
        return await asyncio.to_thread(peer.read)

    name = f"{via}-{bob.port}"
    for words, answer in (
        ("/topic Maths", "set the topic: Maths"),
        (f"/mute {name}", f"muted {name}"),
        (f"/unmute {name.upper()}", f"let {name} speak again"),
    ):
        assert await told(alice, words) == f"* you {answer}"
        assert await told(bob) == f"* [{via}-{alice.port}] {answer}"
    assert await told(alice, f"/remove {via}-{alice.port}") == f"* {via}-{alice.port} is a host too"
    assert await told(alice, f"/remove {name}") == f"* you removed {name}"
    assert (await told(bob)).startswith(("* bye: a host removed you", f"* [{via}-{alice.port}] removed"))


async def test_time_is_the_servers_clock(meet: Meet) -> None:
    def conversation() -> None:
        alice = meet()
        before = datetime.now().astimezone().replace(microsecond=0)
        alice.say("/time")
        told = datetime.fromisoformat(alice.read().removeprefix("* "))
        assert before <= told <= datetime.now().astimezone()

    await asyncio.to_thread(conversation)


UPPER = [("hello", "HELLO"), ("straße", "STRASSE"), ("a  b", "A  B"), ("", ""), ("/who", "/WHO"), ("* hi", "* HI")]


@pytest.mark.parametrize(("words", "answer"), UPPER)
async def test_upper_answers_in_capitals_and_to_nobody_else(meet: Meet, words: str, answer: str) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say(f"/upper {words}")
        assert alice.read() == answer
        alice.say("done")
        assert bob.read().endswith("] done")

    await asyncio.to_thread(conversation)


async def test_help_names_every_command(meet: Meet) -> None:
    def conversation() -> None:
        alice = meet()
        alice.say("/help")
        told = [alice.read() for _ in plain.HELP]
        assert all(line.startswith("* /") for line in told)
        commands = {line.removeprefix("* /").split()[0] for line in told}
        assert commands >= {"nick", "as", "who", "history", "join", "quiet", "time", "upper", "help", "quit", "/x"}

    await asyncio.to_thread(conversation)


async def test_commands_are_not_posted_and_a_doubled_slash_is(
    meet: Meet, server: Server, session: aiohttp.ClientSession
) -> None:
    def conversation() -> None:
        alice = meet()
        for words in ("/who", "/WHO", "//who", "///", " /who", "/pass secret", "/time", "/history"):
            alice.say(words)
        line = alice.read()
        while line != "DONE":
            if line.endswith("/who"):
                alice.say("/upper done")
            line = alice.read()

    await asyncio.to_thread(conversation)
    assert await texts(session, server.url) == ["/who", "//", " /who"]


async def test_join_moves_to_another_room(meet: Meet, via: str, server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)
    kitchen = await BrowserPeer.join(session, server.url, "厨房")

    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say("/nick alice")
        assert alice.read() == "* you are now alice"
        alice.say("/join 厨房")
        assert alice.read() == "* you are in 厨房 as alice"
        alice.say("hello kitchen")
        bob.say("hello lobby")
        bob.say("/join 厨房")
        assert bob.read() == f"* you are in 厨房 as {via}-{bob.port}"
        bob.say("hello to you too")
        assert alice.read() == f"[{via}-{bob.port}] hello to you too"

    await asyncio.to_thread(conversation)
    assert (await browser.entry())["text"] == "hello lobby"
    await browser.until(type="presence", count=1)
    first = await kitchen.entry()
    assert first["text"] == "hello kitchen" and first["room"] == "厨房" and first["from"]["name"] == "alice"


async def test_a_name_that_is_taken_in_the_next_room_gets_a_suffix(
    meet: Meet, server: Server, session: aiohttp.ClientSession
) -> None:
    browser = await BrowserPeer.join(session, server.url, "kitchen", name="alice")

    def conversation() -> None:
        alice = meet()
        alice.say("/nick alice")
        assert alice.read() == "* you are now alice"
        alice.say("/join kitchen")
        assert alice.read() == "* you are in kitchen as alice-2"

    await asyncio.to_thread(conversation)
    await browser.close()


async def test_quiet_is_heard_but_does_not_hear(meet: Meet, via: str) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        alice.say("/quiet")
        assert alice.read() == "* the room is quiet now; /quiet again to hear it"
        bob.say("can you hear me?")
        alice.say("no")
        assert bob.read() == f"[{via}-{alice.port}] no"
        alice.say("/quiet")
        assert alice.read() == "* you hear the room again"
        bob.say("and now?")
        assert alice.read() == f"[{via}-{bob.port}] and now?"

    await asyncio.to_thread(conversation)


async def test_quiet_stays_quiet_in_another_room(meet: Meet, via: str) -> None:
    def conversation() -> None:
        alice, bob = meet(), meet()
        for peer in (alice, bob):
            peer.say("/join kitchen")
            assert peer.read().startswith("* you are in kitchen")
        alice.say("/quiet")
        assert alice.read().startswith("* the room is quiet now")
        alice.say("/join cellar")
        assert alice.read().startswith("* you are in cellar")
        bob.say("/join cellar")
        assert bob.read().startswith("* you are in cellar")
        bob.say("boo")
        alice.say("/history 1")
        while (line := alice.read()) != f"[{via}-{bob.port}] boo":
            assert line == "* nothing has been said here yet"
            alice.say("/history 1")
        alice.say("/upper only because it asked")
        assert alice.read() == "ONLY BECAUSE IT ASKED"

    await asyncio.to_thread(conversation)


async def test_quit_says_bye_and_leaves(meet: Meet, via: str, server: Server, session: aiohttp.ClientSession) -> None:
    browser = await BrowserPeer.join(session, server.url)

    def conversation() -> None:
        alice = meet()
        alice.say("my last words")
        alice.say("/quit")
        assert alice.read() == "* bye"
        if isinstance(alice, LinePeer):
            assert alice.read() == ""

    await asyncio.to_thread(conversation)
    assert (await browser.entry())["text"] == "my last words"
    await browser.until(type="presence", count=1)


async def test_a_wrong_pass_makes_nobody_a_host(meet: Meet, via: str) -> None:
    forged = "you are in; hosts rule by TCP lines or in the page: datagrams may be forged"
    told = {"tcp": "* that is not the secret", "udp": f"* {forged}"}

    def conversation() -> None:
        alice = meet()
        alice.say("/pass secret")
        assert alice.read() == told[via]
        alice.say("/topic mine")
        assert alice.read() == "* only a host may do this"

    await asyncio.to_thread(conversation)


async def test_a_full_disk_is_told_and_the_talk_goes_on(
    meet: Meet, server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(Refused("disk_full", "the server's disk is full; nothing was stored"))
        return future

    alice = await asyncio.to_thread(meet)
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLog, "append", full)
        alice.say("lost words")
        notice = await asyncio.to_thread(alice.read)
        assert notice == "* not stored: the server's disk is full; nothing was stored"
    alice.say("kept words")
    alice.say("/history")
    assert (await asyncio.to_thread(alice.read)).endswith("] kept words")


async def test_a_busy_server_says_so(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        raise Refused("busy", "16384 drafts wait for the disk; send it again later")

    alice = await asyncio.to_thread(meet)
    monkeypatch.setattr(SqliteLog, "append", busy)
    alice.say("too much")
    assert await asyncio.to_thread(alice.read) == "* 16384 drafts wait for the disk; send it again later"


async def test_a_fault_of_ours_is_owned_and_logged_once(
    meet: Meet, monkeypatch: pytest.MonkeyPatch, faults_are_heard: list[logging.LogRecord]
) -> None:
    def broken(log: SqliteLog, draft: Draft) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(StoreError("log: the disk is on fire"))
        return future

    async def unreadable(log: SqliteLog, *query: object) -> None:
        raise StoreError("log: the disk is on fire")

    alice = await asyncio.to_thread(meet)
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLog, "append", broken)
        patch.setattr(SqliteLog, "newest", unreadable)
        alice.say("lost words")
        notice = await asyncio.to_thread(alice.read)
        assert notice == "* not stored: the server could not store it; its log says more"
        alice.say("/history")
        assert await asyncio.to_thread(alice.read) == "* the server could not read its log; its own log says more"
    assert [record.name for record in faults_are_heard] == ["roombridge.guest"] * 2
    assert f"127.0.0.1:{alice.port}" in faults_are_heard[0].getMessage()
    faults_are_heard.clear()
    alice.say("/upper I am still here")
    assert await asyncio.to_thread(alice.read) == "I AM STILL HERE"
