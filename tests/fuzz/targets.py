"""What is fuzzed: each target takes any bytes at all and says, by assertions, what must hold of them.

A fault of the sender's is `Refused`, a `Fault` or `BadHeader`; whatever else is raised is ours.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from bridge import gate
from bridge.lookalikes import looks
from bridge.media import UNKNOWN, measures, media_type, shown
from bridge.model import Entry, FileRef, Peer, Refused
from bridge.wire import browser, datagram, events, line, plain, upload, websocket
from bridge.wire.sniff import Language, sniff

BASE = "http://127.0.0.1:8080"
PLACES = 32
"""At how many places a stream is cut at most; the first bytes matter most."""
FRAME_HELD_MAX_BYTES = 14 + 125

_SPOKEN: dict[str, Callable[[Entry], Any]] = {
    "browser": browser.encode,
    "line": line.LineForm(BASE).encode,
    "datagram": datagram.DatagramForm(BASE).encode,
    "events": events.EventsForm("epoch", chunked=True).encode,
}


def opening(data: bytes) -> None:
    """No prefix of a stream is answered differently from the whole, and the end of it decides."""
    whole = sniff(data)
    for place in _places(data):
        early = sniff(data[:place])
        assert early is None or early is whole, (place, early, whole)
    final = sniff(data, ended=True)
    assert isinstance(final, Language)
    assert whole is None or whole is final


def uploads(data: bytes) -> None:
    """Files come out the same however the stream was cut, and no more than a header is held."""
    whole = _uploaded([data])
    for place in _places(data):
        assert _uploaded([data[:place], data[place:]]) == whole, place
    assert _uploaded([data[at : at + 1] for at in range(min(len(data), 512))] + [data[512:]]) == whole


def header(data: bytes) -> None:
    """A header is one, with a name that becomes harmless and a size that is one; or it is bad."""
    with suppress(upload.BadHeader):
        found = upload.parse(data)
        assert type(found.file_size) is int and 0 <= found.file_size < 2**63
        for text in (found.file_name, found.room, found.sender, found.sha256):
            assert text is None or text.encode() is not None
        _said(file_name=gate.clean_file_name(found.file_name))


def lines(data: bytes) -> None:
    """Lines come out the same however the stream was cut, each one is text, and no more than one is held."""
    whole = _lined([data])
    for place in _places(data):
        assert _lined([data[:place], data[place:]]) == whole, place
    assert _lined([data[at : at + 1] for at in range(min(len(data), 512))] + [data[512:]]) == whole


def datagrams(data: bytes) -> None:
    """A datagram is text, maybe under a name, or refused; what goes out of it fits those who read 1,024 bytes."""
    with suppress(Refused):
        said = datagram.decode(data)
        assert not said.text.startswith("\ufeff\ufeff") or b"\xef\xbb\xbf" in data or b"\x84\x31\x95\x33" in data
        with suppress(Refused):
            gate.clean_name(said.name or "a")
        _said(text=gate.clean_text(said.text))


def frame(data: bytes) -> None:
    """Each line of a frame is an object of ours, a fault, or passed over; none has a part in another's fate."""
    text = data.decode("utf-8", "replace")  # a text frame is UTF-8, or the connection is closed before
    heard = list(browser.decode(text))
    assert len(heard) <= text.count("\n") + 1
    assert heard == [one for each in text.split("\n") for one in browser.decode(each)]
    for one in heard:
        match one:
            case browser.Fault(error):
                assert msgspec.json.decode(browser.encode(error))["code"] == "bad_request"
            case browser.Say(key, said):
                with suppress(Refused):
                    _said(text=gate.clean_text(said), key=gate.clean_key(key))
            case browser.Rename(name):
                with suppress(Refused):
                    _said(name=gate.clean_name(name))


def frames(data: bytes) -> None:
    """Messages come out the same however the stream was cut, and nothing is heard after the end of it."""
    whole = _framed([data])
    for place in _places(data):
        assert _framed([data[:place], data[place:]]) == whole, place
    assert _framed([data[at : at + 1] for at in range(min(len(data), 512))] + [data[512:]]) == whole


def names(data: bytes) -> None:
    """What passes the gate passes it again unchanged, and every language can say it."""
    text = _any_text(data)
    for clean, place in (
        (gate.clean_text, "text"),
        (gate.clean_name, "name"),
        (gate.clean_room, "room"),
        (gate.clean_key, "key"),
    ):
        try:
            once = clean(text)
        except Refused as refused:
            _worded(refused)
            continue
        assert clean(once) == once
        _said(**{place: once})
        if clean is gate.clean_name:
            assert looks(once) & looks(once.casefold())


def file_names(data: bytes) -> None:
    """Any name becomes a harmless one, and stays it."""
    text = _any_text(data)
    name = gate.clean_file_name(text)
    assert gate.clean_file_name(name) == name
    assert 1 <= len(name.encode()) <= gate.FILE_NAME_MAX_BYTES
    assert name not in (".", "..") and not set(name) & set('/\\<>:"|?*')
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in name)
    _said(file_name=name)


