"""Who holds a port, which firewalls are at work: as far as this machine tells."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bridge.commands import machine
from bridge.commands.machine import firewalls, holder
from tests.support import observe


@observe.linux_only
def test_the_holder_of_a_port_is_named_on_either_family() -> None:
    servers = [(("127.0.0.1", 0), socket.AF_INET)]
    if socket.has_dualstack_ipv6():
        servers.append((("::1", 0), socket.AF_INET6))
    for address, family in servers:
        with socket.create_server(address, family=family) as listening:
            port = listening.getsockname()[1]
            assert (told := holder(port)) and told.endswith(f"(process {os.getpid()})")


def test_nobody_is_named_where_nothing_is_told(tmp_path: Path) -> None:
    assert holder(80, tmp_path) is None


def test_firewalls_are_found_by_what_they_leave_and_told_with_what_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    assert list(firewalls(8080, tmp_path)) == []
    (tmp_path / "etc/ufw").mkdir(parents=True)
    (tmp_path / "etc/ufw/ufw.conf").write_text("# on\nENABLED=no\n")
    assert list(firewalls(8080, tmp_path)) == []
    (tmp_path / "etc/ufw/ufw.conf").write_text("ENABLED=yes\n")
    (tmp_path / "run/firewalld").mkdir(parents=True)
    assert dict(firewalls(8080, tmp_path)) == {
        "ufw": "sudo ufw allow 8080",
        "firewalld": "sudo firewall-cmd --add-port=8080/tcp --add-port=8080/udp",
    }


@pytest.mark.parametrize(
    ("ruleset", "stops"),
    [
        ("chain input { type filter hook input priority filter; policy drop; ct state established accept }", True),
        ("chain input { type filter hook input priority 0; policy accept;\n tcp dport 22 accept\n reject }", True),
        ("chain input { type filter hook input priority 0; policy accept;\n tcp dport 22 accept }", False),
        ("chain forward { type filter hook forward priority 0; policy drop; }", False),
        ("", False),
    ],
)
def test_a_ruleset_is_told_of_when_it_stops_what_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ruleset: str, stops: bool
) -> None:
    nft = tmp_path / "nft"
    nft.write_text(f"#!/bin/sh\ncat <<'END'\n{ruleset}\nEND\n")
    nft.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert [name for name, _cure in firewalls(8080, tmp_path)] == ["nftables"] * stops
