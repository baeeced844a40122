"""Every setting once: its default, its environment name, its help. The command line and the docs come from here.

A value comes from its flag, else from `ROOMBRIDGE_NAME` in the environment, else from the TOML file, else from the
default. (`docs/settings.md` is made from this list, and a test holds the two together.)
"""

from __future__ import annotations

import dataclasses
import ipaddress
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import platformdirs

from bridge.gate import clean_room
from bridge.model import Refused
from bridge.policy.tokens import TOKEN_FILE
from bridge.policy.zones import networks

ENV_PREFIX: Final = "ROOMBRIDGE_"
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - as is asked for by --lan, or by either of them
USER_DATA: Final = Path(platformdirs.user_data_dir("roombridge"))


class ConfigError(Exception):
    """A setting that cannot be; the message says which, and what would do."""


_LEAST: Final = {
    "unfinished_hours": 1,
    "max_file_bytes": 1,
    "max_sender_bytes": 0,
    "max_store_bytes": 0,
    "max_connections": 1,
    "keep_days": 0,
    "keep_bytes": 0,
    "keep_files_days": 0,
    "keep_files_bytes": 0,
    "reserve_bytes": -1,
    "ballast_bytes": 0,
    "connections_per_address": 0,
    "connects_per_s": 0,
    "connects_burst": 1,
    "messages_per_s": 0,
    "messages_burst": 1,
    "uploads_per_address": 0,
    "wrong_tokens": 0,
    "wrong_minutes": 1,
    "shut_hours": 1,
}


def _setting(help: str, default: Any, metavar: str) -> Any:
    return field(default=default, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True)
