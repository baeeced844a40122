"""Raw files over TCP: a header, the bytes, and the file is in the room. (`docs/protocols/upload.md`)"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from bridge import gate
from bridge.inlet import Inlet
from bridge.intake import Coming, Intake
from bridge.log import Begun, Files, More
from bridge.model import Address, Peer, Refused, Stored, StoreError, address
from bridge.policy import Role
from bridge.porch import KNOCK_S, Porch
from bridge.quota import Quota
from bridge.room import Room
from bridge.rooms import Author, Rooms
from bridge.uploads import Moved, TakenOver, Uploads
from bridge.wire import upload

logger = logging.getLogger("roombridge.upload")

OWNER: Final = "tcp"
"""Who may go on with a file that broke off: any sender of a header like its first, whose digest tells the bytes."""
DRAIN_MAX_BYTES: Final = 64 * 1024 * 1024
"""How much of a refused file is read away, so that its sender gets as far as reading why."""
HEADER_S: Final = 10.0
"""How long a header may take from its first byte to its last."""
SILENCE_S: Final = 600.0
"""How long a sender may pause inside a file: as long as a datagram peer may be silent."""
ASKED: Final = "a token is asked for here: put it into the header as token"


class UploadTransport:
    """Takes files from senders who say how long they are."""

    def __init__(self, rooms: Rooms, files: Files, uploads: Uploads, room: str, quota: Quota, porch: Porch) -> None:
        self._porch = porch
        self._rooms = rooms
        self._files = files
        self._uploads = uploads
        self._room = room
        self._quota = quota

    async def serve(self, reader: Inlet, writer: asyncio.StreamWriter) -> None:
        """One connection: file after file, until it ends or breaks a rule."""
        peer: Address = writer.get_extra_info("peername") or ("", 0)
        stranger = self._porch.stranger("tcp", peer[0])
        if stranger and not self._porch.greets("tcp", peer[0]):
            return
        addr = address(peer)
        author = self._rooms.author(secrets.token_hex(16))
        sent = _Sent(reader, writer)
        role = Role.STRANGER if stranger else Role.MEMBER
        try:
            while (header := await sent.header()) is not None:
                try:
                    role = await self._let_in(header, peer, role)
                except Refused as refused:
                    await _turn_away(refused, header, sent, writer)
                    return
                answer = await self._answer(header, sent, author, peer, role is Role.HOST)
                if header.reply:
                    writer.write(answer)
                if sent.refused:
                    return
        except upload.BadHeader as bad:
            self._rooms.tally.refused("bad_request", "tcp")
            logger.info("closed %s: %s", addr, bad)
            if isinstance(bad, upload.Unusable) and bad.reply:
                writer.write(upload.refusal("bad_request", str(bad)))
                await sent.hear_out()
            else:
                writer.transport.abort()

    async def _let_in(self, header: upload.Header, peer: Address, role: Role) -> Role:
        """As whom it may send: by the token in its header; a stranger without one has a host asked, and meanwhile its
        bytes wait in the socket. Raises `Refused` for one who may not."""
        if header.token is not None:
            try:
                return max(role, self._porch.weigh("tcp", peer[0], header.token))
            except Refused:  # who is in already need not have the right one
                if role is Role.STRANGER:
                    raise
        if role is not Role.STRANGER:
            return role
        wish = f"{gate.clean_file_name(header.file_name)} ({header.file_size} bytes)"
        answer = self._porch.knock("tcp", peer, wish)
        if answer is not None:
            try:
                await asyncio.wait([answer])
            finally:
                answer.cancel()
            if not answer.cancelled() and answer.result():
                return Role.MEMBER
        raise Refused("forbidden", ASKED)

    async def _answer(self, header: upload.Header, sent: _Sent, author: Author, peer: Address, host: bool) -> bytes:
        """Take one file, or read it away; the line for a sender that wants one."""
        sent.waits = header.resume and header.reply
        try:
            with self._porch.one_more_file(peer[0]):
                stored = await self._take(header, sent, author, address(peer), host)
        except Refused as refused:
            self._rooms.tally.refused(refused.code, "tcp")
            await sent.drain()
            return upload.refusal(refused.code, refused.message)
        except StoreError as fault:
            logger.exception("%r from %s was lost", header.file_name, address(peer))
            await sent.drain()
            return upload.refusal("busy", fault.told)
        return upload.receipt(stored.entry)

    async def _take(self, header: upload.Header, sent: _Sent, author: Author, addr: str, host: bool) -> Stored:
        room = await self._rooms.get(self._room if header.room is None else header.room)
        if not host:
            await self._rooms.enter(room, header.pin, addr.rpartition(":")[0])
        wish = f"tcp-{addr.rpartition(':')[2]}" if header.sender is None else gate.clean_name(header.sender)
        sender = Peer(author.id, room.named(author.id, wish), "tcp", addr)
        key = secrets.token_hex(12)
        coming = Coming(header.file_name, header.file_size, author.key, key, sender, header.sha256, host=host)
        if sent.waits:
            return await self._go_on(room, coming, header.file_size, sent)
        async with await Intake.begin(room, self._files, coming, self._quota) as file:
            while data := await sent.body():
                with sent.more() as more:
                    await file.write(data, more)
            return await file.finish()

    async def _go_on(self, room: Room, coming: Coming, size: int, sent: _Sent) -> Stored:
        """Tell the sender what is here of its file, and take the rest. Of two senders the later one goes on."""
        begun = Begun(
            room=room.name,
            author=coming.author,
            key=coming.key,
            sender=coming.sender,
            name=gate.clean_file_name(coming.name),
            size=size,
            sha256=gate.clean_sha256(coming.sha256 or ""),
            owner=OWNER,
            host=coming.host,
        )
        upload = await self._uploads.begin_or_go_on(room, begun)
        try:
            async with upload.hold(upload.offset) as file:
                sent.go_on(upload.offset)
                while data := await sent.body():
                    with sent.more() as more:
                        await file.write(data, more)
                return await file.finish()
        except (Moved, TakenOver):
            raise Refused("busy", "another sender goes on with this file") from None


async def _turn_away(refused: Refused, header: upload.Header, sent: _Sent, writer: asyncio.StreamWriter) -> None:
    """One who may not send hears so if it asked for a reply, and is given a moment to read it."""
    if header.reply:
        writer.write(upload.refusal(refused.code, refused.message))
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOCK_S):
                await sent.drain()


class _Sent:
    """What one connection sends, asked for piece by piece."""

    def __init__(self, reader: Inlet, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = upload.Decoder()
        self._events: Iterator[upload.Event] = iter(())
        self._inside = False
        self._header_due: float | None = None
        self.refused = False
        self.waits = False
        """Whether the sender sends nothing until it is told from where to go on."""

    async def header(self) -> upload.Header | None:
        """The next file's header; None when the stream ended between two files."""
        self._header_due = None
        event = await self._next()
        if event is None and self._decoder.cut:
            raise ConnectionResetError("ended inside a header")
        self._inside = event is not None
        return event if isinstance(event, upload.Header) else None

    async def body(self) -> memoryview | None:
        """The next bytes of this file; None when all have come."""
        match await self._next():
            case upload.Body(data):
                return data
            case None:
                raise ConnectionResetError("ended inside a file")
            case _:
                self._inside = False
                return None

    @contextmanager
    def more(self) -> Iterator[More | None]:
        """What else comes of this file, for a thread to ask for (`Inlet.lend`)."""
        with self._reader.lend(self._decoder.left) as more:
            if more is None:
                yield None
                return

            def counted(into: memoryview) -> int:
                size = more(into)
                self._decoder.skip(size)
                return size

            yield counted

    def go_on(self, place: int) -> None:
        """Tell the sender to go on from there."""
        self._writer.write(upload.offset(place))
        self._decoder.skip(place)
        self.waits = False

    async def drain(self) -> None:
        """Read the rest of a refused file away; nothing after it is listened to."""
        self.refused = True
        drained = 0
        while self._inside and not self.waits and drained < DRAIN_MAX_BYTES and (data := await self.body()):
            drained += len(data)

    async def hear_out(self) -> None:
        """Of a sender that did not say how much comes: say nothing more, read away until it ends or time is up.

        Were it closed while something is unread, its kernel would be told to forget what it has not read yet.
        """
        if self._writer.can_write_eof():
            self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(HEADER_S):
                drained = 0
                while drained < DRAIN_MAX_BYTES and (data := await self._reader.read()):
                    drained += len(data)

    async def _next(self) -> upload.Event | None:
        # One by one: a bad header takes nothing away from the file before it, even if both came at once.
        while (event := next(self._events, None)) is None:
            try:
                async with asyncio.timeout_at(self._due()):
                    data = await self._reader.read()
            except TimeoutError:
                if self._inside:
                    raise ConnectionResetError(f"silent for {SILENCE_S:.0f} s inside a file") from None
                raise upload.BadHeader(f"a header that is not complete after {HEADER_S:.0f} s") from None
            if not data:
                return None
            self._events = self._decoder.feed(data)
        return event

    def _due(self) -> float | None:
        """Until when the next bytes must come; between two files there is no hurry."""
        now = asyncio.get_running_loop().time()
        if self._inside:
            return now + SILENCE_S
        if self._decoder.cut and self._header_due is None:
            self._header_due = now + HEADER_S
        return self._header_due
