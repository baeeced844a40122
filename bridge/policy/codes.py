"""Codes that prove a datagram's address: who can send one back has received it there.

Nothing is kept of a code that was given: it is worked out again from the address and the minute.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Final

CODE_BYTES: Final = 5
"""40 bits, 8 letters to type."""
MINUTE_S: Final = 60.0
"""A code is good for its own minute and the next: 60 to 120 seconds."""


class Codes:
    """The codes of one server run."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def made(self, addr: str, now: float) -> str:
        """What this address is to send back; `now` in seconds."""
        return self._of(addr, int(now // MINUTE_S))

    def fits(self, addr: str, code: str, now: float) -> bool:
        given, minute = code.upper().encode(errors="surrogatepass"), int(now // MINUTE_S)
        return any(hmac.compare_digest(self._of(addr, then).encode(), given) for then in (minute, minute - 1))

    def _of(self, addr: str, minute: int) -> str:
        return base64.b32encode(hmac.digest(self._key, f"{addr} {minute}".encode(), "sha256")[:CODE_BYTES]).decode()
