"""Datagrams in and out: one is one message, pieces are whole characters, and nobody can forge a line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.gate import clean_text
from bridge.model import Entry, FileRef, Peer, Refused
from bridge.wire.datagram import (
    DATAGRAM_IN_MAX_BYTES,
    DATAGRAM_OUT_MAX_BYTES,
    DatagramForm,
    Said,
    bare,
    decode,
    notice,
    split,
)
from tests.support import nouns

FORM = DatagramForm("http://127.0.0.1:8080")


def entry(text: str | None = None, name: str = "alice", file: FileRef | None = None) -> Entry:
    sender = Peer("p1", name, "udp", "a:1")
    return Entry("file" if file else "text", 1, 0, "lobby", "k", sender, text=text, file=file)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"hello", Said("hello")),
        (b"hello\n", Said("hello")),
        (b"hello\r\n", Said("hello")),
        (b"hello\n\n", Said("hello\n")),
        (b"hello\n\0\0", Said("hello")),
        (b"\xef\xbb\xbfhi", Said("hi")),
        (b"", Said("")),
        (b"\n", Said("")),
        (b"\0\0", Said("")),
        ("你好".encode(), Said("你好")),
        ("你好".encode("gb18030"), Said("你好")),
        ("来自客户端1的消息:你好".encode(), Said("你好", "客户端1")),
        ("来自客户端1的消息：你好\n".encode(), Said("你好", "客户端1")),
        ("来自a的消息:".encode(), Said("", "a")),
        ("来自a的消息:b的消息:c".encode(), Said("b的消息:c", "a")),
        ("来自a的消息:两\n行".encode(), Said("两\n行", "a")),
        ("来自a的消息:你好".encode("gb18030"), Said("你好", "a")),
        ("来自的消息:x".encode(), Said("来自的消息:x")),
        ("他说来自a的消息:x".encode(), Said("他说来自a的消息:x")),
    ],
)
def test_what_a_datagram_says(data: bytes, said: Said) -> None:
    assert decode(data) == said


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x80abc", b"x" * (DATAGRAM_IN_MAX_BYTES + 1), b"\xa4\x42\x21\x12\x80"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        decode(data)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_datagram_is_text_or_refused(data: bytes) -> None:
    try:
        decode(data).text.encode()
    except Refused:
        pass


NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="[]"), min_size=1, max_size=32)


@settings(deadline=None, max_examples=300)
@given(NAMES, st.text(max_size=3000))
def test_pieces_are_short_whole_and_all_there(name: str, text: str) -> None:
    try:
        text = clean_text(text)
    except Refused:
        return
    head = FORM.encode(entry("x", name))[0].decode().removesuffix("x\n")
    pieces = [piece.decode() for piece in FORM.encode(entry(text, name))]
    assert all(len(piece.encode()) <= DATAGRAM_OUT_MAX_BYTES for piece in pieces)
    assert all(piece.startswith(head) and piece.endswith("\n") for piece in pieces)
    read = "".join(pieces)
    # Whoever prints what comes sees one line a piece that opens with a bracket, and never a notice.
    for line in read.splitlines():
        assert line.startswith(head.rstrip(" ")) or line.startswith("    ") or line == "", line
    joined = "".join(piece[len(head) : -1] for piece in pieces)
    assert joined == FORM_LINE(text)


def FORM_LINE(text: str) -> str:
    """The words of an entry as one long piece would carry them."""
    return b"".join(split("", _indented(text), limit=10**9)).decode()[:-1]


def _indented(text: str) -> str:
    from bridge.wire.plain import indented

    return indented(text)


def test_a_short_entry_is_one_datagram_and_a_frame_is_all_of_them() -> None:
    assert FORM.encode(entry("hi")) == (b"[alice] hi\n",)
    assert FORM.frame([(b"a", b"b"), (b"c",)]) == (b"a", b"b", b"c")


def test_a_file_is_its_name_size_and_address() -> None:
    file = FileRef.of("f1", "报告.pdf", 123, "aa", "application/pdf")
    expected = "[alice] sent 报告.pdf (123 bytes) http://127.0.0.1:8080/files/f1/%E6%8A%A5%E5%91%8A.pdf\n"
    assert FORM.encode(entry(file=file)) == (expected.encode(),)


def test_a_notice_is_one_datagram_and_an_answer_as_many_as_it_takes() -> None:
    assert notice("welcome") == b"* welcome\n"
    assert len(notice("长" * 5000)) <= DATAGRAM_OUT_MAX_BYTES
    assert bare("ABC") == (b"ABC\n",)
    assert "".join(piece.decode()[:-1] for piece in bare("长" * 5000)) == "长" * 5000


@pytest.mark.parametrize("char", ["x", "é", "中", "😀"])
@pytest.mark.parametrize("shift", range(5))
def test_no_character_is_ever_cut(char: str, shift: int) -> None:
    text = "x" * shift + char * 3000
    pieces = [piece.decode() for piece in FORM.encode(entry(text[:16_000]))]
    assert "".join(piece.removeprefix("[alice] ").removesuffix("\n") for piece in pieces) == text
    sizes = [len(piece.encode()) for piece in pieces]
    assert all(DATAGRAM_OUT_MAX_BYTES - len(char.encode()) < size <= DATAGRAM_OUT_MAX_BYTES for size in sizes[:-1])


@pytest.mark.parametrize("place", range(1000, 1030))
def test_every_piece_ends_in_one_newline_wherever_a_line_ends(place: int) -> None:
    text = "x" * place + "\n" + "y" * 2000 + "\n\n\nz"
    pieces = [piece.decode() for piece in FORM.encode(entry(text))]
    assert all(piece.endswith("\n") and not piece.endswith("\n\n") for piece in pieces)
    joined = "".join(piece.removeprefix("[alice] ").removesuffix("\n") for piece in pieces)
    assert joined == text.replace("\n", "\n    ")


STRANGERS = {
    "STUN": "000100002112a442" + "00" * 12,
    "DTLS": "16fefd000000000000000000a0010000940000000000000094fefd",
    "QUIC": "c300000001088394c8f03e5157080000449e" + "7b" * 20,
    "DNS": "12340100000100000000000003777777076578616d706c6503636f6d0000010001",
    "NTP": "1b" + "00" * 47,
    "SNMP": "302602010104067075626c6963a019",
    "RTP": "8000000100000000deadbeef" + "ff" * 20,
}


@pytest.mark.parametrize("raw", STRANGERS.values(), ids=STRANGERS.keys())
def test_another_protocols_datagram_is_never_a_message(raw: str) -> None:
    with pytest.raises(Refused):
        clean_text(decode(bytes.fromhex(raw)).text)


said = st.builds(
    lambda text, name, sent, file_name: entry(
        text, name, FileRef.of("f", file_name, 1, "aa", "text/plain") if sent else None
    ),
    nouns.texts,
    nouns.names,
    st.booleans(),
    nouns.file_names,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(said, max_size=4))
def test_lines_that_start_with_a_bracket_are_exactly_the_pieces(entries: list[Entry]) -> None:
    frame = FORM.frame([FORM.encode(one) for one in entries])
    assert all(len(piece) <= DATAGRAM_OUT_MAX_BYTES for piece in frame)
    lines = b"".join(frame).decode().split("\n")[:-1]
    assert len([line for line in lines if line.startswith("[")]) == len(frame) >= len(entries)
    assert all(line.startswith(("[", "    ")) or line.isspace() for line in lines)  # cut inside an indent: spaces
