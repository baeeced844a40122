"""The command line: from arguments to settings to a running server.

What only a server needs is imported where it is started: `--help` should not wait for it (`bench/startup.py`).
"""

from __future__ import annotations

import dataclasses
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from bridge import __version__, journal
from bridge.config import ENV_PREFIX, Config, ConfigError, default_files, read_file
from bridge.descriptors import raise_limit
from bridge.model import Refused, StoreError

logger = logging.getLogger("roombridge")

if TYPE_CHECKING:
    import asyncio

_ORIGINS: Final = {"COMMANDLINE": "flag", "ENVIRONMENT": "environment", "DEFAULT_MAP": "file", "DEFAULT": "default"}
EXIT_DAMAGED: Final = 1
EXIT_UNUSABLE: Final = 2
EXIT_DISK_FAILED: Final = 3


class _Commands(click.Group):
    """`roombridge --port 9000` means `roombridge serve --port 9000`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["--help"]})
@click.version_option(__version__, prog_name="roombridge")
def main() -> None:
    """One room for browsers and sockets.

    Without a command, serves the room: see `roombridge serve --help` for the settings.
    """


def settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """These settings of `Config`, or all, as options, with their environment names and the TOML file below them."""
    wanted = [setting for setting in dataclasses.fields(Config) if not names or setting.name in names]
    return lambda command: _with_options(command, wanted)


def _with_options(command: Callable[..., None], wanted: list[dataclasses.Field[Any]]) -> Callable[..., None]:
    for setting in reversed(wanted):
        many, flag = isinstance(setting.default, tuple), isinstance(setting.default, bool)
        alone = {"flag_value": setting.metadata["alone"]} if setting.metadata["alone"] else {}
        command = click.option(
            f"--{setting.name.replace('_', '-')}",
            setting.name,
            type=type(setting.default) if isinstance(setting.default, int) else Path if setting.name == "data" else str,
            default=setting.default,
            is_flag=flag,
            multiple=many,
            show_default=not many and not flag and setting.default != "",
            show_envvar=True,
            envvar=ENV_PREFIX + setting.name.upper(),
            metavar=None if flag else setting.metadata["metavar"],
            help=setting.metadata["help"],
            **alone,
        )(command)
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        envvar=ENV_PREFIX + "CONFIG",
        is_eager=True,
        expose_value=False,
        callback=_read_settings_file,
        metavar="FILE",
        help="A TOML file of settings.  [default: ./roombridge.toml, else the one in the user's configuration folder]",
    )(command)


def _read_settings_file(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    try:
        if path is not None:
            ctx.default_map = read_file(path)
            return
        for candidate in default_files():
            if candidate.is_file():
                ctx.default_map = read_file(candidate)
                return
    except ConfigError as exc:
        raise click.UsageError(str(exc), ctx) from exc


def _checked(values: dict[str, Any]) -> Config:
    try:
        return Config(**values)
    except ConfigError as exc:
        raise click.UsageError(str(exc)) from exc


@main.command()
@settings()
def serve(**values: Any) -> None:
    """Serve the room (this is what happens without a command)."""
    config = _checked(values)
    journal.begin(config.log_level, config.log_format)
    raise_limit()
    with _faults_told(partial(logger.critical, "%s") if config.log_format == "json" else _tell):
        _run(config)


@main.command()
@settings()
@click.pass_context
def config(ctx: click.Context, /, **values: Any) -> None:
    """Show every setting, its value, and where it came from."""
    checked = _checked(values)
    rows = []
    for setting in dataclasses.fields(checked):
        source = ctx.get_parameter_source(setting.name)
        value = getattr(checked, setting.name)
        shown = " ".join(value) if isinstance(value, tuple) else str(value)
        rows.append((setting.name.replace("_", "-"), shown or "-", _ORIGINS[source.name if source else "DEFAULT"]))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, shown, origin in rows:
        click.echo(f"{name:<{widths[0]}}  {shown:<{widths[1]}}  {origin}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@settings("data")
def backup(folder: Path, data: Path) -> None:
    """Copy the data folder to FOLDER, which is empty or not there yet, also while a server runs."""
    with _faults_told():
        from bridge.commands import copy

        click.echo(copy(data, folder))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@settings("data")
def restore(folder: Path, data: Path) -> None:
    """Copy a backup in FOLDER to the data folder, which is empty or not there yet."""
    with _faults_told():
        from bridge.commands import copy

        click.echo(copy(folder, data))


@main.command()
@click.argument("room")
@click.option("--format", type=click.Choice(["text", "ndjson"]), default="text", show_default=True)
@settings("data")
def export(room: str, format: Literal["text", "ndjson"], data: Path) -> None:
    """Print all that ROOM holds, also while a server runs."""
    with _faults_told():
        from bridge.commands import told

        for line in told(data, room, format):
            sys.stdout.buffer.write(line)


@main.group()
def files() -> None:
    """Look after the bytes of files."""


@files.command("list")
@click.option("--format", type=click.Choice(["text", "ndjson"]), default="text", show_default=True)
@settings("data")
def list_files(format: Literal["text", "ndjson"], data: Path) -> None:
    """Print a line for each file, also while a server runs."""
    with _faults_told():
        from bridge.commands import listed

        for line in listed(data, format):
            sys.stdout.buffer.write(line)


@files.command()
@settings("data")
def verify(data: Path) -> None:
    """Read all files and name those that are not what was sent.

    Exit code 1 if there are such. Also while a server runs.
    """
    with _faults_told():
        from bridge.commands import verify

        checked = verify(data, click.echo)
        click.echo(checked)
        if checked.damaged:
            sys.exit(EXIT_DAMAGED)


@files.command()
@settings("data", "unfinished_hours")
def prune(data: Path, unfinished_hours: int) -> None:
    """Remove what no entry names and what cannot go on.

    A server does that when it starts; none may run meanwhile.
    """
    with _faults_told():
        from bridge.commands import prune

        click.echo(prune(data, time.time(), unfinished_hours * 3600.0))


@main.command()
@click.option("--rotate", is_flag=True, help="Make others first; who has the old ones is out at the next start.")
@settings("host", "lan", "port", "data", "token_file", "tls", "cert", "key")
def token(rotate: bool, **values: Any) -> None:
    """Print the links that let people in, and the one that makes their host."""
    config = _checked(values)
    with _faults_told():
        from bridge.commands import links

        for line in links(config, rotate):
            click.echo(line)


@main.command()
@settings()
def doctor(**values: Any) -> None:
    """Look for what could keep people out of a server of these settings, and say what would help.

    Ends with 1 if something is bad.
    """
    config = _checked(values)
    with _faults_told():
        from bridge.commands import examine

        worst = 0
        for level, words, cure in examine(config):
            click.echo(f"{level:<4}  {words}" + (f"\n      -> {cure}" if cure else ""))
            worst = max(worst, level == "bad")
    sys.exit(worst)


def _tell(fault: Exception) -> None:
    click.echo(f"roombridge: {fault}", err=True)


@contextmanager
def _faults_told(tell: Callable[[Exception], None] = _tell) -> Iterator[None]:
    """In one line, with the exit code that says so."""
    try:
        yield
    except (ConfigError, Refused, StoreError) as exc:
        tell(exc)
        sys.exit(EXIT_UNUSABLE)


def _run(config: Config) -> None:
    """Run until a signal; the event loop is the standard one unless uvloop is asked for."""
    import asyncio

    factory: Callable[[], asyncio.AbstractEventLoop]
    if config.loop == "uvloop":
        try:
            import uvloop
        except ImportError:
            raise ConfigError("--loop uvloop: uvloop is not installed (pip install 'roombridge[uvloop]')") from None
        factory = uvloop.new_event_loop
    else:
        # The selector loop everywhere: Windows' proactor cannot watch our UDP socket and listeners.
        factory = asyncio.SelectorEventLoop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(config))


async def _serve(config: Config) -> None:
    stopped = _stop_on_signals()
    from bridge.server import Server
    from bridge.welcome import welcome

    async with Server(config, on_failure=stopped.set) as server:
        logger.info("roombridge %s serves room %s from %s on %s", __version__, config.room, config.data, server.url)
        seal = server.certificate.fingerprint if server.certificate else None
        if config.log_format == "text":
            lines = welcome(config, server.address, server.reach, server.policy.tokens, sys.stderr.isatty(), seal)
            click.echo("\n".join(lines), err=True)
        elif seal:
            logger.info("the certificate shown by TLS has the SHA-256 %s", seal)
        print(f"listening on {server.url} (tcp+udp)", flush=True)
        gc.collect()
        gc.freeze()  # modules and routes stay: walking through them would stop everybody for 30 ms now and then
        await stopped.wait()
        logger.info("shutting down")
    if server.failed:  # an orderly end would close the log, and that syncs once more what the disk has lost
        sys.stderr.flush()
        os._exit(EXIT_DISK_FAILED)


def _stop_on_signals() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; the second ends the process at once."""
    import asyncio

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():
            os._exit(1)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    return stopped


if __name__ == "__main__":
    main(prog_name="roombridge")
