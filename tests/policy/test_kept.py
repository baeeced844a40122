"""A file of those whom a host let in for good."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bridge.policy import Kept


def test_what_is_kept_is_kept_for_the_next_server_too(tmp_path: Path) -> None:
    path = tmp_path / "admitted"
    kept = Kept(path)
    assert not kept.has("tcp", "10.0.0.5")
    kept.add("tcp", "10.0.0.5")
    kept.add("tcp", "10.0.0.5")
    assert path.read_text() == "tcp 10.0.0.5\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(one.has("tcp", "10.0.0.5") for one in (kept, Kept(path)))


def test_one_way_in_is_not_the_other(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "admitted")
    kept.add("udp", "10.0.0.5")
    assert not kept.has("tcp", "10.0.0.5")


@pytest.mark.parametrize("ip", ["fe80::1%eth0", "::ffff:10.0.0.5", "fe80:0::1"])
def test_an_address_is_kept_however_a_socket_writes_it(tmp_path: Path, ip: str) -> None:
    kept = Kept(tmp_path / "admitted")
    kept.add("udp", ip)
    assert kept.has("udp", "fe80::1") or kept.has("udp", "10.0.0.5")


def test_a_line_may_be_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "admitted"
    path.write_text("tcp 10.0.0.5\n\nnonsense")
    assert Kept(path).has("tcp", "10.0.0.5")


def test_where_nothing_can_be_written_it_is_kept_until_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(tmp_path / "nowhere" / "admitted")
    with caplog.at_level(logging.WARNING):
        kept.add("tcp", "10.0.0.5")
    assert kept.has("tcp", "10.0.0.5")
    assert "tcp 10.0.0.5 is let in until the server ends" in caplog.text
