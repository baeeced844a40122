"""A socket peer in a room: its words go in, its commands are answered, and the room comes back to it.

Lines and datagrams share this; each transport brings a `Voice`, which is its seat with a way to answer.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Final, Protocol

import msgspec

from bridge import gate
from bridge.fanout import Seat
from bridge.model import Draft, Peer, Refused, Stored, StoreError, Unsure, Via
from bridge.policy import Role
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.ruling import ruled
from bridge.wire import plain
from bridge.wire.rule import Wish

logger = logging.getLogger("roombridge.guest")

WHO_NAMED: Final = 50

Later = Coroutine[None, None, None]
Weigh = Callable[[str], Role]
"""Who shows this secret; raises `Refused` for a wrong one."""


class Voice(Seat, Protocol):
    """A seat that can be spoken to outside the log."""

    def notice(self, text: str) -> None:
        """One line that starts with `* `."""

    def bare(self, text: str) -> None:
        """An answer with nothing before it."""

    def hang_up(self) -> None:
        """The peer said `/quit`: let it go."""


class Waiting:
    """How many messages are on their way to the disk: of one guest, or of all who share a socket."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Guest:
    """Sits down on creation, is welcomed, and speaks through `hear`.

    `weigh` is None where nobody could be sure that a secret's owner speaks the next words, too. `opened`: it has shown
    the room's PIN.
    """

    def __init__(
        self,
        rooms: Rooms,
        room: Room,
        voice: Voice,
        via: Via,
        addr: str,
        wish: str | None = None,
        waiting: Waiting | None = None,
        weigh: Weigh | None = None,
        host: bool = False,
        opened: bool = False,
    ) -> None:
        self._rooms = rooms
        self._voice = voice
        self._waiting = waiting or Waiting()
        self._last: asyncio.Future[Stored] | None = None
        self._left = False
        self._weigh = weigh
        self._author = rooms.author(secrets.token_hex(16))
        if room.rules.now.pin and not (host or opened):
            raise Refused("forbidden", f"room {room.name} asks for a PIN: by TCP, begin with /join {room.name} PIN")
        given = f"{via}-{addr.rpartition(':')[2]}"
        self._cursor = room.join(Peer(self._author.id, given, via, addr), voice, room.last_seq, host)
        refused = self._take(wish) if wish is not None else None
        name = self.peer.name if self.peer.name == given else f"{self.peer.name} ({given})"
        voice.notice(f"welcome to {room.name}, you are {name}; /help lists commands")
        if refused:
            self._refuse(refused)

    @property
    def peer(self) -> Peer:
        return self._cursor.peer

    @property
    def room(self) -> Room:
        return self._cursor.room

    def hear(self, text: str) -> Later | None:
        """Take one message or command; empty means "still here". What takes time is returned, to be awaited."""
        if not text or text.isspace():
            return None
        try:
            return self._obey(plain.parse(text))
        except Refused as refused:
            self._refuse(refused)
            return None

    def _refuse(self, refused: Refused, before: str = "") -> None:
        self._rooms.tally.refused(refused.code, self.peer.via)
        self._voice.notice(f"{before}{refused.message}")

    def _obey(self, order: plain.Order) -> Later | None:
        match order:
            case plain.Say(text):
                self._say(text, self.peer)
            case plain.As(name, text):
                free = self.room.named(self.peer.id, gate.clean_name(name))
                self._say(text, msgspec.structs.replace(self.peer, name=free))
            case plain.Nick(name):
                self._cursor.rename(name)
                self._voice.notice(f"you are now {self.peer.name}")
            case plain.Join(name, pin):
                return self._join(name, pin)
            case plain.Topic(text):
                return self._topic(text)
            case plain.Rule(what, name):
                return self._rule(msgspec.convert({what: self._id_of(name)}, Wish))
            case plain.Pass(secret):
                self._pass(secret)
            case plain.Ok():
                self._voice.notice("you are in: no code is asked for")
            case plain.Undo():
                return self._undo()
            case plain.Quiet():
                self._quiet()
            case plain.Quit():
                self._voice.notice("bye")
                self._voice.hang_up()
            case plain.Who():
                self._who()
            case plain.History(limit):
                return self._history(limit)
            case plain.Time():
                self._voice.notice(datetime.now().astimezone().isoformat(" ", "seconds"))
            case plain.Upper(text):
                self._voice.bare(text.upper())
            case plain.Help():
                for line in plain.HELP:
                    self._voice.notice(line)
        return None

    def call(self, name: str) -> None:
        """Go by `name` from now on, as `/nick` does; without a word if that changes nothing."""
        before = self.peer
        if refused := self._take(name):
            self._refuse(refused)
        elif self.peer != before:
            self._voice.notice(f"you are now {self.peer.name}")

    def _take(self, name: str) -> Refused | None:
        try:
            self._cursor.rename(name)
        except Refused as refused:
            return refused
        return None

    def _say(self, text: str, sender: Peer) -> None:
        self._last = self.room.append(msgspec.structs.replace(self._blank(sender), text=text))
        self._last.add_done_callback(self._answered)
        self._waiting.count += 1

    def _blank(self, sender: Peer) -> Draft:
        return Draft(self.room.name, self._author.key, secrets.token_hex(12), sender, host=self._cursor.host)

    async def settle(self, at_most: int = 0) -> None:
        """Wait while more than `at_most` messages are on their way to the disk."""
        while self._last is not None and not self._last.done() and self._waiting.count > at_most:
            await asyncio.wait([self._last])  # numbered in order: when its last is answered, all of its own are

    def _answered(self, future: asyncio.Future[Stored]) -> None:
        self._waiting.count -= 1
        if future.cancelled() or (fault := future.exception()) is None:
            return
        if isinstance(fault, Refused):
            self._refuse(fault, "not stored: ")
        else:
            logger.error("no entry for %s in room %s", self.peer.addr, self.room.name, exc_info=fault)
            self._voice.notice(Unsure.told if isinstance(fault, Unsure) else f"not stored: {StoreError.told}")

    async def _undo(self) -> None:
        """Withdraw the last thing that this guest said, if it said it here and it was stored."""
        said = self._last
        if said is not None:
            await asyncio.wait([said])
        if said is None or said.exception() or said.result().entry.room != self.room.name:
            self._voice.notice("you have said nothing here that could be withdrawn")
            return
        withdrawal = msgspec.structs.replace(self._blank(self.peer), withdraws=said.result().entry.seq)
        if await self._stored(withdrawal, "not withdrawn"):
            self._last = None
            self._voice.notice("your last message is withdrawn")

    async def _stored(self, draft: Draft, failed: str) -> bool:
        """Append what is no message; whether that went well. If not, it is told."""
        try:
            await self.room.append(draft)
        except Refused as refused:
            self._voice.notice(f"{failed}: {refused.message}")
        except StoreError:
            logger.exception("%s for %s in room %s", failed, self.peer.addr, self.room.name)
            self._voice.notice(f"{failed}: the server has a fault of its own; its log says more")
        else:
            return True
        return False

    def _topic(self, text: str) -> Later | None:
        if text:
            return self._rule(Wish(topic=text))
        topic = self.room.rules.now.topic
        self._voice.notice(f"the topic: {topic}" if topic else "no topic is set")
        return None

    def _rule(self, wish: Wish) -> Later:
        """A host's; refused at once, else told when it is stored."""
        return self._lay_down(ruled(self.room, wish, self._blank(self.peer)))

    async def _lay_down(self, draft: Draft) -> None:
        if draft.rule and await self._stored(draft, "nothing changed"):
            self._voice.notice(f"you {plain.deed(draft.rule)}")

    def _id_of(self, name: str) -> str:
        """Of whoever is here under this name. Raises `Refused` `not_found`."""
        for peer in self.room.people:
            if peer.name.casefold() == name.casefold():
                return peer.id
        raise Refused("not_found", f"nobody here is called {name[:32]}; /who names some")

    async def _join(self, name: str, pin: str | None) -> None:
        ip = self.peer.addr.rpartition(":")[0]
        try:
            room = await self._rooms.get(name)
            if pin is not None and not room.rules.now.pin:
                raise Refused("bad_room", f"room {room.name} has no PIN, and no room name holds a space")
            if not self._cursor.host:
                await self._rooms.enter(room, pin, ip)
        except Refused as refused:
            self._refuse(refused)
            return
        except StoreError:
            logger.exception("%s could not join a room", self.peer.addr)
            self._voice.notice("the server could not read its log; its own log says more")
            return
        if self._left:
            return
        before = self._cursor
        try:
            room.admit(before.peer, before.host)
        except Refused as refused:
            self._refuse(refused)
            return
        before.leave()
        self._cursor = room.join(before.peer, self._voice, room.last_seq, before.host)
        self._cursor.quiet = before.quiet
        self._voice.notice(f"you are in {room.name} as {self.peer.name}")

    def _quiet(self) -> None:
        self._cursor.quiet = not self._cursor.quiet
        if self._cursor.quiet:
            self._voice.notice("the room is quiet now; /quiet again to hear it")
        else:
            self._voice.notice("you hear the room again")

    def _pass(self, secret: str) -> None:
        """It is in already; the host's token makes it a host."""
        if self._weigh is None:
            raise Refused("unsupported", "you are in; hosts rule by TCP lines or in the page: datagrams may be forged")
        if self._weigh(secret) is Role.HOST:
            self._cursor.host = True
            self._voice.notice("you are a host now: /help lists what hosts do")
        else:
            self._voice.notice("you are in; the host's token would make you a host")

    def _who(self) -> None:
        people = self.room.people
        names = [f"{plain.seen(peer.name)} ({peer.via})" for peer in people.some()[:WHO_NAMED]]
        more = f" and {len(people) - len(names)} more" if len(people) > len(names) else ""
        self._voice.notice(f"{len(people)} here: {', '.join(names)}{more}")

    async def _history(self, limit: int) -> None:
        await self.settle()  # what it said just before belongs to the history it sees
        form = self._voice.form
        try:
            page = await self.room.history(limit)
        except StoreError:
            logger.exception("no history for %s in room %s", self.peer.addr, self.room.name)
            self._voice.notice("the server could not read its log; its own log says more")
            return
        if page.gap:
            self._cursor.tell(page.gap)
        if page.entries:
            self._voice.deliver(form.frame([form.encode(entry) for entry in page.entries]))
        elif not page.gap:
            self._voice.notice("nothing has been said here yet")

    def leave(self) -> None:
        self._left = True
        self._cursor.leave()
