"""The nouns a room is made of, and the one JSON form in which everybody meets them."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import msgspec

Via = Literal["web", "udp", "tcp", "http"]
Code = Literal[
    "bad_request",
    "bad_text",
    "bad_name",
    "bad_room",
    "empty",
    "too_long",
    "too_large",
    "rate_limited",
    "disk_full",
    "busy",
    "forbidden",
    "not_found",
    "unsupported",
]


class Refused(Exception):
    """Their fault, or our limit: `code` is one of the published words, `message` says what was found and what to do.

    Every transport answers it in its own language; nobody else is hurt.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StoreError(Exception):
    """Our fault: an engine could not do what its contract promises."""

    told = "the server could not store it; its log says more"
    """What whoever asked hears of it."""


class Unsure(StoreError):
    """Our fault, at a moment that leaves open whether it was stored."""

    told = "it is not known to be stored: the server's disk failed; send it again under the same key"


class Peer(msgspec.Struct, frozen=True):
    """Whoever is at the other end. `id` stays with the author, `addr` is `IP:PORT` as we saw it."""

    id: str
    name: str
    via: Via
    addr: str


class FileRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stored file: `size` in bytes, `sha256` in hex, `url` a path on this server.

    `width` and `height` are a picture's, in pixels, as it is shown; None for what is no picture, or does not say.
    """

    id: str
    name: str
    size: int
    sha256: str
    media_type: str
    url: str
    width: int | None = None
    height: int | None = None

    @classmethod
    def of(
        cls, id: str, name: str, size: int, sha256: str, media_type: str, measures: tuple[int, int] | None = None
    ) -> FileRef:
        """The reference with its URL worked out from id and name."""
        return cls(id, name, size, sha256, media_type, f"/files/{id}/{quote(name, safe='')}", *measures or ())


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a host laid down for a room, exactly one thing; what it says of somebody names them as they were just then.

    A `topic` of "" is none. `rename` comes with a `name` that stays until a host says another, or with "": it is its
    own choice again. `remove` comes with `until`, in milliseconds since the epoch.
    """

    topic: str | None = None
    read_only: bool | None = None
    pin: bool | None = None
    mute: Peer | None = None
    unmute: Peer | None = None
    rename: Peer | None = None
    name: str | None = None
    remove: Peer | None = None
    until: int | None = None

    @property
    def about(self) -> str:
        """What it is about: of two rules about the same, the later one holds."""
        match self:
            case Rule(topic=str()):
                return "topic"
            case Rule(read_only=bool()):
                return "read_only"
            case Rule(pin=bool()):
                return "pin"
            case Rule(mute=Peer(id)) | Rule(unmute=Peer(id)):
                return f"mute {id}"
            case Rule(rename=Peer(id)):
                return f"rename {id}"
            case Rule(remove=Peer(id)):
                return f"remove {id}"
        raise ValueError(f"{self} says nothing")

    @property
    def lifts(self) -> bool:
        """Whether it ends what an earlier one began, so that nothing of it need be remembered."""
        return self.topic == "" or False in (self.read_only, self.pin) or self.unmute is not None or self.name == ""


class Draft(msgspec.Struct, frozen=True):
    """What a peer asks to append: named by `author` and `key` before the log numbers it.

    `author` is never shown to others. Exactly one of `text`, `file`, `withdraws` (the number of an entry) and `rule` is
    given. `host`: whoever asks rules the house. `pin` is the digest of the one that its rule sets.
    """

    room: str
    author: str
    key: str
    sender: Peer
    text: str | None = None
    file: FileRef | None = None
    withdraws: int | None = None
    rule: Rule | None = None
    host: bool = False
    pin: str | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, rename={"sender": "from"}):
    """A numbered line of the log; `at` is milliseconds since the epoch. Whatever carries `seq` is one of these.

    `withdraws` is the number of an entry that was taken back: it is told no more, and this one says why; `whose` it
    was, where a host took back what somebody else had said.
    """

    type: Literal["text", "file", "withdraw", "rule"]
    seq: int
    at: int
    room: str
    key: str
    sender: Peer
    text: str | None = None
    file: FileRef | None = None
    withdraws: int | None = None
    whose: Peer | None = None
    rule: Rule | None = None


class Stored(msgspec.Struct, frozen=True):
    """The answer to a draft: its entry, durable, and whether it was new or its key had been said before."""

    entry: Entry
    new: bool


class Ruling(msgspec.Struct, frozen=True):
    """How a room is ruled just now: `muted` are ids."""

    topic: str
    read_only: bool
    pin: bool
    muted: list[str]


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first word to a browser: where it is, who it is, who else is here, what is on its way, what holds here."""

    room: str
    epoch: str
    last_seq: int
    client: str
    you: Peer
    peers: list[Peer]
    count: int
    transfers: list[Transfer]
    host: bool
    rules: Ruling


class Presence(msgspec.Struct, frozen=True, tag="presence", omit_defaults=True):
    """Who came, went and changed name since the last word; in a crowd only how many there are."""

    count: int
    joined: list[Peer] | None = None
    left: list[str] | None = None
    renamed: list[Peer] | None = None


Failure = Code | Literal["broken_off", "taken_back", "expired", "not_stored"]
"""Why a transfer ended without a file, for programs; `reason` says it to people."""


class Transfer(msgspec.Struct, frozen=True, tag="transfer", rename={"sender": "from"}):
    """A file on its way: `received` and `size` in bytes (size unknown: null), `rate` in bytes a second."""

    id: str
    name: str
    sender: Peer
    received: int
    size: int | None
    rate: int
    state: Literal["receiving", "paused", "done", "failed"]
    reason: str | None = None
    code: Failure | None = None


class Gap(msgspec.Struct, frozen=True, tag="gap", rename={"start": "from", "end": "to"}):
    """A stretch that is no longer kept, inclusive; both null: this is another log than the one you knew."""

    start: int | None
    end: int | None


class Typing(msgspec.Struct, frozen=True, tag="typing", rename={"sender": "from"}):
    """Somebody is writing."""

    sender: Peer


class Knock(msgspec.Struct, frozen=True, tag="knock", omit_defaults=True):
    """Somebody from elsewhere asks to be let in, and says `text`; later, how that was `answered`. For hosts alone."""

    id: str
    via: Via | None = None
    addr: str | None = None
    text: str | None = None
    answered: Literal["admitted", "refused", "gone"] | None = None


class Error(msgspec.Struct, frozen=True, tag="error", omit_defaults=True):
    """A rule was broken; `key` names the draft that broke it, if one did."""

    code: Code
    message: str
    key: str | None = None


Address = tuple[str, int] | tuple[str, int, int, int]
"""How a socket calls the other end; with IPv6 there are two more."""

Signal = Hello | Presence | Transfer | Gap | Typing | Knock | Error


def address(sockname: Address | None) -> str:
    """`IP:PORT`, with IPv6 in brackets; a socket that is gone already has none: `?`."""
    if not sockname:
        return "?"
    host, port = sockname[0], sockname[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
