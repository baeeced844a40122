"""The room as a stream over HTTP: entries bear ids, signals do not, and chunks are framed once."""

from __future__ import annotations

import pytest

from bridge.model import Entry, Peer, Refused, Typing
from bridge.wire import events

ALICE = Peer("p1", "alice", "web", "127.0.0.1:5")
ENTRY = Entry("text", 7, 1000, "lobby", "k1", ALICE, text="hi\nthere")
JSON = (
    b'{"type":"text","seq":7,"at":1000,"room":"lobby","key":"k1",'
    b'"from":{"id":"p1","name":"alice","via":"web","addr":"127.0.0.1:5"},"text":"hi\\nthere"}'
)


def test_an_entry_is_an_event_with_the_place_to_resume_from() -> None:
    assert events.EventsForm("e9", True).encode(ENTRY) == b"id: e9:7\ndata: " + JSON + b"\n\n"


def test_a_signal_bears_no_id() -> None:
    assert events.EventsForm("e9", True).encode(Typing(ALICE)).startswith(b'data: {"type":"typing"')


def test_a_line_is_one_object_and_a_newline() -> None:
    assert events.LinesForm(True).encode(ENTRY) == JSON + b"\n"


@pytest.mark.parametrize(("chunked", "expected"), [(True, b"2\r\nab\r\n"), (False, b"ab")])
@pytest.mark.parametrize("form", [lambda chunked: events.EventsForm("e", chunked), events.LinesForm])
def test_a_stretch_is_one_chunk_for_http_1_1_and_bare_for_1_0(form, chunked: bool, expected: bytes) -> None:
    assert form(chunked).frame([b"a", b"b"]) == expected


def test_a_chunk_says_its_length_in_hex() -> None:
    assert events.chunk(b"x" * 26).startswith(b"1a\r\n")


def test_an_event_id_is_epoch_and_number() -> None:
    assert events.last_event_id("e9:42") == ("e9", "42")


@pytest.mark.parametrize("value", ["", "42", ":42", "  "])
def test_an_id_that_is_none_of_ours_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="EPOCH:SEQ"):
        events.last_event_id(value)