class Config:
    """All settings, checked."""

    host: str = _setting("The address to serve on.", "127.0.0.1", "HOST")
    lan: bool = _setting("Serve on every address of this machine, IPv4 and IPv6.", False, "")
    port: int = _setting("The port, the same for TCP and UDP; 0 takes any free one.", 8080, "PORT")
    listen: tuple[str, ...] = _setting("A further address for the same rooms; may be repeated.", (), "HOST:PORT")
    data: Path = _setting(  # noqa: RUF009 - a Path is as immutable as a str
        "Where the log and the files live.", USER_DATA, "DIR"
    )
    room: str = _setting("The room of those who name none.", "lobby", "NAME")
    allow_host: tuple[str, ...] = _setting(
        "A further name by which browsers may call this server; may be repeated.", (), "NAME"
    )
    token: bool = _setting("Ask programs and people on this machine for the token too.", False, "")
    token_file: str = _setting("The file with the token; made if need be.  [default: DIR/token]", "", "FILE")
    open: bool = _setting("Ask nobody for a token: whoever can reach this server is in.", False, "")
    trust: tuple[str, ...] = _setting(
        "A network whose addresses are in without a token (10.0.0.0/8, or lan for all private ones); may be repeated.",
        (),
        "CIDR",
    )
    proxy: tuple[str, ...] = _setting(
        "A reverse proxy (address or network) whose word is taken for who asks and how; may be repeated.", (), "CIDR"
    )
    insecure_public: bool = _setting("Let --open be, also where the whole Internet can reach this server.", False, "")
    native: str = _setting(
        "What socket peers from elsewhere may do who show no token: open, knock (the host is asked), or off.",
        "knock",
        "open|knock|off",
    )
    max_file_bytes: int = _setting("The largest file taken, in bytes.", 64 * 1024**3, "BYTES")
    max_sender_bytes: int = _setting(
        "How much the files of one sender may take before more are refused; 0: any amount.", 0, "BYTES"
    )
    max_store_bytes: int = _setting(
        "How much all files may take, those on their way too, before more are refused; 0: any amount.", 0, "BYTES"
    )
    keep_days: int = _setting("For how many days messages are kept; 0: for ever.", 0, "DAYS")
    keep_bytes: int = _setting(
        "How large the log may grow before its oldest messages go, but none of the last day; 0: any size.", 0, "BYTES"
    )
    keep_files_days: int = _setting("For how many days the bytes of files are kept; 0: for ever.", 0, "DAYS")
    keep_files_bytes: int = _setting(
        "How much files may take before the oldest go, but none of the last day; 0: any amount.", 0, "BYTES"
    )
    reserve_bytes: int = _setting(
        "Files are refused when less than this would be free on the disk; -1: a twentieth of it, at most 1 GiB.",
        -1,
        "BYTES",
    )
    ballast_bytes: int = _setting(
        "Space held to be given to chat when the disk is full, at most a twentieth of it; 0: none.",
        64 * 1024**2,
        "BYTES",
    )
    max_connections: int = _setting(
        "The most TCP connections at once; fewer where the system allows fewer descriptors.", 10_000, "N"
    )
    connections_per_address: int = _setting(
        "The most TCP connections of one address at once; this and the next are for strangers' networks only; 0: any.",
        64,
        "N",
    )
    connects_per_s: int = _setting("How many connections a second one address may open; 0: any.", 20, "N")
    connects_burst: int = _setting("How many of them at once after a silence.", 60, "N")
    messages_per_s: int = _setting(
        "How many messages and other changes one address may send a second; 0: any.", 20, "N"
    )
    messages_burst: int = _setting("How many of them at once after a silence.", 50, "N")
    uploads_per_address: int = _setting("The most uploads of one address at once; 0: any.", 8, "N")
    wrong_tokens: int = _setting("How many wrong tokens shut an address out; 0: none do.", 9, "N")
    wrong_minutes: int = _setting("Within how many minutes they count together.", 60, "MINUTES")
    shut_hours: int = _setting("For how many hours it is shut out.", 24, "HOURS")
    unfinished_hours: int = _setting("How long an upload that stopped may be gone on with, in hours.", 24, "HOURS")
    loop: str = _setting("The event loop: asyncio, or uvloop where it is installed.", "asyncio", "NAME")
    log_level: str = _setting("How much is logged on stderr: debug, info, warning or error.", "info", "LEVEL")
    log_format: str = _setting("How it is logged: text for people, or json, one object a line.", "text", "FORMAT")

    def __post_init__(self) -> None:
        if not all(host for host, _port in self.addresses()):
            raise ConfigError("an empty host is no address: 0.0.0.0 or --lan is every address of this machine")
        _check_port(self.port)
        if self.native not in ("open", "knock", "off"):
            raise ConfigError(f"--native {self.native}: expected open, knock or off")
        if self.open and (self.token or self.token_file):
            raise ConfigError("--open asks for no token, so --token and --token-file make no sense beside it")
        for name in ("trust", "proxy"):
            try:
                networks(getattr(self, name))
            except ValueError as exc:
                message = f"--{name}: {exc}; expected a network such as 192.168.1.0/24, or lan"
                raise ConfigError(message) from None
        if self.loop not in ("asyncio", "uvloop"):
            raise ConfigError(f"--loop {self.loop}: expected asyncio or uvloop")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise ConfigError(f"--log-level {self.log_level}: expected debug, info, warning or error")
        if self.log_format not in ("text", "json"):
            raise ConfigError(f"--log-format {self.log_format}: expected text or json")
        for name, least in _LEAST.items():
            if (value := getattr(self, name)) < least:
                raise ConfigError(f"--{name.replace('_', '-')} {value}: expected at least {least}")
        try:
            clean_room(self.room)
        except Refused as refused:
            raise ConfigError(f"--room {self.room}: {refused.message}") from None

    def addresses(self) -> Iterator[tuple[str, int]]:
        """Every address to listen on, the main one first."""
        if self.everywhere:
            yield from ((host, self.port) for host in EVERYWHERE)
        else:
            yield self.host, self.port
        for item in self.listen:
            host, colon, port = item.rpartition(":")
            if not colon or not port.isdecimal():
                raise ConfigError(f"--listen {item}: expected HOST:PORT")
            _check_port(int(port))
            yield host.strip("[]"), int(port)

    @property
    def everywhere(self) -> bool:
        """Whether the main address is every address of this machine, of both families."""
        return self.lan or self.host in EVERYWHERE

    @property
    def on_network(self) -> bool:
        """Whether others than this machine can reach any of the addresses."""
        return not all(_is_loopback(host) for host, _port in self.addresses())

    def token_path(self) -> Path | None:
        """Where the token is; None if nobody is asked for one."""
        if self.open or not (self.on_network or self.token or self.token_file or self.proxy):
            return None
        return Path(self.token_file) if self.token_file else self.data / TOKEN_FILE


def _check_port(port: int) -> None:
    if not 0 <= port <= 65535:
        raise ConfigError(f"port {port}: expected 0 to 65535")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_file(path: Path) -> dict[str, Any]:
    """The settings in a TOML file, by their names with `_` or `-`. Raises `ConfigError`."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    values = {name.replace("-", "_"): value for name, value in values.items()}
    known = {setting.name: type(setting.default) for setting in dataclasses.fields(Config)}
    if unknown := sorted(values.keys() - known.keys()):
        raise ConfigError(f"{path}: there is no setting {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return {name: _of_kind(known[name], value, f"{path}: {name}") for name, value in values.items()}


def _of_kind(kind: type, value: Any, where: str) -> Any:
    """What TOML says of a setting, if it is of the setting's kind; one word will do for a list of words."""
    if kind is tuple:
        words = [value] if isinstance(value, str) else value
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
        raise ConfigError(f"{where} = {value!r}: expected a list of strings")
    if kind is bool and type(value) is not bool:
        raise ConfigError(f"{where} = {value!r}: expected true or false")
    if kind is int and type(value) is not int:
        raise ConfigError(f"{where} = {value!r}: expected a whole number")
    if kind not in (int, bool) and not isinstance(value, str):
        raise ConfigError(f"{where} = {value!r}: expected a string")
    return value


def default_files() -> list[Path]:
    """Where a settings file is looked for when none is named: here, then the user's configuration folder."""
    return [Path("roombridge.toml"), Path(platformdirs.user_config_dir("roombridge")) / "roombridge.toml"]
