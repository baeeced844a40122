"""Frames of objects: a bad one errs alone, unknown ones are passed over, lengths are RFC 6455's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Entry, FileRef, Gap, Knock, Peer, Presence, Refused, Transfer, Typing
from bridge.wire.browser import Admit, BrowserForm, Fault, Refuse, Rename, Say, Withdraw, decode, encode, refusal
from bridge.wire.browser import Typing as Types

ALICE = Peer("p1", "alice", "web", "127.0.0.1:5")


def test_one_frame_carries_many_objects_and_a_bad_one_errs_alone() -> None:
    heard = list(
        decode(
            '{"type":"say","key":"k1","text":"hi","extra":1}\n'
            "nonsense\n\n"
            '{"type":"say","key":"k2"}\n'
            '{"type":"dance","key":"k3"}\n'
            '{"type":"name","name":"bob"}\n'
            '{"type":"withdraw","key":"k4","seq":42}\n'
            '{"type":"typing"}\n'
            '{"type":"admit","id":"a"}\n'
            '{"type":"admit","id":"b","always":true}\n'
            '{"type":"refuse","id":"c"}'
        )
    )
    assert heard[0] == Say("k1", "hi")
    assert isinstance(heard[1], Fault) and heard[1].error.key is None
    assert isinstance(heard[2], Fault) and heard[2].error.key == "k2"
    assert heard[3:] == [Rename("bob"), Withdraw("k4", 42), Types(), Admit("a"), Admit("b", True), Refuse("c")]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        "null",
        '"x"',
        "{}",
        '{"type":1}',
        '{"type":"say","key":1,"text":"x"}',
        "[" * 60000,
        '{"a":' * 9000,
        '{"type":"say","key":"k","text":"\\ud800"}',
        '{"type":"say","key":"k","text":"\ud800"}',
        '{"type":"name"}',
        '{"type":"admit","id":1}',
        '{"type":"refuse"}',
        '{"type":"withdraw","key":"k"}',
        '{"type":"withdraw","seq":1}',
        '{"type":"withdraw","key":"k","seq":"1"}',
        '{"type":"withdraw","key":"k","seq":1.5}',
        '{"type":"withdraw","key":"k","seq":true}',
    ],
)
def test_what_is_no_object_of_ours_is_a_bad_request(text: str) -> None:
    (fault,) = decode(text)
    assert isinstance(fault, Fault) and fault.error.code == "bad_request"
    encode(fault.error)


@pytest.mark.parametrize(
    "text", ['{"type":"dance","key":5}', '{"type":"","key":[]}', '{"type":"dance","text":{"a":1}}']
)
def test_an_object_of_an_unknown_type_is_passed_over_whatever_is_in_it(text: str) -> None:
    assert list(decode(text)) == []


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_taken_or_faulted(text: str) -> None:
    for heard in decode(text):
        if isinstance(heard, Fault):
            encode(heard.error)


def test_a_stretch_is_one_frame_of_lines() -> None:
    assert BrowserForm().frame([b"{}", b"[]"]) == b"\x81\x05{}\n[]"


def test_the_one_json_form() -> None:
    text = Entry("text", 1, 2, "lobby", "k", ALICE, text="hi")
    assert json.loads(encode(text)) == {
        "type": "text",
        "seq": 1,
        "at": 2,
        "room": "lobby",
        "key": "k",
        "from": {"id": "p1", "name": "alice", "via": "web", "addr": "127.0.0.1:5"},
        "text": "hi",
    }
    file = Entry("file", 1, 2, "lobby", "k", ALICE, file=FileRef.of("f", "报告.pdf", 3, "aa", "application/pdf"))
    assert json.loads(encode(file))["file"]["url"] == "/files/f/%E6%8A%A5%E5%91%8A.pdf"
    assert "text" not in json.loads(encode(file))
    taken = json.loads(encode(Entry("withdraw", 3, 4, "lobby", "k2", ALICE, withdraws=1)))
    assert (taken["type"], taken["seq"], taken["key"], taken["withdraws"]) == ("withdraw", 3, "k2", 1)
    assert not taken.keys() & {"text", "file"}


def test_signals_carry_no_seq() -> None:
    transfer = Transfer("t", "a", ALICE, 1, None, 2, "receiving")
    signals = [
        Presence(2, joined=[ALICE]),
        Gap(None, None),
        Gap(1, 5),
        Typing(ALICE),
        transfer,
        Knock("k", answered="gone"),
    ]
    shapes = [json.loads(encode(signal)) for signal in signals]
    assert [shape["type"] for shape in shapes] == ["presence", "gap", "gap", "typing", "transfer", "knock"]
    assert json.loads(encode(Knock("k", answered="gone"))) == {"type": "knock", "id": "k", "answered": "gone"}
    assert not any("seq" in shape for shape in shapes)
    assert shapes[1] == {"type": "gap", "from": None, "to": None}
    assert shapes[2] == {"type": "gap", "from": 1, "to": 5}
    assert shapes[4]["size"] is None and shapes[4]["from"]["name"] == "alice"
    assert json.loads(encode(Presence(300))) == {"type": "presence", "count": 300}
    assert json.loads(encode(refusal(Refused("empty", "no"), "k"))) == {
        "type": "error",
        "code": "empty",
        "message": "no",
        "key": "k",
    }
