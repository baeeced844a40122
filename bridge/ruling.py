"""A host's wish becomes the draft of a rule, the same for every language it is said in, or is refused."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from bridge import gate
from bridge.model import Draft, Peer, Refused, Rule
from bridge.room import Room
from bridge.wire.rule import Wish

REMOVED_MINUTES: Final = 10
"""For how long one stays away who was removed, unless the host says another time..."""
REMOVED_MAX_MINUTES: Final = 7 * 24 * 60
"""...which is a week at most."""
_WISHES: Final = ("topic", "read_only", "pin", "mute", "unmute", "rename", "remove")


def ruled(room: Room, wish: Wish, blank: Draft) -> Draft:
    """`blank`, which says only who asks, with the rule. Raises `Refused`: `forbidden` for who is no host."""
    if not blank.host:
        raise Refused("forbidden", "only a host may do this")
    rule = _rule(room, wish)
    pin = room.digest(gate.clean_pin(wish.pin)) if rule.pin and wish.pin else None
    return msgspec.structs.replace(blank, rule=rule, pin=pin)


def _rule(room: Room, wish: Wish) -> Rule:
    if sum(getattr(wish, name) is not None for name in _WISHES) != 1:
        raise Refused("bad_request", f"a rule says one thing: {', '.join(_WISHES)}")
    match wish:
        case Wish(topic=str(topic)):
            return Rule(topic=gate.clean_topic(topic))
        case Wish(read_only=bool(on)):
            return Rule(read_only=on)
        case Wish(mute=str(id)):
            return Rule(mute=_guest(room, id))
        case Wish(unmute=str(id)):
            return Rule(unmute=_somebody(room, id))
        case Wish(rename=str(id)):
            return Rule(rename=_guest(room, id), name=_name(room, id, wish.name))
        case Wish(remove=str(id)):
            return Rule(remove=_guest(room, id), until=_until(wish.minutes))
        case _:
            return Rule(pin=bool(wish.pin))


def _somebody(room: Room, id: str) -> Peer:
    if (peer := room.known(id)) is None:
        raise Refused("not_found", f"nobody of the id {id[:64]!r} is here, or was of late")
    return peer


def _guest(room: Room, id: str) -> Peer:
    """Hosts are equals."""
    peer = _somebody(room, id)
    if room.hosted(id):
        raise Refused("forbidden", f"{peer.name} is a host too")
    return peer


def _name(room: Room, id: str, wish: str | None) -> str:
    """The name that will be theirs: free, as one that they choose themselves; "" lets them choose again."""
    if wish is None:
        raise Refused("bad_request", 'a name is missing: {"rename": ID, "name": NAME}')
    return room.people.free_name(gate.clean_name(wish), id) if wish else ""


def _until(minutes: int | None) -> int:
    minutes = REMOVED_MINUTES if minutes is None else minutes
    if not 1 <= minutes <= REMOVED_MAX_MINUTES:
        raise Refused("bad_request", f"minutes={minutes}, expected 1 to {REMOVED_MAX_MINUTES}")
    return int(time.time() * 1000) + minutes * 60_000
