"""Whatever passes the gate, every language can say; whatever cannot be said does not pass."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import gate
from bridge.media import media_type
from bridge.model import Draft, Entry, FileRef, Peer, Refused, Rule
from bridge.wire import browser, upload
from bridge.wire.datagram import DatagramForm
from bridge.wire.events import EventsForm, LinesForm
from bridge.wire.line import LineForm
from tests.support.nouns import anything, nasty

BASE = "http://127.0.0.1:8080"


def kept(entry: Entry) -> str:
    """As the log keeps it."""
    sender = msgspec.json.encode(entry.sender).decode()
    with sqlite3.connect(":memory:") as memory:
        row = memory.execute("SELECT ?, ?, ?, ?", (entry.room, entry.key, sender, entry.text)).fetchone()
    memory.close()
    assert row == (entry.room, entry.key, sender, entry.text)
    return str(row)


LANGUAGES: dict[str, Callable[[Entry], Any]] = {
    "browser": browser.encode,
    "line": LineForm(BASE).encode,
    "datagram": DatagramForm(BASE).encode,
    "events": EventsForm("epoch", chunked=True).encode,
    "NDJSON": LinesForm(chunked=False).encode,
    "receipt": upload.receipt,
    "log": kept,
}
word = st.one_of(anything, nasty)


@settings(deadline=None, max_examples=400)
@given(text=word, key=word, room=word, name=word, file_name=st.none() | word)
def test_what_passes_the_gate_is_said_in_every_language(
    text: str, key: str, room: str, name: str, file_name: str | None
) -> None:
    # Most words break a rule; a word that does is also tried alone, so that the others are seen to pass.
    bob = Peer("p2", name, "udp", "127.0.0.1:2")
    rules = (Rule(topic=text), Rule(mute=bob), Rule(rename=bob, name=name), Rule(remove=bob, until=1))
    for used in ({"text": text}, {"key": key}, {"room": room}, {"name": name}, *({"rule": rule} for rule in rules), {}):
        draft = _draft(**used, file_name=file_name) if used else _draft(text, key, room, name, file_name)
        try:
            draft = gate.check(draft)
        except Refused as refused:
            refused.message.encode()
            continue
        entry = _numbered(draft)
        for say in LANGUAGES.values():
            assert say(entry)
        assert msgspec.json.decode(browser.encode(entry), type=Entry) == entry


def _draft(
    text: str = "hi",
    key: str = "k",
    room: str = "lobby",
    name: str = "alice",
    file_name: str | None = None,
    rule: Rule | None = None,
) -> Draft:
    """A file's name is made harmless when its transfer begins; all else comes as it is."""
    peer = Peer("p1", name, "web", "127.0.0.1:1")
    if rule is not None:
        return Draft(room, "author", key, peer, rule=rule, host=True)
    if file_name is None:
        return Draft(room, "author", key, peer, text=text)
    clean = gate.clean_file_name(file_name)
    return Draft(room, "author", key, peer, file=FileRef.of("f1", clean, 1, "a" * 64, media_type(clean)))


def _numbered(draft: Draft) -> Entry:
    return Entry(
        type="rule" if draft.rule else "text" if draft.file is None else "file",
        seq=1,
        at=0,
        room=draft.room,
        key=draft.key,
        sender=draft.sender,
        text=draft.text,
        file=draft.file,
        rule=draft.rule,
    )
