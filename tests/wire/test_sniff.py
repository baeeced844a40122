"""The sniffer: every opening gets its language, and the same one however the stream was cut."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.wire.sniff import OPENING_MAX_BYTES, Language, settled_by_waiting, sniff

TLS, HTTP, UPLOAD, LINE, REFUSED = Language.TLS, Language.HTTP, Language.UPLOAD, Language.LINE, Language.REFUSED


def header(length: int, order: str = "<", then: bytes = b"{") -> bytes:
    return struct.pack(f"{order}i", length) + then


OPENINGS = [
    # HTTP: a request line, whatever the method
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", HTTP),
    (b"GET / HTTP/1.0\n\n", HTTP),
    (b"GET /r/lobby/ws?name=%E4%B8%AD HTTP/1.1\r\n", HTTP),
    (b"POST / HTTP/1.1\r\n", HTTP),
    (b"PUT /a.txt HTTP/1.1\r\n", HTTP),
    (b"OPTIONS * HTTP/1.1\r\n", HTTP),
    (b"M-SEARCH * HTTP/1.1\r\n", HTTP),
    (b"CONNECT example.org:443 HTTP/1.1\r\n", HTTP),
    (b"GET http://localhost/ HTTP/1.1\r\n", HTTP),
    (b"BREW /pot HTTP/1.1\r\n", HTTP),
    (b"A / HTTP/1.1\r\n", HTTP),
    (b"GET  HTTP/1.1\r\n", HTTP),
    (b"GET /" + b"a" * OPENING_MAX_BYTES, HTTP),
    (b"GET http://localhost/" + b"a" * OPENING_MAX_BYTES, HTTP),
    *[(b"GET /" + b"a" * (OPENING_MAX_BYTES - 5 - over) + b" HTTP/1.1\r\n", HTTP) for over in range(12)],
    # chat that looks a little like HTTP
    (b"GET the milk\n", LINE),
    (b"GET well soon\r\n", LINE),
    (b"GET the milk\nGET / HTTP/1.1\r\n", LINE),
    (b"GET / HTTP\n", LINE),
    (b"get / http/1.1\n", LINE),
    (b"I have " + b"a dream and " * OPENING_MAX_BYTES, LINE),
    (b"A" * OPENING_MAX_BYTES + b" / HTTP/1.1\r\n", LINE),
    (b"OK / is the root, " * OPENING_MAX_BYTES, LINE),
    (b" GET / HTTP/1.1\r\n", LINE),
    # chat
    (b"hello\n", LINE),
    (b"Hello, world\r\n", LINE),
    (b"/nick bob\n", LINE),
    (b"\r\n\r\n", LINE),
    (b"\n\n\n\n", LINE),
    ("你好\n".encode(), LINE),
    ("你好\n".encode("gb18030"), LINE),
    (b"\xff\xfb\x01\xff\xfb\x03hi\n", LINE),
    (b'{"file_name":"a"}\n', LINE),
    (b"SSH-2.0-OpenSSH_9.2\r\n", LINE),
    # TLS, and what is almost TLS
    (b"\x16\x03\x01\x02\x00\x01\x00", TLS),
    (b"\x16\x03\x03", TLS),
    (b"\x16\x03\x00\x02\x00", TLS),
    (b"\x16\x04\x01\x02", LINE),
    # file headers, in both byte orders
    (header(40), UPLOAD),
    (header(40, ">"), UPLOAD),
    (header(2), UPLOAD),
    (header(2, ">"), UPLOAD),
    (header(10), UPLOAD),  # its first byte is a newline
    (header(266), UPLOAD),
    (header(790), UPLOAD),  # its first two bytes are those of TLS
    (header(65_535), UPLOAD),
    (header(65_535, ">"), UPLOAD),
    (header(256), UPLOAD),
    (header(256, ">"), UPLOAD),
    # lengths that lie
    (header(0), REFUSED),
    (header(1), REFUSED),
    (header(1, ">"), REFUSED),
    (header(65_537), REFUSED),
    (header(65_537, ">"), REFUSED),
    (header(-1), LINE),  # no NUL in it: "all else is text", and no text it is
    (header(2**31 - 1), LINE),
    (b"\0\0\0\0\0\0\0\0", REFUSED),
    # a header that is not followed by a brace
    (header(40, then=b"["), REFUSED),
    (header(40, then=b" {"), REFUSED),
    (header(40, ">", then=b"\0"), REFUSED),
    # a NUL otherwise
    (b"\0abc", REFUSED),
    (b"ab\0c", REFUSED),
    (b"abc\0", REFUSED),
    # HTTP/2 without asking: nothing of it is text
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED),
]


@pytest.mark.parametrize(("stream", "language"), OPENINGS, ids=lambda value: repr(value)[:40])
def test_every_opening_gets_its_language_and_no_prefix_another(stream: bytes, language: Language) -> None:
    assert sniff(stream) is language
    places = range(len(stream)) if len(stream) < 1000 else [*range(40), *range(8100, min(len(stream), 8300))]
    for place in places:
        assert sniff(stream[:place]) in (None, language), stream[:place]


@pytest.mark.parametrize(
    ("opening", "language"),
    [
        (b"", REFUSED),
        (b"y", LINE),
        (b"hi", LINE),
        (b"hi\n", LINE),
        (b"\n", LINE),
        (b"GET", LINE),
        (b"GET /", LINE),
        (b"GET / HTTP/1", LINE),
        (b"\0", REFUSED),
        (b"a\0b", REFUSED),
        (header(40, then=b""), REFUSED),
    ],
)
def test_the_end_of_a_stream_decides_what_bytes_have_not(opening: bytes, language: Language) -> None:
    assert sniff(opening) is None
    assert sniff(opening, ended=True) is language


def test_silence_is_never_classified() -> None:
    assert sniff(b"") is None


@pytest.mark.parametrize("opening", [b"\n", b"y\n", b"hi\n", b"\r\n"])
def test_a_short_line_may_be_settled_by_waiting(opening: bytes) -> None:
    assert settled_by_waiting(opening)


@pytest.mark.parametrize("opening", [b"", b"y", b"hey", b"hey\n", b"y\nx", b"\n\n\n\n"])
def test_nothing_else_is_settled_by_waiting(opening: bytes) -> None:
    assert not settled_by_waiting(opening)


streams = st.one_of(
    st.binary(max_size=40),
    st.text("GETPOS /HT.1\r\n*h-", max_size=40).map(str.encode),
    st.lists(
        st.sampled_from(
            [b"GET", b"PRI", b" ", b"/", b"*", b"HTTP/1.1", b"HTTP/2.0", b"\r\n", b"\n", b"\0", b"{", b"\x16\x03"]
        ),
        max_size=12,
    ).map(b"".join),
    st.tuples(st.integers(-(2**31), 2**31 - 1), st.sampled_from("<>"), st.binary(max_size=4)).map(
        lambda made: header(*made)
    ),
    st.tuples(st.integers(0, 70_000), st.sampled_from("<>"), st.sampled_from([b"{", b"", b" ", b"\n{"])).map(
        lambda made: header(*made)
    ),
)


@settings(deadline=None, max_examples=500)
@given(streams, st.booleans())
@example(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", False)
@example(b"GET /" + b"a" * 8180 + b" is that a page? HTTP/1.1\r\n", False)
def test_no_prefix_of_a_stream_is_answered_differently_from_the_whole(stream: bytes, ended: bool) -> None:
    whole = sniff(stream, ended)
    for place in range(len(stream) + 1):
        assert sniff(stream[:place]) in (None, whole), (stream[:place], stream)


@settings(deadline=None, max_examples=300)
@given(st.text(min_size=1, max_size=60).map(str.encode).filter(lambda raw: 0 not in raw))
def test_text_without_a_nul_is_never_a_file_nor_refused(raw: bytes) -> None:
    if not raw.startswith((b"\x16\x03", b"PRI * HTTP/2.")):
        assert sniff(raw, ended=True) in (LINE, HTTP)
        assert (sniff(raw, ended=True) is HTTP) <= (b" HTTP/1." in raw)


@settings(deadline=None)
@given(st.integers(2, 65_535), st.sampled_from("<>"), st.binary(max_size=20))
@example(790, "<", b"")
def test_every_header_length_is_recognised_in_both_byte_orders(length: int, order: str, rest: bytes) -> None:
    assert sniff(header(length, order) + rest) is UPLOAD
