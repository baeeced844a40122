"""The porch: what socket peers from elsewhere meet before a room. They show a secret, or they knock and a host opens.

Lines, files and datagrams all ask here; what each does with the answer is its transport's own affair.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from bridge import gate
from bridge.model import Address, Refused, address
from bridge.policy import Kept, Limits, Native, Policy, Role, Sketch, Zone
from bridge.policy.knocks import Answer, Knocks, Way
from bridge.policy.zones import bare
from bridge.tally import Tally
from bridge.wire import plain

logger = logging.getLogger("roombridge.porch")

KNOCK_S: Final = 60.0
"""How long a connection may stand here."""
NAMED_MAX: Final = 256
"""For how many addresses the log says how they would be trusted: anybody can send from ever new ones."""
NOTICE_EVERY_S: Final = 10.0
"""A datagram's address is sent a notice once in so much time..."""
NOTICES_A_SECOND: Final = 50
"""...and all addresses together so many: half of them at once, the others one by one."""

# None is longer than 56 bytes with its mark: so no datagram is answered with more than three times what it was, the 28
# bytes of its headers included, not even an empty one.
KNOCKED: Final = "you knocked: wait, or send /pass SECRET"
OUTSIDE: Final = "you are outside: send /pass SECRET"
WRONG: Final = "that is not the secret"
SHUT: Final = "too many were wrong: none is looked at for a while"


class Porch:
    """Asked by every socket transport who somebody is to it, before anything else."""

    def __init__(self, policy: Policy, kept: Kept, knocks: Knocks, tally: Tally) -> None:
        self._policy = policy
        self._kept = kept
        self._knocks = knocks
        self._datagram_guesses = policy.guesses.apart()  # or a forged address would lock its owner out of the page
        self._tally = tally
        self._noticed = Sketch(NOTICE_EVERY_S)
        self._noticing = Sketch(2 / NOTICES_A_SECOND, burst=NOTICES_A_SECOND // 2, slots=1)
        self._named: set[str] = set()

    def stranger(self, way: Way, ip: str) -> bool:
        """Whether whoever calls from there (a socket that is gone: "") has to show a secret, or to knock."""
        if self._policy.native is Native.OPEN or self._policy.role_of(ip) is not Role.STRANGER:
            return False
        return not ip or not self._kept.has(way, ip)

    def may_speak_plainly(self, ip: str) -> bool:
        """Whether what comes from there need not be sealed; datagrams never are."""
        return self._policy.may_speak_plainly(ip)

    def elsewhere(self, ip: str) -> bool:
        """Whether an address is neither this machine's nor trusted by itself, so that it gets less of everything."""
        return self._policy.zones.of(ip) is Zone.ELSEWHERE

    def greets(self, way: Way, ip: str) -> bool:
        """Whether this stranger gets any word at all; the log says, once for an address, what would let it in."""
        self._tally.refused("forbidden", way)
        if len(self._named) < NAMED_MAX and ip and ip not in self._named and self.elsewhere(ip):
            self._named.add(ip)
            logger.warning("%s is a stranger here; to let it in unasked: roombridge --trust %s", ip, bare(ip))
        return self._policy.native is not Native.OFF

    def weigh(self, way: Way, ip: str, secret: str) -> Role:
        """Who shows this secret. Raises `Refused`: `forbidden` for a wrong one, which counts, `rate_limited` where too
        many were wrong."""
        guesses = self._policy.guesses if way == "tcp" else self._datagram_guesses
        if not guesses.allow(ip):
            raise Refused("rate_limited", SHUT)
        if (role := self._policy.role_with(secret)) is Role.STRANGER:
            guesses.wrong(ip, secret)
            self._tally.count("wrong_tokens")
            raise Refused("forbidden", WRONG)
        return role

    def may_notice(self, ip: str, now: float) -> bool:
        """Whether a datagram from there, perhaps forged, may be answered with a notice."""
        return self._noticed.take(ip, now) and self._noticing.take(None, now)

    @property
    def limits(self) -> Limits:
        return self._policy.limits

    @contextmanager
    def one_more_file(self, ip: str) -> Iterator[None]:
        """A file from there is being taken. Raises `Refused` if too many are."""
        uploads = self.limits.uploads
        if not uploads.enter(ip):
            raise Refused("rate_limited", f"{uploads.most} files at once is all that one address may send")
        try:
            yield
        finally:
            uploads.leave(ip)

    def knock(self, way: Way, peer: Address, text: str, within_s: float = KNOCK_S) -> Answer | None:
        """Show the hosts what this one says; None if it says nothing that can be shown, or if too many knock."""
        with suppress(Refused):
            return self._knocks.ask(way, peer[0], address(peer), gate.clean_text(text), within_s)
        return None


def order(text: str) -> plain.Order | None:
    """What a stranger wants; None if that is nothing, or a command that is none: `/pas SECRET` is not for others' eyes,
    and a blank before `/pass` does not make it words."""
    try:
        return plain.parse(text.strip()) if text.strip() else None
    except Refused:
        return None
