"""What could keep people out or words from the disk: looked at from this machine, with what would help.

Each look is at the thing itself: a port is bound, a datagram sent, a file synced. Nothing is changed by it, and a
server may be running. What this machine cannot see is named too, for that is where most of the trouble is.
"""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from bridge.certificate import OWN_FILE, Certificate, days_left, names_in
from bridge.commands.machine import firewalls, holder
from bridge.config import Config
from bridge.descriptors import KEPT
from bridge.model import address
from bridge.reach import reachable
from bridge.sockets import bind
from bridge.store.space import RESERVE_MAX_BYTES, SHARE

PATIENCE_S: Final = 1.0
SYNCS: Final = 5
SLOW_SYNC_S: Final = 0.05
"""A message is shown when it is synced: slower than this is felt."""
BUILT_AT: Final = 1_790_000_000
"""September 2026, in seconds since the epoch; no clock that is right shows less."""
RENEW_DAYS: Final = 14


class Finding(NamedTuple):
    """What was found and what would help; `note`: what cannot be looked at from here."""

    level: Literal["ok", "warn", "bad", "note"]
    words: str
    cure: str = ""


def examine(config: Config) -> Iterator[Finding]:
    """Everything, as it would be for a server of these settings."""
    ours: dict[tuple[str, int], bool] = {}
    for host, port in config.addresses():
        yield _port(host, port, ours)
    yield from _addresses(config, any(ours.values()))
    yield from _datagrams(config)
    yield from _ipv6(config)
    yield from _tls(config)
    yield from _disk(config)
    yield _descriptors(config.max_connections)
    yield _clock(config.data / "log.sqlite3")
    yield from _firewall(config)
    yield from _unseen(config)


def _port(host: str, port: int, ours: dict[tuple[str, int], bool]) -> Finding:
    where = address((host, port))
    try:
        bind(host, port).close()
    except OSError as exc:
        ours[host, port] = exc.errno == errno.EADDRINUSE and _is_ours(_near(host), port)
        if ours[host, port]:
            return Finding("ok", f"{where} is served by a roombridge, which answers")
        return Finding("bad", *_why_not(exc, where, port))
    return Finding("ok", f"{where} is free, for TCP and for UDP")


def _why_not(exc: OSError, where: str, port: int) -> tuple[str, str]:
    match exc.errno:
        case errno.EADDRINUSE:
            return f"{where} is taken by {holder(port) or 'another program'}", "end that, or take another: --port N"
        case errno.EACCES:
            return f"{where} is for privileged programs", "take a port from 1024 on: --port N"
        case errno.EADDRNOTAVAIL:
            return f"{where} is no address of this machine", "--lan serves on all that it has"
    return f"{where} cannot be served: {exc}", "see --host and --port"


