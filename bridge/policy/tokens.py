"""The two secrets of a server: the token that lets people in, and the host's own, which lets them rule.

Each is 192 random bits, made once and kept in a file that only its owner may read. A file may be written by hand too:
what counts is its first line.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

TOKEN_BYTES: Final = 24
TOKEN_MIN: Final = 16
"""Characters; a shorter one in a file would be guessed."""
TOKEN_FILE: Final = "token"  # noqa: S105 - a name, no secret
HOST_FILE: Final = "host-token"


class Tokens:
    """`member` opens the door (None: no token is asked for), `host` opens it and rules the house."""

    def __init__(self, member: str | None, host: str) -> None:
        self.member = member
        self.host = host

    @classmethod
    def load(cls, folder: Path, member_file: Path | None) -> Tokens:
        """From `folder`, made where they are not there yet; `member_file` None: no token is asked for.

        Raises `ValueError`, which says what is wrong with a file, or `OSError`.
        """
        member = None if member_file is None else _read_or_make(member_file)
        return cls(member, _read_or_make(folder / HOST_FILE))

    def is_member(self, secret: str) -> bool:
        return self.member is not None and same(secret, self.member)

    def is_host(self, secret: str) -> bool:
        return same(secret, self.host)

    def cookie(self, host: bool) -> str:
        """What a browser shows once it showed a token: ends with it, tells nothing of it, and can be guessed by nobody,
        not even where a token that was made by hand can."""
        worth = f"{'host' if host else 'member'} {self.member}"
        return hmac.new(self.host.encode(), worth.encode(), "sha256").hexdigest()


def rotate(path: Path) -> str:
    """Another secret in its place: who has the old one is out at the next start."""
    path.unlink(missing_ok=True)
    return _read_or_make(path)


def same(given: str, ours: str) -> bool:
    """Compared whole, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), ours.encode())


def _read_or_make(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with open(descriptor, "w", encoding="ascii") as file:
        made = secrets.token_urlsafe(TOKEN_BYTES)
        file.write(made + "\n")
    return made


def _read(path: Path) -> str:
    """Raises `ValueError` if others on this machine may read it too, or if it is too short or no word at all."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ValueError(f"{path} may be read by others: chmod 600 {path}")
    token = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    if len(token) < TOKEN_MIN or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(f"{path} holds no token: expected one word of at least {TOKEN_MIN} ASCII characters")
    return token
