"""What hosts have laid down in a room, and what follows for everybody else: who may speak, come in, be called what.

Pure: rules are taken in whatever order they are learnt, from the log's own list or as they are announced, and the
newest about a thing holds. Times are milliseconds since the epoch.
"""

from __future__ import annotations

import ipaddress

from bridge.model import Draft, Peer, Refused, Rule, Ruling


class Rules:
    """The rules of one room, by what each is about."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Rule]] = {}

    def take(self, seq: int, rule: Rule) -> None:
        """A rule that entry `seq` laid down; one that is older than what is known changes nothing."""
        known, _rule = self._held.get(rule.about, (0, rule))
        if seq > known:
            self._held[rule.about] = seq, rule

    # What holds

    @property
    def now(self) -> Ruling:
        return Ruling(
            topic=self._of("topic").topic or "",
            read_only=self._of("read_only").read_only or False,
            pin=self._of("pin").pin or False,
            muted=[rule.mute.id for _seq, rule in self._held.values() if rule.mute],
        )

    def name_of(self, id: str) -> str | None:
        """The name that a host gave."""
        return self._of(f"rename {id}").name or None

    def told_of(self, id: str) -> Peer | None:
        """Somebody whom a rule that holds is about, as it names them."""
        return self._of(f"mute {id}").mute or self._of(f"remove {id}").remove

    # What follows

    def check(self, draft: Draft, now: int) -> None:
        """Raises `Refused` `forbidden` for what only hosts may say here, or not this peer. To take back is free."""
        if draft.host:
            return
        if draft.rule is not None:
            raise Refused("forbidden", "only a host may do this")
        self.admit(draft.sender, now)
        if draft.withdraws is None:
            self.hear(draft.sender)

    def hear(self, sender: Peer) -> None:
        """Raises `Refused` `forbidden` for one who may not speak just now; ask no host."""
        if self._of("read_only").read_only:
            raise Refused("forbidden", "only hosts speak here just now")
        if self._of(f"mute {sender.id}").mute:
            raise Refused("forbidden", "a host has muted you here")

    def admit(self, peer: Peer, now: int) -> None:
        """Raises `Refused` `forbidden` for one who was removed and is back too early; ask no host."""
        for _seq, rule in self._held.values():
            if rule.remove and now < (rule.until or 0) and _same(peer, rule.remove):
                minutes = -(-((rule.until or 0) - now) // 60_000)
                raise Refused("forbidden", f"a host removed you; you may come back in {minutes} min")

    def _of(self, about: str) -> Rule:
        return self._held.get(about, (0, Rule()))[1]


def _same(peer: Peer, removed: Peer) -> bool:
    """Whether this is who was removed: the same author, or for one who has no secret to be known by, the same place."""
    return peer.id == removed.id or ("web" not in (peer.via, removed.via) and _place(peer.addr) == _place(removed.addr))


def _place(addr: str) -> str:
    """An address without its port; on this machine, where all share one, with it."""
    ip = addr.rpartition(":")[0].strip("[]")
    try:
        return addr if ipaddress.ip_address(ip.partition("%")[0]).is_loopback else ip
    except ValueError:
        return addr
