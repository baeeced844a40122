"""Who is in from where: another host's browser, curl, WebSocket, tus and form, without the token and with it."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.hosts import Net
from tests.support.process import Running


def test_another_host_is_reached_by_both_families(net: Net, run: Callable[..., Running]) -> None:
    other = net.host()
    running = run("--host", "0.0.0.0", "--open", "--allow-host", other.house, command=net.house.command())
    ended = other.run("curl", "-s", f"http://{other.house}:{running.port}/healthz")
    assert ended.stdout == b"ok\n", ended.stderr
