"""The doctor looks at the thing itself, says what it found and what would help, and owns up to what it cannot see."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge import certificate
from bridge.__main__ import main
from bridge.certificate import own
from bridge.commands import doctor, examine
from bridge.commands.doctor import Finding
from bridge.config import Config
from bridge.reach import Reach
from tests.support.process import Running


def found(**settings: object) -> list[Finding]:
    return list(examine(Config(**settings)))


def one(findings: list[Finding], words: str) -> Finding:
    """The finding that says so."""
    (finding,) = [finding for finding in findings if words in finding.words]
    return finding


def test_a_healthy_machine_is_told_so_line_by_line(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["doctor", "--port", "0", "--data", str(tmp_path)], prog_name="roombridge")
    assert ended.exit_code == 0, ended.output
    lines = [line for line in ended.stdout.splitlines() if not line.startswith("      -> ")]
    assert {line[:6] for line in lines} <= {"ok    ", "warn  "}
    for words in ("is free, for TCP and for UDP", "to itself is back in", "are free for", "a sync takes", "the clock"):
        assert words in ended.stdout
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_who_holds_the_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = CliRunner().invoke(main, ["doctor", "--port", str(port), "--data", str(tmp_path)])
    assert ended.exit_code == 1
    assert f"bad   127.0.0.1:{port} is taken by " in ended.stdout
    assert "--port N" in ended.stdout
    if Path("/proc/net/tcp").exists():
        assert f"(process {os.getpid()})" in ended.stdout


def test_a_port_that_is_taken_for_udp_alone_is_taken(tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        finding = found(port=taken.getsockname()[1], data=tmp_path)[0]
    assert (finding.level, "another program" in finding.words) == ("bad", True)


def test_a_server_of_ours_is_known_and_asked_at_every_address(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = [Reach("127.0.0.1", "eth0", ""), Reach("127.0.0.77", "docker0", "containers")]
    monkeypatch.setattr(doctor, "reachable", lambda: reach)
    findings = found(lan=True, port=running.port, data=tmp_path)
    assert "is served by a roombridge" in findings[0].words
    assert one(findings, "127.0.0.1 (eth0) answers by TCP").level == "ok"
    assert one(findings, "127.0.0.77 (docker0: containers only) does not answer").level == "bad"


def test_what_cannot_be_served_is_told_with_its_reason(tmp_path: Path) -> None:
    assert "is no address of this machine" in found(host="203.0.113.9", port=0, data=tmp_path)[0].words


def test_on_a_network_that_nobody_can_see_it_says_what_it_cannot_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "reachable", lambda: [])
    findings = found(lan=True, port=0, data=tmp_path)
    assert one(findings, "no address that others could reach").level == "bad"
    assert one(findings, "nothing is encrypted").level == "warn"
    notes = [finding for finding in findings if finding.level == "note"]
    assert "client isolation" in notes[0].words and "UDP not" in notes[1].words
    assert all(finding.cure for finding in findings if finding.level != "ok")


def test_an_address_that_is_gone_is_found_by_its_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "reachable", lambda: [Reach("203.0.113.9", "wlan0", "")])
    assert one(found(lan=True, port=0, data=tmp_path), "from 203.0.113.9 to itself cannot be sent").level == "bad"


def test_the_certificate_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "reachable", lambda: [Reach("203.0.113.9", "wlan0", "")])
    settings = {"port": 0, "data": tmp_path, "tls": "on"}
    assert one(found(**settings), "the first start will make a certificate").level == "ok"
    path = own(tmp_path, [])
    path.chmod(0o644)
    findings = found(**settings)
    assert one(findings, "fits its key and is good for").level == "ok"
    assert one(findings, "may read the key").cure == f"chmod 600 {path}"
    assert one(findings, "does not name 203.0.113.9").level == "warn"
    path.unlink()
    monkeypatch.setattr(certificate, "VALID_DAYS", -0.5)
    own(tmp_path, ["203.0.113.9"])
    assert one(found(**settings), "is good for -").level == "bad"
    path.write_text("nonsense")
    assert one(found(**settings), "cannot be used").level == "bad"


def test_a_disk_that_cannot_be_written_to_or_is_nearly_full_is_told(tmp_path: Path) -> None:
    assert one(found(port=0, data=Path("/proc/here")), "cannot be written to").level == "bad"
    findings = found(port=0, data=tmp_path / "not" / "there" / "yet", reserve_bytes=1 << 60)
    assert one(findings, "files are refused").level == "warn"


def test_a_slow_disk_is_felt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SLOW_SYNC_S", 0.0)
    assert one(found(port=0, data=tmp_path), "a sync takes").level == "warn"


def test_too_few_descriptors_and_a_clock_that_went_back_are_told(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite3").touch()
    os.utime(tmp_path / "log.sqlite3", (time.time() + 3600,) * 2)
    findings = found(port=0, data=tmp_path, max_connections=10**9)
    assert one(findings, "before the last message").level == "bad"
    assert one(findings, "do not do for 1000000000 connections").level == "warn"
