"""What whoever starts a server reads: where the room is, who may join, and what to type.

It goes to stderr. Secrets are shown to a person at a terminal alone; what is read by a journal names their files.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from bridge import __version__
from bridge.config import Config
from bridge.model import address
from bridge.policy import Tokens
from bridge.policy.tokens import HOST_FILE
from bridge.reach import Reach

_NATIVE = {
    "open": "nc, UDP and raw files from elsewhere are in without it",
    "knock": "nc, UDP and raw files from elsewhere wait until the host lets them in, or pass with it",
    "off": "nc, UDP and raw files from elsewhere have to pass with it",
}


def link(where: tuple[str, int], token: str | None = None) -> str:
    """The address of the page; with a token one that lets in."""
    return f"http://{address(where)}/{f'j/{token}' if token else ''}"


def welcome(
    config: Config, where: tuple[str, int], reach: Sequence[Reach], tokens: Tokens, to_person: bool
) -> Iterator[str]:
    """Line by line. `where` is the best address, `reach` all of them if there are more."""
    host, port = where
    secret = tokens.member if to_person else None
    yield f"roombridge {__version__}: room {config.room}, kept in {config.data}"
    yield f"  open    {link(where, secret)}"
    for one in reach[1:]:
        kind = f"    ({one.interface}: {one.kind} only)" if one.kind else f"    ({one.interface})"
        yield f"          {link((one.ip, port))}{kind}"
    if config.on_network:
        yield f"  talk    nc -u {host} {port}"
    else:
        yield f"  talk    nc {host} {port}    or, by datagrams,    nc -u {host} {port}"
    yield f"  send    curl -T FILE {f'-u :{secret} ' if secret else ''}{link(where)}"
    if to_person:
        yield f"  rule    {link(where, tokens.host)}    (yours alone: it makes you the host)"
    yield f"  {who_may_join(config)}"
    if tokens.member and not to_person:
        yield f"  The token is in {config.token_path()}, yours as the host in {config.data / HOST_FILE};"
        yield f"  roombridge token --data {config.data} --port {port} shows both as links."
    if to_person and config.on_network:
        yield from qr(link(where, secret))


def who_may_join(config: Config) -> str:
    """One sentence, or two."""
    if not config.on_network:
        asked = ", and shows the token" if config.token_path() else ""
        return f"Only this machine can reach it{asked}; Ctrl+C ends it."
    if config.open:
        return "Whoever can reach one of these addresses is in: nobody is asked for a token. Nothing is encrypted."
    free = ["this machine"] if not config.token else []
    free += ["private networks" if network == "lan" else network for network in config.trust]
    near = f"{' and '.join(free)} {'is' if len(free) == 1 and not config.trust else 'are'} in without; " if free else ""
    return f"Who has the token may join; {near}{_NATIVE[config.native]}. Nothing is encrypted."


def qr(text: str) -> Iterator[str]:
    """To be photographed from the terminal."""
    import segno  # it takes its time, and only a person needs it

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True, border=2)
    yield from drawn.getvalue().splitlines()