def _near(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _is_ours(ip: str, port: int) -> bool:
    """Whether a roombridge answers there, by whatever name we call it."""
    connection = http.client.HTTPConnection(ip, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().headers.get("Server") == "roombridge"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _addresses(config: Config, running: bool) -> Iterator[Finding]:
    """Under which addresses others come, and whether a server that runs answers there."""
    if not config.on_network:
        yield Finding("ok", "nobody but this machine is served, as these settings say", "--lan serves the network")
        return
    served = {host for host, _port in config.addresses()}
    found = [one for one in reachable() if config.everywhere or one.ip in served]
    if not found:
        yield Finding("bad", "this machine has no address that others could reach", "is it connected to a network?")
    for one in found:
        who = f" ({one.interface}: {one.kind} only)" if one.kind else f" ({one.interface})"
        if not running:
            yield Finding("ok", f"{one.ip}{who} would be served")
        elif _is_ours(one.ip, config.port):
            yield Finding("ok", f"{one.ip}{who} answers by TCP")
        else:
            yield Finding("bad", f"{one.ip}{who} does not answer by TCP", "does the server run with --lan? a firewall?")


def _datagrams(config: Config) -> Iterator[Finding]:
    for ip in dict.fromkeys(["127.0.0.1", *(one.ip for one in reachable() if config.on_network)]):
        try:
            back_in_s = _there_and_back(ip)
        except OSError as exc:
            why = "does not come back" if isinstance(exc, TimeoutError) else f"cannot be sent: {exc.strerror}"
            yield Finding("bad", f"a datagram from {ip} to itself {why}", "let UDP pass the firewall of this machine")
        else:
            yield Finding("ok", f"a datagram from {ip} to itself is back in {back_in_s * 1000:.1f} ms")


def _there_and_back(ip: str) -> float:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((ip, 0))
        sock.settimeout(PATIENCE_S)
        sent_at = time.monotonic()
        sock.sendto(b"", sock.getsockname())
        sock.recv(1)
        return time.monotonic() - sent_at


def _ipv6(config: Config) -> Iterator[Finding]:
    try:
        bind("::1", 0).close()
    except OSError as exc:
        if config.on_network:
            cure = "nothing to do, unless somebody has nothing else"
            yield Finding("warn", f"there is no IPv6 ({exc.strerror}): only IPv4 is served", cure)
    else:
        yield Finding("ok", "IPv6 is there")


def _tls(config: Config) -> Iterator[Finding]:
    if config.tls == "off":
        if config.on_network:
            yield Finding("warn", "nothing is encrypted on its way", "--tls offers encryption on the same port")
        return
    cert = Path(config.cert) if config.cert else config.data / OWN_FILE
    if not config.cert and not cert.exists():
        yield Finding("ok", "the first start will make a certificate")
        return
    try:
        Certificate(cert, Path(config.key) if config.key else None)
        left, named = days_left(cert), names_in(cert)
    except (OSError, ValueError) as exc:
        yield Finding("bad", f"the certificate in {cert} cannot be used: {exc}", "is it PEM, and is the key its own?")
        return
    cure = "renew it" if config.cert else f"it is made anew at a start; remove {cert} to have that now"
    if left < RENEW_DAYS:
        yield Finding("bad" if left < 0 else "warn", f"the certificate is good for {left:.0f} days", cure)
    else:
        yield Finding("ok", f"the certificate fits its key and is good for {left:.0f} days")
    if os.name == "posix" and (key := Path(config.key or cert)).stat().st_mode & 0o077:
        yield Finding("warn", f"others on this machine may read the key in {key}", f"chmod 600 {key}")
    missing = [one.ip for one in reachable() if one.ip not in named] if not config.cert else []
    if missing:
        yield Finding("warn", f"the certificate does not name {', '.join(missing)}, which this machine has now", cure)


def _disk(config: Config) -> Iterator[Finding]:
    folder = next(path for path in (config.data, *config.data.absolute().parents) if path.is_dir())
    usage = shutil.disk_usage(folder)
    kept = config.reserve_bytes if config.reserve_bytes >= 0 else min(RESERVE_MAX_BYTES, usage.total // SHARE)
    words = f"{usage.free / 1e9:.1f} GB are free for {config.data}"
    if usage.free < kept:
        yield Finding("warn", f"{words}, of which {kept / 1e9:.1f} are kept for chat: files are refused", "make room")
    else:
        yield Finding("ok", words)
    try:
        took = _sync_s(folder)
    except OSError as exc:
        cure = "give it to the user that serves, or take another: --data DIR"
        yield Finding("bad", f"{folder} cannot be written to: {exc.strerror}", cure)
        return
    slow = took > SLOW_SYNC_S
    cure = "take a faster disk: --data DIR" if slow else ""
    yield Finding("warn" if slow else "ok", f"a sync takes {took * 1000:.1f} ms, and a message that long", cure)


def _sync_s(folder: Path) -> float:
    """Of a file of one page, at the median."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.monotonic()
            os.fsync(file.fileno())
            took.append(time.monotonic() - began)
    return statistics.median(took)


def _descriptors(wanted: int) -> Finding:
    try:
        import resource
    except ImportError:  # Windows
        return Finding("ok", "the system names no limit of descriptors")
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + KEPT:
        cure = f"LimitNOFILE={wanted + KEPT} in the unit, or ulimit -Hn"
        return Finding("warn", f"{hard} descriptors do not do for {wanted} connections: fewer are taken", cure)
    return Finding("ok", f"there are descriptors for {wanted} connections")


def _clock(log: Path) -> Finding:
    now, cure = time.time(), "set the clock; timedatectl set-ntp true has it kept"
    if now < BUILT_AT:
        return Finding("bad", f"the clock shows {time.strftime('%Y-%m-%d', time.gmtime(now))}", cure)
    if log.exists() and log.stat().st_mtime > now + 60:
        return Finding("bad", "the clock shows a time before the last message's", cure)
    return Finding("ok", f"the clock shows {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC")


def _firewall(config: Config) -> Iterator[Finding]:
    if config.on_network:
        for name, cure in firewalls(config.port):
            yield Finding("warn", f"{name} is at work here and may stop what comes for port {config.port}", cure)


def _unseen(config: Config) -> Iterator[Finding]:
    """Where this machine cannot look."""
    if not config.on_network:
        return
    yield Finding(
        "note",
        "a guest Wi-Fi may keep its clients apart (client isolation): then nobody on it reaches this machine",
        "take another network, a cable, or a phone's hotspot",
    )
    yield Finding(
        "note",
        "a firewall on the way may let TCP through and UDP not: the page works, nc -u hears nothing",
        f"try from another machine: nc -u HOST {config.port}; lines by nc HOST {config.port} need no UDP",
    )
    if sys.platform in ("win32", "darwin"):
        yield Finding("note", "the firewall of this system asks once for each program", "allow Python to be reached")
