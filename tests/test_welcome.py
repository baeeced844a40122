"""Whoever starts a server is told where it is, who may join and what to type; a journal is told no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config
from bridge.policy import Tokens
from bridge.reach import Reach
from bridge.welcome import welcome

TOKENS = Tokens("member-member-member", "host-host-host-host")
REACH = [
    Reach("192.168.1.37", "wlan0", ""),
    Reach("10.0.0.5", "eth1", ""),
    Reach("172.17.0.1", "docker0", "containers"),
]
WHERE = ("192.168.1.37", 8080)


def said(to_person: bool = True, **settings: object) -> str:
    config = Config(lan=True, data=Path("/data"), **settings)
    return "\n".join(welcome(config, WHERE, REACH, TOKENS, to_person))


def test_a_person_gets_every_address_what_to_type_and_a_picture() -> None:
    lines = said().splitlines()
    assert lines[1] == "  open    http://192.168.1.37:8080/j/member-member-member"
    assert lines[2] == "          http://10.0.0.5:8080/    (eth1)"
    assert lines[3] == "          http://172.17.0.1:8080/    (docker0: containers only)"
    assert lines[4] == "  talk    nc -u 192.168.1.37 8080"
    assert lines[5] == "  send    curl -T FILE -u :member-member-member http://192.168.1.37:8080/"
    assert lines[6].startswith("  rule    http://192.168.1.37:8080/j/host-host-host-host ")
    assert "kept in /data" in lines[0]
    assert len([line for line in lines if "█" in line]) > 12


def test_a_journal_gets_no_secret_but_where_it_is() -> None:
    told = said(to_person=False)
    assert "member-member" not in told and "host-host" not in told and "█" not in told
    assert "/data/token" in told and "/data/host-token" in told and "http://192.168.1.37:8080/" in told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Who has the token may join; localhost is in without; nc, UDP and raw files from elsewhere wait"),
        ({"trust": ("lan", "10.0.0.0/8")}, "localhost and private networks and 10.0.0.0/8 are in without"),
        ({"token": True}, "Who has the token may join; nc, UDP"),
        ({}, "a program that cannot type it needs --trust for its address"),
        ({"native": "off"}, "are not heard"),
        ({"native": "open"}, "are in without it"),
        ({"open": True}, "nobody is asked for a token"),
    ],
    ids=str,
)
def test_who_may_join_is_said_in_a_sentence(settings: dict[str, object], words: str) -> None:
    told = said(**settings)
    assert words in told and "Nothing is encrypted." in told


def test_a_server_for_this_machine_says_so() -> None:
    config = Config(data=Path("/data"))
    lines = list(welcome(config, ("127.0.0.1", 8080), [], Tokens(None, "host-host-host-host"), True))
    assert lines[1] == "  open    http://127.0.0.1:8080/"
    assert lines[-1] == "  Only this machine can reach it; Ctrl+C ends it."


def test_where_tls_is_offered_the_links_and_the_picture_lead_there() -> None:
    config = Config(lan=True, data=Path("/data"), tls="on")
    plain, sealed = (list(welcome(config, WHERE, REACH, TOKENS, True, seal)) for seal in (None, "AB:CD"))
    assert sealed[1] == "  open    https://192.168.1.37:8080/j/member-member-member"
    assert sealed[5] == "  send    curl -k -T FILE -u :member-member-member https://192.168.1.37:8080/"
    assert "  TLS     certificate SHA-256 AB:CD" in sealed
    assert not any("http://" in line for line in sealed)
    assert [line for line in sealed if "█" in line] != [line for line in plain if "█" in line]
    assert any("What comes by https is encrypted, and nothing else." in line for line in sealed)


def test_where_tls_is_required_nobody_is_told_to_come_by_datagram() -> None:
    lines = list(welcome(Config(lan=True, data=Path("/data"), tls="require"), WHERE, REACH, TOKENS, True, "AB:CD"))
    assert lines[4] == "  talk    ncat --ssl 192.168.1.37 8080"
    assert any("From elsewhere nothing is taken that is not encrypted, and no datagram is." in line for line in lines)
