"""What goes with the bytes of others: how a browser may take them, so that none of them runs as ours."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from bridge.media import UNKNOWN, shown
from bridge.model import FileRef

# What a browser may do with a file that somebody sent: show it, and nothing else. Without img and media, Chromium's own
# viewer would stay blank.
FILE_POLICY: Final = (
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
# Content never changes under an id. It is checked all the same, so that a deleted file is gone.
FILE_CACHE: Final = "private, no-cache"


def file_headers(file: FileRef) -> dict[str, str]:
    """Shown only if it cannot run anything on our origin; the name travels percent-encoded and in no other way."""
    may_show = shown(file.media_type)
    type = file.media_type if may_show else UNKNOWN
    return {
        "Content-Type": f"{type}; charset=utf-8" if type == "text/plain" else type,
        "Content-Disposition": disposition(file.name, "inline" if may_show else "attachment"),
        "Content-Security-Policy": FILE_POLICY,
        "Cache-Control": FILE_CACHE,
    }


def disposition(name: str, how: str = "attachment") -> str:
    return f"{how}; filename=\"download\"; filename*=UTF-8''{quote(name, safe='')}"
