"""The words of tus: what headers mean, and which mean nothing."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Refused
from bridge.wire import tus

keys = st.text(st.characters(codec="ascii", exclude_characters=", \x7f", min_codepoint=33), min_size=1, max_size=20)


@pytest.mark.parametrize(("value", "meant"), [("0", 0), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_a_number_is_a_whole_one_from_0(value: str, meant: int) -> None:
    assert tus.number(value, "Upload-Offset") == meant


@pytest.mark.parametrize(
    "value", [None, "", "-1", "+1", "1.0", "1e3", "0x1", " 1", "1 ", "٣", "²", str(2**63), "9" * 99]
)
def test_what_is_no_number_is_refused_and_named(value: str | None) -> None:
    with pytest.raises(Refused, match=r"Upload-Offset is .*, expected a whole number from 0") as refused:
        tus.number(value, "Upload-Offset")
    assert refused.value.code == "bad_request"


@given(st.dictionaries(keys, st.binary(max_size=40), max_size=8))
def test_metadata_comes_back_as_it_was_said(said: dict[str, bytes]) -> None:
    header = ",".join(f"{key} {base64.b64encode(value).decode()}" for key, value in said.items())
    meant = tus.metadata(header)
    assert {key: value.encode("utf-8", "surrogateescape") for key, value in meant.items()} == said
    assert tus.metadata(tus.told(meant)) == meant
    assert tus.told(meant).isascii() and tus.told(meant).isprintable()


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("", {}),
        ("filename 5oql5ZGKLnBkZg==", {"filename": "报告.pdf"}),
        ("filename YQ==, is_confidential", {"filename": "a", "is_confidential": ""}),
        ("a ,b  YQ==", {"a": "", "b": "a"}),
    ],
)
def test_a_key_may_stand_alone_and_spaces_do_not_matter(header: str, meant: dict[str, str]) -> None:
    assert tus.metadata(header) == meant


@pytest.mark.parametrize(
    "header", ["filename YQ", "filename Y*==", "a YQ==,a Yg==", "名 YQ==", "a\tb YQ==", "filename YQ== Yg==", "a é"]
)
def test_metadata_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(Refused, match="Upload-Metadata"):
        tus.metadata(header)


@pytest.mark.parametrize("name", tus.CHECKSUMS)
def test_a_checksum_is_right_for_its_bytes_alone(name: str) -> None:
    digest = base64.b64encode(hashlib.new(name, b"hello").digest()).decode()
    right, wrong = tus.checksum(f"{name} {digest}"), tus.checksum(f"{name} {digest}")
    assert right is not None and wrong is not None
    right.hash.update(b"hel")
    assert not right.right
    right.hash.update(b"lo")
    wrong.hash.update(b"hullo")
    assert right.right and not wrong.right


def test_nothing_said_is_nothing_checked() -> None:
    assert tus.checksum(None) is None


@pytest.mark.parametrize("value", ["", "md5 YQ==", "SHA1 YQ==", "crc32 YQ==", "sha1 *", "sha1 é"])
def test_a_checksum_nobody_can_make_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="Upload-Checksum"):
        tus.checksum(value)