def commands(data: bytes) -> None:
    """A text is words, a command, or refused in words; and no text steers a terminal or forges a line."""
    with suppress(Refused):
        text = plain.decode(data)
        for shown in (plain.indented(text), plain.notice(text)):
            assert not any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in shown)
        assert "\n" not in plain.notice(text)
        assert all(row.startswith("    ") for row in plain.indented(text).split("\n")[1:])
        try:
            order = plain.parse(text)
        except Refused as refused:
            return _worded(refused)
        assert isinstance(order, plain.Say) or text.startswith("/")


def numbers(data: bytes) -> None:
    """A place to resume from is one, or refused."""
    text = _any_text(data)
    with suppress(Refused):
        epoch, seq = events.last_event_id(text)
        assert epoch
        assert 0 <= gate.clean_number(seq, "Last-Event-ID", 0) < 2**63


def beginnings(data: bytes) -> None:
    """A file that begins so is of a type of ours; what is only saved stays so; its measures are some, or none."""
    for name in ("a.png", "a.txt", "a.html", "a"):
        type = media_type(name, data)
        assert shown(type) or (type == UNKNOWN and name in ("a.png", "a")) or (type, name) == ("text/html", "a.html")
    measured = measures(data)
    assert measured is None or min(measured) > 0


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        opening,
        uploads,
        header,
        lines,
        datagrams,
        frame,
        frames,
        names,
        file_names,
        commands,
        numbers,
        beginnings,
    )
}


def _places(data: bytes) -> Iterator[int]:
    """Where to cut: everywhere at the beginning, then at a distance."""
    yield from range(min(len(data), PLACES // 2))
    yield from range(PLACES // 2, len(data), max(1, len(data) * 2 // PLACES))


def _uploaded(pieces: list[bytes]) -> list[object]:
    """Headers and ends as they are, the bytes between joined, and how it went out."""
    decoder, seen = upload.Decoder(), []
    try:
        for piece in pieces:
            for event in decoder.feed(piece):
                if isinstance(event, upload.Body) and seen and isinstance(seen[-1], bytes):
                    seen[-1] += bytes(event.data)
                else:
                    seen.append(bytes(event.data) if isinstance(event, upload.Body) else event)
            assert len(decoder._held) <= upload.LENGTH_BYTES + upload.HEADER_MAX_BYTES
    except upload.BadHeader:
        return [*seen, "bad"]
    return [*seen, decoder.cut]


def _lined(pieces: list[bytes]) -> list[object]:
    """Lines as their text, faults as their code, and a request where one turned up."""
    decoder, seen = line.Decoder(), []
    try:
        for piece in pieces:
            seen.extend(map(_heard, decoder.feed(piece)))
            assert len(decoder._held) <= line.LINE_MAX_BYTES + 1
        seen.extend(map(_heard, decoder.end()))
    except line.NotLines:
        seen.append("a request")
    except line.NotText:
        seen.append("no text")
    return seen


def _framed(pieces: list[bytes]) -> list[object]:
    """What a stream of frames means; what is held of it is less than a header with a control frame."""
    decoder, seen = websocket.Decoder(browser.FRAME_IN_MAX_BYTES), []
    for piece in pieces:
        for event in decoder.feed(piece):
            assert not seen or not isinstance(seen[-1], websocket.Closed | websocket.Broken)
            assert not isinstance(event, websocket.Text) or event.text.encode() is not None
            seen.append(event)
        assert len(decoder._held) < FRAME_HELD_MAX_BYTES
    return seen


def _heard(event: line.Line | line.Fault) -> object:
    match event:
        case line.Line(text):
            assert "\n" not in text and text.encode() is not None
            return event
        case line.Fault(refused):
            return refused.code


def _worded(refused: Refused) -> None:
    """A refusal can be said in every language too, and is not long."""
    assert refused.message.encode() and len(refused.message) < 300


def _any_text(data: bytes) -> str:
    """Bytes that are no UTF-8 become lone surrogates, which no encoder takes."""
    return data.decode("utf-8", "surrogateescape")


def _said(
    text: str = "hi", name: str = "alice", room: str = "lobby", key: str = "k", file_name: str | None = None
) -> None:
    """Clean words are said in every language."""
    file = None if file_name is None else FileRef.of("f", file_name, 1, "a" * 64, "text/plain")
    entry = Entry(
        "text" if file is None else "file",
        1,
        0,
        room,
        key,
        Peer("p", name, "web", "127.0.0.1:1"),
        text if file is None else None,
        file,
    )
    said = {language: speak(entry) for language, speak in _SPOKEN.items()}
    assert msgspec.json.decode(said["browser"], type=Entry) == entry
    assert b"\n" not in said["browser"]
    assert all(len(piece) <= datagram.DATAGRAM_OUT_MAX_BYTES and piece[-1:] == b"\n" for piece in said["datagram"])
    assert all(row.startswith((b"[", b"    ")) for row in said["line"].split(b"\n")[:-1])
