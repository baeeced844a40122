"""Lines over TCP: the same events however the stream was cut, and nothing of an HTTP request among them."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Entry
from bridge.wire import line
from bridge.wire.line import LINE_MAX_BYTES, Decoder, Line, LineForm, NotLines, NotText
from tests.support.nouns import entry, every_cut, file, file_names, names, peer, texts, withdrawn

TOO_LONG, BAD_TEXT, NOT_LINES, NOT_TEXT = "too_long", "bad_text", "not lines", "not text"


def heard(pieces: list[bytes]) -> list[Line | str]:
    """What a decoder makes of a whole stream; a fault by its code, `NotLines` and `NotText` by their names and last."""
    decoder = Decoder()
    events: list[Line | str] = []

    def take(found: list[Line | line.Fault]) -> None:
        events.extend(one if isinstance(one, Line) else one.refused.code for one in found)

    try:
        for piece in pieces:
            for one in decoder.feed(piece):
                take([one])
        take(list(decoder.end()))
    except NotLines:
        events.append(NOT_LINES)
    except NotText:
        events.append(NOT_TEXT)
    return events


STREAMS = [
    (b"", []),
    (b"hi\n", [Line("hi")]),
    (b"hi\r\n", [Line("hi")]),
    (b"hi", [Line("hi")]),
    (b"\n", [Line("")]),
    (b"\r\n\n", [Line(""), Line("")]),
    (b"one\ntwo\r\nthree", [Line("one"), Line("two"), Line("three")]),
    ("你好\n世界\n".encode(), [Line("你好"), Line("世界")]),
    ("你好\n世界\n".encode("gb18030"), [Line("你好"), Line("世界")]),
    ("😀👨‍👩‍👧 é\n".encode(), [Line("😀👨‍👩‍👧 é")]),
    (b"\xef\xbb\xbfhi\n", [Line("hi")]),
    (b"a\rb\n", [Line("a\rb")]),
    (b"\x80\xff\x80\nnext\n", [BAD_TEXT, Line("next")]),
    # telnet: IAC WILL/WONT/DO/DONT option, IAC verb, IAC SB ... IAC SE
    (b"\xff\xfb\x01\xff\xfd\x03hi\r\n", [Line("hi")]),
    (b"h\xff\xf1i\n", [Line("hi")]),
    (b"\xff\xfa\x18\x00xterm\xff\xf0hi\n", [Line("hi")]),
    (b"\xff\xfa\x18a\xff\xffb\xff\xf0hi\n", [Line("hi")]),
    (b"hi\xff\xfa\x18 never ends\nnext\n", [Line("hi"), Line("next")]),
    (b"hi\xff\n", [Line("hi")]),
    (b"\xff\xfb\0hi\n", [Line("hi")]),
    # a file, headerless
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\n", [NOT_TEXT]),
    (b"ID3\x03\0", [NOT_TEXT]),
    (b"hello\nyou\0\nthere\n", [Line("hello"), NOT_TEXT]),
    (b"x" * LINE_MAX_BYTES + b"\0", [NOT_TEXT]),
    (b"x" * (LINE_MAX_BYTES + 1) + b"\0\nhi\n", [TOO_LONG, Line("hi")]),
    (b"GET /\0 HTTP/1.1\r\n", [NOT_TEXT]),
    # HTTP, at once or after some chat
    (b"GET / HTTP/1.1\r\nCookie: s\r\n\r\n", [NOT_LINES]),
    (b"GET / HTTP/1.0\nCookie: s\n\n", [NOT_LINES]),
    (b"hello\nPOST /x HTTP/1.1\r\nCookie: s\r\n", [Line("hello"), NOT_LINES]),
    (b"\r\nGET / HTTP/1.1\r\nCookie: s\r\n", [Line(""), NOT_LINES]),
    (b"  GET / HTTP/1.1\r\n", [NOT_LINES]),
    (b"get / HTTP/1.1 \r\n", [NOT_LINES]),
    (b"GET http://h/ HTTP/1.1\r\n", [NOT_LINES]),
    (b"CONNECT h:443 HTTP/1.1\r\n", [NOT_LINES]),
    (b"CONNECT [::1]:443 HTTP/1.1\r\n", [NOT_LINES]),
    (b"OPTIONS * HTTP/1.1\r\n", [NOT_LINES]),
    (b"M-SEARCH * HTTP/1.1\r\n", [NOT_LINES]),
    (b"GET / HTTP/1.1", [NOT_LINES]),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [NOT_LINES]),
    # chat about HTTP
    (b"I love HTTP/1.1\n", [Line("I love HTTP/1.1")]),
    (b"we speak HTTP/1.1 here\n", [Line("we speak HTTP/1.1 here")]),
    (b"GET the milk\n", [Line("GET the milk")]),
]


@pytest.mark.parametrize(("stream", "events"), STREAMS, ids=lambda value: repr(value)[:40])
def test_a_stream_yields_its_lines_wherever_it_is_cut(stream: bytes, events: list[Line | str]) -> None:
    for pieces in every_cut(stream):
        assert heard(pieces) == events, pieces


def sizes() -> list[tuple[bytes, list[Line | str]]]:
    fits = b"x" * LINE_MAX_BYTES
    chinese = "中".encode() * (LINE_MAX_BYTES // 3)
    return [
        (fits + b"\n", [Line(fits.decode())]),
        (fits + b"\r\n", [Line(fits.decode())]),
        (fits, [Line(fits.decode())]),
        (chinese + b"\n", [Line(chinese.decode())]),
        (fits + b"x\nnext\n", [TOO_LONG, Line("next")]),
        (fits + b"x\r\nnext\n", [TOO_LONG, Line("next")]),
        (fits + b"xx", [TOO_LONG]),
        (fits * 5 + b"\nnext\n", [TOO_LONG, Line("next")]),
        (fits + b"\xff\xfb\x01\nnext\n", [TOO_LONG, Line("next")]),
        (fits + b" I love HTTP/1.1 very much\nnext\n", [TOO_LONG, Line("next")]),
        (b"GET /" + fits + b" HTTP/1.1\r\nCookie: s\r\n", [NOT_LINES]),
        (b"GET /" + fits * 4 + b" HTTP/1.1\r\nCookie: s\r\n", [NOT_LINES]),
        (b"GET /" + fits[:-14] + b" HTTP/1.1\r\nCookie: s\r\n", [NOT_LINES]),
    ]


@pytest.mark.parametrize(("stream", "events"), sizes(), ids=lambda value: repr(value)[-30:])
@pytest.mark.parametrize("step", [10**9, 65_536, 16_385, 4_096, 1_000, 63])
def test_a_line_is_at_most_16_kib_wherever_it_is_cut(stream: bytes, events: list[Line | str], step: int) -> None:
    pieces = [stream[start : start + step] for start in range(0, len(stream), step)]
    assert heard(pieces) == events


@pytest.mark.parametrize(("stream", "events"), sizes(), ids=lambda value: repr(value)[-30:])
def test_a_long_line_may_be_cut_anywhere_near_its_end(stream: bytes, events: list[Line | str]) -> None:
    for place in [
        *range(1, 20),
        *range(LINE_MAX_BYTES - 20, LINE_MAX_BYTES + 20),
        *range(len(stream) - 80, len(stream)),
    ]:
        assert heard([stream[:place], stream[place:]]) == events, place


def test_no_more_than_a_line_is_held() -> None:
    decoder = Decoder()
    for _ in range(1000):
        assert list(decoder.feed(b"x" * 65_536)) == []
        assert len(decoder._held) <= LINE_MAX_BYTES + 1


# What a browser or a library might send, as one request
tokens = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=1, max_size=12)
targets = st.one_of(
    st.text("abc/%20?=&.中", max_size=30).map(lambda path: "/" + path),
    st.just("*"),
    st.just("http://h/x?y=z"),
    st.just("h:443"),
    st.integers(0, 40_000).map(lambda long: "/" + "a" * long),
)


@settings(deadline=None, max_examples=150)
@given(
    method=tokens,
    target=targets,
    version=st.sampled_from(["1.0", "1.1", "2.0"]),
    end=st.sampled_from(["\r\n", "\n"]),
    chat=st.lists(st.sampled_from(["hi", "", "GET the milk", "x" * 20_000]), max_size=3),
    cuts=st.lists(st.integers(0, 60_000), max_size=5),
)
def test_no_line_ever_has_a_byte_of_an_http_requests_headers(
    method: str, target: str, version: str, end: str, chat: list[str], cuts: list[int]
) -> None:
    before = "".join(f"{said}\n" for said in chat)
    request = f"{method} {target} HTTP/{version}{end}Host: h{end}Cookie: secret=1{end}{end}secret body{end}"
    stream = (before + request).encode()
    places = sorted({0, *(cut % len(stream) for cut in cuts), len(stream)})
    events = heard([stream[start:stop] for start, stop in pairwise(places)])
    assert events == [*(Line(said) if len(said) < 20_000 else TOO_LONG for said in chat), NOT_LINES]


@pytest.mark.parametrize(
    "evil",
    [
        b"A " + b":" * 65_000,
        b"A " + b"a:" * 32_000,
        b" " * 65_000,
        b"A /" + b" " * 65_000 + b"x",
        b"\xff\xfa" * 32_000,
        (b"\xff\xfa" * 8_190) + b"\xff",
        b"A " + b":" * 16_000,
        b" HTTP/1.1" * 7_000,
    ],
    ids=lambda value: repr(value[:6]),
)
def test_no_line_takes_long_to_judge(evil: bytes) -> None:
    """Less than 50 ms here; with a pattern that backtracks it was seconds."""
    started = time.process_time()
    heard([evil + b"\n"])
    assert time.process_time() - started < 0.5


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.one_of(st.binary(max_size=30), st.sampled_from([b"\n", b"\r\n", b"GET / HTTP/1.1", b"\xff\xfa"])), max_size=8
    ),
    st.data(),
)
def test_any_stream_yields_the_same_however_it_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    places = sorted({0, *data.draw(st.lists(st.integers(0, len(stream)), max_size=6)), len(stream)})
    cut = [stream[start:stop] for start, stop in pairwise(places)]
    assert heard(cut) == heard([stream])


# What a line client reads


def test_an_entry_is_a_line_and_a_stretch_is_lines() -> None:
    form = LineForm("http://127.0.0.1:8080")
    said = [entry(1, "hi"), entry(2, "a\nb", peer(name="bob")), entry(3, file=file()), withdrawn(4, 1)]
    assert form.frame([form.encode(one) for one in said]).decode() == (
        "[alice] hi\n"
        "[bob] a\n    b\n"
        "[alice] sent 报告.pdf (123 bytes) http://127.0.0.1:8080/files/f1/%E6%8A%A5%E5%91%8A.pdf\n"
        "* [alice] withdrew a message\n"
    )
    assert not form.echo
    assert not form.signals


def test_a_long_entry_is_not_split() -> None:
    assert LineForm("").encode(entry(text="x" * 16_000)) == b"[alice] " + b"x" * 16_000 + b"\n"


def test_forms_of_one_base_are_one() -> None:
    assert LineForm("http://a") == LineForm("http://a")
    assert hash(LineForm("http://a")) == hash(LineForm("http://a"))
    assert LineForm("http://a") != LineForm("http://b")


entries = st.builds(
    lambda text, name, sent, file_name: entry(1, text, peer(name=name), file(name=file_name) if sent else None),
    texts,
    names,
    st.booleans(),
    file_names,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(entries, max_size=6))
def test_lines_that_start_with_a_bracket_are_exactly_the_messages(said: list[Entry]) -> None:
    form = LineForm("http://127.0.0.1:8080")
    frame = form.frame([form.encode(one) for one in said]).decode()
    assert frame.endswith("\n") or not said
    lines = frame.split("\n")[:-1]
    opened = [shown for shown in lines if shown.startswith("[")]
    assert len(opened) == len(said)
    assert all(shown.startswith(f"[{one.sender.name}] ") for shown, one in zip(opened, said, strict=True))
    assert all(shown.startswith(("[", "    ")) for shown in lines)


@settings(deadline=None)
@given(texts)
def test_notices_and_answers_are_one_line_each_or_indented(text: str) -> None:
    assert line.notice(text).startswith(b"* ")
    assert line.notice(text).count(b"\n") == 1
    answer = line.bare(text).decode()
    assert answer.endswith("\n")
    assert all(shown.startswith("    ") for shown in answer.split("\n")[1:-1])
