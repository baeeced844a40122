"""The command line: settings from four places, and errors that say what would do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge import __version__
from bridge.__main__ import main
from tests.support.observe import fetch, texts
from tests.support.peers import DatagramPeer, LinePeer, UploadPeer
from tests.support.process import CHECKOUT, Running
from tests.support.program import done

MODULE = (sys.executable, "-m", "bridge")
SCRIPT = (sys.executable, "-c", "import sys; from bridge.__main__ import main; sys.argv[0] = 'roombridge'; main()")
SETTINGS = ("host", "port", "listen", "data", "room", "allow-host", "max-file-bytes", "loop", "log-level")


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """We are in a folder without settings, and no user's settings are found either."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return folder


def roombridge(*arguments: object, **env: str) -> Result:
    """The command, called in this process: for all that ends before it serves."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="roombridge", env=env)


def called(command: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    return done(*command, *arguments, env={"PYTHONPATH": str(CHECKOUT), "COLUMNS": "200"})


def shown(ended: Result) -> dict[str, tuple[str, str]]:
    """What `config` printed: value and origin by setting."""
    assert ended.exit_code == 0, ended.output
    rows = [re.split(r"\s{2,}", line) for line in ended.stdout.splitlines()]
    return {name: (value, origin) for name, value, origin in rows}


def refused(ended: Result) -> str:
    """What a command that exits with 2 says on stderr, in one line."""
    assert ended.exit_code == 2, ended.output
    assert isinstance(ended.exception, SystemExit)
    assert ended.stdout == ""
    return " ".join(ended.stderr.split())


def test_config_tells_each_setting_its_value_and_its_origin(cwd: Path) -> None:
    (cwd / "roombridge.toml").write_text('room = "from-file"\nallow-host = ["a.lan", "b.lan"]\nport = 1\n')

    settings = shown(roombridge("config", "--log-level", "debug", ROOMBRIDGE_PORT="9000"))

    assert set(settings) >= set(SETTINGS)
    assert settings["host"] == ("127.0.0.1", "default")
    assert settings["room"] == ("from-file", "file")
    assert settings["allow-host"] == ("a.lan b.lan", "file")
    assert settings["port"] == ("9000", "environment")
    assert settings["log-level"] == ("debug", "flag")
    assert settings["listen"] == ("-", "default")


def test_a_flag_is_above_the_environment_above_the_file_above_the_default(cwd: Path) -> None:
    assert shown(roombridge("config"))["room"] == ("lobby", "default")
    (cwd / "roombridge.toml").write_text('room = "file"\n')
    assert shown(roombridge("config"))["room"] == ("file", "file")
    assert shown(roombridge("config", ROOMBRIDGE_ROOM="env"))["room"] == ("env", "environment")
    assert shown(roombridge("config", "--room", "flag", ROOMBRIDGE_ROOM="env"))["room"] == ("flag", "flag")


def test_the_settings_file_is_the_named_one_else_the_one_here_else_the_user_s(cwd: Path) -> None:
    users = cwd.parent / "xdg" / "roombridge"
    users.mkdir(parents=True)
    (users / "roombridge.toml").write_text('room = "users"\n')
    assert shown(roombridge("config"))["room"] == ("users", "file")
    (cwd / "roombridge.toml").write_text('room = "here"\n')
    assert shown(roombridge("config"))["room"] == ("here", "file")
    (cwd / "named.toml").write_text('room = "named"\n')
    assert shown(roombridge("config", "--config", "named.toml"))["room"] == ("named", "file")
    assert shown(roombridge("config", ROOMBRIDGE_CONFIG="named.toml"))["room"] == ("named", "file")


def test_a_setting_of_many_values_is_repeated_as_a_flag_and_spaced_in_the_environment(cwd: Path) -> None:
    flags = ("--listen", "127.0.0.1:8081", "--listen", "[::1]:8082")
    assert shown(roombridge("config", *flags))["listen"] == ("127.0.0.1:8081 [::1]:8082", "flag")
    environment = roombridge("config", ROOMBRIDGE_LISTEN="127.0.0.1:8081 127.0.0.1:8082")
    assert shown(environment)["listen"] == ("127.0.0.1:8081 127.0.0.1:8082", "environment")


@pytest.mark.parametrize("command", ["serve", "config"])
def test_an_unknown_setting_in_the_file_is_named_with_the_file_and_those_there_are(cwd: Path, command: str) -> None:
    (cwd / "roombridge.toml").write_text("prot = 8080\n")

    said = refused(roombridge(command))

    assert "roombridge.toml" in said
    assert "'prot'" in said
    assert "port" in said.replace("'prot'", "")


def test_a_file_that_is_no_toml_or_is_not_there_is_named(cwd: Path) -> None:
    (cwd / "broken.toml").write_text("port = \n")
    assert "broken.toml" in refused(roombridge("--config", "broken.toml"))
    assert "missing.toml" in refused(roombridge("--config", "missing.toml"))


@pytest.mark.parametrize("host", ["room.nowhere.invalid", "192.0.2.5"])
def test_a_host_that_is_no_address_of_this_machine_is_refused_with_a_sentence(cwd: Path, host: str) -> None:
    assert f"cannot serve on {host}:" in refused(roombridge("--host", host, "--port", "0", "--data", cwd / "data"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--port", "65536"), "65536"),
        (("--port", "-1"), "-1"),
        (("--port", "http"), "http"),
        (("--listen", "8081"), "HOST:PORT"),
        (("--listen", "127.0.0.1:"), "HOST:PORT"),
        (("--loop", "trio"), "trio"),
        (("--log-level", "loud"), "loud"),
        (("--max-file-bytes", "0"), "--max-file-bytes 0"),
        (("--room", "no spaces"), "room"),
        (("--prot", "8080"), "--prot"),
        (("srve",), "srve"),
    ],
    ids=" ".join,
)
def test_a_setting_that_cannot_be_is_named(cwd: Path, arguments: tuple[str, ...], named: str) -> None:
    assert named in refused(roombridge(*arguments))


def test_help_and_version_come_without_waiting_for_the_server_s_libraries(cwd: Path) -> None:
    spy = (
        "import atexit, sys; heavy = {'aiohttp', 'asyncio', 'jinja2', 'sqlite3', 'ssl'};"
        "atexit.register(lambda: print(heavy & set(sys.modules)));"
        "from bridge.__main__ import main; main()"
    )
    for arguments in (("--help",), ("serve", "--help"), ("--version",), ("config",)):
        ended = called((sys.executable, "-c", spy), *arguments)
        assert ended.returncode == 0
        assert ended.stdout.decode().splitlines()[-1] == "set()"


def test_serve_help_tells_every_setting_with_its_default_and_environment_name(cwd: Path) -> None:
    told = " ".join(roombridge("serve", "--help").stdout.split())
    for name in SETTINGS:
        assert f"--{name} " in told
        assert f"env var: ROOMBRIDGE_{name.upper().replace('-', '_')}" in told
    assert "default: 8080" in told
    assert "roombridge.toml" in told


def test_version_is_the_package_s(cwd: Path) -> None:
    assert roombridge("--version").stdout == f"roombridge, version {__version__}\n"


def test_roombridge_and_python_m_bridge_are_the_same(cwd: Path) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["roombridge"] == "bridge.__main__:main"
    commands = [SCRIPT]
    if installed := shutil.which("roombridge", path=os.path.dirname(sys.executable)):
        commands.append((installed,))
    for arguments in (("--help",), ("serve", "--help"), ("config",), ("--native", "maybe")):
        expected = called(MODULE, *arguments)
        for command in commands:
            ended = called(command, *arguments)
            assert (ended.returncode, ended.stdout, ended.stderr) == (
                expected.returncode,
                expected.stdout,
                expected.stderr,
            )


def test_uvloop_is_asked_for_by_name_and_its_absence_is_told(cwd: Path) -> None:
    without = "import sys; sys.modules['uvloop'] = None; from bridge.__main__ import main; main()"
    ended = called((sys.executable, "-c", without), "--loop", "uvloop", "--port", "0", "--data", str(cwd / "data"))
    assert ended.returncode == 2
    assert b"uvloop is not installed" in ended.stderr


def test_on_uvloop_every_socket_is_in_the_room_too(run: Callable[..., Running]) -> None:
    pytest.importorskip("uvloop")
    running = run("--loop", "uvloop")
    with (
        LinePeer(running.address) as line,
        DatagramPeer(running.address) as datagram,
        UploadPeer(running.address) as upload,
    ):
        line.say("by line")
        line.read_until("commands")
        datagram.say("by datagram")
        line.read_until("by datagram")
        upload.push("a.txt", b"by upload", reply=True)
        assert "seq" in upload.reply()
        assert "sent a.txt" in line.read()
    assert fetch(running.address, "POST", "/", b"by http")[0] == 201
    assert texts(running.address) == ["by line", "by datagram", None, "by http"]
    assert running.stop() == 0
