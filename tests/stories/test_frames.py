"""WebSocket frames as no library sends them: what RFC 6455 forbids ends the connection with its code, nothing else.

The cases follow the sections of the Autobahn test suite. After each the client says one thing more: either it is
answered, or the connection has ended before. Where the RFC leaves a choice, a case has several outcomes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest

from bridge.wire.browser import FRAME_IN_MAX_BYTES
from tests.support import observe
from tests.support.process import Running
from tests.support.streams import RawBrowser

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x11\x22\x33\x44"


def frame(opcode: int, payload: bytes = b"", *, last: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """One frame of a client (section 5.2), right or wrong."""
    size = len(payload)
    length, more = (
        (size, b"")
        if size < 126
        else (126, struct.pack("!H", size))
        if size < 65536
        else (127, struct.pack("!Q", size))
    )
    head = bytes([0x80 * last | reserved << 4 | opcode])
    if not masked:
        return head + bytes([length]) + more + payload
    key = MASK * (size // 4 + 1)
    covered = (int.from_bytes(payload, "big") ^ int.from_bytes(key[:size], "big")).to_bytes(size, "big")
    return head + bytes([0x80 | length]) + more + MASK + covered


def say(text: str, size: int = 0) -> bytes:
    """An object of at least `size` bytes."""
    return json.dumps({"type": "say", "key": text, "text": text}, ensure_ascii=False).encode().ljust(size)


def pieces(data: bytes, *cuts: int, opcode: int = TEXT) -> list[bytes]:
    """One message in several frames."""
    places = [0, *cuts, len(data)]
    parts = [data[start:end] for start, end in pairwise(places)]
    return [
        frame(CONTINUATION if number else opcode, part, last=number == len(parts) - 1)
        for number, part in enumerate(parts)
    ]


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


HI = frame(TEXT, say("hi"))
LETTER = say("中")
INSIDE = LETTER.index("中".encode()) + 1
GOES_ON = ["said after"]

CASES: dict[str, tuple[bytes, *tuple[list[str], ...]]] = {
    # Framing and lengths
    "a text": (HI, ["said hi", *GOES_ON]),
    "an empty text": (frame(TEXT), GOES_ON),
    **{
        f"a text of {size} bytes": (frame(TEXT, say("hi", size)), ["said hi", *GOES_ON])
        for size in (125, 126, 127, 128, 65_535)
    },
    f"a text of {FRAME_IN_MAX_BYTES + 1} bytes": (frame(TEXT, say("hi", FRAME_IN_MAX_BYTES + 1)), ["close 1009"]),
    "a length that nobody waits for": (b"\x81\xff" + struct.pack("!Q", 2**40) + MASK, ["close 1009"]),
    "a length with its highest bit": (b"\x81\xff" + struct.pack("!Q", 2**63) + MASK, ["close 1002"], ["close 1009"]),
    "a binary": (frame(BINARY, say("hi")), ["close 1003"]),
    "an empty binary": (frame(BINARY), ["close 1003"]),
    # Pings and pongs
    "a ping": (frame(PING), ["pong b''", *GOES_ON]),
    "a ping that says something": (frame(PING, b"\x00\xff\xfe"), [r"pong b'\x00\xff\xfe'", *GOES_ON]),
    "the longest ping": (frame(PING, b"x" * 125), [f"pong {b'x' * 125!r}", *GOES_ON]),
    "a ping that is too long": (frame(PING, b"x" * 126), ["close 1002"]),
    "ten pings": (b"".join(frame(PING, b"%d" % n) for n in range(10)), [f"pong b'{n}'" for n in range(10)] + GOES_ON),
    "a pong that nobody asked for": (frame(PONG, b"here"), GOES_ON),
    "a pong that is too long": (frame(PONG, b"x" * 126), ["close 1002"]),
    # Reserved bits and opcodes
    **{
        f"reserved bits {bits} of a text": (frame(TEXT, say("hi"), reserved=bits), ["close 1002"])
        for bits in range(1, 8)
    },
    "reserved bits of a ping": (frame(PING, reserved=4), ["close 1002"]),
    "reserved bits of a close": (frame(CLOSE, reserved=2), ["close 1002"]),
    **{f"opcode {code}": (frame(code, b"x"), ["close 1002"]) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    # Fragments
    "two pieces": (b"".join(pieces(say("hi"), 9)), ["said hi", *GOES_ON]),
    "an empty piece first": (b"".join(pieces(say("hi"), 0)), ["said hi", *GOES_ON]),
    "an empty piece last": (b"".join(pieces(say("hi"), len(say("hi")))), ["said hi", *GOES_ON]),
    "pieces of one byte": (b"".join(pieces(say("hi"), *range(1, len(say("hi"))))), ["said hi", *GOES_ON]),
    "a ping between the pieces": (frame(PING, b"p").join(pieces(say("hi"), 9)), ["pong b'p'", "said hi", *GOES_ON]),
    "a ping in pieces": (frame(PING, b"p", last=False) + frame(CONTINUATION, b"q"), ["close 1002"]),
    "a close in pieces": (frame(CLOSE, b"\x03\xe8", last=False), ["close 1002"]),
    "a piece of nothing": (frame(CONTINUATION, b"x"), ["close 1002"]),
    "a first piece of nothing": (frame(CONTINUATION, b"x", last=False), ["close 1002"]),
    "a text inside a text": (frame(TEXT, say("hi"), last=False) + HI, ["close 1002"]),
    "a binary inside a text": (frame(TEXT, say("hi"), last=False) + frame(BINARY, b"x"), ["close 1003"]),
    "pieces that are too much together": (
        frame(TEXT, b" " * 40_000, last=False) + frame(CONTINUATION, say("hi", 40_000)),
        ["close 1009"],
    ),
    "a binary in pieces": (b"".join(pieces(b"abc", 1, opcode=BINARY)), ["close 1003"]),
    # UTF-8
    "a letter cut in two": (b"".join(pieces(LETTER, INSIDE)), ["said 中", *GOES_ON]),
    "a letter cut in three": (b"".join(pieces(LETTER, INSIDE, INSIDE + 1)), ["said 中", *GOES_ON]),
    "signs that are no letters": (frame(TEXT, say("\ufdd0\U0010fffe")), ["said \ufdd0\U0010fffe", *GOES_ON]),
    **{
        f"no UTF-8: {raw.hex()}": (frame(TEXT, say("hi").replace(b"hi", raw)), ["close 1007"])
        for raw in (
            b"\xff",
            b"\x80",
            b"\xc0\x80",
            b"\xe0\x80\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe4\xb8",
            b"\xce",
        )
    },
    "no UTF-8 over two pieces": (b"".join(pieces(LETTER[:INSIDE] + b"x" + LETTER[INSIDE:], INSIDE)), ["close 1007"]),
    "UTF-8 that breaks off": (frame(TEXT, "中".encode()[:2]), ["close 1007"]),
    # Closing
    "a close": (frame(CLOSE), ["close"], ["close 1000"]),
    **{f"a close with {code}": (closing(code), [f"close {code}"], ["close 1000"]) for code in (1000, 1001, 3000, 4999)},
    "a close with a reason": (closing(1000, b"x" * 123), ["close 1000"]),
    "a close of one byte": (frame(CLOSE, b"\x03"), ["close 1002"]),
    "a close that is too long": (closing(1000, b"x" * 124), ["close 1002"]),
    **{
        f"a close with {code}, which is none": (closing(code), ["close 1002"])
        for code in (0, 999, 1004, 1005, 1016, 2999)
    },
    **{
        f"a close with {code}, which is never to be sent": (closing(code), ["close 1002"], ["close 1000"])
        for code in (1006, 5000)
    },
    "a close whose reason is no UTF-8": (closing(1000, b"\xff"), ["close 1007"], ["close 1002"]),
    "words after a close": (closing(1000) + HI, ["close 1000"]),
    # Masks
    "a text without a mask": (frame(TEXT, say("hi"), masked=False), ["close 1002"], ["said hi", *GOES_ON]),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all of them."""
    running = Running(tmp_path_factory.mktemp("frames") / "data")
    yield running
    running.close()
    assert " ERROR " not in running.stderr, running.stderr


