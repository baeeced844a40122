"""Who speaks over HTTP: the author a request names, seated or not."""

from __future__ import annotations

import secrets
from typing import NamedTuple
from urllib.parse import unquote

from aiohttp import web

from bridge import gate
from bridge.model import Peer, Refused
from bridge.policy import Role
from bridge.room import Room
from bridge.rooms import Rooms
from bridge.transports.web.caller import caller_of, role_of


class Visitor(NamedTuple):
    """The author of one request, the key of what it brings, and whether it rules the house."""

    client: str
    author: str
    key: str
    peer: Peer
    host: bool


def visitor(request: web.Request, rooms: Rooms, room: Room, name: str | None = None) -> Visitor:
    """From `X-Client`, `X-Key` and `X-Name` (else `name`); each may be absent. Raises `Refused`.

    Who has a seat in the room under the same client secret speaks as the peer who sits there.
    """
    client = request.headers.get("X-Client")
    client = gate.clean_client(client) if client is not None else secrets.token_urlsafe(16)
    author = rooms.author(client)
    key = gate.clean_key(request.headers.get("X-Key") or secrets.token_hex(12))
    addr = caller_of(request).addr
    peer = room.people.get(author.id)
    if peer is None:
        said = header_text(request, "X-Name")
        name = name if said is None else said
        wish = gate.clean_name(name) if name is not None else f"http-{addr.rpartition(':')[2]}"
        peer = Peer(author.id, room.named(author.id, wish), "http", addr)
    return Visitor(client, author.key, key, peer, is_host(request))


def is_host(request: web.BaseRequest) -> bool:
    """Whether the guard was shown the host's token."""
    return role_of(request) is Role.HOST


def query_number(request: web.Request, name: str, lowest: int) -> int | None:
    """A number of the query, if it is there. Raises `Refused` `bad_request`."""
    value = request.query.get(name)
    return None if value is None else gate.clean_number(value, name, lowest)


def header_text(request: web.BaseRequest, header: str) -> str | None:
    """A header's text: UTF-8 as it is, or percent-encoded. Raises `Refused` `bad_name`."""
    value = request.headers.get(header)
    if value is None:
        return None
    try:
        # aiohttp decodes headers as UTF-8 and keeps stray bytes as surrogates
        return unquote(value.encode("utf-8", "surrogateescape").decode(), errors="strict")
    except UnicodeDecodeError:
        raise Refused("bad_name", f"{header} is not UTF-8") from None
