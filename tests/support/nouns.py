"""Peers, drafts and entries with as little said as a test needs, and streams cut wherever they can be."""

from __future__ import annotations

import asyncio
import hashlib
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

from bridge import gate
from bridge.model import Draft, Entry, FileRef, Peer, Refused, Rule, Via

_numbers = count(1)

anything = st.text(st.characters(codec=None, categories=None), max_size=80)
"""Any text that Python can hold, lone surrogates included."""

NASTY = (
    "ab[]* \t\n\r\v\f\0\x1b\x1c\x7f\x85\x9b/\\:.-_"
    "\u061c\u200b\u200d\u200e\u202e\u2028\u2029\u2066\ufeff\ud800é\u0301中😀"
)
nasty = st.text(st.sampled_from(NASTY), max_size=60)
"""Texts made of what went wrong before, somewhere."""


def passes(text: str, clean: Callable[[str], str]) -> bool:
    try:
        clean(text)
    except Refused:
        return False
    return True


def cleaned(clean: Callable[[str], str], most: int, *more: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What passes the gate, as it comes out: of the nasty signs those that it lets through, and any others."""
    harmless = st.text(st.sampled_from([sign for sign in NASTY if passes(f"a{sign}b", clean)]), min_size=1)
    anyhow = st.one_of(harmless, st.text(min_size=1), *more).map(lambda text: text[:most])
    return anyhow.map(lambda text: clean(text) if passes(text, clean) else "a")


texts = cleaned(gate.clean_text, 400, st.text("a中😀\n", min_size=300))
"""Texts that passed the gate."""
names = cleaned(gate.clean_name, gate.NAME_MAX_CHARS)
"""Names that passed the gate."""
file_names = st.one_of(nasty, anything).map(gate.clean_file_name)


def peer(id: str = "p1", name: str = "alice", via: Via = "web", addr: str = "127.0.0.1:1") -> Peer:
    return Peer(id, name, via, addr)


def draft(
    text: str | None = "hi",
    key: str | None = None,
    room: str = "lobby",
    author: str = "author",
    sender: Peer | None = None,
    file: FileRef | None = None,
) -> Draft:
    """A draft with a key of its own, unless one is given."""
    return Draft(room, author, key or f"key-{next(_numbers)}", sender or peer(), text=text, file=file)


def withdrawal(seq: int, key: str | None = None, room: str = "lobby", author: str = "author") -> Draft:
    """A draft that takes entry `seq` back."""
    return Draft(room, author, key or f"key-{next(_numbers)}", peer(), withdraws=seq)


def withdrawn(seq: int = 2, withdraws: int = 1, sender: Peer | None = None, whose: Peer | None = None) -> Entry:
    """The entry that withdraws another."""
    return Entry("withdraw", seq, 1795404224123, "lobby", f"k{seq}", sender or peer(), withdraws=withdraws, whose=whose)


def ruled(seq: int = 1, sender: Peer | None = None, **rule: Any) -> Entry:
    """The entry of a rule: `ruled(topic="Maths")`."""
    return Entry("rule", seq, 1795404224123, "lobby", f"k{seq}", sender or peer(), rule=Rule(**rule))


def entry(seq: int = 1, text: str | None = "hi", sender: Peer | None = None, file: FileRef | None = None) -> Entry:
    return Entry(
        type="text" if file is None else "file",
        seq=seq,
        at=1795404224123,
        room="lobby",
        key=f"k{seq}",
        sender=sender or peer(),
        text=text if file is None else None,
        file=file,
    )


def file(id: str = "f1", name: str = "报告.pdf", size: int = 123, content: str | None = None) -> FileRef:
    """Its bytes are its own, unless they are said to be those of the same `content`."""
    return FileRef.of(id, name, size, hashlib.sha256((content or id).encode()).hexdigest(), "application/pdf")


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    """`data` whole, cut once at every place, and byte by byte."""
    yield [data]
    for place in range(1, len(data)):
        yield [data[:place], data[place:]]
    yield [data[place : place + 1] for place in range(len(data))]


async def stopped_at(work: Coroutine[Any, Any, Any], step: int) -> bool:
    """Run `work` in a task that is cancelled just when it waits for the `step`th time; whether it came so far."""
    task: asyncio.Task[Any]
    reached = False

    @types.coroutine
    def counting() -> Generator[Any, Any, Any]:
        nonlocal reached
        waits, answer, fault = 0, None, None
        while True:
            try:
                waited_for = work.send(answer) if fault is None else work.throw(fault)
            except StopIteration as done:
                return done.value
            if waits == step:
                reached = True
                task.cancel()
            waits += 1
            answer = fault = None
            try:
                answer = yield waited_for
            except BaseException as thrown:
                fault = thrown

    async def run() -> Any:
        return await counting()

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return reached
