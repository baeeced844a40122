"""Secrets are made once, kept to their owner, and compared whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.policy.tokens import Tokens, rotate


def test_tokens_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    tokens = Tokens.load(tmp_path, tmp_path / "token")
    assert tokens.member and len(tokens.member) == len(tokens.host) == 32
    assert tokens.member != tokens.host
    for name in ("token", "host-token"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    again = Tokens.load(tmp_path, tmp_path / "token")
    assert (again.member, again.host) == (tokens.member, tokens.host)


def test_only_the_whole_secret_opens(tmp_path: Path) -> None:
    tokens = Tokens.load(tmp_path, tmp_path / "token")
    assert tokens.is_member(tokens.member or "") and tokens.is_host(tokens.host)
    for wrong in ("", tokens.member[:-1], tokens.member + "x", tokens.host, "\udc80", "é"):
        assert not tokens.is_member(wrong)
    assert not tokens.is_host(tokens.member or "")


def test_where_no_token_is_asked_for_none_fits(tmp_path: Path) -> None:
    assert not Tokens.load(tmp_path, None).is_member("")


def test_a_rotated_secret_is_another(tmp_path: Path) -> None:
    before = Tokens.load(tmp_path, tmp_path / "token").member
    assert rotate(tmp_path / "token") == Tokens.load(tmp_path, tmp_path / "token").member != before


@pytest.mark.parametrize(
    ("content", "mode", "named"),
    [
        (b"0123456789abcdef\n", 0o644, "chmod 600"),
        (b"short\n", 0o600, "at least 16"),
        (b"two words that are long\n", 0o600, "one word"),
        ("ein-schönes-geheimnis".encode(), 0o600, "ASCII"),
    ],
)
def test_a_file_that_is_no_secret_is_named(tmp_path: Path, content: bytes, mode: int, named: str) -> None:
    path = tmp_path / "mine"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ValueError, match=named):
        Tokens.load(tmp_path, path)
