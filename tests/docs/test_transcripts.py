"""Every transcript under docs/protocols comes true against a server of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs import fences, tools, transcripts
from tests.docs.transcripts import Broken, Stage, Transcript
from tests.support.process import Running

PAGES = sorted(fences.ROOT.glob("docs/protocols/*.md"))
ALL = [transcript for page in PAGES for transcript in transcripts.read(page)]


@pytest.mark.parametrize("transcript", ALL, ids=[f"{one.page.name}:{one.line}" for one in ALL])
def test_the_page_tells_the_truth(transcript: Transcript, run: Callable[..., Running], tmp_path: Path) -> None:
    tools.require(" ".join(step.text for step in transcript.steps if step.verb == "run"))
    folder = tmp_path / "here"
    folder.mkdir()
    Stage(transcript, run, folder).play()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_language_is_shown_speaking(page: Path) -> None:
    assert any(transcripts.read(page)), f"{page.name} holds no transcript"


# The player itself: a transcript that is wrong must not pass.


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all that goes wrong."""
    running = Running(tmp_path_factory.mktemp("patient") / "data")
    yield running
    running.close()


def played(text: str, server: Running, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```transcript\n{text}\n```\n", encoding="utf-8")
    (transcript,) = transcripts.read(page)
    Stage(transcript, lambda: server, tmp_path).play()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("alice tcp> \nalice < * welcome to nowhere", "expected"),
        ("alice tcp> \nalice > (end)\nalice << * bye", "sooner or later"),
        ("alice tcp> hello\nalice < (nothing)", "welcome"),
        ("alice tcp> /upper a\nalice < {_}\nalice < {a*2}", "heard"),
        ("alice tcp> \nalice < * welcome to {x}, you are {x}; {_}", "expected"),
        ('carol ws> /r/lobby/ws\ncarol < {"type":"hello","last_seq":"1"}', "last_seq"),
        ('carol ws> /r/lobby/ws\ncarol < {"type":"hello","peers":[]}', "peers"),
        ("$ echo one; echo two\none", "printed"),
        ("$ echo one; echo two\n...\none", "printed"),
        ("$ false", "exit code 1"),
        ("alice > hello", "who is alice"),
    ],
)
def test_a_transcript_that_is_wrong_is_noticed(text: str, why: str, patient: Running, tmp_path: Path) -> None:
    with pytest.raises(Broken, match=why):
        played(text, patient, tmp_path)


def test_blanks_and_dots_are_filled_as_the_page_says(patient: Running, tmp_path: Path) -> None:
    played(
        '$ echo one; echo two; echo \'{"a":1,"b":[2,3]}\'; echo end\n'
        '{first}\n...\n{"b":[{two},"..."]}\nend\n'
        "\n"
        "$ echo {first} {two} http://127.0.0.1:8080/\n"
        "one 2 http://127.0.0.1:{_}/\n"
        "\n"
        "$ exit 3\n"
        "(exit 3)",
        patient,
        tmp_path,
    )


def test_a_line_that_is_no_step_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```transcript\nnonsense\n```\n")
    with pytest.raises(Broken, match="no line of a transcript"):
        list(transcripts.read(page))
