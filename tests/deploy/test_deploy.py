"""The unit and the container file: what they name is there, and what they say is what the server does."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from bridge.__main__ import EXIT_DISK_FAILED, EXIT_UNUSABLE, main
from tests.support import observe
from tests.support.process import CHECKOUT, Running
from tests.support.program import done, tool, unavailable

DEPLOY = CHECKOUT / "deploy"
UNIT = DEPLOY / "roombridge.service"
DRAINED_S = 10
EXPOSURE_MAX = 20
"""In tenths, as systemd rates it: 20 is what it calls "OK"."""


def unit() -> dict[str, list[str]]:
    """Every directive with its values, in order."""
    directives: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.M):
        directives.setdefault(name, []).append(value)
    return directives


def container() -> list[tuple[str, str]]:
    """Every instruction with its arguments."""
    return re.findall(r"^([A-Z]+) (.*)$", (DEPLOY / "Containerfile").read_text(), re.M)


def settings(*arguments: str, **env: str) -> str:
    """What the server makes of these arguments."""
    ended = CliRunner().invoke(main, ["config", *arguments], env=env)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


# systemd


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    (tmp_path / "roombridge.service").write_text(
        UNIT.read_text().replace("/opt/roombridge/bin/roombridge", "/bin/true")
    )
    ended = done(tool("systemd-analyze"), "verify", "--man=no", tmp_path / "roombridge.service")
    said = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 0, said
    assert "roombridge.service" not in said


def test_systemd_rates_it_as_well_confined() -> None:
    analyse = (tool("systemd-analyze"), "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}", "--no-pager")
    ended = done(*analyse, UNIT)
    assert ended.returncode == 0, (ended.stdout + ended.stderr).decode()


def test_what_the_unit_starts_are_settings_that_are(tmp_path: Path) -> None:
    (command,) = unit()["ExecStart"]
    program, serve, *flags = shlex.split(command.replace("${STATE_DIRECTORY}", str(tmp_path)))
    assert (Path(program).name, serve) == ("roombridge", "serve")
    assert re.search(rf"^data +{tmp_path} +flag$", settings(*flags), re.M)


def test_the_unit_waits_for_the_drain_and_does_not_restart_what_cannot_work() -> None:
    directives = unit()
    assert int(directives["TimeoutStopSec"][0]) > DRAINED_S
    assert directives["RestartPreventExitStatus"] == [f"{EXIT_UNUSABLE} {EXIT_DISK_FAILED}"]


def test_its_environment_file_is_heeded(tmp_path: Path) -> None:
    running = Running(tmp_path / "state", env={"ROOMBRIDGE_ROOM": "from-the-environment-file"})
    try:
        _status, headers, _body = observe.fetch(running.address, "GET", "/")
        assert headers["location"].endswith("/r/from-the-environment-file")
    finally:
        assert running.stop() == 0


# The container


def test_everything_that_is_copied_is_there() -> None:
    sources = [
        source
        for instruction, arguments in container()
        if instruction == "COPY" and "--from" not in arguments
        for source in arguments.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (CHECKOUT / source).exists(), source


def test_what_is_copied_is_enough_to_build_it(tmp_path: Path) -> None:
    for instruction, arguments in container():
        if instruction == "COPY" and "--from" not in arguments:
            for source in arguments.split()[:-1]:
                copy = shutil.copytree if (CHECKOUT / source).is_dir() else shutil.copy
                copy(CHECKOUT / source, tmp_path / source)
    wheel = (sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", tmp_path / "wheels", tmp_path)
    ended = subprocess.run(wheel, capture_output=True, text=True)
    if ended.returncode and re.search("No matching distribution|[Cc]onnection", ended.stderr):
        unavailable("no package index to fetch the build system from")
    assert ended.returncode == 0, ended.stderr
    assert len(list((tmp_path / "wheels").glob("roombridge-*.whl"))) == 1


def test_it_runs_as_nobody_in_particular_with_its_data_on_a_volume() -> None:
    said = dict(container())
    assert said["USER"] == "10001:10001"
    name, _, value = said["ENV"].partition("=")
    assert re.search(r"^data +/data +environment$", settings(**{name: value}), re.M)
    assert said["VOLUME"] == "/data"
    assert any(one == ("RUN", "install -d -o 10001 -g 10001 -m 0700 /data") for one in container())


def test_its_ports_and_its_signal_are_the_server_s() -> None:
    said = dict(container())
    (port,) = re.findall(r"^port +(\d+) +default$", settings(), re.M)
    assert said["EXPOSE"] == f"{port}/tcp {port}/udp"
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(said["ENTRYPOINT"])[-1].endswith("/roombridge")
    assert f":{port}/healthz" in said["HEALTHCHECK"]
