"""Plain text: what socket peers may send, what commands mean, and what can never reach a terminal."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.model import Refused
from bridge.wire import plain
from tests.support.nouns import anything, entry, file, nasty, peer, ruled, withdrawn

DECODED = [
    (b"hi", "hi"),
    ("你好，世界".encode(), "你好，世界"),
    ("你好，世界".encode("gb18030"), "你好，世界"),
    ("来自小明的消息：hi".encode("gb18030"), "来自小明的消息：hi"),
    ("😀".encode("gb18030"), "😀"),
    (b"\xef\xbb\xbfhi", "hi"),
    (b"", ""),
    (b"tab\there", "tab\there"),
]


@pytest.mark.parametrize(("raw", "text"), DECODED)
def test_text_is_utf8_else_gb18030(raw: bytes, text: str) -> None:
    assert plain.decode(raw) == text


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\xfd",
        b"\x80",
        b"hi \xff",
        bytes.fromhex("000100002112a442") + b"\xff" * 12,  # STUN
        "é".encode("latin-1") + b" \xff",
        b"\xed\xa0\x80\xff",  # a surrogate in UTF-8
    ],
)
def test_bytes_that_are_no_text_are_refused_and_not_replaced(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        plain.decode(raw)
    assert refused.value.code == "bad_text"


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_whatever_is_decoded_is_encodable_or_refused(raw: bytes) -> None:
    with suppress(Refused):
        plain.decode(raw).encode()


ORDERS = [
    ("hello", plain.Say("hello")),
    (" /who", plain.Say(" /who")),
    ("//who", plain.Say("/who")),
    ("///", plain.Say("//")),
    ("/nick bob", plain.Nick("bob")),
    ("/NICK bob", plain.Nick("bob")),
    ("/nick  bob the builder ", plain.Nick("bob the builder")),
    ("/as sensor-1 21.5 °C", plain.As("sensor-1", "21.5 °C")),
    ("/as  sensor-1   21.5", plain.As("sensor-1", "21.5")),
    ("/as x /who", plain.As("x", "/who")),
    ("/join lab", plain.Join("lab")),
    ("/pass s3cret", plain.Pass("s3cret")),
    (" \t/PASS s3cret", plain.Pass("s3cret")),
    (" /passing by", plain.Say(" /passing by")),
    ("/ok abcd2345", plain.Ok("abcd2345")),
    ("/topic", plain.Topic("")),
    ("/topic  Maths today ", plain.Topic("Maths today")),
    ("/mute bob the builder", plain.Rule("mute", "bob the builder")),
    ("/unmute bob", plain.Rule("unmute", "bob")),
    ("/REMOVE bob", plain.Rule("remove", "bob")),
    ("/undo", plain.Undo()),
    ("/UNDO 3", plain.Undo()),
    ("/quiet", plain.Quiet()),
    ("/quit", plain.Quit()),
    ("/who", plain.Who()),
    ("/who ", plain.Who()),
    ("/history", plain.History(20)),
    ("/history 1", plain.History(1)),
    ("/history 500", plain.History(500)),
    ("/history  7 ", plain.History(7)),
    ("/time", plain.Time()),
    ("/upper abc", plain.Upper("abc")),
    ("/upper", plain.Upper("")),
    ("/help", plain.Help()),
]


@pytest.mark.parametrize(("text", "order"), ORDERS)
def test_a_text_means_words_or_a_command(text: str, order: plain.Order) -> None:
    assert plain.parse(text) == order


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/", "there is no command /"),
        ("/dance", "there is no command /dance"),
        ("/usr/bin/env", "//x says /x"),
        ("/" + "x" * 500, "x" * 32 + ";"),
        ("/nick", "/nick NAME"),
        ("/nick  ", "/nick NAME"),
        ("/as", "/as NAME TEXT"),
        ("/as bob", "/as NAME TEXT"),
        ("/join", "/join ROOM"),
        ("/pass", "/pass SECRET"),
        ("/history 0", "1 to 500"),
        ("/history 501", "1 to 500"),
        ("/history -1", "1 to 500"),
        ("/history many", "1 to 500"),
        ("/history ٣", "1 to 500"),
        ("/history " + "9" * 5000, "1 to 500"),
    ],
)
def test_a_command_that_cannot_be_is_refused_and_says_what_would_do(text: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        plain.parse(text)
    assert refused.value.code == "bad_request"
    assert told in refused.value.message
    assert len(refused.value.message) < 200


def test_the_help_names_every_command_that_is_parsed() -> None:
    listed = {line.split()[0] for line in plain.HELP} - {"//x"}
    assert listed == {text.split()[0].lower() for text, order in ORDERS if not isinstance(order, plain.Say)} - {"/ok"}


@settings(deadline=None)
@given(st.one_of(anything, nasty, nasty.map(lambda text: "/" + text)))
def test_parsing_never_fails_in_another_way(text: str) -> None:
    with suppress(Refused):
        plain.parse(text)


def test_a_file_reads_as_what_was_sent_and_where_it_is() -> None:
    said = entry(file=file(name="报告.pdf", size=123))
    assert plain.speaker(said) == "[alice] "
    assert plain.words(said, "http://h:1") == "sent 报告.pdf (123 bytes) http://h:1/files/f1/%E6%8A%A5%E5%91%8A.pdf"
    assert plain.words(entry(file=file(name="a", size=1)), "http://h:1") == "sent a (1 byte) http://h:1/files/f1/a"


@settings(deadline=None)
@given(st.one_of(anything, nasty))
def test_a_withdrawal_reads_as_a_notice_in_which_the_name_is_framed(name: str) -> None:
    """So nobody is called "bye: the server is shutting down" and says that to everybody."""
    said = withdrawn(sender=peer(name=name))
    shown = plain.speaker(said) + plain.words(said, "http://h:1")
    assert shown == f"* [{plain.seen(name)}] withdrew a message"
    assert len(shown.splitlines()) == 1


def test_a_host_that_took_back_what_another_said_is_told_so() -> None:
    entry = withdrawn(sender=peer(name="host"), whose=peer(name="bob"))
    assert f"{plain.speaker(entry)}{plain.words(entry, '')}" == "* [host] removed a message of bob"


DEEDS = [
    ({"topic": "Maths"}, "set the topic: Maths"),
    ({"topic": ""}, "took the topic away"),
    ({"read_only": True}, "made the room read-only: only hosts speak"),
    ({"read_only": False}, "let everybody speak again"),
    ({"pin": True}, "set a PIN: who enters is asked for it"),
    ({"pin": False}, "took the PIN away"),
    ({"mute": peer(name="bob")}, "muted bob"),
    ({"unmute": peer(name="bob")}, "let bob speak again"),
    ({"rename": peer(name="bob"), "name": "Robert"}, "renamed bob to Robert"),
    ({"rename": peer(name="bob"), "name": ""}, "let bob choose a name"),
    ({"remove": peer(name="bob"), "until": 1}, "removed bob"),
    ({}, "made a rule"),
]


@pytest.mark.parametrize(("rule", "words"), DEEDS)
def test_what_a_host_did_reads_as_a_notice(rule: dict[str, Any], words: str) -> None:
    said = ruled(**rule)
    assert plain.speaker(said) + plain.words(said, "http://h:1") == f"* [alice] {words}"


@settings(deadline=None)
@given(st.one_of(anything, nasty))
def test_no_topic_and_no_name_in_a_deed_steers_a_terminal_or_forges_a_line(words: str) -> None:
    for rule in ({"topic": words}, {"mute": peer(name=words)}, {"rename": peer(name=words), "name": words}):
        shown = plain.words(ruled(**rule), "http://h:1")
        assert shown == plain.seen(shown)
        assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\n    b"),
        ("a\r\nb", "a\n    b"),
        ("a\u2028b\u2029c\x85d\ve\ff\x1cg", "a\n    b\n    c\n    d\n    e\n    f\n    g"),
        ("\n[bob] pay me", "\n    [bob] pay me"),
        ("\n* you are now root", "\n    * you are now root"),
        ("a\tb", "a\tb"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\x1b[31mred", "[31mred"),
        ("\x9b31mred", "31mred"),
        ("\x9d52;c;aGk=\x9c", "52;c;aGk="),
        ("a\x00\x08\x7fb", "ab"),
        ("abc\u202ecba\u2066x\u2069", "abccbax"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_a_text_is_indented_and_loses_what_steers_a_terminal(text: str, shown: str) -> None:
    assert plain.indented(text) == shown


@settings(deadline=None, max_examples=300)
@given(st.one_of(anything, nasty), st.one_of(anything, nasty))
@example("\n", "\r\u202e\n")
def test_nothing_that_steers_a_terminal_is_left_and_no_line_is_forged(name: str, text: str) -> None:
    said = entry(text=text, sender=peer(name=name))
    shown = plain.speaker(said) + plain.words(said, "http://h:1")
    for char in shown:
        assert char in "\n\t" or unicodedata.category(char) not in ("Cc", "Zl", "Zp"), hex(ord(char))
        assert unicodedata.bidirectional(char) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    first, *others = shown.split("\n")
    assert first.startswith("[")
    assert all(line.startswith("    ") for line in others)
    assert len(shown.splitlines() or [""]) <= 1 + len(others)  # no other kind of line break


@settings(deadline=None)
@given(st.one_of(anything, nasty))
def test_a_notice_is_one_marked_line_whatever_it_quotes(text: str) -> None:
    notice = plain.notice(text)
    assert notice.startswith("* ")
    assert len(re.split("[\n\r]", notice)) == 1


@settings(deadline=None)
@given(st.one_of(anything, nasty))
def test_what_was_made_safe_once_stays_as_it_is(text: str) -> None:
    assert plain.seen(plain.seen(text)) == plain.seen(text)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"hi", "hi"),
        (b"hi\n", "hi"),
        (b"hi\r\n", "hi"),
        (b"hi\n\n", "hi\n"),
        (b"hi\r", "hi"),
        ("你好\n".encode("gb18030"), "你好"),
    ],
)
def test_a_body_that_is_a_message_loses_one_line_ending(raw: bytes, said: str) -> None:
    assert plain.message(raw) == said
