"""What whoever starts a server reads: where the room is, who may join, and what to type.

It goes to stderr. Secrets are shown to a person at a terminal alone; what is read by a journal names their files.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial

from bridge import __version__
from bridge.config import Config
from bridge.model import address
from bridge.policy import Tokens
from bridge.policy.tokens import HOST_FILE
from bridge.reach import Reach

_NATIVE = {
    "open": "nc, UDP and raw files from elsewhere are in without it",
    "knock": "nc, UDP and raw files from elsewhere wait until the host lets them in, or pass with it; a program "
    "that cannot type it needs --trust for its address",
    "off": "nc, UDP and raw files from elsewhere are not heard",
}

_ENCRYPTED = {
    "off": "Nothing is encrypted.",
    "on": "What comes by https is encrypted, and nothing else.",
    "require": "From elsewhere nothing is taken that is not encrypted, and no datagram is.",
}


def link(where: tuple[str, int], token: str | None = None, sealed: bool = False) -> str:
    """The address of the page, by TLS or not; with a token one that lets in."""
    return f"{'https' if sealed else 'http'}://{address(where)}/{f'j/{token}' if token else ''}"


def welcome(
    config: Config,
    where: tuple[str, int],
    reach: Sequence[Reach],
    tokens: Tokens,
    to_person: bool,
    seal: str | None = None,
) -> Iterator[str]:
    """Line by line. `where` is the best address, `reach` all of them if there are more, `seal` the certificate's
    SHA-256 where TLS is offered."""
    host, port = where
    here = partial(link, sealed=seal is not None)
    secret = tokens.member if to_person else None
    yield f"roombridge {__version__}: room {config.room}, kept in {config.data}"
    yield f"  open    {here(where, secret)}"
    for one in reach[1:]:
        kind = f"    ({one.interface}: {one.kind} only)" if one.kind else f"    ({one.interface})"
        yield f"          {here((one.ip, port))}{kind}"
    if config.on_network:
        yield f"  talk    {'ncat --ssl' if config.tls == 'require' else 'nc -u'} {host} {port}"
    else:
        yield f"  talk    nc {host} {port}    or, by datagrams,    nc -u {host} {port}"
    unvouched = "-k " if seal and not config.cert else ""
    yield f"  send    curl {unvouched}-T FILE {f'-u :{secret} ' if secret else ''}{here(where)}"
    if to_person:
        yield f"  rule    {here(where, tokens.host)}    (yours alone: it makes you the host)"
    yield f"  {who_may_join(config)}"
    if tokens.member and not to_person:
        yield f"  The token is in {config.token_path()}, yours as the host in {config.data / HOST_FILE};"
        yield f"  roombridge token --data {config.data} --port {port}{' --tls' if seal else ''} shows both as links."
    if seal:
        yield f"  TLS     certificate SHA-256 {seal}"
    if to_person and config.on_network:
        yield from qr(here(where, secret) + (f"#fp={seal.replace(':', '')}" if seal else ""))


def who_may_join(config: Config) -> str:
    """One sentence, or two."""
    if not config.on_network:
        asked = ", and shows the token" if config.token_path() else ""
        return f"Only this machine can reach it{asked}; Ctrl+C ends it."
    if config.open:
        return f"Whoever can reach one of these addresses is in: nobody is asked for a token. {_ENCRYPTED[config.tls]}"
    free = ["localhost"] if not config.token else []
    free += ["private networks" if network == "lan" else network for network in config.trust]
    near = f"{' and '.join(free)} {'is' if len(free) == 1 and not config.trust else 'are'} in without; " if free else ""
    return f"Who has the token may join; {near}{_NATIVE[config.native]}. {_ENCRYPTED[config.tls]}"


def qr(text: str) -> Iterator[str]:
    """To be photographed from the terminal."""
    import segno  # it takes its time, and only a person needs it

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True, border=2)
    yield from drawn.getvalue().splitlines()
