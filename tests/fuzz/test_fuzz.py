"""Every stored input holds, and so do a few thousand that are made of them; hours of it are `make fuzz`."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.fuzz import inside
from tests.fuzz.run import CORPUS, corpus, fuzz
from tests.fuzz.targets import TARGETS
from tests.support.program import unavailable

RUNS = 3000
SEED = 20


def test_every_target_has_inputs_of_its_own() -> None:
    assert {path.stem for path in CORPUS.glob("*.txt")} == TARGETS.keys()
    assert all(len(set(corpus(target))) == len(corpus(target)) >= 10 for target in TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_stored_input_holds(target: str) -> None:
    for data in corpus(target):
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_thousands_of_inputs_hold(target: str) -> None:
    if not importlib.util.find_spec("atheris"):
        unavailable("atheris is not installed (it is made for Linux and some versions of Python)")
    done = fuzz(target, RUNS, seed=SEED, quiet=True)
    assert done.returncode == 0, done.stdout
    assert re.search(rf"^Done {RUNS} runs", done.stdout, re.MULTILINE), done.stdout
    assert re.search(rf"^#{RUNS}\s+DONE\s+cov: [1-9][0-9]+", done.stdout, re.MULTILINE), "nothing was watched"


# The watch itself: what breaks must not pass.


def test_what_a_target_raises_is_shown_with_its_input(capfd: pytest.CaptureFixture[str]) -> None:
    once = inside.watched(lambda data: data.index(b"x") and None)
    once(b"ax")
    with pytest.raises(ValueError, match="not found"):
        once(b"\xff")
    assert capfd.readouterr().err == "broken by\nb'\\xff'\n"


def test_an_input_that_takes_long_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "INPUT_S", -1.0)
    with pytest.raises(AssertionError, match="s for\nb'slow'"):
        inside.watched(lambda data: None)(b"slow")


def test_memory_that_grows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "WARM_RUNS", 1)
    held = iter((100, 100 + inside.GROWTH_MAX_BYTES, 101 + inside.GROWTH_MAX_BYTES))
    monkeypatch.setattr(inside, "resident_bytes", lambda: next(held))
    once = inside.watched(lambda data: None)
    once(b"")
    once(b"")
    with pytest.raises(AssertionError, match="more after 3 inputs"):
        once(b"")
