"""Transcripts: conversations written in the docs and played against a live server.

The format is described for readers in `docs/protocols/README.md`. `read` finds the transcripts of a page, `Stage.play`
plays one; a line that does not come true raises `Broken`, which names the page, the line, and what came instead.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bridge.policy.tokens import HOST_FILE
from tests.docs import cast, fences
from tests.support.process import Running

SHELL_S = 15.0

_SPOKEN = re.compile(r"(?P<name>[a-z]\w*)(?: (?P<language>[a-z]+))? ?(?P<arrow>>|<<|<)(?: (?P<text>.*))?")
_SERVER = re.compile(r"server (?P<verb>stop|kill|start)")
_BLANK = re.compile(r"\{(?P<name>[a-z_]\w*(?:\.\w+)?)\}")
_BARE_BLANK = re.compile(r"(?<=[:\[,])\s*\{(?P<name>[a-z_]\w*(?:\.\w+)?)\}(?=\s*[,}\]])")
_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"\]])')
_REPEATED = re.compile(r"\{(?P<what>[^{}*]{1,9})\*(?P<times>[0-9]+)\}")
_PRINTED_ADDRESS = re.compile(r"(127\.0\.0\.1|localhost)([ :])8080\b")
_EXIT = re.compile(r"\(exit (?P<code>[0-9]+)\)")
NEWLINE = "⏎"


class Broken(AssertionError):
    """The server did not say what the page says."""


class Step(NamedTuple):
    """One line of a transcript: who does what, and for a command the lines it prints."""

    line: int
    actor: str
    verb: str
    text: str
    language: str = ""
    output: tuple[str, ...] = ()


class Transcript(NamedTuple):
    """A conversation on one page; `options` are given to its server."""

    page: Path
    line: int
    options: tuple[str, ...]
    steps: tuple[Step, ...]


def read(page: Path) -> Iterator[Transcript]:
    """Every transcript of a page, in order."""
    for fence in fences.read(page):
        if fence.language == "transcript":
            yield Transcript(page, fence.line, tuple(shlex.split(fence.info)), tuple(_steps(fence)))


def _steps(fence: fences.Fence) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(fence.code.split("\n"), fence.line + 1):
        new = _step(number, line)
        if new or not line.strip():
            if step:
                yield step
            step = new
        elif step and step.verb == "run":
            step = step._replace(output=(*step.output, line))
        elif line.startswith("#"):
            continue
        elif step and line.startswith("  "):
            step = step._replace(text=f"{step.text} {line.strip()}")
        else:
            raise Broken(f"{fence.page}:{number}: no line of a transcript: {line}")
    if step:
        yield step


def _step(number: int, line: str) -> Step | None:
    if line.startswith("$ "):
        return Step(number, "$", "run", line[2:])
    if match := _SERVER.fullmatch(line):
        return Step(number, "server", match["verb"], "")
    if match := _SPOKEN.fullmatch(line):
        return Step(number, match["name"], match["arrow"], match["text"] or "", match["language"] or "")
    return None


class Stage:
    """One server, the peers of one transcript, and the values that its blanks were filled with."""

    def __init__(self, transcript: Transcript, start: Callable[..., Running], folder: Path) -> None:
        self._transcript = transcript
        self._server = start(*transcript.options)
        self._stopping = False
        self._folder = folder
        self._peers: dict[str, cast.Member] = {}
        self._filled: dict[str, Any] = {"host_token": (self._server.data / HOST_FILE).read_text().strip()}

    def play(self) -> None:
        try:
            for step in self._transcript.steps:
                try:
                    self._take(step)
                except (Broken, OSError, ValueError) as fault:
                    raise Broken(f"{self._transcript.page}:{step.line}: {fault}") from fault
        finally:
            for peer in self._peers.values():
                peer.close()
        self._end()

    def _take(self, step: Step) -> None:
        match step.verb:
            case ">":
                self._speak(step)
            case "<":
                self._expect(step)
            case "<<":
                self._expect_later(step)
            case "run":
                self._run(step)
            case verb:
                self._serve(verb)

    def _speak(self, step: Step) -> None:
        text = self._written(step.text)
        if step.actor not in self._peers:
            if not step.language:
                raise Broken(f"who is {step.actor}? The first line of a peer names its language: {step.actor} tcp> ...")
            self._peers[step.actor] = peer = cast.LANGUAGES[step.language](("127.0.0.1", self._server.port), text)
            self._filled[f"{step.actor}.port"] = peer.port
            if peer.opening_is_address:
                return
        peer = self._peers[step.actor]
        if text in cast.ENDINGS:
            peer.end(text)
        elif re.fullmatch(r"""b".*"|b'.*'""", text):
            peer.put(ast.literal_eval(text))
        else:
            peer.say(text.replace(NEWLINE, "\n"))

    def _peer(self, step: Step) -> cast.Member:
        if step.actor not in self._peers:
            raise Broken(f"{step.actor} has not spoken yet")
        return self._peers[step.actor]

    def _expect(self, step: Step) -> None:
        peer = self._peer(step)
        peer.wait(cast.QUIET_S if step.text == "(nothing)" else cast.PATIENCE_S)
        heard = peer.hear()
        if not self.matches(step.text, heard):
            raise Broken(f"{step.actor} expected\n  {self._written(step.text)}\nand heard\n  {heard}")

    def _expect_later(self, step: Step) -> None:
        peer = self._peer(step)
        peer.wait(cast.PATIENCE_S)
        passed = []
        while not self.matches(step.text, heard := peer.hear()):
            passed.append(heard)
            if heard.endswith(cast.LAST_WORDS):
                before = "\n  ".join(passed)
                raise Broken(
                    f"{step.actor} expected sooner or later\n  {self._written(step.text)}\nand heard\n  {before}"
                )

    def _run(self, step: Step) -> None:
        done = subprocess.run(
            ["bash", "-c", self._written(step.text)],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=SHELL_S,
        )
        printed = done.stdout.decode()
        wanted = "\n".join(step.output)
        code = 0
        if step.output and (match := _EXIT.fullmatch(step.output[-1])):
            code, wanted = int(match["code"]), "\n".join(step.output[:-1])
        if done.returncode != code:
            raise Broken(f"exit code {done.returncode}, expected {code}, of\n  {step.text}\n{printed}")
        if not self.matches(wanted, printed.replace("\r\n", "\n").strip("\n")):
            raise Broken(f"expected of {step.text}\n{wanted}\nand it printed\n{printed}")

    def _serve(self, verb: str) -> None:
        match verb:
            case "stop":
                self._server.signal(cast.STOP)
                self._stopping = True
            case "kill":
                self._server.kill()
            case _:
                self._end()
                self._server.start()

    def _end(self) -> None:
        """A server that was asked to stop has done so in peace."""
        if self._stopping:
            self._stopping = False
            if (code := self._server.wait()) != 0:
                raise Broken(f"the server ended with exit code {code}")

    # Blanks

    def _written(self, text: str) -> str:
        """What a line of the page says here: this server's port, repetitions, and what is known of its blanks."""
        text = _PRINTED_ADDRESS.sub(rf"\g<1>\g<2>{self._server.port}", text)
        text = _REPEATED.sub(lambda found: found["what"] * int(found["times"]), text)
        if _JSON.match(text):
            text = _BARE_BLANK.sub(lambda found: self._known(found["name"], found[0], json.dumps), text)
        return _BLANK.sub(lambda found: self._known(found["name"], found[0], str), text)

    def _known(self, name: str, otherwise: str, write: Callable[[Any], str]) -> str:
        return write(self._filled[name]) if name in self._filled else otherwise

    def matches(self, wanted: str, heard: str) -> bool:
        """Whether `heard` is what the page says; what stands in its open blanks is kept."""
        wanted = self._written(wanted)
        filled = _fits(wanted, heard, self._filled)
        if filled is None:
            filled = _fits_lines(wanted.split("\n"), heard.split("\n"), self._filled)
        if filled is None:
            return False
        self._filled = filled
        return True


