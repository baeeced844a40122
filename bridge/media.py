"""What kind of file a name promises, by our own table: not by what a sender claims, nor by the machine's registry."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "application/octet-stream"

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


def media_type(name: str) -> str:
    """The type that is told of a file of this name."""
    return _TYPES.get(name.rpartition(".")[2].lower(), UNKNOWN)


def shown(type: str) -> bool:
    """Whether a browser may show this type from our origin; everything else is only ever saved."""
    return type in _SHOWN_TYPES
