"""Which language is it? Decided by the opening bytes alone.

In goes what a connection has said so far, out comes a `Language`, or None: not yet. The answer for an opening never
changes when more bytes follow, so no stream is treated differently for how it was cut. A raw file header of at most
65,535 bytes puts two NULs among the first four bytes, which no HTTP, no text and no TLS does; hence four bytes, and a
fifth for the brace, settle everything but HTTP. (`docs/protocols/front-door.md`)
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from bridge.wire.upload import header_length

OPENING_MAX_BYTES: Final = 8 * 1024

_METHOD_SO_FAR = re.compile(rb"[A-Z][A-Z-]*(?: |\Z)")
# A target that has not ended yet, or has just: 8 KiB of an essay that begins "I have" is no such thing.
_TARGET_SO_FAR = re.compile(rb"[A-Z][A-Z-]* +(?:[/*]|https?://)\S*(?: +H?T?T?P?/?1?)?\Z")
_TLS_HANDSHAKE: Final = b"\x16\x03"  # a handshake record, RFC 8446 section 5.1; its version's next byte is 1 or more
_HEADER_LIKE_TLS: Final = b"\x16\x03\0\0"  # the length of a header of 790 bytes
_HTTP_2_PREFACE: Final = b"PRI * HTTP/2."  # RFC 9113 section 3.4; what follows is binary, and nothing for a room


class Language(Enum):
    """What may come through the front door; `REFUSED` is none of them."""

    TLS = "tls"
    HTTP = "http"
    UPLOAD = "upload"
    LINE = "line"
    REFUSED = "refused"


def sniff(opening: bytes, ended: bool = False) -> Language | None:
    """The language of `opening`, None while more bytes could still decide it.

    `ended` says that nothing more will come, or that no more was worth waiting for.
    """
    if not opening:
        return Language.REFUSED if ended else None
    if opening[:2] == _TLS_HANDSHAKE and not _HEADER_LIKE_TLS.startswith(opening[:4]):
        return Language.TLS
    if len(opening) < 4:
        if not ended:
            return None
        return Language.REFUSED if 0 in opening else Language.LINE
    if header_length(opening) is not None:
        if len(opening) == 4:
            return Language.REFUSED if ended else None
        return Language.UPLOAD if opening[4:5] == b"{" else Language.REFUSED
    if 0 in opening[:4]:
        return Language.REFUSED
    return _http_or_line(opening, ended)


def _http_or_line(opening: bytes, ended: bool) -> Language | None:
    """ "GET the milk" is chat: only ` HTTP/1.` in the first line makes a request line (RFC 9112 section 3)."""
    if not _METHOD_SO_FAR.match(opening):
        return Language.LINE
    first_line, newline, _ = opening[:OPENING_MAX_BYTES].partition(b"\n")
    if first_line.startswith(_HTTP_2_PREFACE):  # asked first: it is known before the rest of its line has come
        return Language.REFUSED
    if b" HTTP/1." in first_line:
        return Language.HTTP
    if newline or ended:
        return Language.LINE
    if len(opening) >= OPENING_MAX_BYTES:
        # Whoever sends an 8 KiB target deserves HTTP's own answer, 400.
        return Language.HTTP if _TARGET_SO_FAR.match(first_line) else Language.LINE
    return None


def settled_by_waiting(opening: bytes) -> bool:
    """Whether only time can tell: 1 to 3 bytes that end a line, such as a typed `y`, which nothing else can be."""
    return 1 <= len(opening) <= 3 and opening.endswith(b"\n")
