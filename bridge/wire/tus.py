"""tus 1.0, the words of it: metadata, checksums and numbers in headers. (https://tus.io/protocols/resumable-upload)

A header's text goes in, what it means comes out, or `Refused` says what was expected.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Final, NamedTuple

from bridge.model import Refused

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,termination,expiration,checksum"
CHECKSUMS: Final = ("sha256", "sha1")
CONTENT_TYPE: Final = "application/offset+octet-stream"
SIZE_MAX: Final = 2**63 - 1
_KEY: Final = re.compile(r"[!-+\--~]+", re.ASCII)  # printable, but no space and no comma


class Checksum(NamedTuple):
    """What the bytes of one request are to hash to; `hash` is fed with them."""

    hash: hashlib._Hash
    expected: bytes

    @property
    def right(self) -> bool:
        return self.hash.digest() == self.expected


def number(value: str | None, header: str) -> int:
    """A whole number from 0, as lengths and offsets are."""
    if value is None or not re.fullmatch(r"[0-9]{1,19}", value, re.ASCII) or int(value) > SIZE_MAX:
        shown = "nothing" if value is None else repr(value[:32])
        raise Refused("bad_request", f"{header} is {shown}, expected a whole number from 0")
    return int(value)


def metadata(value: str) -> dict[str, str]:
    """`key base64,key base64,key`: what it says, by key. A value that is no UTF-8 keeps its bytes as surrogates."""
    said: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in value.split(","))):
        key, _, encoded = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in said:
            raise Refused("bad_request", f"Upload-Metadata has the key {key[:32]!r}, or has it twice")
        said[key] = _decoded(encoded, "Upload-Metadata").decode("utf-8", "surrogateescape")
    return said


def told(said: dict[str, str]) -> str:
    """Metadata as a header again, made anew: nothing of what came goes back as it came."""
    pairs = ((key, value.encode("utf-8", "surrogateescape")) for key, value in said.items())
    return ",".join(f"{key} {base64.b64encode(value).decode()}" if value else key for key, value in pairs)


def checksum(value: str | None) -> Checksum | None:
    """`sha1 base64`: what to compare with; None when nothing was said."""
    if value is None:
        return None
    name, _, encoded = value.partition(" ")
    if name not in CHECKSUMS:
        raise Refused("bad_request", f"Upload-Checksum by {name[:32]!r}, expected {' or '.join(CHECKSUMS)}")
    return Checksum(hashlib.new(name, usedforsecurity=False), _decoded(encoded, "Upload-Checksum"))


def _decoded(encoded: str, header: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("bad_request", f"{header} holds {encoded[:32]!r}, which is no base64") from None
