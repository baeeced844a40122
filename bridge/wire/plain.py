"""Plain text, as socket peers read and write it: `[name] words` out, words and slash commands in.

Lines (TCP) and datagrams (UDP) both carry this; they differ only in how it is framed.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from bridge import model
from bridge.model import Entry, Peer, Refused

# Bidirectional controls could show a line as another (CVE-2021-42574); a terminal gets text without them.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAK = re.compile("\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
# What the gate refuses anyway, dropped once more: a record made by an older version must not drive a terminal.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# A blank before it makes no words of a secret.
_PASS = re.compile(r"\s+/pass\s", re.IGNORECASE)

LOST: Final = "what was said before is no longer kept"
"""What a gap is called where nobody counts."""

NOTICE: Final = "* "
HISTORY_DEFAULT: Final = 20
HISTORY_MAX: Final = 500

HELP: Final = (
    "/nick NAME  change your name",
    "/as NAME TEXT  say one thing under a name",
    "/join ROOM [PIN]  go to another room",
    "/topic  what this room is about; hosts: /topic TEXT",
    "/mute NAME  hosts: NAME may not speak here",
    "/unmute NAME  hosts: NAME may speak again",
    "/remove NAME  hosts: NAME has to go, for ten minutes",
    "/pass SECRET  by TCP: the host's token makes you a host",
    "/undo  withdraw the last thing you said here",
    "/who  who is here",
    "/history [N]  the last N messages (20 if you do not say)",
    "/quiet  hear nothing more; again: hear the room",
    "/time  the server's clock",
    "/upper TEXT  TEXT in capitals, to you alone",
    "/quit  leave",
    "/help  this list",
    "//x says /x",
)


_WANTED: Final = {
    "nick": "NAME",
    "as": "NAME TEXT",
    "join": "ROOM",
    "pass": "SECRET",
    "ok": "CODE",
    **dict.fromkeys(("mute", "unmute", "remove"), "NAME"),
}


class Say(msgspec.Struct, frozen=True):
    """Words for the room."""

    text: str


class Nick(msgspec.Struct, frozen=True):
    name: str


class As(msgspec.Struct, frozen=True):
    name: str
    text: str


class Join(msgspec.Struct, frozen=True):
    room: str
    pin: str | None = None


class Pass(msgspec.Struct, frozen=True):
    secret: str


class Ok(msgspec.Struct, frozen=True):
    """The code that a datagram peer was sent, sent back."""

    code: str


class Topic(msgspec.Struct, frozen=True):
    """`text` "": what is it?"""

    text: str


class Rule(msgspec.Struct, frozen=True):
    """What a host does to the one who is called `name`."""

    what: Literal["mute", "unmute", "remove"]
    name: str


class Undo(msgspec.Struct, frozen=True):
    pass


class Quiet(msgspec.Struct, frozen=True):
    pass


class Quit(msgspec.Struct, frozen=True):
    pass


class Who(msgspec.Struct, frozen=True):
    pass


class History(msgspec.Struct, frozen=True):
    limit: int


class Time(msgspec.Struct, frozen=True):
    pass


class Upper(msgspec.Struct, frozen=True):
    text: str


class Help(msgspec.Struct, frozen=True):
    pass


Order = Say | Nick | As | Join | Pass | Ok | Topic | Rule | Undo | Quiet | Quit | Who | History | Time | Upper | Help


def decode(raw: bytes) -> str:
    """Text from a socket peer: UTF-8, else GB18030 as Chinese Windows sends it; strict both times.

    Never `errors="replace"`: STUN, DTLS or DNS must not turn into a message. Raises `Refused` `bad_text`.
    """
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise Refused("bad_text", f"{len(raw)} bytes that are neither UTF-8 nor GB18030 text")


def message(raw: bytes) -> str:
    """A body that is one message: what `decode` makes of it, without the one line ending that a program adds."""
    return decode(raw).removesuffix("\n").removesuffix("\r")


def parse(text: str) -> Order:
    """What a peer wants with `text`. Raises `Refused` `bad_request` for a command that is none."""
    if not text.startswith("/"):
        return parse(text.lstrip()) if _PASS.match(text) else Say(text)
    if text.startswith("//"):
        return Say(text[1:])
    command, _, rest = text[1:].partition(" ")
    rest = rest.strip()
    match command.lower():
        case "nick" if rest:
            return Nick(rest)
        case "as" if " " in rest:
            name, _, words = rest.partition(" ")
            return As(name, words.strip())
        case "join" if rest:
            room, _, pin = rest.partition(" ")
            return Join(room, pin.strip() or None)
        case "pass" if rest:
            return Pass(rest)
        case "ok" if rest:
            return Ok(rest)
        case "topic":
            return Topic(rest)
        case "mute" | "unmute" | "remove" as what if rest:
            return Rule(what, rest)
        case "undo":
            return Undo()
        case "quiet":
            return Quiet()
        case "quit":
            return Quit()
        case "who":
            return Who()
        case "history":
            return History(_history_limit(rest))
        case "time":
            return Time()
        case "upper":
            return Upper(rest)
        case "help":
            return Help()
        case "nick" | "as" | "join" | "pass" | "ok" | "mute" | "unmute" | "remove" as known:
            raise Refused("bad_request", f"/{known} wants more: /{known} {_WANTED[known]}")
        case unknown:
            raise Refused("bad_request", f"there is no command /{unknown[:32]}; /help lists them, //x says /x")


def _history_limit(rest: str) -> int:
    if not rest:
        return HISTORY_DEFAULT
    if not re.fullmatch("[0-9]{1,6}", rest) or not 1 <= int(rest) <= HISTORY_MAX:
        raise Refused("bad_request", f"/history {rest[:32]}: expected a number from 1 to {HISTORY_MAX}")
    return int(rest)


def speaker(entry: Entry) -> str:
    """`[name] `, which opens every line of an entry; `* [name] ` where the words are the server's.

    The brackets keep a name from passing for the notice itself.
    """
    name = f"[{seen(entry.sender.name)}] "
    return name if entry.withdraws is None and entry.rule is None else f"{NOTICE}{name}"


def words(entry: Entry, base: str) -> str:
    """What follows the speaker; `base` is the `http://HOST:PORT` by which this peer reaches us."""
    if entry.file is not None:
        name, size, url = seen(entry.file.name), entry.file.size, base + entry.file.url
        return f"sent {name} ({size} byte{'' if size == 1 else 's'}) {url}"
    if entry.withdraws is not None:
        return f"removed a message of {seen(entry.whose.name)}" if entry.whose else "withdrew a message"
    if entry.rule is not None:
        return deed(entry.rule)
    return indented(entry.text or "")


def deed(rule: model.Rule) -> str:
    """What a host did, behind its name."""
    match rule:
        case model.Rule(topic=str(topic)):
            return f"set the topic: {seen(topic)}" if topic else "took the topic away"
        case model.Rule(read_only=bool(on)):
            return "made the room read-only: only hosts speak" if on else "let everybody speak again"
        case model.Rule(pin=bool(on)):
            return "set a PIN: who enters is asked for it" if on else "took the PIN away"
        case model.Rule(mute=Peer(name=name)):
            return f"muted {seen(name)}"
        case model.Rule(unmute=Peer(name=name)):
            return f"let {seen(name)} speak again"
        case model.Rule(rename=Peer(name=name), name=str(new)):
            return f"renamed {seen(name)} to {seen(new)}" if new else f"let {seen(name)} choose a name"
        case model.Rule(remove=Peer(name=name)):
            return f"removed {seen(name)}"
    return "made a rule"  # of a later version


def indented(text: str) -> str:
    """`text` for a terminal: a line break is indented, so that no text can pass for another's line or a notice."""
    return seen(text, line_break="\n    ")


def seen(text: str, line_break: str = " ") -> str:
    """`text` without what steers a terminal, its line breaks turned into `line_break`."""
    return _CONTROL.sub("", _BREAK.sub(line_break, _BIDI.sub("", text)))


def notice(text: str) -> str:
    """A word from the server itself. Users' text never starts with the mark."""
    return f"{NOTICE}{seen(text)}"