@pytest.mark.parametrize("cut", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("case", CASES, ids=ascii)
def test_a_frame_is_taken_or_ends_the_connection_with_its_code(house: Running, case: str, cut: bool) -> None:
    sent, *outcomes = CASES[case]
    step = max(1, len(sent) // 1000) if cut else len(sent)
    before = len(observe.log(house.address))
    with RawBrowser(house.address, "after=-1") as peer:
        for at in range(0, len(sent), step):
            with suppress(ConnectionError):  # it has ended, and says why
                peer.socket.sendall(sent[at : at + step])
        heard = _heard(peer)
    stored = [entry["text"] for entry in observe.log(house.address)[before:]]
    assert stored == [one.removeprefix("said ") for one in heard if one.startswith("said ")]
    assert heard in outcomes


def _heard(peer: RawBrowser) -> list[str]:
    """What comes of it, until one thing more is said and answered, or the connection has ended."""
    heard: list[str] = []
    with suppress(ConnectionError):
        peer.socket.sendall(frame(TEXT, say("after")))
    while not heard or not heard[-1].startswith(("close", "said after")):
        try:
            opcode, payload = peer.frame()
        except ConnectionError:
            return [*heard, "cut"]
        match opcode:
            case 8:
                heard.append(f"close {int.from_bytes(payload[:2], 'big')}" if payload else "close")
            case 10:
                heard.append(f"pong {payload!r}")
            case 1:
                objects = [json.loads(row) for row in payload.split(b"\n")]
                heard += [f"said {one['text']}" for one in objects if "seq" in one]
                heard += [f"error {one['code']}" for one in objects if one["type"] == "error"]
    return heard
