"""How often somebody may, remembered in a table that never grows: a million strangers cost what one does.

Of each key one number is kept, the time at which its allowance would be whole again (the generic cell rate algorithm,
ITU-T I.371). Keys fall into slots by a secret hash, and who shares a slot with others is let through less often, never
more: so nobody needs to be forgotten.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Hashable
from typing import Final

SLOTS: Final = 2048
"""16 KiB."""
_ROUNDING_S: Final = 1e-6


class Sketch:
    """Each key may `burst` times at once, and from then on once in `every_s` seconds."""

    def __init__(self, every_s: float, burst: int = 1, slots: int = SLOTS) -> None:
        self._every_s = every_s
        self._ahead_s = every_s * (burst - 1) + _ROUNDING_S
        self._whole_at = array("d", bytes(8 * slots))
        self._salt = secrets.token_bytes(16)

    def take(self, key: Hashable, now: float) -> bool:
        """Whether this key may now; `now` in seconds, never going back."""
        slot = hash((self._salt, key)) % len(self._whole_at)
        whole_at = max(self._whole_at[slot], now)
        if whole_at - now > self._ahead_s:
            return False
        self._whole_at[slot] = whole_at + self._every_s
        return True
