"""What settings come to before anything is open: who is let in, what we show, what we are called, where we stand."""

from __future__ import annotations

import socket
from pathlib import Path

from bridge import __version__
from bridge.certificate import Certificate, own
from bridge.config import EVERYWHERE, Config, ConfigError
from bridge.discovery import host_name
from bridge.policy import Callers, Guesses, Limits, Native, Numbers, Policy, Tokens, Zones
from bridge.policy.zones import networks
from bridge.reach import Reach, is_public
from bridge.sockets import Pair, bind, bind_everywhere


def policy_of(config: Config) -> Policy:
    """Whom we let in. Raises `ConfigError` where a secret cannot be read or made."""
    try:
        tokens = Tokens.load(config.data, config.token_path())
    except (ValueError, OSError) as exc:
        raise ConfigError(f"the token cannot be used: {exc}") from exc
    zones = Zones(networks(config.trust))
    callers = Callers(zones, networks(config.proxy))
    numbers = Numbers(
        config.messages_per_s,
        config.messages_burst,
        config.connections_per_address,
        config.connects_per_s,
        config.connects_burst,
        config.uploads_per_address,
    )
    return Policy(
        zones,
        tokens,
        Native(config.native),
        guard_loopback=config.token,
        open=config.open,
        callers=callers,
        guesses=Guesses(zones, config.wrong_tokens, config.wrong_minutes * 60.0, config.shut_hours * 3600.0),
        limits=Limits(zones, numbers, callers.is_proxy),
        tls_required=config.tls == "require",
    )


def certificate_of(config: Config) -> Certificate | None:
    """What we show under TLS; None without. Raises `ConfigError`."""
    if config.tls == "off":
        return None
    try:
        cert = Path(config.cert) if config.cert else own(config.data, config.allow_host)
        return Certificate(cert, Path(config.key) if config.key else None)
    except (ValueError, OSError) as exc:
        raise ConfigError(f"the certificate cannot be used: {exc}") from exc


def names_of(config: Config) -> list[str]:
    """By which names browsers may call us, beside loopback's and the address that they reached.

    A server for this machine alone is not called by the machine's name: whoever answers for that on the network could
    point it at loopback, under a page of his own.
    """
    names = [*config.allow_host, *(host for host, _port in config.addresses() if host not in EVERYWHERE)]
    if config.on_network:
        name = socket.gethostname()
        names += [name, f"{name.partition('.')[0]}.local", host_name()]
    return names


def told_of(config: Config, policy: Policy, certificate: Certificate | None) -> dict[str, str]:
    """What the network may know: how to come in, and nothing by which."""
    token = "no" if policy.tokens.member is None else "yes"
    told = {"path": "/", "version": __version__, "tls": config.tls, "token": token}
    return told | ({"fp": certificate.fingerprint} if certificate else {})


def bind_all(config: Config) -> list[Pair]:
    """Sockets for every address, the main one first. Raises `ConfigError`."""
    bound: list[Pair] = []
    try:
        if config.everywhere:
            bound += bind_everywhere(config.port)
        for host, port in list(config.addresses())[2 if config.everywhere else 0 :]:
            bound.append(bind(host, port))
    except OSError as exc:
        for pair in bound:
            pair.close()
        raise ConfigError(exc.strerror) from exc
    return bound


def check_exposure(config: Config, bound: list[Pair], reach: list[Reach]) -> None:
    """Nobody opens a room to the whole Internet without having said so. Raises `ConfigError`."""
    if not config.open or config.insecure_public:
        return
    # Behind most routers IPv6 addresses are global too, and yet nobody outside reaches them, so only named ones count.
    for ip in (*(pair.ip for pair in bound), *(one.ip for one in reach if ":" not in one.ip)):
        if is_public(ip):
            message = f"{ip} is a public address, and with --open whoever finds it is in: leave --open out"
            raise ConfigError(f"{message}, or add --insecure-public if that is what you want")
