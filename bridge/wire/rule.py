"""What a host wishes for a room, as JSON says it: one thing at a time. (`docs/protocols/entries.md`)"""

from __future__ import annotations

from typing import Final

import msgspec

from bridge.model import Refused

WISH_MAX_BYTES: Final = 4096


class Wish(msgspec.Struct, frozen=True):
    """Exactly one of these is given; `name` comes with `rename`, `minutes` may come with `remove`. People are ids."""

    topic: str | None = None
    read_only: bool | None = None
    pin: str | None = None
    mute: str | None = None
    unmute: str | None = None
    rename: str | None = None
    name: str | None = None
    remove: str | None = None
    minutes: int | None = None


_wish = msgspec.json.Decoder(Wish)


def decode(raw: bytes) -> Wish:
    """Raises `Refused` `bad_request`."""
    try:
        return _wish.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Refused("bad_request", f"no rule: {fault}"[:500]) from None
