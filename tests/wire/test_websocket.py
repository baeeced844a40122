"""RFC 6455 as a table: what a client may send and may not, whole and cut at every byte.

The rows mirror the cases 1 to 7 and 10 of the Autobahn test suite for a server, by their numbers; what Autobahn wants
echoed is here what the decoder must say. Binary messages, which we do not take, are one answer: 1003.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.wire.websocket import (
    BAD_TEXT,
    NO_CODE,
    PING,
    PROTOCOL_ERROR,
    TOO_BIG,
    UNSUPPORTED,
    Broken,
    Closed,
    Decoder,
    Event,
    Ping,
    Pong,
    Text,
    close,
    pong,
    text,
    unmask,
)

MAX = 64 * 1024
MASK = b"\x12\x9a\x00\xff"
CONTINUATION, TEXT, BINARY, CLOSE, PING_, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", fin: bool = True, rsv: int = 0, mask: bytes = MASK) -> bytes:
    """As a client sends it."""
    size = len(payload)
    length = (
        bytes((0x80 | size,))
        if size < 126
        else bytes((0xFE,)) + size.to_bytes(2, "big")
        if size < 65536
        else bytes((0xFF,)) + size.to_bytes(8, "big")
    )
    return (
        bytes((fin << 7 | rsv << 4 | opcode,))
        + length
        + mask
        + bytes(b ^ k for b, k in zip(payload, itertools.cycle(mask)))
    )


def fragments(*payloads: bytes, opcode: int = TEXT) -> bytes:
    """One message in as many frames."""
    last = len(payloads) - 1
    return b"".join(
        frame(opcode if place == 0 else CONTINUATION, payload, fin=place == last)
        for place, payload in enumerate(payloads)
    )


def octets(payload: bytes) -> bytes:
    """One message in frames of a byte."""
    return fragments(*(payload[at : at + 1] for at in range(len(payload))))


def shut(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def shapes(events: list[Event]) -> list[object]:
    """Without the words of a reason, which are for people."""
    return [event.code if isinstance(event, Broken) else event for event in events]


HI = Text("hi")
LONG = "κόσμε" * 20
DATA = bytes(range(0x80, 0xFE))

CASES: dict[str, tuple[bytes, list[object]]] = {
    # 1: messages, by length; 126 and 65,536 are where the length grows
    **{f"1.1 text of {size}": (frame(TEXT, b"*" * size), [Text("*" * size)]) for size in (0, 125, 126, 127, 128)},
    **{f"1.2 binary of {size}": (frame(BINARY, b"\xfe" * size), [UNSUPPORTED]) for size in (0, 125, 126)},
    # 2: pings and pongs
    "2.1 ping": (frame(PING_), [Ping(b"")]),
    "2.2 ping with data": (frame(PING_, b"Hello"), [Ping(b"Hello")]),
    "2.3 ping with what is no text": (frame(PING_, b"\x00\xff\xfe\xfd"), [Ping(b"\x00\xff\xfe\xfd")]),
    "2.4 ping of 125": (frame(PING_, b"\xfe" * 125), [Ping(b"\xfe" * 125)]),
    "2.5 ping of 126": (frame(PING_, b"\xfe" * 126), [PROTOCOL_ERROR]),
    "2.7 pong unasked": (frame(PONG) + frame(TEXT, b"hi"), [Pong(), HI]),
    "2.8 pong unasked with data": (frame(PONG, b"x"), [Pong()]),
    "2.9 pong then ping": (frame(PONG, b"x") + frame(PING_, b"y"), [Pong(), Ping(b"y")]),
    "2.10 ten pings": (b"".join(frame(PING_, b"%d" % n) for n in range(10)), [Ping(b"%d" % n) for n in range(10)]),
    # 3: reserved bits
    "3.1 RSV 1": (frame(TEXT, b"hi", rsv=1), [PROTOCOL_ERROR]),
    "3.2 RSV 2 after a text": (frame(TEXT, b"hi") + frame(TEXT, b"no", rsv=2) + frame(PING_), [HI, PROTOCOL_ERROR]),
    "3.4 RSV 4": (frame(TEXT, b"hi") + frame(TEXT, b"no", rsv=4) + frame(PING_), [HI, PROTOCOL_ERROR]),
    "3.5 RSV 5, binary": (frame(BINARY, b"x", rsv=5), [PROTOCOL_ERROR]),
    "3.6 RSV 6, ping": (frame(PING_, b"x", rsv=6), [PROTOCOL_ERROR]),
    "3.7 RSV 7, close": (frame(CLOSE, rsv=7), [PROTOCOL_ERROR]),
    # 4: reserved opcodes
    **{f"4 opcode {opcode}": (frame(opcode), [PROTOCOL_ERROR]) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "4 opcode 5 after a text": (frame(TEXT, b"hi") + frame(5, b"x") + frame(PING_), [HI, PROTOCOL_ERROR]),
    # 5: fragments
    "5.1 ping in two": (frame(PING_, b"a", fin=False) + frame(CONTINUATION, b"b"), [PROTOCOL_ERROR]),
    "5.2 pong in two": (frame(PONG, b"a", fin=False) + frame(CONTINUATION, b"b"), [PROTOCOL_ERROR]),
    "5.3 text in two": (fragments(b"h", b"i"), [HI]),
    "5.6 ping between": (
        frame(TEXT, b"h", fin=False) + frame(PING_, b"?") + frame(CONTINUATION, b"i"),
        [Ping(b"?"), HI],
    ),
    "5.9 continuation of nothing": (frame(CONTINUATION, b"x") + frame(TEXT, b"hi"), [PROTOCOL_ERROR]),
    "5.12 unfinished continuation of nothing": (frame(CONTINUATION, b"x", fin=False), [PROTOCOL_ERROR]),
    "5.15 continuation after the end": (
        fragments(b"h", b"i") + frame(CONTINUATION, b"x", fin=False),
        [HI, PROTOCOL_ERROR],
    ),
    "5.18 text inside a text": (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), [PROTOCOL_ERROR]),
    "5.19 five with pings": (
        frame(TEXT, b"1", fin=False)
        + frame(CONTINUATION, b"2", fin=False)
        + frame(PING_, b"a")
        + frame(CONTINUATION, b"3", fin=False)
        + frame(CONTINUATION, b"4", fin=False)
        + frame(PING_, b"b")
        + frame(CONTINUATION, b"5"),
        [Ping(b"a"), Ping(b"b"), Text("12345")],
    ),
    # 6: UTF-8
    "6.1.1 nothing": (frame(TEXT), [Text("")]),
    "6.1.2 nothing in three": (fragments(b"", b"", b""), [Text("")]),
    "6.1.3 something between nothing": (fragments(b"", b"hi", b""), [HI]),
    "6.2 across frames": (octets(LONG.encode()), [Text(LONG)]),
    "6.2 after a message, anew": (octets("κ".encode()) + frame(TEXT, "κ".encode()), [Text("κ"), Text("κ")]),
    "6.3 no UTF-8": (frame(TEXT, LONG.encode() + b"\xed\xa0\x80edited"), [BAD_TEXT]),
    "6.3 no UTF-8, frame by frame": (octets(LONG.encode() + b"\xed\xa0\x80edited"), [BAD_TEXT]),
    **{
        f"6 valid {text!r}": (frame(TEXT, text.encode()), [Text(text)])
        for text in ("\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\U0010ffff")
    },
    **{
        f"6 invalid {bad.hex(' ')}": (frame(TEXT, bad), [BAD_TEXT])
        for bad in (
            *(b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf"),
            *(b"\x80", b"\xbf", b"\x80\xbf\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xc1\xbf"),
            *(b"\xce", b"\xe1\xbd", b"\xf0\x90\x80", b"\xc3 ", b"\xfe", b"\xff", b"\xed\xa0\x80", b"\xed\xbf\xbf"),
            *(b"\xed\xa0\x80\xed\xb0\x80", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"),
        )
    },
    # 7: closing
    "7.1.1 text and close": (frame(TEXT, b"hi") + shut(1000), [HI, Closed(1000)]),
    "7.1.2 closed twice": (shut(1000) + shut(1001), [Closed(1000)]),
    "7.1.3 ping after close": (shut(1000) + frame(PING_), [Closed(1000)]),
    "7.1.4 text after close": (shut(1000) + frame(TEXT, b"hi"), [Closed(1000)]),
    "7.1.5 close inside a message": (frame(TEXT, b"a", fin=False) + shut(1000) + frame(CONTINUATION), [Closed(1000)]),
    "7.3.1 no code": (frame(CLOSE), [Closed(NO_CODE)]),
    "7.3.2 half a code": (frame(CLOSE, b"\x03"), [PROTOCOL_ERROR]),
    "7.3.4 a reason": (shut(1000, b"good bye"), [Closed(1000)]),
    "7.3.5 a long reason": (shut(1000, b"*" * 123), [Closed(1000)]),
    "7.3.6 too long a reason": (shut(1000, b"*" * 124), [PROTOCOL_ERROR]),
    "7.5.1 a reason that is no UTF-8": (shut(1000, LONG.encode()[:20] + b"\xed\xa0\x80"), [BAD_TEXT]),
    **{
        f"7.7 code {code}": (shut(code), [Closed(code)])
        for code in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999)
    },
    **{
        f"7.9 code {code}": (shut(code), [PROTOCOL_ERROR])
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    # What Autobahn's server has no case for
    "not masked": (b"\x81\x02hi", [PROTOCOL_ERROR]),
    "a mask of nought": (frame(TEXT, b"hi", mask=b"\0\0\0\0"), [HI]),
    "126 bytes long as eight": (b"\x81\xff" + (5).to_bytes(8, "big") + b"\0\0\0\0hello", [PROTOCOL_ERROR]),
    "5 bytes long as two": (b"\x81\xfe\x00\x05\0\0\0\0hello", [PROTOCOL_ERROR]),
    "longer than there is memory": (b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0", [TOO_BIG]),
}  # fmt: skip

LARGE: dict[str, tuple[bytes, list[object]]] = {
    "1.1 text of 65535": (frame(TEXT, b"*" * 65535), [Text("*" * 65535)]),
    "1.1 text of 65536": (frame(TEXT, b"*" * 65536), [Text("*" * 65536)]),
    "10.1.1 in frames of 1300": (
        fragments(*(b"*" * min(1300, 65536 - at) for at in range(0, 65536, 1300))),
        [Text("*" * 65536)],
    ),
    "one byte too many": (frame(TEXT, b"*" * (MAX + 1)), [TOO_BIG]),
    "one byte too many, in two": (fragments(b"*" * MAX, b"*"), [TOO_BIG]),
    "twice as much, in two messages": (frame(TEXT, b"*" * MAX) + fragments(b"*" * MAX, b""), [Text("*" * MAX)] * 2),
}


def heard(*pieces: bytes) -> list[Event]:
    decoder = Decoder(MAX)
    return [event for piece in pieces for event in decoder.feed(piece)]


@pytest.mark.parametrize(("sent", "expected"), CASES.values(), ids=CASES.keys())
def test_what_a_client_sends_means_the_same_wherever_it_is_cut(sent: bytes, expected: list[object]) -> None:
    assert shapes(heard(sent)) == expected
    for cut in range(1, len(sent)):
        assert shapes(heard(sent[:cut], sent[cut:])) == expected, cut
    assert shapes(heard(*(bytes((byte,)) for byte in sent))) == expected


@pytest.mark.parametrize(("sent", "expected"), LARGE.values(), ids=LARGE.keys())
def test_what_is_large_means_the_same_in_pieces(sent: bytes, expected: list[object]) -> None:
    assert shapes(heard(sent)) == expected
    for size in (1, 997, 1400, 16384):
        assert shapes(heard(*(sent[at : at + size] for at in range(0, len(sent), size)))) == expected


def test_a_bad_byte_is_told_as_soon_as_it_is_here() -> None:
    """Autobahn 6.4: in the middle of a frame, and before a message's last frame."""
    good, bad = LONG.encode(), b"\xf4\x90\x80\x80"
    assert shapes(heard(frame(TEXT, good, fin=False), frame(CONTINUATION, bad, fin=False))) == [BAD_TEXT]
    whole = frame(TEXT, good + bad + good)
    start = len(whole) - len(good) - len(bad)
    assert heard(whole[: start + 1]) == []  # F4 may begin a character
    assert shapes(heard(whole[: start + 2])) == [BAD_TEXT]  # F4 90 does not


