"""What may be shown on our origin is a short list, and nothing that can carry a script is on it."""

from __future__ import annotations

import pytest

from bridge.media import UNKNOWN, media_type, shown


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
