"""What may be shown on our origin is a short list, and nothing that can carry a script is on it."""

from __future__ import annotations

import pytest

from bridge.media import UNKNOWN, measures, media_type, shown
from tests.support.pictures import bomb, moving, photograph, picture


@pytest.mark.parametrize(
    ("name", "type", "may_show"),
    [
        ("a.png", "image/png", True),
        ("A.JPG", "image/jpeg", True),
        ("报告.pdf", "application/pdf", True),
        ("a.txt", "text/plain", True),
        ("a.mp4", "video/mp4", True),
        ("a.tar.gz", "application/gzip", False),
        ("a.svg", "image/svg+xml", False),
        ("a.html", "text/html", False),
        ("a.xml", "application/xml", False),
        ("a.js", UNKNOWN, False),
        ("png", "image/png", True),
        ("", UNKNOWN, False),
        ("a.", UNKNOWN, False),
    ],
)
def test_a_name_promises_a_type_and_few_are_shown(name: str, type: str, may_show: bool) -> None:
    assert media_type(name) == type
    assert shown(media_type(name)) is may_show


PNG, NUL = picture(size=(3, 2)), b"\0"


@pytest.mark.parametrize(
    ("name", "beginning", "type"),
    [
        ("a.jpg", PNG, "image/png"),
        ("a.pdf", PNG, "image/png"),
        ("upload", PNG, "image/png"),
        ("a.txt", PNG, "image/png"),
        ("a.png", photograph(), "image/jpeg"),
        ("a.png", picture("WEBP"), "image/webp"),
        ("a.png", picture("AVIF"), "image/avif"),
        ("a.png", moving(), "image/gif"),
        ("a", b"%PDF-1.7" + NUL, "application/pdf"),
        ("a.mp4", b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        ("a.m4a", NUL * 4 + b"ftypisom", "audio/mp4"),
        ("a.ogv", b"OggS" + NUL, "video/ogg"),
        ("a.bin", b"OggS" + NUL, "audio/ogg"),
        ("a.mp3", b"fLaC" + NUL, "audio/flac"),
        # Where the bytes say nothing, the name stands; some of what it promises has no sure sign.
        ("a.png", b"", "image/png"),
        ("a.mp4", b"hello", "video/mp4"),
        ("a.mp3", b"\xff\xfb\x90", "audio/mpeg"),
        # A text may speak of anything, and what is only saved is what its name says.
        ("a.txt", b"GIF89a is a form of picture", "text/plain"),
        ("README", b"ID3 is a kind of tag", UNKNOWN),
        ("a.txt", b"<html><script>", "text/plain"),
        ("a.svg", PNG, "image/svg+xml"),
        ("a.docx", PNG, media_type("a.docx")),
        # Markup is nothing that a picture or a film begins with.
        ("a.png", b"<svg onload=alert(1)>", UNKNOWN),
        ("a.pdf", b"\xef\xbb\xbf \n<!DOCTYPE html>", UNKNOWN),
        ("a.mp4", b"<HTML>", UNKNOWN),
    ],
)
def test_the_first_bytes_may_know_better_than_the_name(name: str, beginning: bytes, type: str) -> None:
    assert media_type(name, beginning) == type


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        (PNG, (3, 2)),
        (photograph((3, 2)), (2, 3)),
        (photograph((3, 2), orientation=3), (3, 2)),
        (picture("GIF", (3, 2), "P"), (3, 2)),
        (picture("WEBP", (3, 2)), (3, 2)),
        (picture("AVIF", (3, 2)), (3, 2)),
        (bomb(), (30_000, 30_000)),
        (PNG[:30], (3, 2)),
        (PNG[:20], None),
        (photograph()[:50_000], None),
        (b"GIF89a", None),
        (b"<svg width='3' height='2'>", None),
        (b"P1 3 2", None),
        (picture("TIFF"), None),
        (b"", None),
    ],
)
def test_a_picture_says_how_large_it_is_shown(beginning: bytes, found: tuple[int, int] | None) -> None:
    assert measures(beginning) == found
