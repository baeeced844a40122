"""What settings come to: names that are ours, sockets on one number, and nobody open to the world by mistake."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from bridge import __version__
from bridge.config import Config, ConfigError
from bridge.policy import Role
from bridge.premises import bind_all, certificate_of, check_exposure, names_of, policy_of, told_of
from bridge.reach import Reach


def test_a_server_for_this_machine_alone_is_not_called_by_the_machine_s_name() -> None:
    assert names_of(Config(allow_host=("room.lan",))) == ["room.lan", "127.0.0.1"]
    on_network = names_of(Config(lan=True))
    assert socket.gethostname() in on_network and not {"0.0.0.0", "::"} & set(on_network)


def test_a_policy_says_what_the_settings_say(tmp_path: Path) -> None:
    asked = policy_of(Config(data=tmp_path, lan=True, trust=("10.0.0.0/8",)))
    assert [asked.role_of(ip) for ip in ("127.0.0.1", "10.1.2.3", "192.168.1.1")] == [
        Role.MEMBER,
        Role.MEMBER,
        Role.STRANGER,
    ]
    assert policy_of(Config(data=tmp_path, lan=True, open=True)).role_of("192.168.1.1") is Role.MEMBER
    (tmp_path / "short").write_text("short\n")
    (tmp_path / "short").chmod(0o600)
    with pytest.raises(ConfigError, match="the token cannot be used"):
        policy_of(Config(data=tmp_path, token_file=str(tmp_path / "short")))


def test_without_tls_nothing_is_shown_and_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    assert certificate_of(Config(data=tmp_path)) is None
    with pytest.raises(ConfigError, match="the certificate cannot be used"):
        certificate_of(Config(data=tmp_path, tls="on", cert=str(tmp_path / "nowhere.pem")))


def test_addresses_come_in_order_and_all_go_when_one_cannot_be_had() -> None:
    bound = bind_all(Config(port=0, listen=("127.0.0.1:0",)))
    try:
        assert [pair.ip for pair in bound] == ["127.0.0.1"] * 2
        taken = bound[1].port
        with pytest.raises(ConfigError, match=f"127.0.0.1:{taken}"):
            bind_all(Config(port=0, listen=(f"127.0.0.1:{taken}",)))
    finally:
        for pair in bound:
            pair.close()
    with closing(socket.create_server(("127.0.0.1", taken))):
        pass


def test_nobody_opens_a_room_to_the_world_by_mistake() -> None:
    world = [Reach("8.8.8.8", "eth0", "")]
    check_exposure(Config(lan=True), [], world)
    check_exposure(Config(lan=True, open=True, insecure_public=True), [], world)
    with pytest.raises(ConfigError, match=r"8\.8\.8\.8 is a public address"):
        check_exposure(Config(lan=True, open=True), [], world)


def test_what_is_told_opens_no_door(tmp_path: Path) -> None:
    config = Config(data=tmp_path, lan=True, tls="require")
    certificate = certificate_of(config)
    assert certificate is not None
    told = told_of(config, policy_of(config), certificate)
    shown = {"path": "/", "version": __version__, "tls": "require", "token": "yes", "fp": certificate.fingerprint}
    assert told == shown
    secrets = [(tmp_path / name).read_text().strip() for name in ("token", "host-token")]
    assert not any(secret in str(told) for secret in secrets)
