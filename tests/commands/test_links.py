"""`roombridge token` prints links that let people in, and `--rotate` makes the old ones worthless."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.__main__ import main
from tests.support import observe
from tests.support.process import Running


def roombridge(*arguments: object) -> list[str]:
    ended = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert ended.exit_code == 0, ended.output
    return ended.stdout.splitlines()


def test_the_links_let_in_and_rotated_ones_no_more(run: Callable[..., Running]) -> None:
    running = run("--token")
    where = ("--data", running.data, "--host", "192.0.2.7", "--port", running.port)
    (join, rule) = roombridge("token", *where)
    url = rf"http://192\.0\.2\.7:{running.port}(/j/[\w-]{{32}})"
    joined, ruled = re.fullmatch(f"join  {url}", join), re.fullmatch(f"rule  {url}", rule)
    assert joined and ruled and joined[1] != ruled[1]
    for path in (joined[1], ruled[1]):
        assert observe.fetch(running.address, "GET", path)[0] == 303
    assert running.stop() == 0
    assert roombridge("token", "--rotate", *where)[-1].startswith("The old ones")
    running.start()
    for path in (joined[1], ruled[1]):
        assert observe.fetch(running.address, "GET", path)[0] == 401
    for line in roombridge("token", *where):
        assert observe.fetch(running.address, "GET", "/" + line.partition("/j/")[1][1:] + line[-32:])[0] == 303


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["token", "--data", str(tmp_path / "none")])
    assert ended.exit_code == 2 and f"no data folder {tmp_path}/none" in ended.stderr


@pytest.mark.parametrize("rotate", [(), ("--rotate",)])
def test_a_token_s_file_may_be_anywhere(tmp_path: Path, rotate: tuple[str, ...]) -> None:
    mine = tmp_path / "mine"
    lines = roombridge("token", *rotate, "--data", tmp_path, "--token-file", mine, "--host", "192.0.2.7")
    assert lines[0] == f"join  http://192.0.2.7:8080/j/{mine.read_text().strip()}"
