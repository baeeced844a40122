"""Who knocks just now: strangers of whom the hosts are asked, one card each, and each answered once.

A knock is over when a host has answered it, when its time is up, or when whoever asked gives it up; each way the hosts
are told, so that their cards vanish.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

from bridge.model import Knock, Refused
from bridge.policy.kept import Kept

EACH_WAY_MAX: Final = 32
"""How many may wait by datagram, and as many by connection: forged addresses cannot keep the others from the door."""
PER_ADDRESS_MAX: Final = 4
TEXT_MAX_CHARS: Final = 200
REFUSED_S: Final = 60.0
"""For how long the hosts hear nothing more of an address that they refused."""
REFUSED_MAX: Final = 256

Answer = asyncio.Future[bool]
"""Whether it was admitted; cancelled when nobody answered, and to be cancelled by whoever gives it up."""
Way = Literal["tcp", "udp"]


class _Pending(NamedTuple):
    knock: Knock
    caller: tuple[Way, str]
    answer: Answer


class Knocks:
    """Those that wait for an answer; `tell` reaches all hosts, `kept` remembers who is admitted for good."""

    def __init__(self, tell: Callable[[Knock], object], kept: Kept) -> None:
        self._tell = tell
        self._kept = kept
        self._pending: dict[str, _Pending] = {}
        self._refused: dict[tuple[Way, str], float] = {}  # until when, oldest first

    def __iter__(self) -> Iterator[Knock]:
        return (pending.knock for pending in self._pending.values())

    def ask(self, way: Way, ip: str, addr: str, text: str, within_s: float) -> Answer | None:
        """Show the hosts that this one says `text` (which is clean); None if they are not to be bothered with it."""
        loop = asyncio.get_running_loop()
        caller = way, ip
        callers = [pending.caller for pending in self._pending.values() if pending.caller[0] == way]
        if len(callers) >= EACH_WAY_MAX or callers.count(caller) >= PER_ADDRESS_MAX:
            return None
        if self._refused.get(caller, 0.0) > loop.time():
            return None
        knock = Knock(secrets.token_hex(8), way, addr, text[:TEXT_MAX_CHARS])
        answer: Answer = loop.create_future()
        timer = loop.call_later(within_s, answer.cancel)
        self._pending[knock.id] = _Pending(knock, caller, answer)
        answer.add_done_callback(lambda answer: self._over(knock.id, timer, answer))
        self._tell(knock)
        return answer

    def admit(self, id: str, always: bool = False) -> None:
        """A host lets this one in; `always`: and whoever else comes from its address in the same way, for good."""
        admitted = self._take(id)
        if always:
            self._kept.add(*admitted.caller)
            for other in self._pending.values():
                if other.caller == admitted.caller and not other.answer.done():
                    other.answer.set_result(True)

    def refuse(self, id: str) -> None:
        pending = self._take(id, admitted=False)
        while len(self._refused) >= REFUSED_MAX:
            del self._refused[next(iter(self._refused))]
        self._refused[pending.caller] = asyncio.get_running_loop().time() + REFUSED_S

    def _take(self, id: str, admitted: bool = True) -> _Pending:
        pending = self._pending.get(id)
        if pending is None or pending.answer.done():
            raise Refused("not_found", "whoever knocked is no longer at the door")
        pending.answer.set_result(admitted)
        return pending

    def _over(self, id: str, timer: asyncio.TimerHandle, answer: Answer) -> None:
        timer.cancel()
        del self._pending[id]
        how: Literal["admitted", "refused", "gone"]
        how = "gone" if answer.cancelled() else "admitted" if answer.result() else "refused"
        self._tell(Knock(id, answered=how))