# Each `_fits` answers with what is filled in, or None.

_Filled = dict[str, Any]


def _fits_lines(wanted: list[str], heard: list[str], filled: _Filled) -> _Filled | None:
    """Line by line; a line `...` stands for any number of them."""
    if not wanted:
        return None if heard else filled
    if wanted[0] == "...":
        tries = (_fits_lines(wanted[1:], heard[skipped:], filled) for skipped in range(len(heard) + 1))
        return next((found for found in tries if found is not None), None)
    if not heard or (filled_here := _fits(wanted[0], heard[0], filled)) is None:
        return None
    return _fits_lines(wanted[1:], heard[1:], filled_here)


def _fits(wanted: str, heard: str, filled: _Filled) -> _Filled | None:
    """JSON by its meaning, all else by its letters."""
    if _JSON.match(wanted):
        pattern, said = _loads(_BARE_BLANK.sub(r'"{\g<name>}"', wanted)), _loads(heard)
        if isinstance(pattern, dict | list) and isinstance(said, dict | list):
            return _fits_value(pattern, said, filled)
    return _fits_text(wanted, heard, filled)


def _fits_value(wanted: Any, said: Any, filled: _Filled) -> _Filled | None:
    """An object fits one that has its fields and maybe more; an array one of its length, or longer after "..."."""
    match wanted:
        case dict():
            if not isinstance(said, dict) or not wanted.keys() <= said.keys():
                return None
            return _fits_all([(value, said[name]) for name, value in wanted.items()], filled)
        case [*first, "..."]:
            return _fits_value(first, said[: len(first)], filled) if isinstance(said, list) else None
        case list():
            same_length = isinstance(said, list) and len(said) == len(wanted)
            return _fits_all(list(zip(wanted, said, strict=True)), filled) if same_length else None
        case str() if blank := _BLANK.fullmatch(wanted):
            return _fill(blank["name"], said, filled)
        case str():
            return _fits_text(wanted, said, filled) if isinstance(said, str) else None
        case _:
            return filled if wanted == said and type(wanted) is type(said) else None


def _fits_all(pairs: list[tuple[Any, Any]], filled: _Filled | None) -> _Filled | None:
    for wanted, said in pairs:
        if filled is not None:
            filled = _fits_value(wanted, said, filled)
    return filled


def _fits_text(wanted: str, heard: str, filled: _Filled | None) -> _Filled | None:
    pieces = _BLANK.split(wanted)  # text, name, text, name, ..., text
    pattern = "(.*?)".join(re.escape(piece).replace(NEWLINE, "\n") for piece in pieces[::2])
    found = re.fullmatch(pattern, heard)
    if found is None:
        return None
    for name, value in zip(pieces[1::2], found.groups(), strict=True):
        if filled is not None:
            filled = _fill(name, value, filled)
    return filled


def _fill(name: str, value: Any, filled: _Filled) -> _Filled | None:
    if name == "_":
        return filled
    return {**filled, name: value} if filled.get(name, value) == value else None


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
