"""Settings are checked, and a setting that cannot be is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config, ConfigError, read_file


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_is_served(host: str) -> None:
    assert next(Config(host=host).addresses()) == (host, 8080)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": ""}, "an empty host is no address"),
        ({"native": "maybe"}, "--native maybe: expected open, knock or off"),
        ({"open": True, "token": True}, "--open asks for no token"),
        ({"open": True, "token_file": "x"}, "--open asks for no token"),
        ({"trust": ("home",)}, "--trust: 'home'"),
        ({"trust": ("10.0.0.1/8",)}, "--trust: 10.0.0.1/8 has host bits set"),
        ({"proxy": ("10.0.0.1/8",)}, "--proxy: 10.0.0.1/8 has host bits set"),
        ({"messages_burst": 0}, "--messages-burst 0: expected at least 1"),
        ({"wrong_tokens": -1}, "--wrong-tokens -1: expected at least 0"),
        ({"listen": ("8081",)}, "--listen 8081: expected HOST:PORT"),
        ({"port": 65536}, "port 65536"),
        ({"port": -1}, "port -1"),
        ({"loop": "trio"}, "--loop trio"),
        ({"log_level": "loud"}, "--log-level loud"),
        ({"max_file_bytes": 0}, "--max-file-bytes 0: expected at least 1"),
        ({"keep_days": -1}, "--keep-days -1: expected at least 0"),
        ({"keep_bytes": -1}, "--keep-bytes -1"),
        ({"keep_files_days": -1}, "--keep-files-days -1"),
        ({"keep_files_bytes": -1}, "--keep-files-bytes -1"),
        ({"reserve_bytes": -2}, "--reserve-bytes -2: expected at least -1"),
        ({"ballast_bytes": -1}, "--ballast-bytes -1"),
        ({"room": ""}, "--room : room name of 0 characters"),
        ({"room": "no room"}, "--room no room: room name holds ' '"),
        ({"listen": ("127.0.0.1:99999",)}, "port 99999"),
        ({"listen": ("127.0.0.1:http",)}, "--listen 127.0.0.1:http"),
    ],
)
def test_what_cannot_be_is_named(settings: dict, named: str) -> None:
    with pytest.raises(ConfigError) as fault:
        Config(**settings)
    assert named in str(fault.value)


def test_off_this_machine_a_token_is_asked_for(tmp_path: Path) -> None:
    assert Config(data=tmp_path).token_path() is None
    for settings in (
        {"lan": True},
        {"host": "0.0.0.0"},
        {"proxy": ("127.0.0.1",)},
        {"listen": ("10.0.0.1:80",)},
        {"token": True},
    ):
        assert Config(data=tmp_path, **settings).token_path() == tmp_path / "token"
    assert Config(token_file="/etc/room").token_path() == Path("/etc/room")
    assert Config(lan=True, open=True).token_path() is None


def test_the_whole_machine_is_both_families() -> None:
    for settings in ({"lan": True}, {"host": "0.0.0.0"}, {"host": "::"}):
        assert list(Config(**settings).addresses()) == [("0.0.0.0", 8080), ("::", 8080)]


def test_further_addresses_follow_the_main_one() -> None:
    config = Config(listen=("127.0.0.1:8081", "[::1]:9"))
    assert list(config.addresses()) == [("127.0.0.1", 8080), ("127.0.0.1", 8081), ("::1", 9)]


def test_a_settings_file_names_settings_with_either_dash(tmp_path: Path) -> None:
    path = tmp_path / "roombridge.toml"
    path.write_text('port = 9000\nallow-host = ["room.lan"]\nlog_level = "debug"\n')
    assert read_file(path) == {"port": 9000, "allow_host": ["room.lan"], "log_level": "debug"}
    path.write_text('listen = "127.0.0.1:8081"\n')
    assert read_file(path) == {"listen": ["127.0.0.1:8081"]}, "one is a list of one"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "there is no setting 'prot'"),
        ("port = ", "roombridge.toml"),
        ("port = 1.5", "port = 1.5: expected a whole number"),
        ("lan = 1", "lan = 1: expected true or false"),
        ("port = true", "port = True: expected a whole number"),
        ("room = 7", "room = 7: expected a string"),
        ("data = []", "data = []: expected a string"),
        ("listen = 8081", "listen = 8081: expected a list of strings"),
        ("listen = [8081]", "listen = [8081]: expected a list of strings"),
    ],
)
def test_a_bad_settings_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "roombridge.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as fault:
        read_file(path)
    assert named in str(fault.value)


@pytest.mark.parametrize("content", [b"\xff", b"port = 1\nport = 2"])
def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roombridge.toml"
    with pytest.raises(ConfigError, match=r"roombridge\.toml"):
        read_file(path)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"roombridge\.toml"):
        read_file(path)