def test_what_is_too_large_is_told_before_it_comes() -> None:
    assert shapes(heard(frame(TEXT, b"*" * (MAX + 1))[:14])) == [TOO_BIG]


def test_what_breaks_is_said_in_words() -> None:
    (broken,) = heard(b"\x81\x02hi")
    assert broken == Broken(PROTOCOL_ERROR, "a frame that is not masked")


def test_what_is_held_is_little() -> None:
    """A message that has not come is not waited for in memory: its bytes are judged and kept as text."""
    decoder = Decoder(MAX)
    sent = frame(TEXT, b"*" * 1000)
    assert list(decoder.feed(sent[:500])) == []
    assert decoder._held == b""
    assert list(decoder.feed(sent[500:])) == [Text("*" * 1000)]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=20).map(lambda words: frame(TEXT, words.encode())), st.binary(max_size=12))),
    st.data(),
)
def test_no_stream_is_heard_differently_in_pieces(parts: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    pieces = [sent[a:b] for a, b in itertools.pairwise([0, *cuts, len(sent)])]
    assert heard(*pieces) == heard(sent)


@given(st.binary(max_size=70), st.binary(min_size=4, max_size=4))
def test_unmasking_is_masking_byte_by_byte(data: bytes, mask: bytes) -> None:
    assert unmask(data, mask) == bytes(byte ^ key for byte, key in zip(data, itertools.cycle(mask)))


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\0\0\0\0\0\x01\0\0"),
    ],
)
def test_a_frame_says_its_length_as_the_rfc_does(length: int, head: bytes) -> None:
    assert text(b"x" * length) == head + b"x" * length


def test_control_frames_are_small_and_final() -> None:
    assert PING == b"\x89\x00"
    assert pong(b"ab") == b"\x8a\x02ab"
    assert close(1013, "slow") == b"\x88\x06\x03\xf5slow"
    assert close(NO_CODE) == b"\x88\x00"
