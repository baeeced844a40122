"""What scripts weigh: each file compressed alone, as the server sends it."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from urllib.parse import urlsplit

from bridge.server import web_folder

FIRST_SCREEN_MAX_BYTES = 40_000


def scripts(urls: Iterable[str]) -> dict[str, int]:
    """Of these addresses the scripts, each once: its path below /static/, and its bytes after `gzip -9`."""
    paths = {path for url in urls if (path := urlsplit(url).path).endswith(".js")}
    inside = {path.removeprefix("/static/") for path in paths}
    return {path: len(gzip.compress((web_folder() / "static" / path).read_bytes(), 9)) for path in sorted(inside)}
