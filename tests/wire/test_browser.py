"""Frames of objects: a bad one errs alone, unknown ones are passed over, lengths are RFC 6455's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Entry, FileRef, Gap, Hello, Knock, Peer, Presence, Refused, Ruling, Transfer, Typing
from bridge.wire.browser import Admit, BrowserForm, Fault, Refuse, Rename, Say, Withdraw, decode, encode, refusal
from bridge.wire.browser import Typing as Types

# Heard by the page's room in tests/static/golden.test.mjs
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "browser.json").read_text(encoding="utf-8"))
ALICE = Peer("p1", "alice", "web", "10.0.0.1:5")
MING = Peer("p2", "小明", "udp", "10.0.0.2:50123")
AT = 1790000000000
REPORT = FileRef.of("f1", "报告.pdf", 3, "aa", "application/pdf")
BROKEN_OFF = "the sender broke off after 14 of 100 bytes"


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


def test_what_the_server_says_is_what_the_page_was_tested_with() -> None:
    said = {
        "hello": Hello("lobby", "e1", 0, "secret", ALICE, [ALICE], 1, [], False, Ruling("Maths", False, False, ["p9"])),
        "presence": Presence(2, joined=[MING]),
        "text": Entry("text", 1, AT, "lobby", "k1", MING, text="温度 23.5"),
        "typing": Typing(MING),
        "transfer": Transfer("f1", "报告.pdf", MING, 1, None, 2, "receiving"),
        "file": Entry("file", 2, AT + 1, "lobby", "k2", MING, file=REPORT),
        "failed": Transfer("f2", "big.bin", MING, 14, 100, 0, "failed", BROKEN_OFF, "broken_off"),
        "withdraw": Entry("withdraw", 3, AT + 2, "lobby", "k3", MING, withdraws=1),
        "gap": Gap(4, 8),
        "error": refusal(Refused("empty", "no"), "mine1"),
        "crowd": Presence(300),
        "another log": Gap(None, None),
    }
    assert {name: json.loads(encode(noun)) for name, noun in said.items()} == GOLDEN["to the page"]


def test_what_the_page_was_seen_to_send_is_understood() -> None:
    frame = "\n".join(json.dumps(asked) for asked in GOLDEN["to the server"].values())
    assert list(decode(frame)) == [Say("mine1", "你好"), Rename("Zoë"), Withdraw("mine2", 42), Types()]


def test_what_bears_a_number_is_an_entry() -> None:
    entries = {name for name, said in GOLDEN["to the page"].items() if "seq" in said}
    assert entries == {"text", "file", "withdraw"}


def test_the_end_of_a_knock_says_no_more_than_that() -> None:
    assert json.loads(encode(Knock("k", answered="gone"))) == {"type": "knock", "id": "k", "answered": "gone"}
