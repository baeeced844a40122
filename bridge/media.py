"""What kind of file it is, by our own table: its name promises, its first bytes may know better, its sender has no say.

Bytes are believed where they are unmistakable: a WebP picture called `a.jpg` is told as what it is. Where they say
nothing, the name stands; whatever it promises, a browser runs none of it (`docs/security.md`, `nosniff`).
"""

from __future__ import annotations

import io
from typing import Final

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"

# Shown by browsers on our own origin without running anything. No SVG, HTML or XML: those can carry scripts.
_SHOWN: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "ogv": "video/ogg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/plain",
    "csv": "text/plain",
    "py": "text/plain",
}
_SAVED: Final = {
    "7z": "application/x-7z-compressed",
    "bin": UNKNOWN,
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "odt": "application/vnd.oasis.opendocument.text",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
_TYPES: Final = _SHOWN | _SAVED
_SHOWN_TYPES: Final = frozenset(_SHOWN.values())

# Where, which bytes, and the types they may be; the first if the name promises none of these.
_SIGNATURES: Final = (
    (0, b"\x89PNG\r\n\x1a\n", ("image/png",)),
    (0, b"\xff\xd8\xff", ("image/jpeg",)),
    (0, b"GIF87a", ("image/gif",)),
    (0, b"GIF89a", ("image/gif",)),
    (8, b"WEBP", ("image/webp",)),
    (8, b"WAVE", ("audio/wav",)),
    (4, b"ftypavif", ("image/avif",)),
    (4, b"ftypavis", ("image/avif",)),
    (4, b"ftypM4A ", ("audio/mp4",)),
    (4, b"ftypisom", ("video/mp4", "audio/mp4")),
    (4, b"ftypmp4", ("video/mp4", "audio/mp4")),
    (0, b"OggS", ("audio/ogg", "video/ogg")),
    (0, b"fLaC", ("audio/flac",)),
    (0, b"ID3", ("audio/mpeg", "audio/flac")),
    (0, b"%PDF-", ("application/pdf",)),
)
_MARKUP: Final = (b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<!--")
_SPACE: Final = b"\xef\xbb\xbf \t\r\n"


def media_type(name: str, beginning: bytes = b"") -> str:
    """The type that is told of a file of this name that begins so; without a beginning, what the name promises."""
    promised = _TYPES.get(name.rpartition(".")[2].lower(), UNKNOWN)
    if promised != UNKNOWN and not shown(promised):
        return promised  # an archive, an office document: only ever saved
    if promised != TEXT and beginning[:256].lstrip(_SPACE).lower().startswith(_MARKUP):
        return UNKNOWN
    found = _found(beginning)
    return promised if promised in found or not found else found[0]


def _found(beginning: bytes) -> tuple[str, ...]:
    """What the bytes can be, the likeliest first; none where they do not say."""
    if b"\0" not in beginning:
        return ()  # it may be a text that speaks of GIF89a
    return next((types for place, signature, types in _SIGNATURES if beginning.startswith(signature, place)), ())


def shown(type: str) -> bool:
    """Whether a browser may show this type from our origin; everything else is only ever saved."""
    return type in _SHOWN_TYPES


def measures(beginning: bytes) -> tuple[int, int] | None:
    """Width and height of the picture that begins so, as it is shown; None if it is none, or does not say."""
    found = _found(beginning)
    if not (found and found[0].startswith("image/")):
        return None
    import imagesize  # here, because few files are pictures, and it brings half of the standard library along

    # How a camera was held is asked of JPEG alone: to find it in AVIF takes tables that a sender can make endless.
    width, height = imagesize.get(io.BytesIO(beginning), exif_rotation=found[0] == "image/jpeg")
    return (int(width), int(height)) if width > 0 and height > 0 else None
