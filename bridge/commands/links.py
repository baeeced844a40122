"""The links that let people in and make the host one, for whoever may read the token's files."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config import Config, ConfigError
from bridge.policy.tokens import HOST_FILE, TOKEN_FILE, Tokens, rotate
from bridge.reach import Reach, reachable
from bridge.welcome import link


def links(config: Config, anew: bool) -> Iterator[str]:
    """For each address others reach us by, the best first, then the host's. `anew`: the old ones open nothing more.

    Raises `ConfigError`.
    """
    path = config.token_path() or config.data / TOKEN_FILE
    if not config.data.is_dir():
        raise ConfigError(f"there is no data folder {config.data} (--data DIR names another)")
    try:
        if anew:
            rotate(path)
            rotate(config.data / HOST_FILE)
        tokens = Tokens.load(config.data, path)
    except (ValueError, OSError) as exc:
        raise ConfigError(f"the token cannot be used: {exc}") from exc
    named = [] if config.everywhere or not config.on_network else [Reach(config.host, "", "")]
    reach = named or reachable() or [Reach("127.0.0.1", "", "")]
    for one in reach:
        yield _row("join", link((one.ip, config.port), tokens.member), one)
    yield _row("rule", link((reach[0].ip, config.port), tokens.host), reach[0])
    if anew:
        yield "The old ones open nothing more once the server was started again."


def _row(word: str, url: str, one: Reach) -> str:
    return f"{word}  {url}{f'    ({one.interface}: {one.kind} only)' if one.kind else ''}"
