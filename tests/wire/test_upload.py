"""Files from bytes: headers in either order, bodies uncopied, cut anywhere."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Entry, FileRef, Peer
from bridge.wire.upload import BadHeader, Body, Decoder, End, Header, Unusable, header_length, parse, receipt, refusal


def packed(order: str = "<", **fields: object) -> bytes:
    raw = json.dumps(fields).encode()
    return struct.pack(f"{order}i", len(raw)) + raw


def files(pieces: list[bytes]) -> list[object]:
    """Headers, and the whole bytes of each file that ended."""
    decoder, told, body = Decoder(), [], b""
    for piece in pieces:
        for event in decoder.feed(piece):
            match event:
                case Header():
                    told.append(event)
                case Body(data):
                    body += data
                case End():
                    told.append(body)
                    body = b""
    return [*told, decoder.cut]


STREAM = (
    packed(file_name="澳门.mp4", file_size=5)
    + b"hello"
    + packed(">", file_name="empty", file_size=0, reply=True)
    + packed(file_name="{", file_size=3, room="lab", sender="bob", sha256="aa", extra={"a": [1]})
    + b"\n{\0"
)
EXPECTED = [
    Header("澳门.mp4", 5),
    b"hello",
    Header("empty", 0, reply=True),
    b"",
    Header("{", 3, room="lab", sender="bob", sha256="aa"),
    b"\n{\0",
    False,
]


def test_many_files_on_a_stream_cut_at_every_byte() -> None:
    assert files([STREAM]) == EXPECTED
    for cut in range(len(STREAM) + 1):
        assert files([STREAM[:cut], STREAM[cut:]]) == EXPECTED
    assert files([bytes((byte,)) for byte in STREAM]) == EXPECTED


def test_a_stream_that_ends_inside_something_says_so() -> None:
    ends = {0, len(STREAM)}
    for cut in range(len(STREAM) + 1):
        whole = files([STREAM[:cut]])
        if whole[-1] is False:
            ends.add(cut)
    lengths = [len(packed(file_name="澳门.mp4", file_size=5)) + 5]
    lengths.append(lengths[0] + len(packed(file_name="empty", file_size=0, reply=True)))
    assert ends == {0, *lengths, len(STREAM)}


@pytest.mark.parametrize(
    ("opening", "length"),
    [
        (b"\x02\0\0\0", 2),
        (b"\0\0\0\x02", 2),
        (b"\xff\xff\0\0", 65535),
        (b"\0\0\xff\xff", 65535),
        (b"\n\0\0\0", 10),
        (b"\n\x01\0\0", 266),
        (b"\0\0\0\0", None),
        (b"\x01\0\0\0", None),
        (b"\0\0\x01\0", 256),
        (b"\0\x01\0\0", 256),
        (b"\xff\xff\xff\xff", None),
        (b"\0\0\0\x80", 128),
        (b"\x80\0\0\x80", None),
        (b"GET ", None),
    ],
)
def test_the_length_is_read_in_either_order(opening: bytes, length: int | None) -> None:
    assert header_length(opening) == length


BAD = {
    "no brace": b'["file_name"]',
    "no JSON": b"{nope",
    "no name": b'{"file_size":1}',
    "no size": b'{"file_name":"a"}',
    "name is a number": b'{"file_name":1,"file_size":1}',
    "size is text": b'{"file_name":"a","file_size":"1"}',
    "size is true": b'{"file_name":"a","file_size":true}',
    "size is a fraction": b'{"file_name":"a","file_size":1.5}',
    "size is negative": b'{"file_name":"a","file_size":-1}',
    "size is infinite": b'{"file_name":"a","file_size":1e999}',
    "size is NaN": b'{"file_name":"a","file_size":NaN}',
    "size of 5,000 digits": b'{"file_name":"a","file_size":%s}' % (b"9" * 5000),
    "size beyond 63 bits": b'{"file_name":"a","file_size":9223372036854775808}',
    "a lone surrogate": b'{"file_name":"\\ud800","file_size":1}',
    "no UTF-8": b'{"file_name":"\xff","file_size":1}',
    "no UTF-8 in what is passed over": b'{"x":"\xff","file_name":"a","file_size":1}',
    "too deep": b'{"a":' + b"[" * 60_000,
    "deep and whole": b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b',"file_name":"a","file_size":1}',
    "something after it": b'{"file_name":"a","file_size":1} x',
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_a_header_that_is_none_is_named_as_such(raw: bytes) -> None:
    with pytest.raises(BadHeader):
        parse(raw)


UNUSABLE = ["no name", "no size", "name is a number", "size is text", "size is true", "size is a fraction"]
UNUSABLE += ["size is negative", "size beyond 63 bits", "size of 5,000 digits", "size is infinite"]


@pytest.mark.parametrize("raw", [BAD[name] for name in UNUSABLE], ids=UNUSABLE)
def test_an_object_that_is_no_header_says_whether_its_sender_waits(raw: bytes) -> None:
    for more, reply in ((b"}", False), (b',"reply":true}', True), (b',"reply":1}', False), (b',"reply":"yes"}', False)):
        with pytest.raises(Unusable, match="the header: ") as bad:
            parse(raw.removesuffix(b"}") + more)
        assert bad.value.reply is reply


@pytest.mark.parametrize("raw", [raw for name, raw in BAD.items() if name not in UNUSABLE])
def test_of_what_is_no_object_nobody_can_say_it(raw: bytes) -> None:
    with pytest.raises(BadHeader) as bad:
        parse(raw.replace(b"{", b'{"reply":true,', 1))
    assert not isinstance(bad.value, Unusable)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_header_is_a_header_or_bad(raw: bytes) -> None:
    try:
        header = parse(raw)
    except BadHeader:
        return
    assert header.file_size >= 0
    header.file_name.encode()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_stream_is_files_or_bad(stream: bytes) -> None:
    try:
        files([stream])
    except BadHeader:
        pass


def test_answers_are_one_json_line() -> None:
    file = FileRef.of("f1", "a b.txt", 1, "aa", "text/plain")
    entry = Entry("file", 7, 0, "lobby", "k", Peer("p", "n", "tcp", "a:1"), file=file)
    assert receipt(entry) == b'{"seq":7,"url":"/files/f1/a%20b.txt","sha256":"aa"}\n'
    assert refusal("too_large", "no") == b'{"error":{"code":"too_large","message":"no"}}\n'


def test_a_field_that_comes_twice_counts_as_it_was_said_last() -> None:
    assert parse(b'{"file_name":"a","file_size":1,"file_name":"b","file_size":2}') == Header("b", 2)
