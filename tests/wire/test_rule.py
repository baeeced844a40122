"""A host's wish in JSON: what is taken, and what is no wish at all."""

from __future__ import annotations

import pytest

from bridge.model import Refused
from bridge.wire.rule import Wish, decode


@pytest.mark.parametrize(
    ("raw", "wish"),
    [
        ('{"topic":"数学"}', Wish(topic="数学")),
        ('{"rename":"p1","name":"Robert"}', Wish(rename="p1", name="Robert")),
        ('{"remove":"p1","minutes":60,"of a later version":[]}', Wish(remove="p1", minutes=60)),
        ("{}", Wish()),
    ],
)
def test_a_wish_is_an_object(raw: str, wish: Wish) -> None:
    assert decode(raw.encode()) == wish


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"topic",
        b"[]",
        b'{"topic":1}',
        b'{"read_only":"yes"}',
        b'{"minutes":1.5}',
        b'{"topic":"\xff"}',
        b"[" * 4096,
    ],
)
def test_what_is_none_is_refused_by_name(raw: bytes) -> None:
    with pytest.raises(Refused, match="no rule: ") as refused:
        decode(raw)
    assert refused.value.code == "bad_request"
