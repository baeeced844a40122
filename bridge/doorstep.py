"""The doorstep of datagrams: a forged address gets one small notice at most, never the room, and costs no memory.

Whoever shows the secret is sent a code, and sits down when the code comes back: so nobody is told anything at an
address that is not theirs (RFC 9000 section 8.1 asks the same of servers, and bounds what may be sent before).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from bridge.mailbox import Letter
from bridge.model import Address, Refused, address
from bridge.policy import Codes, Sketch
from bridge.policy.knocks import Answer
from bridge.porch import KNOCKED, OUTSIDE, Porch, order
from bridge.tally import Tally
from bridge.wire import datagram, plain

KNOCK_S: Final = 300.0
"""How long a datagram waits for a host."""
TRIES_MAX: Final = 5
TRIES_S: Final = 120.0
"""So many codes are looked at in so much time, which is how long one is good for."""

LATE: Final = "a wrong code, or too late: /pass SECRET again"


class _Knocking(NamedTuple):
    answer: Answer
    said: datagram.Said


class Doorstep:
    """`admit` seats whom a host lets in, with what it had said; `send` answers a letter."""

    def __init__(
        self,
        porch: Porch,
        admit: Callable[[Letter, datagram.Said], None],
        send: Callable[[bytes, Letter], None],
        tally: Tally,
    ) -> None:
        self._porch = porch
        self._admit = admit
        self._send = send
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._knocking: dict[Address, _Knocking] = {}
        self._codes = Codes()
        self._tries = Sketch(TRIES_S / TRIES_MAX, burst=TRIES_MAX)

    def close(self) -> None:
        for knocking in self._knocking.values():
            knocking.answer.cancel()

    def meet(self, letter: Letter, said: datagram.Said) -> datagram.Said | None:
        """A datagram of one who has no seat. What is to be taken from its sender if it may sit down now, else None."""
        if said.text.startswith(plain.NOTICE):  # of another roombridge: answering it would never end
            self._tally.count("datagrams_ignored")
        elif self._porch.greets("udp", letter.peer[0]):
            match order(said.text):
                case plain.Pass(secret):
                    self._challenge(letter, secret)
                case plain.Ok(code):
                    return self._proven(letter, code)
                case None:
                    self._notice(letter, OUTSIDE)
                case _:
                    self._knock(letter, said)
        return None

    def _challenge(self, letter: Letter, secret: str) -> None:
        try:
            self._porch.weigh("udp", letter.peer[0], secret)
        except Refused as refused:
            self._notice(letter, refused.message)
        else:
            code = self._codes.made(address(letter.peer), self._loop.time())
            self._send(datagram.notice(f"send: /ok {code}"), letter)  # shorter than what asked for it

    def _proven(self, letter: Letter, code: str) -> datagram.Said | None:
        now, addr = self._loop.time(), address(letter.peer)
        if not (self._tries.take(addr, now) and self._codes.fits(addr, code, now)):
            self._notice(letter, LATE)
            return None
        if knocking := self._knocking.get(letter.peer):
            knocking.answer.cancel()
            return knocking.said
        return datagram.Said("")

    def _knock(self, letter: Letter, said: datagram.Said) -> None:
        if letter.peer in self._knocking:
            return
        answer = self._porch.knock("udp", letter.peer, said.text, KNOCK_S)
        if answer is not None:
            self._knocking[letter.peer] = _Knocking(answer, said)
            answer.add_done_callback(lambda answer: self._answered(letter, answer))
        self._notice(letter, OUTSIDE if answer is None else KNOCKED)

    def _answered(self, letter: Letter, answer: Answer) -> None:
        knocking = self._knocking.pop(letter.peer)
        if not answer.cancelled() and answer.result():
            self._admit(letter, knocking.said)

    def _notice(self, letter: Letter, text: str) -> None:
        if self._porch.may_notice(letter.peer[0], self._loop.time()):
            self._send(datagram.notice(text), letter)
